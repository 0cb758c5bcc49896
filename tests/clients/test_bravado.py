"""bitmex, which bravado builds at run time out of the description that the venue serves."""
import environments
import pytest
from trials import run_program

PINNED = ('bravado==12.0.1', 'bravado-core==6.4.1', 'jsonschema==4.26.0', 'requests==2.34.2')
FAMILIES = {'APIKey', 'Execution', 'Funding', 'Instrument', 'Insurance', 'Liquidation', 'Order', 'OrderBook', 'Position', 'Quote',
            'Schema', 'Settlement', 'Trade', 'User', 'Wallet'}
TOO_LATE = {'classic': 'Invalid ordStatus', 'modern': 'Invalid ordStatus: Canceled'}


@pytest.mark.parametrize('profile', ['classic', 'modern'])
def test_every_operation_of_the_description_is_answered_as_described(start_venue, profile):
    python = environments.python_with('bitmex', '0.2.2', *PINNED)
    # It asks as fast as it is answered: what it takes to a real exchange and back keeps it within ten orders a second.
    report = run_program([python, 'bravado_rest.py'], start_venue(profile, '--latency-ms', '100'))
    assert report.errors() == {}
    operations = report['operations']['value']
    assert {name.split('_')[0] for name in operations} == FAMILIES
    assert set(report['never called']['value']) <= {'User_login'}  # without a login there
    assert ('Order_newBulk' in operations) == (profile == 'classic')
    for label in ('plain', 'validated'):
        def value(name, label=label):
            return report[label + ' ' + name]['value']
        placed = value('placed')
        assert (placed['ordStatus'], placed['text']) == ('New', 'from bravado')
        assert [row['orderID'] for row in value('open')] == [placed['orderID']]
        assert (value('amended')['orderQty'], value('amended by name')['price']) == (200, placed['price'] + 20)
        assert value('cancelled')[0]['ordStatus'] == 'Canceled'
        assert 'Unable to cancel order' in value('cancelled again')[0]['error']
        assert value('amended too late') == [400, TOO_LATE[profile]]
        assert value('no such contract') == [400, 'Invalid symbol'] and value('off the tick') == [400, 'Invalid price tickSize']
        assert [row['ordStatus'] for row in value('all cancelled')] == ['Canceled']
        assert value('bought')['cumQty'] == 1000 and value('position')[0]['currentQty'] == 1000
        assert {row['execType'] for row in value('tradeHistory')} == {'Trade'}
        assert value('User_getMargin')['currency'] == 'XBt'
    assert report['nobody trades without a key']['value'][0] == 401
    assert report['nobody trades with a wrong secret']['value'] == [401, 'Signature not valid.']
