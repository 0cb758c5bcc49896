"""What an OrderManager reads from the venue: the getters of ExchangeInterface. Nothing here sends anything that changes anything.

In a dry run there is no account: no orders, no position, and a balance of DRY_BTC.
"""
from __future__ import absolute_import, division, print_function

from market_maker import contracts
from market_maker.journal import NO_JOURNAL
from market_maker.utils import errors


class ExchangeView(object):
    """The getters; bitmex, settings, symbol and dry_run are the subclass's."""

    _settlement = None

    @property
    def journal(self):
        """Where it is written down what happens: that of the client."""
        return getattr(self.bitmex, 'journal', NO_JOURNAL)

    #
    # Our orders
    #
    def get_orders(self):
        return [] if self.dry_run else self.bitmex.open_orders()

    def get_highest_buy(self):
        buys = [order for order in self.get_orders() if order['side'] == 'Buy' and order.get('price')]
        return max(buys, key=lambda order: order['price']) if buys else {'price': -2**32}

    def get_lowest_sell(self):
        sells = [order for order in self.get_orders() if order['side'] == 'Sell' and order.get('price')]
        return min(sells, key=lambda order: order['price']) if sells else {'price': 2**32}

    def worst_case(self):
        """(contracts that may come to be bought, sold) on top of the position: resting, in flight, or filled and not in its row yet."""
        return (0, 0) if self.dry_run else self.bitmex.worst_case()

    #
    # The account
    #
    def get_portfolio(self):
        """Position, kind and prices of each of CONTRACTS and of the symbol we trade."""
        unknown = self.unknown_contracts()
        symbols = set(self.settings.CONTRACTS + [self.symbol]).difference(unknown)
        return dict((symbol, contracts.portfolio_item(self.get_instrument(symbol), self.get_position(symbol)['currentQty']))
                    for symbol in symbols)

    def unknown_contracts(self):
        """Those of CONTRACTS that the venue does not have."""
        return [symbol for symbol in self.settings.CONTRACTS if symbol != self.symbol and not self._knows(symbol)]

    def _knows(self, symbol):
        try:
            self.get_instrument(symbol)
        except errors.RequestRefused:
            return False
        return True

    def calc_delta(self):
        """Currency delta of the portfolio: 'spot', 'mark_price' and 'basis', in the currency that the traded contract's delta is in."""
        return contracts.delta(self.get_portfolio(), contracts.delta_currency(self.get_instrument()))

    def get_delta(self, symbol=None):
        """Contracts held."""
        return self.get_position(symbol)['currentQty'] or 0

    def get_margin(self):
        """The margin row of the settlement currency; in a dry run one with DRY_BTC."""
        if self.dry_run:
            units = float(self.settings.DRY_BTC) * 10 ** contracts.currency(self.settlement()).digits
            return {'marginBalance': units, 'availableFunds': units, 'availableMargin': units, 'currency': self.settlement()}
        return self.bitmex.funds()

    def get_position(self, symbol=None):
        symbol = symbol or self.symbol
        if self.dry_run:
            return {'avgCostPrice': 0, 'avgEntryPrice': 0, 'currentQty': 0, 'symbol': symbol}
        return self.bitmex.position(symbol)

    def read_balance(self):
        """marginBalance in the settlement unit, by REST: also when the realtime picture is gone."""
        if self.dry_run:
            return self.get_margin()['marginBalance']
        row = self.bitmex._curl_bitmex('user/margin', query=[('currency', self.settlement())], verb='GET', quiet=True)
        return row['marginBalance']

    def settlement(self):
        """The unit that the traded contract settles in, such as XBt."""
        if self._settlement is None:  # kept: the end of a run must not need realtime data
            self._settlement = contracts.settlement(self.get_instrument())
        return self._settlement

    def deposits(self):
        """Units paid in less units taken out since the start; None where the venue does not tell."""
        try:
            return 0 if self.dry_run else self.bitmex.wallet_history_since_start()
        except errors.VenueError:
            return None

    #
    # The market
    #
    def get_instrument(self, symbol=None):
        return self.bitmex.instrument(symbol or self.symbol)

    def get_ticker(self, symbol=None):
        return self.bitmex.ticker_data(symbol or self.symbol)

    def news(self):
        """(market and account, our orders): what a decision depends on; equal to the last one while nothing has changed."""
        return self.bitmex.news()

    def is_open(self):
        """Whether the client has not been closed. A dropped socket does not close it: it reconnects by itself."""
        return not self.bitmex.ws.exited

    def data_age(self):
        """Seconds since anything came from the venue; infinite while there is no complete picture."""
        return self.bitmex.data_age()

    def check_market_open(self):
        state = self.get_instrument().get('state')
        if state not in (None, 'Open'):
            raise errors.MarketClosedError('The instrument %s is not open. State: %s' % (self.symbol, state))

    def check_if_orderbook_empty(self):
        """Raise MarketEmptyError unless there is a touch to quote around, both sides of it, the buy below the sell."""
        ticker = self.get_ticker()
        missing = [side for side, price in (('bid', ticker['buy']), ('ask', ticker['sell'])) if not price]
        if missing:
            raise errors.MarketEmptyError('Orderbook is empty, cannot quote: %s has no %s.' % (self.symbol, ' and no '.join(missing)))
        if ticker['buy'] >= ticker['sell']:
            raise errors.MarketEmptyError('Exchange data is inconsistent, cannot quote: bid %s, ask %s.' % (ticker['buy'], ticker['sell']))
