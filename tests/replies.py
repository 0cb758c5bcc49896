"""A venue made of prepared answers, behind a requests transport adapter: for tests of what is asked and what is made of it."""
from __future__ import absolute_import, division, print_function

import json
from email.utils import formatdate

import requests
from requests.adapters import BaseAdapter

from market_maker.utils.compat import to_bytes, to_text, urlsplit


class Replies(BaseAdapter):
    """answers: (verb, path below /api/v1/) -> the body, (status, body), an exception, or a function of the request.

    `asked` lists (verb, path, decoded body) of every request. `now` is what the Date header says, in unix seconds.
    """

    def __init__(self, answers, now=1500000000):
        super(Replies, self).__init__()
        self.answers = answers
        self.asked = []
        self.now = now

    def send(self, request, **options):
        path = urlsplit(request.url).path.replace('/api/v1/', '', 1)
        body = json.loads(to_text(request.body)) if request.body else None
        self.asked.append((request.method, path, body))
        answer = self.answers.get((request.method, path), (404, {'error': {'message': 'Not Found', 'name': 'HTTPError'}}))
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        status, content = answer if isinstance(answer, tuple) else (200, answer)
        response = requests.Response()
        response.status_code, response.url, response.request = status, request.url, request
        response.headers.update({'Date': formatdate(self.now, usegmt=True), 'content-type': 'application/json'})
        response._content = to_bytes(content) if isinstance(content, type(u'')) else json.dumps(content).encode('utf-8')
        return response

    def close(self):
        pass
