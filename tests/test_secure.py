"""The service behind TLS, certificates of clients and passwords, as real clients see it."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path

import bcrypt
import pytest
from certificates import Authority, client
from servers import answers, binary, fetch, free_port, process, prometheus, wait_for

from losswatch.config.load import parse_config
from losswatch.service.doors import is_open

PASSWORD = "hunter2-hunter2"
HASH = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
VERIFIED = (
    "tls_server_config: {cert_file: a, key_file: b, client_ca_file: c,"
    " client_auth_type: RequireAndVerifyClientCert}"
)
EVENT = {"y_true": 10, "y_pred": 12}
PAGES = (
    *("", "metrics", "api/v1/cost", "api/v1/openapi.json", "api/v1/alarms"),
    *("-/healthy", "-/ready", "nope", "api/v1/nope"),
)


class Secured:
    """A running service, and who may use it."""

    def __init__(self, folder: Path, web: str, *options: str) -> None:
        self.authority = Authority(folder)
        self.server = self.authority.sign("server", "DNS:localhost")
        self.scraper = self.authority.sign("scraper", "DNS:scraper")
        self.port, self.probes = free_port(), f"127.0.0.1:{free_port()}"
        self.log, self.config = folder / "run.log", folder / "losswatch.yml"
        self.config.write_text(
            f"version: 1\nlisten: 127.0.0.1:{self.port}\n"
            f"web:\n  probe_listen: {self.probes}\n{web}"
            "monitors: [{model: eta}]\nsources: [{http: {}}]\n"
        )
        (folder / "web.yml").write_text(
            f"tls_server_config:\n  cert_file: {self.server.cert.name}\n"
            f"  key_file: {self.server.key.name}\n"
            f"  client_ca_file: {self.authority.root.cert.name}\n"
            "  client_auth_type: RequireAndVerifyClientCert\n  client_allowed_sans: [scraper]\n"
            f"basic_auth_users:\n  alice: {HASH}\n"
        )
        (folder / "users").write_text(f"alice:{HASH}\n")
        run = [sys.executable, "-m", "losswatch", "run", str(self.config), "--log.level", "debug"]
        self.command = [*run, *options]

    def ask(self, path: str, data=None, password: str = PASSWORD) -> tuple[int, bytes]:
        """Send a request with certificate and password."""
        request = urllib.request.Request(f"https://localhost:{self.port}/{path}", data)
        pair = base64.b64encode(f"alice:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {pair}")
        request.add_header("Content-Type", "application/json")
        context = client(self.authority, self.scraper)
        try:
            with urllib.request.urlopen(request, timeout=20, context=context) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def send(self) -> int:
        return self.ask("api/v1/events", json.dumps(EVENT).encode())[0]


@pytest.fixture
def secured(tmp_path):
    """A service as other exporters are run: with a file for the web."""
    service = Secured(tmp_path, "", "--web.config.file", str(tmp_path / "web.yml"))
    with process(service.command, service.log, stdin=subprocess.DEVNULL) as service.process:
        wait_for(lambda: answers(f"http://{service.probes}/-/ready"), about=f"for {service.log}")
        yield service


def test_secrets_are_nowhere(secured, tmp_path):
    """No page and no line of the log, at the level debug, has a password or a hash."""
    assert secured.send() == 200
    assert secured.ask("metrics", password="wrong")[0] == 401
    pages = [secured.ask(path)[1] for path in PAGES]
    config = secured.config.read_text()
    for bad in ("a: [", config.replace("eta", "${NOT_SET}")):
        secured.config.write_text(bad)
        secured.process.send_signal(signal.SIGHUP)
    (tmp_path / "web.yml").write_text(f"basic_auth_users: {{alice: '{HASH}', bob: {PASSWORD}}}")
    secured.config.write_text(config)
    secured.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "bob: is no bcrypt hash" in secured.log.read_text(), about="for the problem")
    pages += [secured.ask(path)[1] for path in PAGES]
    told = b"".join(pages) + secured.log.read_bytes()
    assert b'"cost' in told
    for secret in (PASSWORD.encode(), HASH[7:].encode(), b"Basic YWxpY2"):
        assert secret not in told
    assert "nobody is asked" not in secured.log.read_text()


def test_without_certificate_or_password_there_are_only_probes(secured):
    """The address of the probes answers them and nothing else; the other one not even them."""
    with pytest.raises(OSError):  # noqa: PT011  # an alert, or the end
        _opened(secured, None)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        _opened(secured, secured.scraper)
    refusal.value.close()
    assert refusal.value.code == 401
    statuses = [fetch(f"http://{secured.probes}/{path}")[0] for path in PAGES]
    assert statuses == [200 if path in {"-/healthy", "-/ready"} else 404 for path in PAGES]


def _opened(secured, pair):
    url = f"https://localhost:{secured.port}/metrics"
    context = client(secured.authority, pair)
    return urllib.request.urlopen(url, timeout=20, context=context)


def test_events_and_scrapes_go_on_beside_silent_clients(secured):
    """Fifty clients that never shake hands hold up neither events nor scrapes."""
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(socket.create_connection(("127.0.0.1", secured.port), timeout=10))
        for count in range(1, 6):
            assert secured.send() == 200
            page = secured.ask("metrics")[1].decode()
            assert f'losswatch_events{{model="eta",window="lifetime"}} {count}.0' in page


def test_a_reload_changes_passwords_and_certificates(secured, tmp_path):
    """The old password is refused, the new one taken, and the events are still there."""
    assert secured.send() == 200
    web = tmp_path / "web.yml"
    other = bcrypt.hashpw(b"other", bcrypt.gensalt(4)).decode()
    web.write_text(web.read_text().replace(HASH, other).replace("[scraper]", "[nobody]"))
    secured.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "was loaded again" in secured.log.read_text(), about="for the reload")
    with pytest.raises(OSError):  # noqa: PT011  # an alert, or the end
        secured.ask("metrics")
    web.write_text(web.read_text().replace("[nobody]", "[scraper]"))
    secured.process.send_signal(signal.SIGHUP)
    wait_for(lambda: secured.log.read_text().count("was loaded again") == 2, about="for the other")
    assert secured.ask("metrics")[0] == 401
    status, page = secured.ask("api/v1/cost", password="other")
    assert (status, json.loads(page)["costs"][0]["n"]) == (200, 1)


def test_a_real_prometheus_scrapes_it(secured, tmp_path):
    """With certificate and password the target is up; promtool takes the same file."""
    known = tmp_path / "known.yml"  # an old promtool does not know all that there is
    known.write_text((tmp_path / "web.yml").read_text().replace("  client_allowed_sans", "# "))
    command = [binary("promtool"), "check", "web-config", str(known)]
    subprocess.run(command, check=True, capture_output=True)
    assert secured.send() == 200
    how = (
        f", scheme: https, basic_auth: {{username: alice, password: {PASSWORD}}}, tls_config: {{"
        f"ca_file: {secured.authority.root.cert}, cert_file: {secured.scraper.cert},"
        f" key_file: {secured.scraper.key}, server_name: localhost}}"
    )
    with prometheus(tmp_path, f"127.0.0.1:{secured.port}", how=how) as server:
        events = 'losswatch_events{window="lifetime"}'
        wait_for(lambda: server.value(events) == 1.0, about="for the scrape")
        assert server.value("up") == 1.0


def test_users_of_a_file_and_lifecycle_by_option(tmp_path):
    """The keys of the YAML do the same; a reload over HTTP asks for the password too."""
    web = (
        "  tls_server_config: {cert_file: authority-server.pem, key_file: authority-server.key}\n"
        "  basic_auth_users_file: users\n"
    )
    service = Secured(tmp_path, web, "--web.enable-lifecycle")
    with process(service.command, service.log, stdin=subprocess.DEVNULL):
        wait_for(lambda: answers(f"http://{service.probes}/-/ready"), about=f"for {service.log}")
        assert service.ask("-/reload", b"", "wrong")[0] == 401
        assert service.ask("-/reload", b"") == (200, b"the config was loaded\n")
        (tmp_path / "users").write_text(f"alice:{PASSWORD}\n")
        status, said = service.ask("-/reload", b"")
        assert (status, b"users: line 1: is no bcrypt hash" in said) == (500, True)
        assert PASSWORD.encode() not in said + service.log.read_bytes()


def test_a_certificate_that_is_not_there_ends_the_run(tmp_path):
    """Start and check say which file is wrong, with the code of a wrong config."""
    web = "  tls_server_config: {cert_file: no.pem, key_file: no.key}\n"
    service = Secured(tmp_path, web)
    for command in (service.command, [*service.command[:3], "check", str(service.config)]):
        result = subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert result.returncode == 2
        assert b"web: tls_server_config: cannot speak TLS: " in result.stderr
        assert b"no.pem: No such file" in result.stderr


@pytest.mark.parametrize(
    ("listen", "web", "told"),
    [
        ("127.0.0.1:1", "", False),
        ("'[::1]:1'", "", False),
        ("localhost:1", "", False),
        ("LOCALHOST:1", "", False),
        ("0.0.0.0:1", "", True),
        ("'[::]:1'", "", True),
        ("example.org:1", "", True),
        ("0.0.0.0:1", f"basic_auth_users: {{a: '{HASH}'}}", False),
        ("0.0.0.0:1", "basic_auth_users_file: u", False),
        ("0.0.0.0:1", "tls_server_config: {cert_file: a, key_file: b}", True),
        ("0.0.0.0:1", VERIFIED, False),
    ],
)
def test_open_doors_are_told(listen, web, told):
    """Where a network can reach it and nobody is asked, that is open; TLS alone does not help."""
    text = f"version: 1\nlisten: {listen}\nweb: {{{web}}}\nmonitors: [{{model: a}}]\n"
    config = parse_config(f"{text}sources: [{{http: {{}}}}]\n")
    assert is_open(config.listen, config.web) is told


def test_ssl_is_verified_by_these_clients(secured):
    """The tests themselves trust the authority only."""
    context = ssl.create_default_context()
    with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
        urllib.request.urlopen(f"https://localhost:{secured.port}/", timeout=10, context=context)


def test_an_alarm_is_acknowledged_with_a_password(tmp_path):
    """The command line asks as any client does; without the password it is told so."""
    web = (
        "  tls_server_config: {cert_file: server.pem, key_file: server.key}\n"
        f"  basic_auth_users: {{alice: '{HASH}'}}\n"
    )
    service = Secured(tmp_path, web)
    config = service.config.read_text().replace("server.pem", str(service.server.cert))
    config = config.replace("server.key", str(service.server.key))
    alarm = "alarms: [{kind: budget, max_rmse: 3}]"
    service.config.write_text(config.replace("{model: eta}", f"{{model: eta, {alarm}}}"))
    told = [sys.executable, "-m", "losswatch", "acknowledge", "eta", "budget"]
    told += ["--url", f"https://localhost:{service.port}"]
    told += ["--ca-file", str(service.authority.root.cert)]
    with process(service.command, service.log, stdin=subprocess.DEVNULL):
        wait_for(lambda: answers(f"http://{service.probes}/-/ready"), about=f"for {service.log}")
        environment = os.environ | {"LOSSWATCH_PASSWORD": PASSWORD}
        for more, code, text in (
            (["--user", "alice"], 0, "budget of eta was not on"),
            ([], 1, "a user and a password are needed; name the user with --user"),
        ):
            done = subprocess.run(
                [*told, *more], env=environment, capture_output=True, text=True, check=False
            )
            assert (done.returncode, text in done.stdout + done.stderr) == (code, True), done


def test_all_at_once(secured):
    """50 silent clients, 20 scrapers, a slow reader, senders: each is answered, all counts."""
    rounds, scrapers, senders, batch = 4, 20, 4, 500
    body = "\n".join([json.dumps(EVENT)] * batch).encode()
    statuses: list[int] = []

    def scrape() -> None:
        for _ in range(rounds):
            status, page = secured.ask("metrics")
            statuses.append(status if b"losswatch_l2_loss_count" in page else 0)
            time.sleep(1.0)

    def send() -> None:
        statuses.extend(secured.ask("api/v1/events", body)[0] for _ in range(10 * rounds))

    with ExitStack() as stack:
        for _ in range(50):
            silent = socket.create_connection(("localhost", secured.port), timeout=20)
            stack.enter_context(silent)
        context = client(secured.authority, secured.scraper)
        plain = socket.create_connection(("localhost", secured.port), timeout=20)
        slow = stack.enter_context(context.wrap_socket(plain, server_hostname="localhost"))
        pair = base64.b64encode(f"alice:{PASSWORD}".encode())
        head = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic " + pair
        slow.sendall(head + b"\r\n\r\n")
        assert slow.recv(1) == b"H"  # and reads no more
        threads = [threading.Thread(target=scrape) for _ in range(scrapers)]
        threads += [threading.Thread(target=send) for _ in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert statuses == [200] * (rounds * (scrapers + 10 * senders))
    sent = senders * 10 * rounds * batch
    (cost,) = json.loads(secured.ask("api/v1/cost?window=lifetime")[1])["costs"]
    assert (cost["n"], cost["mse"]) == (sent, 4.0)
