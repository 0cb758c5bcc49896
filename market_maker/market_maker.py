"""The market maker: what a decision of the loop is (OrderManager). What we ask of the venue is in `exchange_interface`, and known here too.

Rules:

* Quotes blanket the spread from one tick inside the touch outwards; quoting.py says how, convergence.py how resting orders become them.
* Nothing is placed before what an earlier run left was cancelled, and nothing is left when a run ends.
* A ladder is scaled to the margin by `margin_scale`; a plan is sent by `sending`.
* In a dry run nothing is sent; the ladder is shown as a table when it changes.
* Names, getters and the promised log lines are the original's, so that a strategy written for it runs unchanged.
"""
from __future__ import absolute_import, division, print_function

import logging
import random
import signal
from datetime import datetime

from market_maker import afford, contracts, convergence, forecast, preview_table, quoting, status, why
from market_maker.exchange_interface import ExchangeInterface
from market_maker.margin_scale import MarginScale
from market_maker.recentring import Recentring
from market_maker.risk import Risk
from market_maker.running import Running
from market_maker.sending import Sender, counts
from market_maker.settings import settings as process_settings
from market_maker.shutdown import LEFT, cancel_everything
from market_maker.utils import constants, errors, log
from market_maker.utils.signals import StopSignals

logger = log.get_logger()


