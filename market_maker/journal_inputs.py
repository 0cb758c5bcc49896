"""How the inputs of a run are stored: lines of JSON, one per batch, in one compressed stream that is cut into rows of the table `input`.

The stream is readable up to the last batch that was committed, whatever became of the run. See `inputs` for what the records are.
"""
from __future__ import absolute_import, division, print_function

import json
import zlib

from market_maker.utils.compat import to_bytes, to_text

# Of an answer's headers nothing else is written down.
HEADERS = ('Date', 'Retry-After', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'x-ratelimit-remaining-1s')


def encode(records):
    """Records -> bytes of one batch. Headers may stand in them as requests gives them."""
    return to_bytes(json.dumps(records, separators=(',', ':'), default=_headers)) + b'\n'


def _headers(headers):
    return dict((name, headers[name]) for name in HEADERS if name in headers)


def records(run):
    """All records of a Run, in order: lists, and readings of the clock as bare numbers. They may be taken by any thread: what is compressed is read at once."""
    return _unpacked([bytes(batch.body) for batch in run.input_batches()])


def _unpacked(batches):
    unpack, rest = zlib.decompressobj(), b''
    for batch in batches:
        lines = (rest + unpack.decompress(batch)).split(b'\n')
        rest = lines.pop()
        for line in lines:
            for record in json.loads(to_text(line)):
                yield record
