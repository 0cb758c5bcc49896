"""pybitmex, a desk's client of 2019: bulk orders over REST, everything else from the socket."""
from datetime import datetime, timedelta, timezone

from pybitmex import BitMEXClient
from steps import WHERE, report, step, until

client = step('connect', BitMEXClient, uri=WHERE['url'], symbol='XBTUSD', api_key=WHERE['key'], api_secret=WHERE['secret'],
              order_id_prefix='py_')
if client is None:
    report()
step('open for business', client.is_market_in_normal_state)
bids, asks = step('book', client.ws_sorted_bids_and_asks_of_market)
step('trades', lambda: until(lambda: len(client.ws_sorted_recent_trade_objects_of_market()) > 3))
low, high = round(bids[0]['price'] * 0.9), round(asks[0]['price'] * 1.1)
orders = [{'side': side, 'orderQty': 30, 'price': price} for side, price in (('Buy', low), ('Buy', low - 1), ('Sell', high))]
step('placed', client.rest_place_orders, orders)


def resting():
    mine = client.ws_open_order_objects_of_account()
    return [order.price for order in mine.bids], [order.price for order in mine.asks]


step('resting', lambda: until(lambda: sum(map(len, resting())) == 3 and resting()))
step('moved', client.rest_change_prices_of_orders, 1, lambda order: order.side == 'Buy')
step('resting elsewhere', lambda: until(lambda: resting()[0] == [low + 1, low] and resting()))
step('cancelled', client.rest_cancel_all_orders)
step('nothing rests', lambda: until(lambda: resting() == ([], [])))
step('bought', client.rest_place_orders, [{'side': 'Buy', 'orderQty': 50, 'price': high}], post_only=False)
step('held', lambda: until(client.ws_current_position_size))
step('fills', lambda: until(client.ws_recent_trades_of_account) and True)
step('closed', client.rest_market_close_position, {'side': 'Sell'})
step('flat', lambda: until(lambda: client.ws_current_position_size() == 0))
step('balances', client.ws_balances_of_account_object)
now = datetime.now(timezone.utc)
spans = {
    'hour': BitMEXClient.create_hourly_filter(now.year, now.month, now.day, now.hour),
    'range': BitMEXClient.create_time_range_filter(now - timedelta(hours=1), now + timedelta(hours=1)),
}
for name, span in spans.items():
    step('trade history of the ' + name, lambda when: len(client.rest_get_raw_trade_history_of_account(when)), span)
    step('orders of the ' + name, lambda when: len(client.rest_get_raw_orders_of_account(when)), span)
step('position rows', lambda: len(client.rest_get_raw_positions_of_account({'symbol': 'XBTUSD'})))
step('close', client.close)
report()
