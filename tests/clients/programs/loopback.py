"""Sends every HTTP request of `requests` to the venue, whatever host it names: some clients know one host and no other.

Path, query, body and headers stay as the client made them. Importing this is enough; no package is touched.
"""
import requests
from steps import WHERE
from urllib3.util import parse_url


class ToTheVenue(requests.adapters.HTTPAdapter):
    def send(self, request, *arguments, **options):
        named = parse_url(request.url)
        request.headers.setdefault('Host', named.host)
        request.url = 'http://' + WHERE['host'] + named.request_uri
        return super().send(request, *arguments, **options)


requests.sessions.HTTPAdapter = ToTheVenue