class OrderManager(Running):
    """Quotes a ladder around the touch. Override place_orders(), or get_ticker, get_price_offset, prepare_order, for one of your own."""

    def __init__(self, exchange=None, settings=None, reload_settings=None):
        settings = process_settings if settings is None else settings
        if exchange is None:
            if not logger.handlers and not logging.getLogger().handlers:  # a program of its own, not our command line
                log.setup_custom_logger(log_level=settings.LOG_LEVEL)
            exchange = ExchangeInterface(settings.DRY_RUN, settings)
        try:
            self._set_up(exchange, settings, reload_settings)
        except BaseException as error:
            exchange.close()
            exchange.run.close(errors.code_of(error))
            raise

    def _set_up(self, exchange, settings, reload_settings):
        super(OrderManager, self).__init__(exchange, settings, reload_settings)
        self.start_time = datetime.now()
        self.instrument = exchange.get_instrument()
        self.starting_qty = exchange.get_delta()
        self.running_qty = self.starting_qty
        self.start_XBt = exchange.get_margin()['marginBalance']
        exchange.settlement()
        self.journal.about(start_balance=self.start_XBt)
        self.cancelled = False             # whether the shutdown took everything of ours off the book
        self._said_rules = False
        self._has_room = True              # for one lot within the position limits
        self._touch = None
        self._sender = Sender(exchange, self)
        self._sizes = quoting.SizeSource(self._seed(settings.RANDOM_SEED))
        self._risk = Risk(exchange, self.start_XBt)
        self._margin_scale = MarginScale(exchange)
        self._recentring = Recentring()
        self._said_forecast = False
        self._resting = (0, 0)
        self._shown = None                 # the ladder that a dry run showed last, as rows

    def _seed(self, given):
        return self.journal.inputs.draw('seed', lambda: random.SystemRandom().getrandbits(32)) if given is None else given

    def introduce(self):
        """Say which symbol is traded, and with whose money."""
        logger.info('Using symbol %s.' % self.exchange.symbol)
        logger.info(status.banner(self.exchange.dry_run, self.exchange.paper))
        for name in self._watched.others:
            logger.info('WATCHED_FILES: %s is not watched; a change of the program needs a new start.', name)
        for symbol in self.exchange.unknown_contracts():
            logger.warning('CONTRACTS: the venue has no instrument %s; it is left out of the portfolio.', symbol)

    def reset(self):
        """Cancel what rests under our prefix, then quote."""
        with self.journal.because('start: nothing of an earlier run may be left'):
            self.exchange.cancel_all_orders()
        if not self.is_reset and not self.exchange.dry_run:
            self.exchange.check_alone()
        self.is_reset = True
        self.turn()

    def turn(self):
        """One decision: look at the market, say how things stand, place orders."""
        self.sanity_check()
        self._say_rules()
        if self.status_is_due():
            self.print_status()
            self._status_at = self.clock.monotonic()
        self._risk.check(self.settings.MAX_DRAWDOWN, self.settings.MAX_LOSS, self.clock.monotonic())
        if self.may_quote():
            self.place_orders()
            self.quoted()
            self._say_forecast()
        else:
            self._pull_too_near()
            self.look_again(self.paused_for())

    def _pull_too_near(self):
        self._sender.pull_too_near({'Buy': self.get_price_offset(-1), 'Sell': self.get_price_offset(1)})

    def could_not_read(self):
        """Nothing is placed before our orders were read; what the market has come too near to meanwhile is cancelled all the same."""
        if not self.is_reset:
            return
        try:
            self.sanity_check()
            self._pull_too_near()
        except errors.VenueUnreachable as error:
            logger.warning('What is too near to the other side could not be cancelled: %s', error)
        except errors.MarketMakerError as error:
            if error.action == errors.STOP:
                raise

    def check_market(self):
        """Raise what keeps us from quoting, if something does."""
        self.exchange.check_if_orderbook_empty()
        self.exchange.check_market_open()

    def sanity_check(self):
        """Check the market, set the start positions, and see that the ladder stays on our own side of the touch."""
        self.check_market()
        self._look_at_contract()
        touch = self.exchange.get_ticker()
        self._touch = quoting.Touch(touch['buy'], touch['sell'])
        self._sender.note_touch(self._touch, self.clock.monotonic())
        ticker = self.get_ticker() or touch
        first_buy, first_sell = self.get_price_offset(-1), self.get_price_offset(1)
        if first_buy >= ticker['sell'] or first_sell <= ticker['buy']:
            raise errors.MarketEmptyError('Sanity check failed: the first buy at %s or sell at %s would reach the other side (%s / %s).' % (
                first_buy, first_sell, ticker['buy'], ticker['sell']))
        if self.status_is_due():
            self._say_exceeded()

    def disturbed(self):
        """What rests may not be what was wanted: no jump of the touch is a reason to leave it so."""
        self._sender.forget_jumps()

    def _look_at_contract(self):
        """The contract as it is now: a venue may give it another tick, lot, fee or margin while we run."""
        before, self.instrument = self.instrument, self.exchange.get_instrument()
        changed = [name for name in contracts.TERMS if before.get(name) != self.instrument.get(name)]
        if changed:
            self.exchange.tick_log = self.instrument['tickLog']
            self._margin_scale.forget()
            logger.warning('The venue has changed %s: %s.', self.exchange.symbol, ', '.join(
                '%s from %s to %s' % (name, before.get(name), self.instrument.get(name)) for name in changed))
            self.refusal_is_explained()

    def get_ticker(self):
        """The touch, from which the start positions of the ladder are set."""
        ticker = self.exchange.get_ticker()
        self.start_position_buy, self.start_position_sell = quoting.start_positions(
            quoting.Touch(ticker['buy'], ticker['sell']), self.exchange.get_highest_buy()['price'],
            self.exchange.get_lowest_sell()['price'], self._rules())
        self.start_position_mid = ticker['mid']
        self._say_ticker(ticker)
        return ticker

    def get_price_offset(self, index):
        """The price of a level: -1, -2, ... are buys, 1, 2, ... sells, 1 is the inner one."""
        return quoting.price(index, self.start_position_buy, self.start_position_sell, self._rules(), self._touch)

    def _rules(self):
        return quoting.rules_of(self.settings, self.instrument)

    #
    # Orders
    #
    def place_orders(self):
        """Make the ladder and converge to it. It is built from the outside in: when an inner order is filled, the others stay."""
        if self.settings.RANDOM_ORDER_SIZE:
            for is_buy, before, now in zip((True, False), self._resting, self._count_resting()):
                self._sizes.forget_inner(is_buy, max(0, before - now))
        buy_orders, sell_orders = [], []
        for level in range(self.settings.ORDER_PAIRS, 0, -1):
            if not self.long_position_limit_exceeded():
                buy_orders.append(self.prepare_order(-level))
            if not self.short_position_limit_exceeded():
                sell_orders.append(self.prepare_order(level))
        return self.converge_orders(buy_orders, sell_orders)

    def prepare_order(self, index):
        """The order wanted at a level."""
        return {'price': self.get_price_offset(index), 'orderQty': quoting.lots_up(self._wanted_size(index), self._lot()),
                'side': 'Buy' if index < 0 else 'Sell'}

    def _wanted_size(self, index):
        if self.settings.RANDOM_ORDER_SIZE:
            return self._sizes.size(index, self.settings.MIN_ORDER_SIZE, self.settings.MAX_ORDER_SIZE)
        return quoting.level_size(index, self.settings.ORDER_START_SIZE, self.settings.ORDER_STEP_SIZE)

    def _lot(self):
        return contracts.lot_size(self.instrument)

    def converge_orders(self, buy_orders, sell_orders):
        """Cancel, amend and create until what rests is what is wanted; what is near enough is left alone."""
        buy_orders = sorted(self._sender.adjusted(buy_orders), key=lambda order: order['price'])
        sell_orders = sorted(self._sender.adjusted(sell_orders), key=lambda order: -order['price'])
        if not self.exchange.dry_run:
            buy_orders, sell_orders = self._margin_scale.fit(buy_orders, sell_orders, self.instrument, self._touch.buy)
        existing = self._shown or [] if self.exchange.dry_run else self.exchange.get_orders()
        plan = convergence.diff(existing, buy_orders, sell_orders, self.settings.RELIST_INTERVAL, self._limits(), self._lot())
        if self.exchange.dry_run:
            return self._show(plan, buy_orders, sell_orders)
        plan = self._recentred(plan, existing, buy_orders, sell_orders)
        self.journal.plan(plan.reasons)
        self._sender.send(existing, plan, buy_orders + sell_orders, self._touch)
        if self.settings.RANDOM_ORDER_SIZE:
            self._resting = self._count_resting()

    def _recentred(self, plan, existing, buy_orders, sell_orders):
        """The plan; or, where it is empty and time has come, one that takes home what has drifted."""
        now = self.clock.monotonic()
        every = self.settings.RECENTRE_S if self.settings.EVENT_DRIVEN and not self._sender.is_waiting(now) else 0
        interval = self._recentring.interval(plan, self.settings.RELIST_INTERVAL, every, now)
        if interval is None:
            return plan
        better = convergence.diff(existing, buy_orders, sell_orders, interval, self._limits(), self._lot())
        if not self._sender.can_spare(better, now):
            return plan
        return better._replace(reasons=dict((amend.order['orderID'], why.drifted(amend, every)) for amend in better.amend))

    def _limits(self):
        if not self.settings.CHECK_POSITION_LIMITS:
            return None
        buys, sells = self.exchange.worst_case()
        return convergence.Limits(self.exchange.get_delta(), self.settings.MIN_POSITION, self.settings.MAX_POSITION, buys, sells)

    def _count_resting(self):
        sides = [order['side'] for order in self.exchange.get_orders()]
        return sides.count('Buy'), sides.count('Sell')

    def _show(self, plan, buy_orders, sell_orders):
        """A dry run's way of sending: a table, when there is something new to see."""
        if self._shown is not None and not (plan.amend or plan.create or plan.cancel):
            return
        self._shown = [dict(order, orderID='dry-run', leavesQty=order['orderQty'], cumQty=0) for order in buy_orders + sell_orders]
        self.outcome = 'shown: ' + counts((len(self._shown), 'order'))
        logger.info('These orders would rest on the book:\n%s', '\n'.join(preview_table.of_dry_run(
            self.settings, self.exchange.get_instrument(), buy_orders, sell_orders, self._touch, self.exchange.get_margin(),
            self.exchange.bitmex.request_budget.limit)))
        self.note_quote()

    #
    # Position limits
    #
    def short_position_limit_exceeded(self):
        """Whether no more may be sold."""
        return bool(self.settings.CHECK_POSITION_LIMITS) and self.exchange.get_delta() <= self.settings.MIN_POSITION

    def long_position_limit_exceeded(self):
        """Whether no more may be bought."""
        return bool(self.settings.CHECK_POSITION_LIMITS) and self.exchange.get_delta() >= self.settings.MAX_POSITION

    #
    # What is said
    #
    def print_status(self):
        """Say how the account stands."""
        self.running_qty = self.exchange.get_delta()
        if not logger.isEnabledFor(logging.INFO):
            return
        position = self.exchange.get_position()
        logger.info(status.balance_line(self.exchange.get_margin()['marginBalance'], self.exchange.settlement()))
        logger.info('Current Contract Position: %d' % self.running_qty)
        if self.settings.CHECK_POSITION_LIMITS:
            logger.info('Position limits: %d/%d' % (self.settings.MIN_POSITION, self.settings.MAX_POSITION))
        for line in status.position_lines(position, self.exchange.tick_log):
            logger.info(line)
        logger.info('Contracts Traded This Run: %d' % (self.running_qty - self.starting_qty))
        for line in status.delta_lines(self.exchange.calc_delta()):
            logger.info(line)
        if not self.exchange.dry_run:
            venue = self.exchange.bitmex
            logger.info(status.request_line(venue.request_budget.describe(self.clock.monotonic()), self._sender.quotes_sent, venue.fills_seen))

    def _say_ticker(self, ticker):
        if self.status_is_due() and logger.isEnabledFor(logging.INFO):
            digits = self.exchange.tick_log
            logger.info(status.ticker_line(self.instrument['symbol'], ticker, digits))
            logger.info(status.start_line(self.start_position_buy, self.start_position_sell, self.start_position_mid, digits))

    def _say_exceeded(self):
        if self.long_position_limit_exceeded():
            logger.info('Long delta limit exceeded')
            logger.info('Current Position: %.f, Maximum Position: %.f' % (self.exchange.get_delta(), self.settings.MAX_POSITION))
        if self.short_position_limit_exceeded():
            logger.info('Short delta limit exceeded')
            logger.info('Current Position: %.f, Minimum Position: %.f' % (self.exchange.get_delta(), self.settings.MIN_POSITION))
        self._say_no_room()

    def _say_no_room(self):
        """Once, while the limits are too narrow for a single lot: otherwise nobody could tell why there are no quotes."""
        settings, held = self.settings, self.exchange.get_delta()
        had_room = self._has_room
        self._has_room = not settings.CHECK_POSITION_LIMITS or self._lot() <= max(settings.MAX_POSITION - held, held - settings.MIN_POSITION)
        if had_room and not self._has_room:
            logger.warning('Nothing can be quoted: a lot of %s is %d contracts, and the position limits leave no room for that.',
                           self.exchange.symbol, self._lot())
        elif self._has_room and not had_room:
            logger.info('The position limits leave room for a lot again.')

    def _say_rules(self):
        """Once: the fees and what they leave, and what is rounded."""
        if self._said_rules:
            return
        self._said_rules = True
        logger.info(status.fee_line(self.instrument, self.get_price_offset(-1), self.get_price_offset(1)))
        levels = range(1, 0 if self.settings.RANDOM_ORDER_SIZE else self.settings.ORDER_PAIRS + 1)
        sizes = [(self._wanted_size(level), self.prepare_order(level)['orderQty']) for level in levels]
        logger.info(status.rounding_line(self.instrument, sizes))

    def _say_forecast(self):
        """Once, when it is known how orders travel and what the venue allows: what these settings will need."""
        venue, settings = self.exchange.bitmex, self.settings
        if self._said_forecast or self.exchange.dry_run or not venue.order_transport_used or not venue.request_budget.per_minute:
            return
        self._said_forecast = True
        needs = forecast.needs(settings, self.instrument, self._touch.buy, venue.order_transport_used == afford.SINGLE)
        text, is_warning = forecast.line(needs[0], needs[1], venue.request_budget.per_minute)
        (logger.warning if is_warning else logger.info)(text)

    #
    # The end
    #
    def check_connection(self):
        """Whether the client is still open."""
        return self.exchange.is_open()

    def restart(self):
        """Begin again within this process: our orders cancelled, a new client, fresh tables."""
        logger.info('Restarting the market maker...')
        with self.journal.because('the client was closed: starting again'):
            self.exchange.cancel_all_orders()
        self.is_reset = False
        self.exchange.reconnect()
        self.instrument = self.exchange.get_instrument()

    def exit(self, code=0):
        """Shut down, once, and raise Stopped with the exit code: `code`, or another one when orders may be left."""
        self.shut_down()
        raise errors.Stopped(self.exit_code(code))

    def exit_code(self, code=errors.EXIT_OK):
        """What the process shall end with: `code` when all our orders are cancelled, otherwise 128 + signal, or 1."""
        if self.cancelled:
            return code
        number = getattr(signal, self.stop_reason or '', None) if (self.stop_reason or '').startswith('SIG') else None
        return code or (errors.EXIT_ERROR if number is None else 128 + int(number))

    def shut_down(self):
        """Cancel our orders by REST, say what the run made, close the connection. Done once; raises nothing."""
        if self.is_shut_down:
            return
        self.is_shut_down = True
        logger.info('Shutting down. %s', 'A dry run has placed nothing.' if self.exchange.dry_run else 'All open orders will be cancelled.')
        if self.exchange.paper_died():
            logger.error('The paper venue is gone, and every order with it.')
        else:
            self._leave_the_book()
        if self.cancelled and not self.exchange.dry_run:
            logger.info('No order of ours rests on the book.')
            for act, left in ((self._say_result, 'what the run made is not known'), (self.switch.disarm, 'the dead man\'s switch is still armed')):
                if not self.may_be_broken_off(act):
                    logger.warning('Told to leave at once: %s.', left)
        elif self.switch.armed:
            logger.warning('The dead man\'s switch stays armed: the venue cancels all orders of the account within %g s.', self.switch.seconds)
        self.may_be_broken_off(self._close)
        self.may_be_broken_off(self.exchange.run.close, self.exit_code() if self.ended_by is None else errors.code_of(self.ended_by))

    def _leave_the_book(self):
        """The last decision of a run."""
        self.journal.begin_decision('stop')
        with self.journal.because('shutdown: %s' % (self.stop_reason or 'an error')):
            if not self.may_be_broken_off(self._cancel_everything):
                logger.error(LEFT, 'told to leave at once')
        self.journal.end_decision('everything is cancelled' if self.cancelled else 'orders may be left')

    def _cancel_everything(self):
        self.cancelled = cancel_everything(self.exchange, self.clock, logger.error)

    def _close(self):
        try:
            self.exchange.close()
        except Exception as error:
            logger.error('The connection could not be closed: %s', error)

    def _say_result(self):
        try:
            end, deposits = self.exchange.read_balance(), self.exchange.deposits()
            self.journal.about(end_balance=end, deposits=deposits)
            totals = getattr(self.exchange.bitmex, 'totals', None)
            for line in status.result_lines(self.exchange.settlement(), self.start_XBt, end, deposits, totals):
                logger.info(line)
        except Exception as error:
            logger.warning('What the run made is not known: %s', error)


