"""pybitmex, of 2019: bulk orders by REST, and tables kept from the socket."""
import environments
from trials import run_program


def test_it_places_moves_and_cancels_in_bulk_and_reads_its_history(start_venue):
    python = environments.python_with('pybitmex', '0.5.10', 'websocket-client==0.57.0')
    report = run_program([python, 'pybitmex_desk.py'], start_venue('classic'))
    assert report.errors() == {}
    assert report['open for business']['value'] is True
    (bids, asks), (moved, _) = report['resting']['value'], report['resting elsewhere']['value']
    assert len(asks) == 1 and moved == [price + 1 for price in bids]
    assert report['held']['value'] == 50 and report['flat']['value'] is True
    assert report['balances']['value'][0] > 0.9
    for name in ('hour', 'range'):
        assert report['trade history of the ' + name]['value'] >= 2
        assert report['orders of the ' + name]['value'] >= 5
    assert report['position rows']['value'] == 1  # its wallet history sorts null times, and stumbled on the real venue too
