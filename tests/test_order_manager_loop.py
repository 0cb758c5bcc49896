"""The loop: waiting, coming back, stopping. On a clock that never sleeps."""
from __future__ import absolute_import, division, print_function

import logging
import os

import pytest
from desk import Desk, ToyVenue
from fakes import error, response

from market_maker import custom_strategy, exchange_interface
from market_maker import market_maker as bot
from market_maker.shutdown import cancel_everything
from market_maker.utils import errors
from market_maker.utils.clock import ManualClock
from market_maker.watching import WatchedFiles


class Paper(object):
    """A venue on this machine that a test can let die."""

    profile, market = 'classic', 'lively'

    def __init__(self):
        self.is_alive, self.stopped, self.on_death = True, 0, None

    def alive(self):
        return self.is_alive

    def obituary(self):
        return 'The paper venue ended by itself.'

    def stop(self):
        self.stopped += 1


def on_paper(**values):
    desk = Desk(**values)
    desk.exchange.paper = Paper()
    return desk


def count_resting(desk):
    return len(desk.venue.resting())


def note(desk, *moments):
    """What rests at given moments."""
    seen = []
    for moment in moments:
        desk.at(moment, lambda: seen.append(count_resting(desk)))
    return seen


#
# Pace
#
def test_without_events_a_decision_is_made_every_loop_interval_whatever_the_market_says_meanwhile():
    desk = Desk(LOOP_INTERVAL=5, EVENT_DRIVEN=False)
    for second in range(1, 20):
        desk.at(second + 0.5, desk.venue.quote, 6358.5 + second, 6359.0 + second)
    desk.run(21)
    assert desk.heard.count('XBTUSD Ticker') == 5
    assert desk.heard.count('Current XBT Balance') == 5


def test_the_run_ends_run_for_seconds_after_the_first_quote():
    desk = Desk(RUN_FOR_S=12)
    desk.manager.run_loop()
    assert 12.0 <= desk.clock.now - desk.start < 12.1
    assert desk.manager.stop_reason == 'RUN_FOR_S' and desk.manager.exit_code() == 0


def test_a_stop_is_acted_on_at_once():
    desk = Desk(LOOP_INTERVAL=1000, MAX_DATA_AGE_S=5000)
    desk.at(3, desk.manager.request_stop, 'SIGTERM')
    desk.manager.run_loop()
    assert desk.clock.now - desk.start <= 4.0 and desk.manager.stop_reason == 'SIGTERM'
    desk.manager.request_stop('SIGINT')
    assert desk.manager.stop_reason == 'SIGTERM'


#
# Waiting
#
@pytest.mark.parametrize('bid, ask', [(None, 6359.0), (6358.5, None), (None, None), (6400.0, 6359.0)])
def test_while_there_is_nothing_to_quote_around_we_wait_and_say_so_once(bid, ask):
    desk = Desk()
    desk.at(2, desk.venue.quote, bid, ask)
    desk.at(17.5, desk.venue.quote, 6358.5, 6359.0)
    desk.run(25)
    assert desk.heard.count('Waiting:') == 1 and desk.heard.count('Resumed after') == 1


def test_a_market_that_is_empty_at_the_start_is_waited_for():
    desk = Desk(venue=ToyVenue(None, None))
    desk.at(7, desk.venue.quote, 6358.5, 6359.0)
    seen = note(desk, 6, 7.5)
    desk.run(9)
    assert seen == [0, 12]  # at once, not at the end of the interval


def test_while_the_market_is_closed_we_wait():
    desk = Desk()
    desk.at(2, desk.venue.instrument_row, state='Closed')
    desk.at(12, desk.venue.instrument_row, state='Open')
    desk.run(20)
    assert desk.heard.count('Waiting: The instrument XBTUSD is not open. State: Closed') == 1
    assert desk.heard.count('Resumed after') == 1


