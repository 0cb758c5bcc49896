"""The venue by REST alone, for the words that ask or cancel something and leave: no realtime feed, no ladder."""
from __future__ import absolute_import, division, print_function

import json

from market_maker.auth import APIKeyAuthWithExpires, LoginAuth
from market_maker.own_orders import is_ours
from market_maker.rate_limit import RequestBudget
from market_maker.rest_session import RestSession, check_address
from market_maker.utils import errors
from market_maker.utils.clock import RealClock


class Direct(object):
    """What `check`, `cancel` and `flatten` ask of a venue. Raises the errors of utils.errors.

    settings -- where and as whom; transport, clock -- handed to RestSession. `close` it when done.
    """

    def __init__(self, settings, transport=None, clock=None):
        self.settings = settings
        self.headers = _Headers()
        self._rest = RestSession(settings.BASE_URL, clock or RealClock(), self.headers, None, settings.TIMEOUT, transport)

    def has_credentials(self):
        return bool((self.settings.API_KEY and self.settings.API_SECRET) or (self.settings.LOGIN and self.settings.PASSWORD))

    def log_in(self):
        """From now on requests are signed. Raises AuthenticationError without credentials, or when a login is refused."""
        settings = self.settings
        check_address(settings.BASE_URL)
        if not self.has_credentials():
            raise errors.AuthenticationError('No API key: set API_KEY and API_SECRET in settings.py, or BITMEX_API_KEY and '
                                             'BITMEX_API_SECRET in the environment.')
        if settings.API_KEY and settings.API_SECRET:
            self._rest.auth = APIKeyAuthWithExpires(settings.API_KEY, settings.API_SECRET, self._rest.venue_time)
        else:
            self._rest.auth = LoginAuth(settings.LOGIN, settings.PASSWORD, settings.OTPTOKEN)
            self._rest.log_in()

    def instruments(self):
        """Rows of the instruments that trade; needs no credentials."""
        return self._ask('GET', 'instrument/active')

    def instrument(self, symbol):
        """The row of one instrument, or None."""
        rows = self._ask('GET', 'instrument', {'symbol': symbol, 'count': 1})
        return rows[0] if rows and rows[0].get('symbol') == symbol else None

    def margin(self, currency):
        return self._ask('GET', 'user/margin', {'currency': currency})

    def own_orders(self):
        """Open orders of the symbol that carry our prefix."""
        rows = self._ask('GET', 'order', {'symbol': self.settings.SYMBOL, 'count': 500, 'filter': json.dumps({'open': True})})
        return [row for row in rows if is_ours(self.settings.ORDERID_PREFIX, row.get('clOrdID'))]

    def cancel(self, rows):
        """Cancel these orders. Those that are gone already are no error."""
        self._ask('DELETE', 'order', body={'orderID': [row['orderID'] for row in rows]})

    def position(self):
        """Contracts held of the symbol; negative is short."""
        return self.held()[0]

    def held(self):
        """(contracts held of the symbol, their average entry price or None)."""
        rows = self._ask('GET', 'position', {'filter': json.dumps({'symbol': self.settings.SYMBOL})})
        rows = [row for row in rows if row.get('symbol') == self.settings.SYMBOL and row.get('currentQty')]
        return sum(row['currentQty'] for row in rows), rows[0].get('avgEntryPrice') if rows else None

    def close_position(self, quantity, cl_ord_id):
        """Send a market order that can only make the position of `quantity` contracts smaller; its row."""
        return self._ask('POST', 'order', body={
            'symbol': self.settings.SYMBOL, 'side': 'Sell' if quantity > 0 else 'Buy', 'orderQty': abs(quantity), 'ordType': 'Market',
            'execInst': 'ReduceOnly', 'clOrdID': cl_ord_id})

    def close(self):
        self._rest.close()

    def _ask(self, verb, path, query=None, body=None):
        return self._rest.request(verb, path, query, body, quiet=True)


class _Headers(RequestBudget):
    """A request budget that also keeps the last answer's headers, for its Date."""

    def __init__(self):
        super(_Headers, self).__init__()
        self.date = None

    def note_headers(self, headers, now):
        self.date = headers.get('Date') or self.date
        super(_Headers, self).note_headers(headers, now)
