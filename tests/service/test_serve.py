"""``losswatch.serve``: a program shows its monitors as securely as the service does."""

from __future__ import annotations

import base64

import bcrypt
import pytest
from certificates import Authority, ask, client, connect

import losswatch
from losswatch.errors import ConfigError, ListenError
from losswatch.web.server import WebServer

HASH = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()


def authorization(password: str) -> str:
    return f"authorization: Basic {base64.b64encode(f'alice:{password}'.encode()).decode()}\r\n"


def test_tls_certificates_and_passwords_by_a_file(tmp_path):
    """No certificate or no password, no page; paths are taken from the folder of the file."""
    authority = Authority(tmp_path)
    server, scraper = authority.sign("server", "DNS:localhost"), authority.sign("scraper")
    path, monitor = tmp_path / "web.yml", losswatch.Monitor("eta")
    monitor.update(10, 12)
    path.write_text(
        f"tls_server_config:\n  cert_file: {server.cert.name}\n  key_file: {server.key.name}\n"
        f"  client_ca_file: {authority.root.cert.name}\n"
        "  client_auth_type: RequireAndVerifyClientCert\n"
        f"basic_auth_users:\n  alice: {HASH}\n"
    )
    with losswatch.serve(monitor, port=0, web_config=path) as running:
        assert running.url == f"https://127.0.0.1:{running.port}/"
        for password, status, shown in (("hunter2", b"200", True), ("wrong", b"401", False)):
            with connect(running.port, client(authority, scraper)) as connection:
                answer = ask(connection, head=authorization(password))
            assert answer.startswith(b"HTTP/1.1 " + status)
            assert (b"losswatch_mse" in answer) is shown
        with pytest.raises(OSError):  # noqa: PT011, SIM117  # asyncio just closes
            with connect(running.port, client(authority)) as connection:
                ask(connection, head=authorization("hunter2"))


def test_a_file_that_is_wrong_is_told(tmp_path):
    """With the line and the key; nothing is served."""
    path = tmp_path / "web.yml"
    path.write_text("basic_auth_users: {alice: plain}")
    with pytest.raises(ConfigError, match=r"web\.yml: line 1: basic_auth_users\.alice: is no bcry"):
        losswatch.serve(losswatch.Monitor("eta"), port=0, web_config=path)


def test_open_doors_are_told(monkeypatch, caplog, tmp_path):
    """Where others can reach it and nobody is asked; in tests, nobody can."""
    for module in ("serve", "doors"):
        monkeypatch.setattr(f"losswatch.service.{module}.is_of_this_machine", lambda _: False)
    (tmp_path / "asks").write_text(f"basic_auth_users: {{alice: {HASH}}}")
    (tmp_path / "does not").write_text("{}")
    for path, told in ((tmp_path / "asks", 0), (tmp_path / "does not", 1), (None, 1)):
        caplog.clear()
        with losswatch.serve(losswatch.Monitor("eta"), port=0, web_config=path):
            assert caplog.text.count("nobody is asked who he is") == told


@pytest.mark.parametrize("host", ["", "::"])
def test_all_addresses_can_be_listened_on(monkeypatch, caplog, host):
    """However they are written; the log has what is listened on. In tests that is loopback."""
    monkeypatch.setattr(
        "losswatch.service.serve.WebServer",
        lambda app, _, *more: WebServer(app, "127.0.0.1", *more),
    )
    monkeypatch.setattr("losswatch.service.doors.is_of_this_machine", lambda _: False)
    with losswatch.serve(losswatch.Monitor("eta"), host=host, port=0) as running:
        assert f"listening on {running.address}, and nobody" in caplog.text


def test_an_address_can_be_used_as_it_is_logged(monkeypatch, caplog):
    """That of IPv6 has brackets."""
    for module in ("serve", "doors"):
        monkeypatch.setattr(f"losswatch.service.{module}.is_of_this_machine", lambda _: False)
    try:
        running = losswatch.serve(losswatch.Monitor("eta"), host="::1", port=0)
    except ListenError:
        pytest.skip("this machine has no IPv6 loopback")
    with running:
        assert f"listening on [::1]:{running.port}, and nobody" in caplog.text