def test_a_venue_that_calls_the_market_closed_is_not_asked_again_and_again():
    desk = Desk(LOOP_INTERVAL=2)
    desk.venue.once['POST order/bulk'] = [error(400, 'Market is not open') for _ in range(99)]
    desk.run(29)
    assert len([1 for verb, path, body in desk.venue.requests if verb == 'POST']) == 3
    assert desk.heard.count('Waiting: Market is not open') == 1


def test_without_margin_we_wait_and_try_again_later():
    desk = Desk(LOOP_INTERVAL=2)
    refusal = error(400, 'Account has insufficient Available Balance, 1007 XBt required')
    desk.venue.once['POST order/bulk'] = [refusal, error(400, 'Account has insufficient Available Balance, 1009 XBt required')]
    seen = note(desk, 15, 25)
    desk.run(26)
    assert desk.heard.count('Waiting: Account has insufficient') == 1 and seen == [0, 12]


@pytest.mark.parametrize('status', [400, 403, 404, 429, 500, 503])
def test_a_venue_that_refuses_in_another_language_is_one_that_refuses(status):
    desk = Desk(LOOP_INTERVAL=2)
    desk.venue.once['POST order/bulk'] = [error(status, u'Ung\u00fcltiger Preis: 5 \u20ac')]
    desk.venue.once['DELETE order'] = [error(400, u'Ung\u00fcltig')]
    seen = []
    desk.at(35, lambda: seen.append(len(desk.venue.resting())))
    desk.run(36)
    assert seen == [12] and desk.venue.resting() == [] and desk.manager.cancelled


def test_a_rate_limit_is_obeyed():
    desk = Desk()
    desk.venue.once['POST order/bulk'] = [response(429, {'error': {'message': 'Rate limit exceeded', 'name': 'RateLimitError'}},
        {'Retry-After': '22'})]
    seen = note(desk, 20, 29)
    desk.run(30)
    assert seen == [0, 12] and desk.heard.count('Waiting: Rate limit') == 1


def test_a_venue_that_cannot_be_reached_for_a_while_is_waited_for_and_one_that_is_gone_is_not():
    desk = Desk(LOOP_INTERVAL=10)
    desk.venue.once['PUT order/bulk'] = [errors.VenueUnreachable('no route')] * 2
    desk.at(2, desk.venue.quote, 7000.0, 7000.5)
    seen = note(desk, 35)
    desk.run(36)
    assert desk.heard.count('Waiting: no route') == 1 and seen == [12]
    gone = Desk(LOOP_INTERVAL=10)
    gone.venue.once['PUT order/bulk'] = [errors.VenueUnreachable('no route')] * 200
    gone.at(2, gone.venue.quote, 7000.0, 7000.5)
    with pytest.raises(errors.VenueUnreachable):
        gone.run(1000)
    assert gone.clock.now - gone.start < 400


#
# Stale data
#
def test_quotes_are_pulled_when_the_data_is_too_old_and_placed_again_after():
    desk = Desk()
    desk.at(3, desk.venue.feed.drop, dead=True)
    desk.at(30, desk.venue.feed.drop, dead=False)
    seen = note(desk, 4, 16, 18.5, 59)
    desk.run(60)
    assert seen == [12, 12, 0, 12]
    assert desk.heard.count('Waiting: no realtime data') == 1 and desk.heard.count('our quotes are pulled') == 1
    assert desk.heard.count('Resumed after') == 1


def test_a_short_cut_costs_no_quote_its_place():
    desk = Desk()
    desk.at(3, desk.venue.feed.drop)
    first = []
    desk.at(1, lambda: first.append(sorted(desk.venue.orders)))
    desk.at(14, lambda: first.append(sorted(desk.venue.orders)))
    desk.run(15)
    assert first[0] == first[1]
    filters = [path for verb, path, body in desk.venue.requests if (verb, path) == ('GET', 'position')]
    assert len(filters) == 1  # open orders and position were read again


