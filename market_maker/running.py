"""The loop: when to decide again, what to do about an error, when to stop. What is decided is the OrderManager's affair.

Rules:

* A decision every LOOP_INTERVAL, and at once when the market, our account or our orders have changed (EVENT_DRIVEN). However many
  changes came meanwhile, there is one decision, about how things stand now. Without EVENT_DRIVEN only a stop, the loss of the realtime
  data, and the end of what we waited for come between.
* What that decision sends at once is the affair of `top_ups` and `excursions`: risk always, a full fill and a touch that moved past
  RELIST_INTERVAL as a rule, unless the touch has jumped and such jumps came back so far.
* After QUICK_TURNS decisions in a row that all sent something although the market stood still, the next waits for LOOP_INTERVAL.
* An error is handled by its `action`: stop; wait (said once, and once when it is over); look again; skip. In the pause after one nothing is
  placed, but what has come too near to the other side is cancelled; so it is when our orders cannot be read.
* Without fresh data nothing is decided. When it stays away longer than MAX_DATA_AGE_S our quotes are pulled, and placed again after.
* After a reconnect, and after an unknown outcome, open orders and position are read by REST before anything is quoted; once more when
  what is unknown can no longer arrive. Decisions go on meanwhile: what may still come counts at its worst.
* However the loop ends, by a stop, an error or an exception of any kind, the shutdown is done. Who asks to stop a second time is told what
  is waited for; a third time breaks off what is under way, and in the shutdown leaves, whatever rests then.
"""
from __future__ import absolute_import, division, print_function

import sys

from market_maker import waiting
from market_maker.dead_mans_switch import DeadMansSwitch
from market_maker.journal import NO_JOURNAL
from market_maker.utils import compat, errors, log
from market_maker.utils.signals import StopSignals, say_at_once
from market_maker.watching import WatchedFiles

logger = log.get_logger()

EARLY_S = 0.001                # a clock may end a wait this much too early
LOOK_S = 1.0                   # while nothing happens we look this often how old our data is
CALM_S = 0.25                  # after a look that ended in waiting, the next is no sooner
QUICK_TURNS = 5
NOTHING = 'nothing to do'
ACTIONS = {errors.STOP: 'stopped', errors.WAIT: 'waiting', errors.RETICK: 'again', errors.SKIP: 'skipped'}
OVER_WHEN_SEEN = (errors.StaleData, errors.MarketEmptyError, errors.MarketClosedError)


