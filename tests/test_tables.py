"""Rules of the realtime tables, one test each."""
from __future__ import absolute_import, division, print_function

import sys
import threading

import pytest

from market_maker.ws.tables import MAX_TABLE_LEN, Tables

BOOK_KEYS = ['symbol', 'id', 'side']


def partial(table, rows, keys=(), within=None):
    return {'table': table, 'action': 'partial', 'keys': list(keys), 'filter': within or {}, 'data': rows}


def message(table, action, *rows):
    return {'table': table, 'action': action, 'data': list(rows)}


def level(number, size=1, symbol='XBTUSD', side='Buy'):
    return {'symbol': symbol, 'id': number, 'side': side, 'size': size}


@pytest.fixture
def book():
    tables = Tables()
    tables.apply(partial('orderBookL2_25', [level(1), level(2)], BOOK_KEYS, {'symbol': 'XBTUSD'}))
    return tables


def test_nothing_is_applied_before_its_partial():
    tables = Tables()
    assert tables.apply(message('orderBookL2', 'insert', level(1))) == ([], 1)
    assert tables.rows('orderBookL2') == [] and not tables.has('orderBookL2')


def test_nothing_is_applied_to_a_symbol_before_its_own_partial(book):
    assert book.apply(message('orderBookL2_25', 'insert', level(9, symbol='ETHUSD'))) == ([], 1)
    assert book.has('orderBookL2_25', 'XBTUSD') and not book.has('orderBookL2_25', 'ETHUSD')


def test_a_partial_replaces_what_is_within_its_filter_and_nothing_else(book):
    book.apply(partial('orderBookL2_25', [level(7, symbol='ETHUSD')], BOOK_KEYS, {'symbol': 'ETHUSD'}))
    book.apply(partial('orderBookL2_25', [level(3)], BOOK_KEYS, {'symbol': 'XBTUSD'}))
    assert [(row['symbol'], row['id']) for row in book.rows('orderBookL2_25')] == [('ETHUSD', 7), ('XBTUSD', 3)]


def test_a_partial_without_a_filter_replaces_all():
    tables = Tables()
    for rows in ([{'account': 1, 'currency': 'XBt', 'amount': 5}], [{'account': 1, 'currency': 'USDt', 'amount': 7}]):
        tables.apply(partial('margin', rows, ['account', 'currency']))
    assert tables.rows('margin') == [{'account': 1, 'currency': 'USDt', 'amount': 7}]


def test_an_update_merges_changed_columns_into_its_row(book):
    book.apply(message('orderBookL2_25', 'update', {'symbol': 'XBTUSD', 'id': 2, 'side': 'Buy', 'size': 50}))
    assert book.row('orderBookL2_25', id=2)['size'] == 50


def test_an_update_or_delete_of_an_unknown_row_harms_nothing(book):
    assert book.apply(message('orderBookL2_25', 'update', level(8))) == ([], 1)
    assert book.apply(message('orderBookL2_25', 'delete', level(8))) == ([], 1)
    assert len(book.rows('orderBookL2_25')) == 2


def test_one_bad_row_does_not_cost_the_rest_of_its_message(book):
    assert book.apply(message('orderBookL2_25', 'delete', {'symbol': 'XBTUSD'}, 'nonsense', level(1))) == ([level(1)], 2)
    assert [row['id'] for row in book.rows('orderBookL2_25')] == [2]
    assert book.apply(message('orderBookL2_25', 'insert', {'symbol': 'XBTUSD', 'size': 1}, 7)) == ([], 2)


def test_an_order_with_nothing_left_leaves_the_table():
    tables = Tables()
    tables.apply(partial('order', [{'orderID': 'a', 'leavesQty': 5}, {'orderID': 'b', 'leavesQty': 0}], ['orderID']))
    assert [row['orderID'] for row in tables.rows('order')] == ['a']
    tables.apply(message('order', 'update', {'orderID': 'a', 'leavesQty': 0}))
    assert tables.rows('order') == []


def test_an_insert_of_a_known_key_replaces_its_row():
    tables = Tables()
    tables.apply(partial('order', [{'orderID': 'a', 'leavesQty': 5}], ['orderID']))
    tables.apply(message('order', 'insert', {'orderID': 'a', 'leavesQty': 4}))
    assert tables.rows('order') == [{'orderID': 'a', 'leavesQty': 4}]


def test_tables_that_only_grow_are_capped_and_keep_the_newest():
    tables = Tables()
    tables.apply(partial('trade', [], within={'symbol': 'XBTUSD'}))
    for number in range(MAX_TABLE_LEN + 50):
        tables.apply(message('trade', 'insert', {'symbol': 'XBTUSD', 'size': number}))
    sizes = [row['size'] for row in tables.rows('trade')]
    assert len(sizes) == MAX_TABLE_LEN and sizes[-1] == MAX_TABLE_LEN + 49