def test_a_venue_that_falls_silent_is_as_good_as_gone():
    desk = Desk(LOOP_INTERVAL=60)
    desk.at(3, setattr, desk.venue.feed, 'mute', True)
    desk.bitmex.ws._liveness.next_look = lambda now: 1000.0  # the socket itself notices nothing
    desk.bitmex.ws.poll = lambda: None
    seen = note(desk, 17, 19)
    desk.run(20)
    assert seen == [12, 0]
    assert desk.heard.count('Waiting: the newest realtime data is 1') == 1


def test_quotes_that_could_not_be_pulled_are_tried_again():
    desk = Desk()
    desk.at(3, desk.venue.feed.drop, dead=True)
    desk.venue.once['GET order'] = [desk.venue._open_orders, error(403, 'no')] + [error(503, 'The system is currently overloaded')] * 4
    desk.venue.once['GET order'].pop(1)
    seen = note(desk, 19, 45)
    desk.run(46)
    assert seen == [12, 0] and desk.heard.count('The quotes could not be pulled') == 1


def test_credentials_refused_while_pulling_end_the_run():
    desk = Desk()
    desk.at(3, desk.venue.feed.drop, dead=True)
    desk.at(4, lambda: desk.venue.once.update({'GET order': [error(401, 'Invalid API Key.')]}))
    with pytest.raises(errors.AuthenticationError):
        desk.run(60)
    assert desk.venue.resting() == []


#
# Stopping
#
def test_a_stop_cancels_everything_by_rest_alone_and_checks_that():
    desk = Desk()
    desk.at(3, desk.venue.feed.drop, dead=True)
    desk.at(4, desk.manager.request_stop, 'SIGTERM')
    desk.manager.run_loop()
    assert desk.venue.resting() == [] and desk.manager.cancelled and desk.manager.exit_code() == 0
    assert desk.heard.count('Shutting down. All open orders will be cancelled.') == 1
    assert desk.heard.count('No order of ours rests on the book.') == 1
    assert desk.heard.count('Result of this run: +0.00000000 XBT') == 1
    assert [verb for verb, path, body in desk.venue.requests].count('DELETE') == 1


def test_a_failed_cancel_is_tried_again_and_each_failure_said():
    desk = Desk()
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [error(400, 'no')] * 2}))
    desk.run(3)
    assert desk.venue.resting() == [] and desk.heard.count('Unable to cancel orders: no.') == 2


def test_the_last_attempt_counts_too():
    desk = Desk()
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [error(400, 'no')] * 5}))
    desk.run(3)
    assert desk.manager.cancelled and desk.heard.count('Unable to cancel orders') == 5


def test_when_cancelling_fails_for_good_the_exit_code_says_so():
    desk = Desk()
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [error(400, 'no')] * 9}))
    desk.at(3, desk.manager.request_stop, 'SIGTERM')
    with pytest.raises(errors.Stopped) as stopped:
        desk.manager.run_loop()
    assert stopped.value.code == 143 and not desk.manager.cancelled
    assert desk.heard.count('Unable to cancel orders') == 6
    assert desk.manager.exit_code(3) == 3


def test_a_failed_cancel_without_a_signal_is_an_error():
    desk = Desk(RUN_FOR_S=2)
    desk.at(1, lambda: desk.venue.once.update({'DELETE order': [error(400, 'no')] * 9}))
    with pytest.raises(errors.Stopped) as stopped:
        desk.manager.run_loop()
    assert stopped.value.code == errors.EXIT_ERROR


def test_a_venue_that_hangs_is_given_up_before_the_last_attempt():
    clock, said, asked = ManualClock(), [], []

    class Hanging(object):
        def cancel_all_orders(self):
            asked.append(clock.monotonic())
            clock.advance(31)
            raise errors.VenueUnreachable('Read timed out')

    assert cancel_everything(Hanging(), clock, said.append) is False
    assert len(asked) == 2 and clock.monotonic() - asked[0] < 70
    assert 'Trying again' in said[0] and 'Orders may be left on the book' in said[1] and len(said) == 2