class Running(object):
    """What a loop needs; `OrderManager` adds what is done in it: introduce, reset, turn, check_market, restart,
    shut_down, cancelled, exit_code."""

    def __init__(self, exchange, settings, reload_settings=None):
        self.exchange = exchange
        self.settings = settings
        self.outcome = NOTHING             # of the decision that is under way, for the journal
        self._cause = 'start'              # what brought it about
        self.ended_by = None               # the error that ended the loop, if one did
        self._stop_reason = None
        self.is_shut_down = False          # whether the shutdown has begun
        self._impatience = 0               # how often we were asked again to stop
        self._may_break_off = False        # whether what is under way now may be
        self.first_quote_at = None
        self.is_reset = False              # whether what earlier runs left was cancelled
        self.waiting = waiting.Waiting()
        self._freshness = waiting.Freshness(self.clock.monotonic())
        self._pace = waiting.Pace()
        self._pulled = False
        self._status_at = None
        self._began_at = 0.0               # when the last look began
        self._beat_at = None               # when LOOP_INTERVAL began to run
        self._again_at = None              # when something that was put off is due
        self._news = (None, None)          # what was known at the last decision
        self._is_upset = False             # the last look found that our picture was wrong
        self._is_unread = False            # it could not read our orders
        self._sent_at = (None, 0)          # the market at which something was sent, and how often in a row
        self.switch = DeadMansSwitch(lambda seconds: self.exchange.cancel_all_after(seconds))
        self._reload_settings = reload_settings or getattr(settings, 'reload', None)
        self._watched = WatchedFiles(getattr(settings, 'watched_files', None) or (lambda: (list(settings.WATCHED_FILES), [])))
        if exchange.paper is not None:
            exchange.paper.on_death = self.wakeup.set
        exchange.threads.on_failure = self.wakeup.set

    @property
    def clock(self):
        return self.exchange.bitmex.clock

    @property
    def stop_reason(self):
        """What asked us to stop: the name of a signal, or a text; None while nothing did. To be read by the loop's thread."""
        return self.journal.inputs.observe('stop', self._stop_reason)

    @stop_reason.setter
    def stop_reason(self, reason):
        self._stop_reason = reason

    @property
    def journal(self):
        return getattr(self.exchange, 'journal', NO_JOURNAL)

    @property
    def wakeup(self):
        return self.exchange.bitmex.wakeup

    #
    # Running and stopping
    #
    def run_loop(self):
        """Quote until asked to stop, then shut down. Returns when our orders are cancelled, raises Stopped when that failed.

        An error that ends the run is raised again after the shutdown. Signals are seen to here when nobody else does.
        """
        signals = StopSignals()
        with signals if _nobody_handles_signals() else _Nothing():
            signals.tell(self)
            try:
                if not self.may_be_broken_off(self._loop):
                    self.request_stop('SIGINT')
            except errors.Stopped:
                raise
            except BaseException as error:
                self._say_why(error)
                self.shut_down()
                raise
            self.shut_down()
        if not self.cancelled:
            raise errors.Stopped(self.exit_code())

    def request_stop(self, reason='stop requested'):
        """Ask the loop to end. Safe from any thread and from a signal handler; the first reason counts."""
        if self._stop_reason is None:
            self._stop_reason = reason
        self.wakeup.set()

    def stop_again(self, name):
        """A further signal, within its handler: the first says what is waited for, each further one breaks off what may be broken off."""
        self._impatience += 1
        if self._impatience > 1:
            self._stop_reason = name
            if self._may_break_off:
                raise KeyboardInterrupt()
            return
        say_at_once(self.what_is_waited_for() + ' Ask once more to %s.' % (
            'leave at once: orders may then be left on the book' if self.is_shut_down else 'break that off; the orders are cancelled then'))

    def may_be_broken_off(self, act, *arguments):
        """Call it. False when it was broken off by somebody who asked again and again to stop, which happens here and nowhere else."""
        try:
            try:
                self._may_break_off = True
                act(*arguments)
            finally:
                self._may_break_off = False  # before this a signal still raises in here, after it none does
        except KeyboardInterrupt:
            return False
        return True

    def what_is_waited_for(self):
        """Why a stop takes its time, as a sentence."""
        return 'Cancelling our orders: waiting for the venue.' if self.is_shut_down else 'Stopping: waiting for the answer to a request.'

    def _loop(self):
        self.introduce()
        while self.stop_reason is None:
            soon = self._tick()
            is_beat = self._beat()
            self._wait(self.settings.LOOP_INTERVAL if soon is None else min(soon, self.settings.LOOP_INTERVAL))
            if self.stop_reason is None and (is_beat or not self.settings.EVENT_DRIVEN):
                self.check_file_change()

    def _beat(self):
        """Whether LOOP_INTERVAL is over and begins anew; a line between what is said."""
        now = self.clock.monotonic()
        if self.settings.EVENT_DRIVEN and self._beat_at is not None and now - self._beat_at < self.settings.LOOP_INTERVAL - EARLY_S:
            return False
        self._beat_at = now
        self._draw_line()
        return True

    def _draw_line(self):
        """Between two looks, on standard output. Where nobody can read it any more the terminal is lost: that is a reason to stop."""
        try:
            if sys.stdout is not None and not compat.would_block(sys.stdout):
                sys.stdout.write('-----\n')
                sys.stdout.flush()
        except (IOError, OSError):
            self.request_stop('the output cannot be written')

    def _tick(self):
        """One look and what follows from it. Returns the seconds until the next look, None for the usual pace."""
        self._again_at, self._is_upset, self._is_unread, self.outcome = None, False, False, NOTHING
        self._began_at = self.clock.monotonic()
        self.journal.begin_decision(self._cause)
        try:
            return self._decide()
        finally:
            self.journal.end_decision(self.outcome)

    def _decide(self):
        try:
            self._look()
            self._news = self.news()
            if self.is_reset:
                self.turn()
            else:
                self.reset()
        except errors.MarketMakerError as error:
            return self._handle(error)
        self._pace.went_well()
        return None

    def _look(self):
        """Make sure that we see the market, and the truth about our orders."""
        if self.exchange.paper_died():
            raise errors.PaperVenueError(self.exchange.paper.obituary())
        if self.exchange.thread_failed():
            raise self.exchange.threads.failure or errors.ThreadFailed('of this run', 'it had failed')
        if not self.check_connection():
            logger.error('Realtime data connection unexpectedly closed, restarting.')
            self.restart()
        self._check_freshness()
        if not self.exchange.dry_run:
            self._keep_switch(self.clock.monotonic())
            try:
                wait = self.exchange.reconcile()
            except errors.MarketMakerError as error:
                self._is_unread = True
                if not isinstance(error, (errors.RateLimited, errors.AuthenticationError)):
                    self.could_not_read()
                raise
            if wait is not None:
                self.look_again(wait)  # a request may still arrive: asking before then is no help
            if self.is_reset:
                self.exchange.check_alone()

    def _check_freshness(self):
        age, now = self.exchange.data_age(), self.clock.monotonic()
        self._freshness.note(age, now)
        if age == float('inf'):
            raise errors.StaleData('no realtime data from the venue.')
        if age > self.settings.MAX_DATA_AGE_S:
            raise errors.StaleData('the newest realtime data is %d s old.' % age)

    def _keep_switch(self, now):
        if not self.exchange.dry_run and self.switch.keep(self.settings.DEAD_MANS_SWITCH, now):
            self.exchange.must_reconcile()

    def may_quote(self):
        """Whether the pause after an error is over."""
        return self.paused_for() <= 0

    def paused_for(self):
        """Seconds until the pause after an error is over."""
        return self._pace.not_before - self.clock.monotonic()

    def refusal_is_explained(self):
        """What was refused lately will not be refused again: no pause is needed for it."""
        if self.waiting.kind is not errors.RateLimited:
            self._pace.go_on()

    def quoted(self):
        """A turn ended with the quotes as they should be."""
        self._pulled = False
        line = self.waiting.end(self.clock.monotonic())
        if line:
            logger.info(line)

    def could_not_read(self):
        """The truth about our orders was asked for, and did not come."""

    def disturbed(self):
        """A turn could not be made, or not to its end."""

    def status_is_due(self):
        return self._status_at is None or self.clock.monotonic() - self._status_at >= self.settings.LOOP_INTERVAL - EARLY_S

    def news(self):
        """(market and account, our orders): what a decision depends on. A strategy that looks at more adds that to the first."""
        return self.exchange.news()

    def look_again(self, seconds):
        """Look again after so many seconds at the latest: something was put off until then."""
        moment = self.clock.monotonic() + max(EARLY_S, seconds)
        self._again_at = moment if self._again_at is None else min(self._again_at, moment)

    def note_quote(self):
        """Quotes were placed, or shown."""
        if self.first_quote_at is None:
            self.first_quote_at = self.clock.monotonic()

    def note_sending(self):
        """A decision sends something."""
        market, count = self._sent_at
        self._sent_at = (self._news[0], count + 1 if market == self._news[0] else 1)

    def _whats_new(self):
        """What has changed since the last decision and is worth another one now: 'market', 'account', 'orders', or None."""
        news, known = self.news(), self._news
        if news[0] != known[0]:
            is_account = not self.exchange.dry_run and known[0] is not None and news[0][0] == known[0][0]
            return 'account' if is_account else 'market'
        is_quick = self._sent_at[0] == news[0] and self._sent_at[1] >= QUICK_TURNS
        return 'orders' if news[1] != known[1] and not is_quick else None

    #
    # Errors
    #
    def _handle(self, error):
        """Do what the error's class says; returns the seconds until the next look, None for the usual pace."""
        self.outcome = '%s: %s' % (ACTIONS.get(error.action, error.action), error)
        now = self.clock.monotonic()
        self.disturbed()
        if isinstance(error, errors.VenueUnreachable):
            if self.waiting and now - self.waiting.since > waiting.UNREACHABLE_LIMIT_S:
                raise error
        elif error.action == errors.STOP:
            raise error
        elif error.action == errors.RETICK:
            logger.warning('%s Reading the orders again.', _sentence(error))
            self.exchange.must_reconcile()
            self._is_upset = True
            return self._soon()
        elif error.action == errors.SKIP:
            logger.warning('Skipped: %s', error)
            self._pace.pause(now, self.settings.API_ERROR_INTERVAL)
            return None
        line = self.waiting.begin(error, now)
        if line:
            logger.warning(line)
        if isinstance(error, errors.RateLimited):
            self._pace.pause(now, error.retry_at - self.clock.time())
            self.look_again(self.paused_for())
        elif self._is_unread and isinstance(error, errors.Overloaded):
            return self._soon()            # no order was refused
        elif isinstance(error, (errors.InsufficientFunds, errors.BeyondLiquidation, errors.Overloaded, errors.PermissionDenied)):
            self._pace.pause(now, self.settings.API_ERROR_INTERVAL)
        elif isinstance(error, (errors.StaleData, errors.VenueUnreachable)):
            self._pull_when_old(now)
        if issubclass(self.waiting.kind, OVER_WHEN_SEEN) and self._sees_a_market():
            self._pace.pause(now, self.settings.API_ERROR_INTERVAL)  # it is the venue that says no, not what we see
        return self._soon() if isinstance(error, errors.VenueUnreachable) else None

    def _soon(self):
        """Seconds until the next look after what may be over at once. After a few in a row looks begin LOOP_INTERVAL apart, however long they take."""
        wait = self._pace.retick()
        took = self.clock.monotonic() - self._began_at
        return max(waiting.RETICK_S, self.settings.LOOP_INTERVAL - took) if wait is None else wait

    def _pull_when_old(self, now):
        """Quotes that nobody watches are taken off the book, once, and again until that has worked."""
        if self._pulled or self.exchange.dry_run or self._freshness.age(now) <= self.settings.MAX_DATA_AGE_S:
            return
        logger.warning('No fresh data for %d s: our quotes are pulled until there is.', self._freshness.age(now))
        try:
            with self.journal.because('stale data: nothing fresh for %d s' % self._freshness.age(now)):
                self.exchange.cancel_all_orders()
            self._pulled = True
        except errors.MarketMakerError as error:
            if error.action == errors.STOP and not isinstance(error, errors.VenueUnreachable):
                raise
            logger.warning('The quotes could not be pulled: %s', error)

    def _say_why(self, error):
        self.ended_by = error
        if not isinstance(error, SystemExit):
            logger.error('Stopping because of an error: %s', error if isinstance(error, errors.MarketMakerError) else repr(error))

    #
    # Waiting
    #
    def _wait(self, seconds):
        start = self.clock.monotonic()
        moments = [start + seconds, self._again_at]
        if self.settings.EVENT_DRIVEN:
            moments.append(self._beat_at + self.settings.LOOP_INTERVAL)
        end = min(moment for moment in moments if moment is not None)
        calm = end if self._is_upset else start + (CALM_S if self.waiting else 0.0)
        while True:
            self.wakeup.clear()
            now = self.clock.monotonic()
            self._check_time_is_up(now)
            if self.switch.armed and self.stop_reason is None:
                self._keep_switch(now)
            if self.stop_reason is not None or now >= end:
                self._cause = 'put off' if self._again_at == end else 'error' if self._is_upset else 'interval'
                return
            self._cause = self._must_act(now) if now >= calm else None
            if self._cause:
                return
            until = end if now >= calm else min(end, calm)
            if not self.waiting:
                self.exchange.keep_warm()
            self.clock.wait(self.wakeup, min(until - now, self._patience(now)))

    def _check_time_is_up(self, now):
        limit = self.settings.RUN_FOR_S
        if limit is not None and self.first_quote_at is not None and now >= self.first_quote_at + limit:
            self.request_stop('RUN_FOR_S')

    def _must_act(self, now):
        """What happened that cannot wait for the end of the interval; None when nothing did."""
        if self.exchange.paper_died():
            return 'the venue ended'
        if self.exchange.thread_failed():
            return 'a thread failed'
        age = self.exchange.data_age()
        self._freshness.note(age, now)
        is_stale = age > self.settings.MAX_DATA_AGE_S
        if not self.waiting:
            return 'stale data' if is_stale else self._whats_new() if self.settings.EVENT_DRIVEN else None
        if is_stale:
            must_pull = not self._pulled and not self.exchange.dry_run and self._is_about_to_pull(now)
            return 'stale data' if must_pull else None
        is_over = issubclass(self.waiting.kind, OVER_WHEN_SEEN) and self.may_quote() and self._sees_a_market()
        return 'waiting is over' if is_over else None

    def _is_about_to_pull(self, now):
        """The moment at which our data becomes too old; a failed pull is repeated at the pace of the loop."""
        age, limit = self._freshness.age(now), self.settings.MAX_DATA_AGE_S
        return limit < age <= limit + 0.5

    def _sees_a_market(self):
        """Whether there is, as far as we know, something to quote around."""
        try:
            self.check_market()
        except errors.MarketMakerError:
            return False
        return self.exchange.data_age() <= self.settings.MAX_DATA_AGE_S

    def _patience(self, now):
        """Seconds until the next thing that happens by the passing of time alone."""
        moments = [self._freshness.age(now) - self.settings.MAX_DATA_AGE_S]
        if self.settings.RUN_FOR_S is not None and self.first_quote_at is not None:
            moments.append(now - self.first_quote_at - self.settings.RUN_FOR_S)
        ahead = [0.001 - moment for moment in moments if moment <= 0]
        if self.switch.armed:
            ahead.append(self.switch.next_look(self.settings.DEAD_MANS_SWITCH, now) + 0.001)
        if self.waiting or self.settings.EVENT_DRIVEN or not ahead:
            ahead.append(LOOK_S)  # a decision at fixed times has nothing to look for before the data could be too old
        return min(ahead)

    #
    # Settings files
    #
    def check_file_change(self):
        """Read the settings again when one of the watched files has changed; orders that need not move keep their place."""
        inputs = self.journal.inputs
        names = inputs.observe('files', self._watched.changed())
        if not names or self._reload_settings is None:
            return
        result = inputs.settings(self._reload_settings, self.settings)
        changed, problems, later = result[0], result[1], result[2] if len(result) > 2 else []
        for problem in problems:
            logger.error('The settings stay as they were: %s', problem)
        if changed:
            logger.info('Settings read again; new: %s.', ', '.join('%s = %r' % (name, getattr(self.settings, name)) for name in changed))
        if later:
            logger.info('These wait for the next start: %s.', ', '.join(later))
        if 'LOG_LEVEL' in changed:
            log.set_level(self.settings.LOG_LEVEL)


class _Nothing(object):
    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        pass


def _nobody_handles_signals():
    """Whether this is the main thread and SIGTERM would end the process with our orders on the book."""
    import signal
    import threading
    return signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and isinstance(threading.current_thread(), threading._MainThread)


def _sentence(error):
    text = str(error)
    return text if text.endswith(('.', '!')) else text + '.'
