"""Configs as files: all problems at once, files that cannot be read, and those that are right."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from losswatch.config.load import load_config, parse_config, parse_source
from losswatch.errors import ConfigError, Problem

CONFIGS = Path(__file__).parents[2] / "config"


def test_all_problems_are_told_in_order_of_their_lines():
    """A file with many errors is refused with all of them, in order of their lines."""
    text = dedent("""\
        version: 2
        listen: localhost
        monitors:
          - model: eta
            buckets: [3, 2]
          - modle: position
          - model: ${UNSET}
            model: x
            outputs: [a, a]
        sources:
          - file: "-"
            follow: true
            fields: {w: y_true}
          - format: xml
        extra: 1
        """)
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "bad.yml", {})
    assert str(caught.value).splitlines() == [
        "bad.yml: line 1: version: is 2; must be 1",
        (
            "bad.yml: line 2: listen: is 'localhost'; must be an address and a port, as in"
            " 127.0.0.1:18100"
        ),
        (
            "bad.yml: line 5: monitors[0].buckets: is [3.0, 2.0]; must be finite, increasing, and"
            " not below 0"
        ),
        (
            "bad.yml: line 6: monitors[1].model: is missing; needed: The model's name: the value"
            " of the label `model`."
        ),
        (
            "bad.yml: line 6: monitors[1].modle: is no key here; did you mean model? allowed:"
            " model, unit, outputs, buckets, exemplars, windows, segments, join, objective, alarms,"
            " model_version"
        ),
        "bad.yml: line 8: monitors[2].model: stands here twice; keep one",
        "bad.yml: line 9: monitors[2].outputs: has a twice; keep one",
        (
            "bad.yml: line 12: sources[0].follow: is true, but standard input is always read to its"
            " end; remove it"
        ),
        (
            "bad.yml: line 13: sources[0].fields: y_true is at y_true and w at y_true; give each"
            " a place of its own, none inside another"
        ),
        (
            "bad.yml: line 14: sources[1]: has none of file, http, socket and kafka; must have"
            " one: {file: events.ndjson}, {http: {}}, {socket: {path: losswatch.sock}} or"
            " {kafka: {brokers: ..., topics: [...]}}"
        ),
        "bad.yml: line 14: sources[1].format: is 'xml'; must be 'ndjson' or 'csv'",
        (
            "bad.yml: line 15: extra: is no key here; allowed: version, listen, state, web,"
            " monitors, sources"
        ),
    ]


def test_problems_are_data():
    """The error holds its name and each problem with line, path and message."""
    with pytest.raises(ConfigError) as caught:
        parse_config("version: 2\nmonitors: [{model: a}]\nsources: [{file: e}]", "bad.yml", {})
    assert caught.value.name == "bad.yml"
    assert caught.value.problems == (Problem(1, "version", "is 2; must be 1"),)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"version: \xff\n", "is no UTF-8 text; save it as UTF-8"),
        ("version: 1\n".encode("utf-16"), "is no UTF-8 text; save it as UTF-8"),
        (b"", "is empty; must have version, monitors and sources"),
    ],
    ids=["missing", "no UTF-8", "UTF-16", "empty"],
)
def test_file_that_cannot_be_used_is_told(tmp_path, data, expected):
    """A file that is missing, empty or no UTF-8 is told with its path."""
    path = tmp_path / "losswatch.yml"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load_config(path, {})
    assert str(caught.value) == f"{path}: {expected}"


def test_directory_is_told(tmp_path):
    """A directory in the place of the file is told with its path."""
    with pytest.raises(ConfigError) as caught:
        load_config(tmp_path, {})
    assert str(caught.value) == f"{tmp_path}: cannot be read: Is a directory"


def test_byte_order_mark_is_passed_over(tmp_path):
    """A file that begins with a byte order mark is read like any other."""
    path = tmp_path / "losswatch.yml"
    path.write_bytes(b"\xef\xbb\xbf" + (CONFIGS / "minimal.yml").read_bytes())
    assert load_config(path, {}).version == 1


def test_minimal_config_has_the_defaults():
    """The least config has the documented default of every key."""
    config = load_config(CONFIGS / "minimal.yml", {})
    assert config.model_dump() == {
        "version": 1,
        "listen": "127.0.0.1:18100",
        "state": ":memory:",
        "web": {
            "tls_server_config": None,
            "http_server_config": {"http2": True, "headers": {}},
            "basic_auth_users": {},
            "basic_auth_users_file": None,
            "rate_limit": None,
            "max_connections": 512,
            "client_timeout": "10s",
            "probe_listen": None,
            "enable_lifecycle": False,
        },
        "monitors": [
            {
                "model": "eta",
                "unit": None,
                "outputs": [],
                "buckets": None,
                "exemplars": False,
                "windows": ["5m", "1h", "24h"],
                "segments": None,
                "join": {
                    "ttl": "7d",
                    "pending": 1_000_000,
                    "retention": "24h",
                    "retained": 1_000_000,
                    "time": "truth",
                },
                "objective": None,
                "alarms": [],
                "model_version": None,
            }
        ],
        "sources": [
            {
                "file": "events.ndjson",
                "http": None,
                "socket": None,
                "kafka": None,
                "follow": True,
                "format": None,
                "delimiter": ",",
                "model": None,
                "fields": {},
                "max_line_bytes": 1_048_576,
            }
        ],
    }


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yml")), ids=lambda path: path.name)
def test_given_configs_are_right(path):
    """Every config that comes with losswatch loads with an empty environment."""
    assert load_config(path, {}).version == 1


@pytest.mark.parametrize(
    "source",
    [
        "{file: e.csv, fields: {y_true: a, y_pred: a.b}}",
        "{file: e.csv.gz, fields: {y_true: a..b, y_pred: .}}",
        "{file: e, format: csv, fields: {y_true: model.actual}}",
        "{file: e, fields: {y_true: y_pred, y_pred: y_true}}",
        "{file: e, fields: {y_true: a.b, y_pred: a.c, w: a.bc, model: ab}}",
        "{file: e, fields: {y_true: model.actual, model: model.name}}",
        "{file: '-'}",
        '{file: e, delimiter: "\\t"}',
    ],
)
def test_source_is_right(source):
    """Fields that are apart are allowed; in CSV a dot is part of the name."""
    text = f"version: 1\nmonitors: [{{model: a}}]\nsources: [{source}]\n"
    assert len(parse_config(text, environment={}).sources) == 1


@pytest.mark.parametrize(
    "listen", ["127.0.0.1:0", "0.0.0.0:65535", "localhost:80", "a-b.example:1", "'[::1]:80'"]
)
def test_listen_is_right(listen):
    """An address may be a name, IPv4, or IPv6 in brackets; a port goes up to 65535."""
    text = f"version: 1\nlisten: {listen}\nmonitors: [{{model: a}}]\nsources: [{{file: e}}]\n"
    assert parse_config(text, environment={}).listen == listen.strip("'")


def test_source_of_the_command_line_is_right():
    """Settings of the command line make a source with the same defaults."""
    source = parse_source({"file": "-", "format": "csv", "fields": {"y_true": "a"}})
    assert (source.file, source.format, source.fields) == ("-", "csv", {"y_true": "a"})
    assert (source.delimiter, source.max_line_bytes) == (",", 1_048_576)


def test_source_of_the_command_line_is_told():
    """Every wrong setting of the command line is told with its name."""
    with pytest.raises(ConfigError) as caught:
        parse_source({"file": "-", "format": "xml", "fields": {"y_tru": "a", "w": ""}, "limit": 1})
    assert str(caught.value).splitlines() == [
        "command line: format: is 'xml'; must be 'ndjson' or 'csv'",
        (
            "command line: fields.y_tru: is no key here; did you mean y_true? allowed: y_true,"
            " y_pred, w, model, time, prediction_id, segment.<label>"
        ),
        "command line: fields.w: is ''; must not be empty",
        (
            "command line: limit: is no key here; did you mean delimiter? allowed: file, http,"
            " socket, kafka, follow, format, delimiter, model, fields, max_line_bytes"
        ),
    ]
