"""ccxt.pro, the same client on the realtime door: each of its watches sees what the REST calls beside it do."""
import asyncio

import ccxt.pro
from steps import WHERE, astep, report

SWAP = 'BTC/USD:BTC'


async def until(watch, wanted, *arguments):
    """Watch until something wanted is among what comes; it."""
    while True:
        seen = await watch(*arguments)
        for item in seen if isinstance(seen, list) else [seen]:
            if wanted(item):
                return item


def short(*names):
    """Those members of a result, the whole is long."""
    return lambda item: {name: item[name] for name in names}


async def cut(awaitable, chosen):
    return chosen(await awaitable)


def of(identity, status=None):
    """Whether an order or a trade is the one that we named so, and in this state."""
    return lambda item: item['info'].get('clOrdID') == identity and status in (None, item.get('status'))


async def main():
    await client.load_markets()
    book = await astep('watchOrderBook', client.watch_order_book(SWAP))
    await astep('watchOrderBook 25', client.watch_order_book('ETH/USD:BTC', 25))
    await astep('watchOrderBook again', crossed_never(100))
    await astep('watchTicker', cut(client.watch_ticker(SWAP), short('symbol', 'last', 'bid', 'ask')))
    await astep('watchTrades', cut(until(client.watch_trades, lambda trade: trade['price'], SWAP), short('side', 'price', 'amount')))
    await astep('watchBalance', cut(client.watch_balance(), short('BTC')))

    # One order rests before anybody looks: the watch of orders comes last, and what it shows first is that the others are open.
    low = float(client.price_to_precision(SWAP, book['bids'][0][0] * 0.9))
    resting = await client.create_order(SWAP, 'limit', 'buy', 100, low, {'clOrdID': 'resting'})
    shown = short('status', 'price', 'filled', 'remaining')
    watches = [asyncio.ensure_future(watch) for watch in (
        astep('watchMyTrades', cut(until(client.watch_my_trades, of('bought'), SWAP), short('side', 'price', 'amount', 'fee'))),
        astep('watchPositions', cut(until(client.watch_positions, lambda position: position['contracts'], [SWAP]), short('side', 'contracts'))),
        astep('watchBalance less', cut(until(client.watch_balance, lambda balance: balance['BTC']['free'] < 1), short('BTC'))),
    )]
    await asyncio.sleep(0)
    await astep('watchOrders open', cut(until(client.watch_orders, of('resting', 'open'), SWAP), shown))
    watches += [asyncio.ensure_future(watch) for watch in (
        astep('watchOrders canceled', cut(until(client.watch_orders, of('resting', 'canceled'), SWAP), shown)),
        astep('watchOrders closed', cut(until(client.watch_orders, of('bought', 'closed'), SWAP), shown)),
    )]
    await asyncio.sleep(0)
    await client.cancel_order(resting['id'], SWAP)
    await client.create_order(SWAP, 'market', 'buy', 1000, None, {'clOrdID': 'bought'})
    await asyncio.gather(*watches)
    await client.close_position(SWAP, 'sell')
    await astep('watchOHLCV', client.watch_ohlcv(SWAP, '1m'), 90)
    await client.close()


async def crossed_never(updates):
    """The book that ccxt keeps is in order and never crossed, for so many messages; its touch and its depth."""
    for _ in range(updates):
        book = await client.watch_order_book(SWAP)
        bids, asks = [row[0] for row in book['bids']], [row[0] for row in book['asks']]
        assert bids[0] < asks[0] and bids == sorted(bids, reverse=True) and asks == sorted(asks), (bids[:5], asks[:5])
    return [bids[0], asks[0], len(bids), len(asks)]


def client_of(where):
    rest, realtime = 'http://' + where['host'], 'ws://' + where['host'] + '/realtime'
    return ccxt.pro.bitmex({'apiKey': where['key'], 'secret': where['secret'], 'enableRateLimit': True,
                            'urls': {'api': {'public': rest, 'private': rest, 'ws': realtime}}})


async def run():
    global client
    client = client_of(WHERE)
    await main()


asyncio.run(run())
report()