def test_orders_that_are_still_there_after_the_cancel_are_cancelled_again():
    desk = Desk()
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [response(200, [])]}))
    desk.run(3)
    assert desk.venue.resting() == [] and desk.heard.count('Unable to cancel orders: 12 still rest') == 1


def test_an_order_that_may_still_arrive_is_waited_for():
    desk = Desk()
    desk.venue.once['POST order/bulk'] = [response(502, '<html>')]
    desk.run(1)
    assert desk.heard.count('still rest or may still arrive') >= 1 and desk.manager.cancelled


def test_with_an_access_token_an_order_may_still_arrive_for_longer_and_is_waited_for():
    desk = Desk()
    desk.at(2, setattr, desk.bitmex._rest.auth, 'login_request', None)  # what an unknown outcome goes by: a token does not expire
    desk.at(3, desk.venue.once.update, {'POST order/bulk': [response(502, '<html>')]})
    desk.at(3, desk.venue.fill, side='Buy')
    desk.run(3.1)
    assert desk.manager.cancelled and desk.clock.now - desk.start > 33


def test_a_rate_limit_at_the_end_is_waited_out():
    desk = Desk()
    limited = response(429, {'error': {'message': 'Rate limit exceeded', 'name': 'RateLimitError'}}, {'Retry-After': '30'})
    desk.at(2, lambda: desk.venue.once.update({'DELETE order': [limited]}))
    desk.run(3)
    assert desk.venue.resting() == [] and desk.clock.now - desk.start >= 33


def test_without_credentials_there_is_nothing_to_try_again():
    desk = Desk()
    desk.at(2, lambda: desk.venue.once.update({'GET order': [error(401, 'Invalid API Key.')]}))
    desk.at(3, desk.manager.request_stop)
    with pytest.raises(errors.Stopped):
        desk.manager.run_loop()
    assert desk.heard.count('Was not authenticated; could not cancel orders.') == 1
    assert desk.heard.count('Orders may be left on the book: run "marketmaker cancel".') == 1


def test_ctrl_c_without_a_handler_is_a_stop():
    desk = Desk()

    def press():
        raise KeyboardInterrupt()
    desk.at(2, press)
    desk.manager.run_loop()
    assert desk.venue.resting() == [] and desk.manager.stop_reason == 'SIGINT'


def lose_patience(desk, answer, *requests):
    """At each of these requests of the shutdown somebody asks again to stop, and then it is answered."""
    def ask(request):
        desk.manager.stop_again('SIGINT')
        return answer(request) if callable(answer) else answer
    for name in requests:
        desk.venue.once.setdefault(name, []).append(ask)


def test_who_asks_again_to_stop_is_told_what_is_waited_for(capfd):
    desk = Desk()
    desk.at(2, lambda: lose_patience(desk, desk.venue.script['DELETE order'], 'DELETE order'))
    desk.run(3)
    assert desk.manager.cancelled and 'waiting for the venue. Ask once more to leave at once' in capfd.readouterr()[1]


def test_who_asks_a_third_time_leaves_and_is_told_that_orders_may_be_left():
    desk = Desk()
    desk.at(2, lambda: lose_patience(desk, error(503, 'overloaded'), 'DELETE order', 'DELETE order'))
    desk.at(3, desk.manager.request_stop, 'SIGINT')
    with pytest.raises(errors.Stopped) as stopped:
        desk.manager.run_loop()
    assert stopped.value.code == 130 and desk.heard.count('Orders may be left on the book: run "marketmaker cancel".') == 1
    assert desk.manager.exchange.bitmex.ws.exited