def test_an_execution_that_comes_twice_is_kept_once_even_where_the_venue_names_no_keys():
    tables = Tables()
    tables.apply(partial('execution', []))
    for _ in range(2):
        tables.apply(message('execution', 'insert', {'execID': 'x', 'symbol': 'XBTUSD'}))
    assert len(tables.rows('execution')) == 1


def test_keys_that_the_rows_do_not_have_give_way_to_the_usual_ones():
    tables = Tables()
    tables.apply(partial('position', [{'account': 1, 'symbol': 'XBTUSD', 'currentQty': 3}], ['account', 'symbol', 'currency']))
    tables.apply(message('position', 'update', {'account': 1, 'symbol': 'XBTUSD', 'currentQty': 4}))
    assert tables.row('position', symbol='XBTUSD')['currentQty'] == 4


def test_readers_get_copies(book):
    book.rows('orderBookL2_25')[0]['size'] = 999
    book.row('orderBookL2_25', id=1)['size'] = 999
    assert book.row('orderBookL2_25', id=1)['size'] == 1


def test_a_row_by_its_only_key_is_found_directly_and_an_unknown_one_is_none():
    tables = Tables()
    tables.apply(partial('instrument', [{'symbol': 'XBTUSD', 'tickSize': 0.5}], ['symbol'], {'symbol': 'XBTUSD'}))
    assert tables.row('instrument', symbol='XBTUSD')['tickSize'] == 0.5
    assert tables.row('instrument', symbol='NONE') is None
    assert tables.row('nothing') is None
    assert tables.row('instrument', tickSize=7) is None


def test_the_newest_of_several_keyless_rows_is_the_row():
    tables = Tables()
    tables.apply(partial('quote', [{'symbol': 'XBTUSD', 'bidPrice': 1}], within={'symbol': 'XBTUSD'}))
    tables.apply(message('quote', 'insert', {'symbol': 'XBTUSD', 'bidPrice': 2}))
    assert tables.row('quote', symbol='XBTUSD')['bidPrice'] == 2


def test_a_reset_forgets_everything(book):
    book.reset()
    assert not book.has('orderBookL2_25') and book.rows('orderBookL2_25') == []


def test_an_unknown_action_is_refused(book):
    with pytest.raises(ValueError):
        book.apply(message('orderBookL2_25', 'explode', level(1)))


def test_an_empty_partial_counts_as_an_image():
    tables = Tables()
    tables.apply(partial('order', [], ['orderID'], {'account': 1, 'symbol': 'XBTUSD'}))
    assert tables.has('order', 'XBTUSD') and tables.has('order')
    tables.apply(message('order', 'insert', {'orderID': 'a', 'symbol': 'XBTUSD', 'leavesQty': 1}))
    assert len(tables.rows('order')) == 1


def test_a_row_read_by_rest_merges_into_a_table_that_is_there():
    tables = Tables()
    row = {'account': 1, 'symbol': 'XBTUSD', 'currentQty': 5}
    tables.merge('position', row)
    assert tables.rows('position') == []
    tables.apply(partial('position', [], ['account', 'symbol'], {'account': 1}))
    tables.merge('position', row)
    tables.merge('position', dict(row, currentQty=7))
    tables.merge('position', {'symbol': 'XBTUSD', 'currentQty': 9})
    assert [held['currentQty'] for held in tables.rows('position')] == [7]


@pytest.fixture
def hasty_threads():
    """Threads that take turns as often as the interpreter can."""
    take, give = (sys.getswitchinterval, sys.setswitchinterval) if hasattr(sys, 'setswitchinterval') else (sys.getcheckinterval, sys.setcheckinterval)
    before = take()
    give(1 if give.__name__ == 'setcheckinterval' else 1e-6)
    yield
    give(before)


def test_readers_of_other_threads_see_whole_rows_while_messages_are_applied(book, hasty_threads):
    errors, seen, over = [], set(), threading.Event()
    book.apply(message('orderBookL2_25', 'insert', *[level(number) for number in range(10, 400)]))

    def read():
        try:
            while not over.is_set():
                seen.update(len(row) for row in book.rows('orderBookL2_25'))
                book.row('orderBookL2_25', side='Sell')
        except Exception as error:  # what a thread raises nobody hears
            errors.append(error)
    readers = [threading.Thread(target=read) for _ in range(2)]
    for thread in readers:
        thread.start()
    for number in range(2000):
        book.apply(message('orderBookL2_25', 'insert', level(1000 + number)))
        book.apply(message('orderBookL2_25', 'update', {'symbol': 'XBTUSD', 'id': 2, 'side': 'Buy', 'size': number}))
        book.apply(message('orderBookL2_25', 'delete', level(990 + number)))
        if number % 500 == 499:
            book.apply(partial('orderBookL2_25', [level(number) for number in range(400)], BOOK_KEYS, {'symbol': 'XBTUSD'}))
    over.set()
    for thread in readers:
        thread.join()
    assert errors == [] and seen == {len(level(1))}
