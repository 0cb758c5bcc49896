"""ccxt's REST client against the venue: everything it offers that the venue has, an order's life among it."""
import ccxt
from steps import WHERE, report, step, until

SWAP = 'BTC/USD:BTC'

client = ccxt.bitmex({'apiKey': WHERE['key'], 'secret': WHERE['secret'], 'enableRateLimit': True,
                      'urls': {'api': {'public': 'http://' + WHERE['host'], 'private': 'http://' + WHERE['host']}}})


def refused(error, function, *arguments):
    """The class of the error, which ccxt finds by the venue's words."""
    try:
        function(*arguments)
    except ccxt.BaseError as problem:
        assert type(problem) is error, repr(problem)
        return type(problem).__name__
    raise AssertionError('it was not refused')


step('load_markets', client.load_markets)
step('fetch_ticker', client.fetch_ticker, SWAP)
step('fetch_tickers', client.fetch_tickers)
book = step('fetch_order_book', client.fetch_order_book, SWAP)
step('fetch_trades', client.fetch_trades, SWAP, limit=5)
step('fetch_ohlcv', client.fetch_ohlcv, SWAP, '1m', limit=5)
step('fetch_funding_rates', client.fetch_funding_rates)
step('fetch_funding_rate_history', client.fetch_funding_rate_history, SWAP)
step('fetch_liquidations', client.fetch_liquidations, SWAP)
step('fetch_settlement_history', client.fetch_settlement_history)
step('fetch_balance', client.fetch_balance)

# An order's life: placed far away, read, amended, cancelled, cancelled again.
low, higher, taking = (float(client.price_to_precision(SWAP, book['bids'][0][0] * times)) for times in (0.9, 0.95, 1.01))
placed = step('create_order', client.create_order, SWAP, 'limit', 'buy', 100, low)
step('fetch_order', client.fetch_order, placed['id'], SWAP)
step('fetch_open_orders', client.fetch_open_orders, SWAP)
step('edit_order', client.edit_order, placed['id'], SWAP, 'limit', 'buy', 200, higher)
step('cancel_order', client.cancel_order, placed['id'], SWAP)
if WHERE['profile'] == 'classic':  # the later text of the venue is none that ccxt knows
    step('a second cancel', refused, ccxt.OrderNotFound, client.cancel_order, placed['id'], SWAP)
step('fetch_closed_orders', client.fetch_closed_orders, SWAP)

# Orders that never rest, and orders that wait for a price.
falling = {'triggerPrice': low, 'triggerDirection': 'below', 'triggerPriceType': 'mark'}
step('post only that would take', client.create_order, SWAP, 'limit', 'buy', 100, taking, {'postOnly': True})
step('a stop', client.create_order, SWAP, 'market', 'sell', 100, None, falling)
step('a stop limit', client.create_order, SWAP, 'limit', 'sell', 100, low, falling)
for name in ('first', 'second', 'third'):
    step('resting ' + name, client.create_order, SWAP, 'limit', 'buy', 100, low, {'clOrdID': 'ccxt-' + name})
step('cancel_orders', client.cancel_orders, [], None, {'clOrdID': ['ccxt-first', 'ccxt-second']})
step('cancel_all_orders_after', client.cancel_all_orders_after, 60000000)  # it divides by a thousand what the venue reads as milliseconds
step('cancel_all_orders_after 0', client.cancel_all_orders_after, 0)
step('cancel_all_orders', client.cancel_all_orders, SWAP)
step('nothing is open', client.fetch_open_orders)

# A position: opened, seen, levered, closed.
step('set_leverage', client.set_leverage, 10, SWAP)
step('market buy', client.create_order, SWAP, 'market', 'buy', 1000)
step('fetch_positions', client.fetch_positions)
step('fetch_leverages', client.fetch_leverages)
step('fetch_my_trades', lambda: until(lambda: client.fetch_my_trades(SWAP)))
step('set_margin_mode', client.set_margin_mode, 'cross', SWAP)
step('close_position', client.close_position, SWAP, 'sell')
step('fetch_positions after', client.fetch_positions)
step('fetch_ledger', client.fetch_ledger)
step('fetch_deposits_withdrawals', client.fetch_deposits_withdrawals)
step('a linear order', client.create_order, 'BTC/USDT:USDT', 'market', 'buy', 1000)
step('fetch_positions linear', client.fetch_positions, ['BTC/USDT:USDT'])
step('close linear', client.close_position, 'BTC/USDT:USDT', 'sell')
step('too large an order', refused, ccxt.InsufficientFunds, client.create_order, SWAP, 'limit', 'buy', 10000000, low)
client.secret += 'x'
step('a wrong secret', refused, ccxt.AuthenticationError, client.fetch_balance)
client.apiKey += 'x'
step('a wrong key', refused, ccxt.AuthenticationError, client.fetch_balance)
report()