def test_who_goes_on_asking_breaks_off_each_part_of_the_shutdown_in_turn_and_none_of_it_is_left_out():
    desk, done = Desk(DEAD_MANS_SWITCH=60), []
    manager, exchange = desk.manager, desk.manager.exchange

    def impatiently(name, act):
        def ask(*arguments):
            done.append(name)
            for _ in range(2):
                manager.stop_again('SIGINT')
            return act(*arguments)
        return ask
    desk.at(2, lambda: lose_patience(desk, desk.venue._arm, *['POST order/cancelAllAfter'] * 2))
    exchange.read_balance = impatiently('result', exchange.read_balance)
    exchange.close = impatiently('close', exchange.close)
    exchange.run = type('Run', (object,), {'close': staticmethod(impatiently('run', lambda code: None))})
    desk.run(3)
    assert manager.cancelled and done == ['result', 'close', 'run'] and desk.venue.resting() == []
    assert desk.heard.count('Told to leave at once: what the run made is not known.') == 1
    assert desk.heard.count('Told to leave at once: the dead man\'s switch is still armed.') == 1


def test_who_asks_again_between_two_parts_of_the_shutdown_breaks_nothing(capfd):
    desk = Desk()
    say = desk.heard.emit
    desk.heard.emit = lambda record: (say(record), [desk.manager.stop_again('SIGINT') for _ in range(5) if 'Shutting down' in record.getMessage()])
    desk.run(3)
    assert desk.manager.cancelled and desk.heard.count('Result of this run') == 1


def test_who_asks_a_third_time_before_the_shutdown_breaks_off_what_is_under_way_and_the_orders_are_cancelled(capfd):
    desk = Desk(RELIST_INTERVAL=0)
    desk.at(2, lambda: lose_patience(desk, error(400, 'Invalid ordStatus'), 'PUT order/bulk', 'PUT order/bulk'))
    for moment in (2, 3, 4):
        desk.at(moment, desk.venue.quote, 6300.0 + moment, 6300.5 + moment)
    desk.manager.run_loop()
    assert desk.venue.resting() == [] and desk.manager.cancelled and desk.manager.stop_reason == 'SIGINT'
    assert 'break that off; the orders are cancelled then' in capfd.readouterr()[1]


@pytest.mark.parametrize('failure', [ValueError('a bug in a strategy'), errors.AuthenticationError('no'), SystemExit(5)])
def test_whatever_ends_the_run_our_orders_are_cancelled_and_the_error_goes_on(failure):
    class Failing(bot.OrderManager):
        def print_status(self):
            if self.clock.time() > desk.start + 4:
                raise failure
    desk = Desk(manager=Failing)
    with pytest.raises(type(failure)):
        desk.run(20)
    assert len(desk.venue.orders) == 12 and desk.venue.resting() == []


def test_exit_shuts_down_once_and_carries_the_code():
    class Leaving(bot.OrderManager):
        def print_status(self):
            if self.clock.time() > desk.start + 4:
                self.exit(7)
    desk = Desk(manager=Leaving)
    with pytest.raises(errors.Stopped) as stopped:
        desk.run(20)
    assert stopped.value.code == 7 and desk.heard.count('Shutting down') == 1
    with pytest.raises(errors.Stopped):
        desk.manager.exit()
    assert desk.heard.count('Shutting down') == 1


def test_the_result_is_the_change_of_the_balance_less_deposits():
    desk = Desk()

    def earn():
        desk.venue.balance += 150000
        desk.venue.deposited = 100000
        desk.venue.feed.table('margin', 'update', desk.venue.margin_row())
    desk.at(2, earn)
    desk.run(3)
    assert desk.heard.count('Result of this run: +0.00050000 XBT (balance 1.35739200 to 1.35889200, of which +0.00100000 deposited)') == 1


def test_a_result_that_is_not_known_is_no_reason_to_fail():
    desk = Desk()
    desk.exchange.deposits = lambda: 1 // 0
    desk.exchange.close = lambda: 1 // 0
    desk.run(3)
    assert desk.heard.count('What the run made is not known') == 1 and desk.heard.count('The connection could not be closed') == 1


#
# The paper venue
#
def test_on_paper_the_start_says_so_and_the_venue_is_stopped_last():
    desk = on_paper()
    desk.run(3)
    assert desk.heard.count('Paper money on a venue on this machine: market lively, profile classic') == 1
    assert desk.exchange.paper.stopped == 1 and desk.heard.count('executing real trades') == 0