#
# Helpers
#
def XBt_to_XBT(XBt):
    """Satoshi -> bitcoin."""
    return float(XBt) / constants.XBt_TO_XBT


def cost(instrument, quantity, price):
    """What contracts are worth, in the settlement currency's smallest unit."""
    return contracts.cost(instrument, quantity, price)


def margin(instrument, quantity, price):
    """Initial margin of contracts, without fees, in the settlement currency's smallest unit."""
    return contracts.initial_margin(instrument, quantity, price)


def run_until_stopped(chosen, settings, signals):
    """Build a `chosen` OrderManager, run it until it is stopped, return the exit code. `signals` is a StopSignals in use.

    Raises Stopped when orders may be left, and whatever error ended the run.
    """
    logger.info('BitMEX Market Maker Version: %s\n' % constants.VERSION)
    order_manager = chosen(settings=settings) if _takes_settings(chosen) else chosen()
    signals.tell(order_manager)
    order_manager.run_loop()
    return order_manager.exit_code()


def run():
    """Run the market maker with the settings of this process, as a program written for the original does."""
    with StopSignals() as signals:
        run_until_stopped(OrderManager, process_settings, signals)


def _takes_settings(chosen):
    """Whether the class can be given settings; one written for the original may have a constructor without arguments."""
    code = chosen.__init__.__code__
    return 'settings' in code.co_varnames[:code.co_argcount] or bool(code.co_flags & 0x08)
