"""TLS as real clients see it: versions, certificates of clients, rotation."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import warnings
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from certificates import Authority, ask, client, connect
from servers import binary, wait_for

from losswatch.config.model import TlsConfig, WebConfig
from losswatch.errors import ListenError
from losswatch.service.doors import make_doors
from losswatch.web.doors import Doors
from losswatch.web.probes import make_probes
from losswatch.web.server import WebServer
from losswatch.web.tls import Certificates, TlsSettings

OK = b"HTTP/1.1 200 OK"


@pytest.fixture(scope="module")
def server_pair(authority):
    return authority.sign("server", "DNS:localhost", "IP:127.0.0.1")


@pytest.fixture(scope="module")
def known(authority, server_pair):
    """The authority, and the certificate of the server."""
    return authority, server_pair


@contextmanager
def serving(settings, **options):
    """Serve the probes over TLS; yield the server."""
    doors = Doors(certificates=Certificates(settings), **options)
    with WebServer(make_probes(lambda: True), "127.0.0.1", 0, doors) as server:
        yield server


def answer(server, context) -> bytes:
    with connect(server.port, context) as connection:
        return ask(connection, "/-/healthy")


def test_a_client_that_trusts_the_authority_gets_an_answer(authority, server_pair):
    """The page comes over TLS, in the newest version, and the address says so."""
    with serving(TlsSettings(*server_pair)) as server:
        assert server.url == f"https://127.0.0.1:{server.port}/"
        with connect(server.port, client(authority)) as connection:
            assert connection.version() == "TLSv1.3"
            assert ask(connection, "/-/healthy").startswith(OK)


def test_plain_http_is_not_answered(server_pair):
    """Who speaks no TLS gets no page, and harms nobody."""
    with (
        serving(TlsSettings(*server_pair)) as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection,
    ):
        connection.sendall(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        with suppress(ConnectionError):
            assert b"HTTP/1.1" not in connection.recv(1000)


@pytest.mark.parametrize(
    ("least", "version", "taken"),
    [
        ("TLS12", ssl.TLSVersion.TLSv1_2, True),
        ("TLS12", ssl.TLSVersion.TLSv1_1, False),
        ("TLS13", ssl.TLSVersion.TLSv1_2, False),
        ("TLS13", ssl.TLSVersion.TLSv1_3, True),
    ],
    ids=str,
)
def test_versions(known, least, version, taken, caplog):
    """An old version is refused by the server, not by the client."""
    authority, server_pair = known
    context = client(authority)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # or OpenSSL itself would not speak it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = version
        context.maximum_version = version
    with serving(TlsSettings(*server_pair, min_version=least)) as server:
        if taken:
            assert answer(server, context).startswith(OK)
        else:
            with pytest.raises(OSError):  # noqa: PT011  # asyncio just closes
                answer(server, context)
            wait_for(lambda: "unsupported protocol" in caplog.text, about="for the reason")


CHACHA, AES = "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-ECDSA-AES128-GCM-SHA256"


@pytest.mark.parametrize(("own", "spoken"), [(True, CHACHA), (False, AES)])
def test_suites(known, own, spoken):
    """Only those that were chosen, in the order of one side; TLS 1.3 is not concerned."""
    authority, server_pair = known
    settings = TlsSettings(*server_pair, ciphers=(CHACHA, AES), prefer_own_ciphers=own)
    with serving(settings) as server:
        context = client(authority)
        with connect(server.port, context) as connection:
            assert connection.version() == "TLSv1.3"
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{AES}:{CHACHA}")
        with connect(server.port, context) as connection:
            assert connection.cipher()[0] == spoken
        context.set_ciphers("ECDHE-ECDSA-AES256-GCM-SHA384")
        with pytest.raises(OSError):  # noqa: PT011  # asyncio just closes
            answer(server, context)


@pytest.mark.parametrize(
    ("settings", "key"),
    [({"ciphers": ("ECDHE-NONE",)}, "cipher_suites"), ({"curve": "none"}, "curve_preferences")],
)
def test_what_this_machine_does_not_speak_is_told(server_pair, settings, key):
    """As where a policy of the machine forbids all that was chosen."""
    with pytest.raises(ListenError, match=f"speaks nothing of {key}; name others"):
        Certificates(TlsSettings(*server_pair, **settings))


def test_a_curve(known):
    """Who does not speak it gets no answer."""
    authority, server_pair = known
    with serving(TlsSettings(*server_pair, curve="secp384r1")) as server:
        assert answer(server, client(authority)).startswith(OK)
        context = client(authority)
        context.set_ecdh_curve("X25519")
        with pytest.raises(OSError):  # noqa: PT011  # asyncio just closes
            answer(server, context)


CODES = {
    "ECDSA_WITH_AES_128_GCM_SHA256": 0xC02B,
    "RSA_WITH_AES_128_GCM_SHA256": 0xC02F,
    "ECDSA_WITH_AES_256_GCM_SHA384": 0xC02C,
    "RSA_WITH_AES_256_GCM_SHA384": 0xC030,
    "ECDSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA9,
    "RSA_WITH_CHACHA20_POLY1305_SHA256": 0xCCA8,
    "ECDSA_WITH_AES_128_CBC_SHA": 0xC009,
    "RSA_WITH_AES_128_CBC_SHA": 0xC013,
    "ECDSA_WITH_AES_256_CBC_SHA": 0xC00A,
    "RSA_WITH_AES_256_CBC_SHA": 0xC014,
}
"""Names of suites after TLS_ECDHE_, and what IANA gave them."""


def test_suites_and_curves_have_the_names_of_go(server_pair):
    """Each is the one that has the code of this name."""
    names = [f"TLS_ECDHE_{name}" for name in CODES]
    paths = {"cert_file": f"{server_pair.cert}", "key_file": f"{server_pair.key}"}
    tls = TlsConfig(**paths, cipher_suites=["TLS_AES_128_GCM_SHA256", *names])
    certificates = make_doors(WebConfig(tls_server_config=tls), Path()).certificates
    found = certificates.context().get_ciphers()
    codes = [each["id"] & 0xFFFF for each in found if each["protocol"] != "TLSv1.3"]
    assert codes == [*CODES.values()]
    for curve in ("CurveP256", "CurveP384", "CurveP521", "X25519"):
        tls = TlsConfig(**paths, curve_preferences=[curve])
        assert make_doors(WebConfig(tls_server_config=tls), Path()).certificates.context()


@pytest.fixture(scope="module")
def clients(authority, tmp_path_factory):
    """Who comes: name to certificate."""
    other = Authority(tmp_path_factory.mktemp("other"), "other")
    return {
        "nobody": None,
        "stranger": other.sign("scraper", "DNS:scraper"),
        "scraper": authority.sign("scraper", "DNS:scraper"),
        "address": authority.sign("address", "IP:::1"),
        "uri": authority.sign("uri", "URI:spiffe://a/b"),
        "mail": authority.sign("mail", "email:a@b.example"),
        "wrong name": authority.sign("wrong", "DNS:other"),
        "no names": authority.sign("none"),
    }


ALLOWED = frozenset({"scraper", "::1", "spiffe://a/b", "a@b.example"})


@pytest.mark.parametrize(
    ("who", "allowed", "taken"),
    [
        ("nobody", frozenset(), False),
        ("stranger", frozenset(), False),
        ("scraper", frozenset(), True),
        ("no names", frozenset(), True),
        ("nobody", ALLOWED, False),
        ("stranger", ALLOWED, False),
        ("scraper", ALLOWED, True),
        ("address", ALLOWED, True),
        ("uri", ALLOWED, True),
        ("mail", ALLOWED, True),
        ("wrong name", ALLOWED, False),
        ("no names", ALLOWED, False),
    ],
)
def test_certificates_of_clients(known, clients, who, allowed, taken):
    """Without a certificate that is signed, and named if names are asked for, nobody gets in."""
    authority, server_pair = known
    settings = TlsSettings(*server_pair, authority.root.cert, allowed)
    with serving(settings) as server:
        context = client(authority, clients[who])
        if taken:
            assert answer(server, context).startswith(OK)
        else:
            with pytest.raises(OSError):  # noqa: PT011  # an alert, or the end
                answer(server, context)
        assert answer(server, client(authority, clients["scraper"])).startswith(OK)


def serial(server, context) -> str:
    with connect(server.port, context) as connection:
        return connection.getpeercert()["serialNumber"]


def test_new_certificates_are_taken_without_a_restart(authority, tmp_path, caplog):
    """New connections get the new pair; half of a rotation leaves the old one, told once."""
    first, second = (authority.sign(name, "DNS:localhost") for name in ("first", "second"))
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    shutil.copy(first.cert, cert)
    shutil.copy(first.key, key)
    context = client(authority)
    with serving(TlsSettings(cert, key)) as server:
        before = serial(server, context)
        with connect(server.port, context) as old:
            shutil.copy(second.cert, cert)
            assert serial(server, context) == before
            assert serial(server, context) == before
            told = [r.getMessage() for r in caplog.records if r.levelname == "ERROR"]
            assert len(told) == 1
            assert "the key is not that of the certificate; those of before" in told[0]
            shutil.copy(second.key, key)
            assert serial(server, context) != before
            assert ask(old, "/-/healthy").startswith(OK)
        key.unlink()
        assert serial(server, context) != before


def test_files_are_read_again_when_they_may_be_read(authority, caplog):
    """A key whose owner or mode is set after it was copied is taken without another change."""
    pair = authority.sign("later", "DNS:localhost")
    certificates = Certificates(TlsSettings(*pair))

    def is_read_after_chmod() -> bool:
        pair.key.chmod(0o600)
        certificates.context()
        return "read again" in caplog.text

    caplog.set_level("INFO")
    wait_for(is_read_after_chmod, about="for a tick of the file system's clock")


def test_a_certificate_that_makes_no_sense_is_an_error(server_pair, tmp_path):
    """What is wrong with the files is told with their names; nobody is asked for a password."""
    empty, secret = tmp_path / "empty.pem", tmp_path / "secret.key"
    empty.write_text("nothing")
    command = [binary("openssl"), "pkey", "-in", str(server_pair.key), "-aes256", "-passout"]
    subprocess.run([*command, "pass:abcd", "-out", str(secret)], check=True, capture_output=True)
    wrong = [
        (TlsSettings(tmp_path / "no.pem", server_pair.key), "no.pem: No such file.* folder"),
        (TlsSettings(server_pair.cert, tmp_path / "no.key"), "TLS: .*no.key: No such file"),
        (TlsSettings(empty, server_pair.key), "empty.pem and .*cannot be read as PEM"),
        (TlsSettings(server_pair.key, server_pair.cert), "PEM: .*; cert_file .* must hold"),
        (TlsSettings(server_pair.cert, secret), "secret.key: the key is encrypted; decrypt it"),
        (TlsSettings(*server_pair, empty), "empty.pem: cannot be read as PEM"),
    ]
    for settings, message in wrong:
        with pytest.raises(ListenError, match=message):
            Certificates(settings)