def test_a_paper_venue_that_dies_ends_the_run_at_once_with_an_error():
    desk = on_paper(LOOP_INTERVAL=100, MAX_DATA_AGE_S=500)
    desk.at(3, setattr, desk.exchange.paper, 'is_alive', False)
    with pytest.raises(errors.PaperVenueError):
        desk.run(50)
    assert desk.clock.now - desk.start < 5 and not desk.manager.cancelled
    assert desk.heard.count('The paper venue is gone, and every order with it.') == 1


#
# Connection and settings
#
def test_a_closed_client_is_replaced_in_process():
    desk = Desk()
    first = desk.bitmex
    desk.at(2, first.exit)
    seen = note(desk, 6)
    desk.run(7)
    assert desk.bitmex is not first and seen == [12]
    assert desk.heard.count('Restarting the market maker...') == 1
    assert max(desk.venue.most_resting.values()) == 6


def test_a_changed_settings_file_is_read_again_and_orders_that_need_not_move_keep_their_place(tmpdir):
    path = tmpdir.join('settings.py')
    path.write('ORDER_PAIRS = 6\n')
    calls = []

    def reload_settings():
        calls.append(1)
        desk.settings.ORDER_PAIRS = 4
        desk.settings.LOG_LEVEL = logging.INFO
        return ['ORDER_PAIRS', 'LOG_LEVEL'], [], ['SYMBOL']
    desk = Desk(reload_settings=reload_settings)
    desk.manager._watched = WatchedFiles(lambda: ([str(path)], ['market_maker/bitmex.py']))
    desk.at(2, path.write, 'ORDER_PAIRS = 4  # and a few bytes more\n')
    desk.run(12)
    assert calls == [1] and desk.heard.count('new: ORDER_PAIRS = 4, LOG_LEVEL = 20') == 1
    assert desk.heard.count('wait for the next start: SYMBOL') == 1
    assert len(desk.venue.orders) == 12 and desk.heard.count('Amending') == 0
    assert desk.heard.count('WATCHED_FILES: market_maker/bitmex.py is not watched') == 1


def test_a_broken_edit_changes_nothing():
    desk = Desk(reload_settings=lambda: ([], ['settings.py, line 3: invalid syntax.']))
    desk.manager._watched.changed = lambda: ['settings.py']
    desk.run(6)
    assert desk.heard.count('The settings stay as they were: settings.py, line 3') == 1


def test_files_may_appear_and_vanish(tmpdir):
    path = tmpdir.join('settings-XBTUSD.py')
    watched = WatchedFiles(lambda: ([str(path)], []))
    assert watched.changed() == []
    path.write('A = 1')
    assert watched.changed() == [str(path)] and watched.changed() == []
    path.remove()
    assert watched.changed() == [str(path)]


#
# Building
#
class Signals(object):
    def __init__(self):
        self.told = None

    def tell(self, target):
        self.told = target


def test_run_until_stopped_builds_the_chosen_class_and_tells_the_signals():
    desk = Desk(RUN_FOR_S=3)

    class Chosen(bot.OrderManager):
        def __init__(self, settings=None):
            super(Chosen, self).__init__(desk.exchange, settings)
    signals = Signals()
    assert bot.run_until_stopped(Chosen, desk.settings, signals) == 0
    assert isinstance(signals.told, Chosen) and signals.told.settings is desk.settings
    assert desk.heard.count('BitMEX Market Maker Version: v') == 1


def test_a_class_with_a_constructor_without_arguments_is_built_too():
    desk = Desk(RUN_FOR_S=3)

    class Old(bot.OrderManager):
        def __init__(self):
            super(Old, self).__init__(desk.exchange, desk.settings)
    assert bot.run_until_stopped(Old, None, Signals()) == 0


