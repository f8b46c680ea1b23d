"""The section ``web``: what is taken, what is refused and why, and what is shown to nobody."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from losswatch.config.load import load_web_file, parse_config
from losswatch.config.model import json_schema
from losswatch.config.users import read_users
from losswatch.errors import ConfigError

HASH = "$2y$10$QOauhQNbBCuQDKes6eFzPeMqBSjb7Mr5DUmpZ/VcEd00UAV/LDeSi"
REST = "version: 1\nmonitors: [{model: a}]\nsources: [{file: e}]\n"
TLS = "tls_server_config: {cert_file: a, key_file: b"
VERIFIED = "client_auth_type: RequireAndVerifyClientCert"


def parse(web: str, environment=None):
    return parse_config(f"{REST}web: {{{web}}}\n", "c.yml", environment or {}).web


def problems(web: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(web)
    return [f"{each.path.removeprefix('web.')}: {each.message}" for each in caught.value.problems]


GOOD = {
    "nothing": "",
    "TLS": TLS + "}",
    "certificates": f"{TLS}, {VERIFIED}, client_ca_file: c, client_allowed_sans: [a, '::1']}}",
    "versions": TLS + ", min_version: TLS13, max_version: TLS13, client_auth_type: NoClientCert}",
    "suites": TLS + ", cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,"
    " TLS_AES_128_GCM_SHA256], prefer_server_cipher_suites: no, curve_preferences: [X25519]}",
    "suites of TLS 1.3": TLS + ", min_version: TLS13, cipher_suites: [TLS_AES_128_GCM_SHA256]}",
    "no rate at all": "rate_limit: {interval: 0, burst: 1}",
    "a rate": "rate_limit: {interval: 100ms, burst: 20}",
    "users": f"basic_auth_users: {{a: '{HASH}', b c: '{HASH}'}}",
    "a file of users": "basic_auth_users_file: users",
    "headers": "http_server_config: {http2: false, headers: {X-Frame-Options: deny, "
    "Content-Security-Policy: default-src 'self', X-XSS-Protection: ''}}",
    "limits": "max_connections: 100, client_timeout: 2s500ms, enable_lifecycle: yes",
    "probes": "probe_listen: '[::1]:18101'",
}

BAD = {
    "no key": ("tls_server_config: {cert_file: a}", ["tls_server_config.key_file: is missing"]),
    "a type that is insecure": (
        TLS + ", client_auth_type: VerifyClientCertIfGiven}",
        ["VerifyClientCertIfGiven, which lets clients in that send no certificate; must be"],
    ),
    "another": (
        TLS + ", client_auth_type: RequireAnyClientCert}",
        ["takes certificates that anybody made for himself"],
    ),
    "no type": (TLS + ", client_auth_type: no}", ["client_auth_type: is false; must be 'NoClient"]),
    "no authority": (f"{TLS}, {VERIFIED}}}", ["client_ca_file: is missing; RequireAndVerify"]),
    "an authority for nothing": (
        TLS + ", client_ca_file: c}",
        ["client_ca_file: is given, but clients are not asked"],
    ),
    "names for nothing": (
        TLS + ", client_allowed_sans: [a]}",
        ["client_allowed_sans: needs client_auth_type"],
    ),
    "old TLS": (TLS + ", min_version: TLS11}", ["is 'TLS11'; must be 'TLS12' or 'TLS13'"]),
    "versions": (TLS + ", min_version: TLS13, max_version: TLS12}", ["is below min_version"]),
    "suites": (
        TLS + ", cipher_suites: [TLS_RSA_WITH_RC4_128_SHA]}",
        ["cipher_suites[0]: is 'TLS_RSA_WITH_RC4_128_SHA'; must be 'TLS_ECDHE_ECDSA_WITH_AES_128"],
    ),
    "suites of another version": (
        TLS + ", cipher_suites: [TLS_AES_128_GCM_SHA256]}",
        ["cipher_suites: has none of TLS 1.2; add one, or set min_version: TLS13"],
    ),
    "several curves": (
        TLS + ", curve_preferences: [X25519, CurveP256]}",
        ["curve_preferences: is a list; must have at most 1 items; it has 2"],
    ),
    "inline": (TLS + ", cert: x}", ["cert: is no key here"]),
    "another header": (
        "http_server_config: {headers: {X-A: b}}",
        ["headers: has X-A; must be of Content-Security-Policy"],
    ),
    "a value": (
        "http_server_config: {headers: {X-Content-Type-Options: x}}",
        ["has X-Content-Type-Options; must be nosniff"],
    ),
    "a line feed": (
        'http_server_config: {headers: {X-XSS-Protection: "a\\r\\nb: c"}}',
        ["has X-XSS-Protection with a line feed"],
    ),
    "both": (
        f"basic_auth_users: {{a: '{HASH}'}}, basic_auth_users_file: u",
        ["web: has basic_auth_users and basic_auth_users_file; must have one"],
    ),
    "few": ("max_connections: 1", ["max_connections: is 1; must be at least 8"]),
    "short": ("client_timeout: 1ms", ["client_timeout: is 1ms; must be from 100ms to 1h"]),
    "no port": ("probe_listen: localhost", ["must be an address and a port"]),
    "one address": (
        "probe_listen: '127.0.0.1:18100'",
        ["probe_listen: is 127.0.0.1:18100, the address of listen; must be another"],
    ),
    "no rate": ("rate_limit: {burst: 1}", ["rate_limit.interval: is missing"]),
    "a pace in words": (
        "rate_limit: {interval: false, burst: 1}",
        ["rate_limit.interval: is False; must be a duration such as 30s"],
    ),
    "nobody": ("rate_limit: {interval: 1s, burst: 0}", ["burst: is 0; must be at least 1"]),
}


@pytest.mark.parametrize("web", GOOD.values(), ids=GOOD)
def test_what_is_taken(web):
    """It loads, and the schema takes it too."""
    parse(web)
    errors = Draft202012Validator(json_schema()).iter_errors(
        yaml.safe_load(f"{REST}web: {{{web}}}\n")
    )
    assert [error.message for error in errors] == []


@pytest.mark.parametrize(("web", "messages"), BAD.values(), ids=BAD)
def test_what_is_refused(web, messages):
    """Each problem names the key, what is wrong, and what is allowed."""
    found = problems(web)
    assert len(found) == len(messages)
    for message in messages:
        assert message in found[0]


@pytest.mark.parametrize("interval", ["0", "0s", "'0'"])
def test_an_interval_of_0_is_no_limit(interval):
    """As exporter-toolkit has it."""
    web = f"rate_limit: {{interval: {interval}, burst: 0}}"
    assert parse(web).rate_limit is None
    assert parse("rate_limit: {interval: 1s, burst: 1}").rate_limit.interval == "1s"


SECRETS = {
    "no hash": "basic_auth_users: {a: hunter2}",
    "a number": "basic_auth_users: {a: 8675309}",
    "a day": "basic_auth_users: {a: 8675-30-99}",
    "text": "basic_auth_users: hunter2",
    "an alias": "basic_auth_users: {a: *hunter2}",
    "a tag": "basic_auth_users: {a: !hunter2 b}",
    "a tag with a handle": "basic_auth_users: {a: !hunter2!b c}",
    "a cost": f"basic_auth_users: {{a: '{HASH.replace('$10$', '$31$')}'}}",
    "a good one beside a bad one": f"basic_auth_users: {{a: '{HASH}', 'b:c': '{HASH}', d: 1}}",
    "from the environment": "basic_auth_users: {a: '${SECRET}'}",
}


@pytest.mark.parametrize("web", SECRETS.values(), ids=SECRETS)
def test_secrets_are_in_no_message(web):
    """Whatever is wrong with a hash, neither it nor a password in its place is shown."""
    with pytest.raises(ConfigError) as caught:
        parse(web, {"SECRET": "hunter2"})
    text = f"{caught.value}{caught.value!r}{caught.value.problems}"
    for secret in ("hunter2", "8675", HASH[8:], HASH[-31:]):
        assert secret not in text


def test_secrets_of_kafka_are_in_no_message():
    """Its settings may be passwords."""
    kafka = "kafka: {brokers: 'a:1', topics: [t], settings: {sasl.password: %s, group.id: hunter2}}"
    for password in ("[hunter2]", "8675-30-99"):
        with pytest.raises(ConfigError) as caught:
            parse_config(REST.replace("file: e", kafka % password))
        assert "sasl.password" in str(caught.value)
        assert "hunter2" not in str(caught.value)
        assert "8675" not in str(caught.value)


def test_a_config_does_not_show_its_hashes():
    """Neither as text nor as data."""
    web = parse(f"basic_auth_users: {{a: '{HASH}'}}")
    assert web.basic_auth_users["a"].get_secret_value() == HASH
    for shown in (repr(web), str(web), repr(web.model_dump()), web.model_dump_json()):
        assert HASH[7:] not in shown


def test_a_hash_may_come_from_the_environment():
    """Then the YAML holds no secret at all."""
    web = parse("basic_auth_users: {a: '${HASH}'}", {"HASH": HASH})
    assert web.basic_auth_users["a"].get_secret_value() == HASH


def test_spaces_around_a_header_are_no_part_of_it():
    """HTTP allows none there: each answer would fail."""
    headers = "{X-XSS-Protection: ' 1 ', Content-Security-Policy: ' '}"
    web = parse(f"http_server_config: {{headers: {headers}}}")
    assert web.http_server_config.headers == {"X-XSS-Protection": "1"}


@pytest.mark.parametrize(
    "users",
    [
        f"{{alice:{HASH}}}",
        f"\n    alice:{HASH}: x",
        f"\n    alice:{HASH}: x\n    alice:{HASH}: x",
        f"{{'{HASH}': alice}}",
        f"{{'{HASH}': !!int alice}}",
    ],
)
def test_a_hash_where_a_name_should_be_is_hidden(users):
    """A space that is missing makes a key of both; the message says where, and not what."""
    with pytest.raises(ConfigError, match=r"web\.basic_auth_users\.hidden: ") as caught:
        parse_config(f"{REST}web:\n  basic_auth_users: {users}\n", "c.yml", {})
    assert HASH[7:] not in str(caught.value)


def test_the_file_of_other_exporters(tmp_path):
    """Its sections take the place of those of the YAML; its paths are from its own folder."""
    path = tmp_path / "web.yml"
    tls = "tls_server_config:\n  cert_file: a.pem\n  key_file: /b.key\n"
    path.write_text(f"{tls}basic_auth_users:\n  a: {HASH}")
    web = parse("basic_auth_users_file: u, max_connections: 99").with_file(load_web_file(path))
    assert web.tls_server_config.cert_file == str(tmp_path / "a.pem")
    assert web.tls_server_config.key_file == "/b.key"
    assert (list(web.basic_auth_users), web.basic_auth_users_file) == (["a"], None)
    assert web.max_connections == 99
    path.write_text("tls_server_config: {cert_file: a}\nmax_connections: 9\nbasic_auth_users: x1x")
    with pytest.raises(ConfigError) as caught:
        load_web_file(path)
    keys = "tls_server_config, http_server_config, basic_auth_users, rate_limit"
    assert [str(problem) for problem in caught.value.problems] == [
        "line 1: tls_server_config.key_file: is missing; needed: Path of its key, in PEM.",
        f"line 2: max_connections: is no key here; allowed: {keys}",
        "line 3: basic_auth_users: is hidden; must be keys with values; allowed: names of users",
    ]


def test_a_file_of_users(tmp_path):
    """Lines of htpasswd are users; what is wrong is told by its line, without showing it."""
    path = tmp_path / "users"
    path.write_text(f"# people\n\nalice:{HASH}\r\nbob:{HASH}\n")
    assert read_users(path) == {"alice": HASH, "bob": HASH}
    path.write_text(f"alice:{HASH}\nhunter2\nbob:hunter2\nalice:{HASH}\n:{HASH}\n")
    with pytest.raises(ConfigError) as caught:
        read_users(path)
    lines = str(caught.value).splitlines()
    assert [line.removeprefix(f"{path}: ")[:6] for line in lines] == [
        f"line {number}" for number in (2, 3, 4, 5)
    ]
    assert "hunter2" not in str(caught.value)
    path.write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="no UTF-8"):
        read_users(path)
    path.write_text("# nobody\n")
    with pytest.raises(ConfigError, match="has no user"):
        read_users(path)
