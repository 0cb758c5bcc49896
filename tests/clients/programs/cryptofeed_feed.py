"""cryptofeed's BitMEX feed: book, trades, ticker, open interest, funding, liquidations.

It refuses addresses without TLS, so it is given one with, and the connection is made without.
"""
import asyncio

from cryptofeed import FeedHandler, connection
from cryptofeed.connection import RestEndpoint, Routes, WebsocketEndpoint
from cryptofeed.defines import FUNDING, L2_BOOK, LIQUIDATIONS, OPEN_INTEREST, TICKER, TRADES
from cryptofeed.exchanges import Bitmex
from steps import WHERE, astep, report, step

PAIR = 'BTC-USD-PERP'
ENOUGH = 20
seen = {}


class BitmexHere(Bitmex):
    """The addresses are class attributes of a feed, meant to be set."""

    websocket_endpoints = [WebsocketEndpoint('wss://' + WHERE['host'] + '/realtime', options={'compression': None})]
    rest_endpoints = [RestEndpoint('http://' + WHERE['host'], routes=Routes('/api/v1/instrument/active'))]


def connect_plainly(address, connect=connection.connect, **options):
    return connect(address.replace('wss://', 'ws://', 1), **options)


def keep(name, value):
    async def callback(item, receipt):
        seen.setdefault(name, []).append(value(item))
    return callback


def touch(book):
    return [float(book.book.bids.index(0)[0]), float(book.book.asks.index(0)[0]), len(book.book.bids), len(book.book.asks)]


async def enough(name, count):
    while len(seen.get(name, ())) < count:
        await asyncio.sleep(0.05)
    return seen[name][-count:]


async def watch():
    for name in ('book', 'trades', 'ticker'):
        await astep(name, enough(name, ENOUGH))
    await astep('open interest', enough('open interest', 1))
    report()


connection.connect = connect_plainly
step('symbols', BitmexHere.symbols)
handler = FeedHandler()  # it chooses what makes event loops
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)
handler.add_feed(BitmexHere(symbols=[PAIR], channels=[L2_BOOK, TRADES, TICKER, OPEN_INTEREST, FUNDING, LIQUIDATIONS], callbacks={
    L2_BOOK: keep('book', touch), TRADES: keep('trades', lambda trade: [trade.side, float(trade.price), float(trade.amount)]),
    TICKER: keep('ticker', lambda ticker: [float(ticker.bid), float(ticker.ask)]),
    OPEN_INTEREST: keep('open interest', lambda interest: float(interest.open_interest)),
    FUNDING: keep('funding', lambda funding: float(funding.rate)), LIQUIDATIONS: keep('liquidations', str)}))
handler.run(start_loop=False, install_signal_handlers=False)
loop.run_until_complete(watch())
