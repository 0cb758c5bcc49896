"""bitmex-ws, BitMEX's own realtime client: market, book, funds, orders, trades."""
import environments
import pytest
from trials import run_program


@pytest.mark.parametrize('profile', ['classic', 'modern'])
def test_it_keeps_the_tables_of_a_market_and_an_account(start_venue, profile):
    python = environments.python_with('bitmex-ws', '1.5.0', 'websocket-client==1.6.4')
    report = run_program([python, 'bitmex_ws.py'], start_venue(profile))
    assert report.errors() == {}
    assert report['get_instrument']['value']['tickLog'] == (0 if profile == 'classic' else 1)
    ticker = report['get_ticker']['value']
    assert 0 < ticker['buy'] <= ticker['sell'] and ticker['last'] > 0
    assert (report['funds']['value']['currency'], report['funds']['value']['walletBalance']) == ('XBt', 100000000)
    assert report['its size in the book']['value'] == 100
    assert report['position held']['value'][0]['symbol'] == 'XBTUSD'
    assert sum(row['lastQty'] for row in report['execution']['value']) <= 1000
    assert all(row['size'] > 0 for row in report['recent_trades']['value'])
    assert report['the book is the same']['value'] > 50
    assert report['connected']['value'] is True
    assert report['public ticker']['value']['buy'] > 0
