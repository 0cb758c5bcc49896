"""bitmex-realtime-api, BitMEX's own realtime client for node."""
import os
import shutil

import environments
import pytest
from trials import run_program


PRIVATE = ['margin', 'order', 'position', 'wallet']
PUBLIC = ['instrument', 'orderBook10', 'orderBookL2_25', 'quote', 'quoteBin1m', 'trade']


@pytest.mark.parametrize('profile', ['classic', 'modern'])
def test_it_keeps_every_stream_it_subscribes_to(start_venue, profile, monkeypatch):
    if shutil.which('node') is None or shutil.which('npm') is None:
        pytest.fail('node and npm are needed for this client', pytrace=False)
    place = environments.node_with('bitmex-realtime-api', '1.5.5')
    monkeypatch.setenv('NODE_PATH', os.path.join(place, 'node_modules'))
    report = run_program(['node', 'realtime_api.js'], start_venue(profile))
    assert report.errors() == {}
    assert report['errors']['value'] == []
    assert report['kept']['value'] == sorted(PRIVATE + PUBLIC)
    assert (report['margin']['value'], report['orderBook10']['value'], report['orderBookL2_25']['value']) == (100000000, 10, 50)
