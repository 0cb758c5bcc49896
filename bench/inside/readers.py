"""The programs' own message handlers, each behind the same two functions. Runs inside the environment of the program.

`READERS[name](symbol)` makes one and returns (feed, look): `feed(text)` hands over one text as the program's socket would, `look()` says what
it has learned, for a check that everybody did the work: the number of levels in the book, or None where it has no such thing.
"""

import asyncio
import json
import os
import sys
import types

INSTRUMENT = {"symbol": "XBTUSD"}


def ours(instrument):
    from market_maker.utils.clock import RealClock, Wakeup
    from market_maker.ws.ws_thread import BitMEXWebsocket

    class NoFeed:
        threaded = False

        def start(self, url, header, listener):
            listener.on_open()

        def send(self, text):
            """Nobody listens."""

        def close(self):
            """Nothing is open."""

    reader = BitMEXWebsocket(RealClock(), Wakeup(), NoFeed())
    reader.connect("http://127.0.0.1:1/api/v1/", instrument["symbol"])
    return reader.on_message, lambda: len(reader.tables.rows("orderBookL2"))


def json_alone(instrument):
    return json.loads, lambda: None


def original(instrument):
    """Both releases of bitmex-market-maker. `settings.py` is read from the current folder."""
    from market_maker.ws import ws_thread

    reader = ws_thread.BitMEXWebsocket()
    reader.ws = types.SimpleNamespace(close=lambda: None)
    return reader._BitMEXWebsocket__on_message, lambda: len(reader.data.get("orderBookL2", ()))


def bitmex_ws(instrument):
    from bitmex_websocket import BitMEXWebsocket

    class Unconnected(BitMEXWebsocket):
        def _BitMEXWebsocket__connect(self, url, symbol):
            """The texts come from elsewhere."""

        def _BitMEXWebsocket__wait_for_symbol(self, symbol):
            """They will."""

    reader = Unconnected("http://127.0.0.1:1/realtime", instrument["symbol"])
    handle = reader._BitMEXWebsocket__on_message
    return lambda text: handle(None, text), lambda: len(reader.data.get("orderBookL2", ()))


def ccxt_pro(instrument):
    import ccxt.pro
    from ccxt.async_support.base.ws.client import Client

    loop = asyncio.new_event_loop()

    async def make():
        exchange = ccxt.pro.bitmex()
        exchange.set_markets([exchange.parse_market(instrument)])
        client = Client("ws://127.0.0.1:1", exchange.handle_message, _ignore, _ignore, _ignore)
        return exchange, client

    exchange, client = loop.run_until_complete(make())

    def look():
        book = next(iter(exchange.orderbooks.values()))
        return len(book["bids"]) + len(book["asks"])

    return client.handle_text_or_binary_message, look


def cryptofeed_feed(instrument):
    from cryptofeed.defines import L2_BOOK, OPEN_INTEREST, TICKER, TRADES
    from cryptofeed.exchanges import Bitmex
    from cryptofeed.symbols import Symbols

    async def heard(thing, receipt):
        """Somebody must want the news."""

    known, info = Bitmex._parse_symbol_data([instrument])
    Symbols.set(Bitmex.id, known, info)
    pair = next(iter(known))
    channels = [L2_BOOK, TICKER, TRADES, OPEN_INTEREST]
    feed = Bitmex(symbols=[pair], channels=channels, callbacks=dict.fromkeys(channels, heard))
    feed._reset()
    connection = types.SimpleNamespace(uuid="bench")

    def hand_over(text):
        try:
            feed.message_handler(text, connection, 0.0).send(None)  # a coroutine that never waits
        except StopIteration:
            pass

    def look():
        book = feed._l2_book[pair].book
        return len(book.bids) + len(book.asks)

    return hand_over, look


def _ignore(*arguments):
    """Nothing happens to a connection that does not exist."""


READERS = {
    "ours": ours,
    "json.loads": json_alone,
    "bitmex-market-maker": original,
    "bitmex-ws": bitmex_ws,
    "ccxt": ccxt_pro,
    "cryptofeed": cryptofeed_feed,
}


def write_settings(**values):
    """What bitmex-market-maker reads from the current folder before anything of it can be imported."""
    with open("settings.py", "w") as file:
        file.writelines(f"{name} = {value!r}\n" for name, value in dict({"WATCHED_FILES": []}, **values).items())
    sys.path.insert(0, os.getcwd())
