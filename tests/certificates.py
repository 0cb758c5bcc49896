"""A certificate for localhost that nobody but itself vouches for."""
from __future__ import absolute_import, division, print_function

import os
import ssl
import subprocess

import pytest


def made_in(folder):
    """(path of the certificate, a server's SSLContext with it); skips the test where there is no openssl to make one."""
    key, certificate = str(folder / 'key.pem'), str(folder / 'certificate.pem')
    try:
        with open(os.devnull, 'w') as nowhere:
            subprocess.check_call(['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext',
                                   'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate], stderr=nowhere)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip('needs openssl to make a certificate')
    context = ssl.SSLContext(getattr(ssl, 'PROTOCOL_TLS_SERVER', ssl.PROTOCOL_SSLv23))
    context.load_cert_chain(certificate, key)
    return certificate, context
