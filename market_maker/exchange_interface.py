"""What we ask of the venue: the getters of `ExchangeView`, and what changes something there.

Rules:

* Without a client it makes its own, as the settings say; the paper venue is started for it and stopped last.
* In a dry run nothing is sent: orders are answered with themselves.
* Cancelling everything and counting what is left ask the venue itself: the realtime table may lag.
"""
from __future__ import absolute_import, division, print_function

from market_maker import bitmex, paper, run_folder
from market_maker.exchange_view import ExchangeView
from market_maker.settings import settings as process_settings
from market_maker.utils import errors, log, threads

logger = log.get_logger()


class ExchangeInterface(ExchangeView):
    """The venue as a strategy sees it. Without `bitmex` it connects as the settings say, starting the paper venue for BASE_URL "paper",
    and keeps the run's journal, unless one is given; to a client that is handed in belongs the journal that it was given."""

    run = run_folder.NO_FOLDER

    def __init__(self, dry_run=False, settings=None, symbol=None, bitmex=None, journal=None):
        self._journal = journal            # in place of one in a folder of its own
        self.settings = process_settings if settings is None else settings
        self.dry_run = dry_run
        self.symbol = symbol or self.settings.SYMBOL
        self.paper = None
        self.threads = threads.Watch()     # told when one of ours fails
        try:
            self.bitmex = self._connect() if bitmex is None else bitmex
        except BaseException as error:
            self.run.close(errors.code_of(error))
            raise
        self.tick_log = self.get_instrument()['tickLog']  # kept, since cancelling must not need realtime data
        self._must_reconcile = False

    def _connect(self):
        settings = self.settings
        if self.paper is None and settings.BASE_URL == 'paper':
            self.paper = paper.start_for(settings)
        if self.run is run_folder.NO_FOLDER and self._journal is None:
            self.run = run_folder.begin(settings, self.symbol, self.dry_run, self.paper)
        try:
            return bitmex.BitMEX(
                base_url=settings.BASE_URL, symbol=self.symbol, apiKey=settings.API_KEY, apiSecret=settings.API_SECRET,
                orderIDPrefix=settings.ORDERID_PREFIX, shouldWSAuth=not self.dry_run, postOnly=settings.POST_ONLY, timeout=settings.TIMEOUT,
                login=settings.LOGIN, password=settings.PASSWORD, otpToken=settings.OTPTOKEN, order_transport=settings.ORDER_TRANSPORT,
                symbols=[symbol for symbol in settings.CONTRACTS if symbol != self.symbol], start_timeout=settings.START_TIMEOUT_S,
                journal=self._journal or self.run.journal)
        except BaseException:
            self._stop_paper()
            raise

    def reconnect(self):
        """A new client with fresh tables, to the same venue."""
        self.bitmex.exit()
        self.bitmex = self._connect()

    def close(self):
        """Close the client; the paper venue, if there is one, stops last. Calling again is harmless."""
        try:
            self.bitmex.exit()
        finally:
            self._stop_paper()

    def _stop_paper(self):
        if self.paper is not None:
            self.paper.stop()

    def paper_died(self):
        """Whether the venue on this machine ended by itself."""
        return self.journal.inputs.observe('paper venue', self.paper is not None and not self.paper.alive())

    def thread_failed(self):
        """Whether one of our threads was ended by an error."""
        return self.journal.inputs.observe('thread', self.threads.failure is not None)

    #
    # Our orders
    #
    def cancel_order(self, order):
        logger.info('Canceling: %s %d @ %.*f' % (order['side'], order['orderQty'], self.tick_log, order['price']))
        return self.bitmex.cancel(order['orderID'])

    def cancel_all_orders(self):
        """Cancel what the venue itself says rests under our prefix: the realtime table may lag."""
        if self.dry_run:
            return
        logger.info('Resetting current position. Canceling all existing orders.')
        orders = self.bitmex.http_open_orders()
        for order in orders:
            logger.info('Canceling: %s %d @ %.*f' % (order['side'], order.get('orderQty') or 0, self.tick_log, order.get('price') or 0))
        if orders:
            self.bitmex.cancel([order['orderID'] for order in orders])

    def orders_left(self):
        """How many orders of ours rest, or may still come to rest, as the venue says."""
        if self.dry_run:
            return 0
        left = len(self.bitmex.http_open_orders())
        if not left and self.bitmex.own_orders.is_uncertain():
            self.bitmex.reconcile()
            left = len(self.bitmex.open_orders())  # one that arrived between the two readings, or that may still arrive
        return left

    def settled_in(self):
        """Seconds after which no request of ours of which nothing was heard can still arrive."""
        return max(0.0, self.bitmex.own_orders.settles_at() - self.bitmex.clock.time())

    def amend_bulk_orders(self, orders):
        return orders if self.dry_run else self.bitmex.amend_bulk_orders(orders)

    def create_bulk_orders(self, orders):
        return orders if self.dry_run else self.bitmex.create_bulk_orders(orders)

    def cancel_bulk_orders(self, orders):
        return orders if self.dry_run else self.bitmex.cancel([order['orderID'] for order in orders])

    def amend_orders(self, orders):
        return self.amend_bulk_orders(orders)

    def create_orders(self, orders):
        return self.create_bulk_orders(orders)

    def cancel_orders(self, orders):
        return self.cancel_bulk_orders(orders)

    def cancel_all_after(self, seconds):
        """The dead man's switch; see BitMEX.cancel_all_after. Tried once: who keeps it tries again."""
        if not self.dry_run:
            self.bitmex.cancel_all_after(seconds, max_retries=0)

    def close_position(self, held):
        """Send a market order that can only reduce a position of `held` contracts, and read what became of it."""
        self.bitmex.place_order(-held, None, {'ordType': 'Market', 'execInst': 'ReduceOnly'})
        self.bitmex.reconcile()

    def must_reconcile(self):
        """Our picture of our orders was wrong: read it again before the next quote."""
        self._must_reconcile = True

    def reconcile(self):
        """Read open orders and position by REST when that tells something; otherwise do nothing. Returns the seconds until it does, or None."""
        if self._must_reconcile or self.bitmex.reads_in == 0:
            self.bitmex.reconcile()
            self._must_reconcile = False
        return self.bitmex.reads_in

    def keep_warm(self):
        """While there is nothing to do: see to the connections over which the next orders go."""
        if not self.dry_run:
            self.bitmex.keep_warm()

    def check_alone(self):
        self.bitmex.check_alone()
