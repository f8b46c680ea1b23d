"""Certificates for servers of these tests."""

import pytest
from certificates import Authority

from losswatch.web.tls import Certificates, TlsSettings


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def certificates(authority):
    return Certificates(TlsSettings(*authority.sign("server", "DNS:localhost")))
