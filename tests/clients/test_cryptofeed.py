"""cryptofeed, a collector of market data: its BitMEX feed."""
import environments
import pytest
from trials import run_program


@pytest.mark.parametrize('profile', ['classic', 'modern'])
def test_its_feed_follows_the_market(start_venue, profile):
    python = environments.python_with('cryptofeed', '2.4.1')
    report = run_program([python, 'cryptofeed_feed.py'], start_venue(profile))
    assert report.errors() == {}
    assert 'BTC-USD-PERP' in report['symbols']['value']
    assert all(bid < ask and min(bids, asks) > 25 for bid, ask, bids, asks in report['book']['value'])
    assert all(bid <= ask for bid, ask in report['ticker']['value'])
    assert all(price > 0 and amount > 0 for _, price, amount in report['trades']['value'])
    assert report['open interest']['value'][0] >= 0