def test_run_uses_the_settings_of_the_process(monkeypatch):
    desk = Desk(RUN_FOR_S=3)
    monkeypatch.setattr(bot, 'ExchangeInterface', lambda dry_run, settings: desk.exchange)
    monkeypatch.setattr(bot, 'process_settings', desk.settings)
    bot.run()
    assert desk.manager is not None and desk.venue.resting() == [] and len(desk.venue.orders) == 12
    failing = Desk(RUN_FOR_S=3)
    failing.at(1, lambda: failing.venue.once.update({'DELETE order': [error(400, 'no')] * 9}))
    monkeypatch.setattr(bot, 'ExchangeInterface', lambda dry_run, settings: failing.exchange)
    monkeypatch.setattr(bot, 'process_settings', failing.settings)
    with pytest.raises(errors.Stopped):
        bot.run()


def test_the_example_strategy_runs_as_a_program_of_its_own(monkeypatch):
    desk = Desk(RUN_FOR_S=3)
    monkeypatch.setattr(bot, 'ExchangeInterface', lambda dry_run, settings: desk.exchange)
    monkeypatch.setattr(bot, 'process_settings', desk.settings)
    custom_strategy.run()
    assert len(desk.venue.orders) == 2 and desk.venue.resting() == []


def test_an_exchange_connects_as_the_settings_say(monkeypatch):
    desk = Desk(POST_ONLY=True, CONTRACTS=['XBTUSD', 'ETHUSD'])
    given = {}

    def connect(**arguments):
        given.update(arguments)
        return desk.bitmex
    monkeypatch.setattr(exchange_interface.bitmex, 'BitMEX', connect)
    exchange = bot.ExchangeInterface(settings=desk.settings)
    assert (given['symbol'], given['symbols'], given['postOnly'], given['shouldWSAuth']) == ('XBTUSD', ['ETHUSD'], True, True)
    assert exchange.paper is None and not exchange.paper_died()


def test_for_the_paper_venue_one_is_started_and_stopped_again_when_connecting_fails(monkeypatch):
    desk, venue = Desk(BASE_URL='http://127.0.0.1:1/api/v1/'), Paper()
    desk.settings.BASE_URL = 'paper'
    monkeypatch.setattr(exchange_interface.paper, 'start_for', lambda settings: venue)

    def refuse(**arguments):
        raise errors.VenueUnreachable('no')
    monkeypatch.setattr(exchange_interface.bitmex, 'BitMEX', refuse)
    with pytest.raises(errors.VenueUnreachable):
        bot.ExchangeInterface(settings=desk.settings)
    assert venue.stopped == 1


def test_a_manager_that_cannot_be_built_closes_what_it_had_opened():
    desk = on_paper()
    desk.exchange.get_margin = lambda: 1 // 0
    with pytest.raises(ZeroDivisionError):
        bot.OrderManager(desk.exchange, desk.settings)
    assert desk.exchange.paper.stopped == 1


def test_a_program_of_its_own_gets_the_log_set_up(monkeypatch):
    desk = Desk(RUN_FOR_S=1)
    set_up = []
    monkeypatch.setattr(bot, 'ExchangeInterface', lambda dry_run, settings: desk.exchange)
    monkeypatch.setattr(bot.log, 'setup_custom_logger', lambda log_level: set_up.append(log_level))
    monkeypatch.setattr(bot.logger, 'handlers', [])
    monkeypatch.setattr(logging.getLogger(), 'handlers', [])
    bot.OrderManager(settings=desk.settings).shut_down()
    assert set_up == [desk.settings.LOG_LEVEL]


def test_signals_are_handled_while_a_program_of_its_own_runs(monkeypatch):
    import signal
    before = signal.getsignal(signal.SIGTERM)
    desk = Desk()
    desk.at(2, os.kill, os.getpid(), signal.SIGTERM)
    desk.run(5)
    assert desk.manager.stop_reason == 'SIGTERM' and signal.getsignal(signal.SIGTERM) == before
    signal.signal(signal.SIGTERM, lambda number, frame: None)
    try:
        desk = Desk(clock=ManualClock(1500000000.0))
        desk.run(1)
    finally:
        signal.signal(signal.SIGTERM, before)
