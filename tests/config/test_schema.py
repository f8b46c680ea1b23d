"""The schema for editors takes what the loader takes and refuses what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from losswatch.config.model import json_schema

CONFIGS = Path(__file__).parents[2] / "config"
MONITORS = "monitors: [{model: a}]"
SOURCES = "sources: [{file: e}]"
HEAD = "version: 1\nmonitors: [{model: a, "


def errors_of(text: str) -> list[str]:
    """Return the path of every error, as an editor finds them: before variables are filled in."""
    errors = Draft202012Validator(json_schema()).iter_errors(yaml.safe_load(text))
    return sorted(error.json_path for error in errors)


def test_schema_is_a_schema():
    """The schema follows the draft that it names."""
    schema = json_schema()
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "losswatch"


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.yml")), ids=lambda path: path.name)
def test_given_configs_fit_the_schema(path):
    """Every config that comes with losswatch fits, variables and all."""
    assert errors_of(path.read_text(encoding="utf-8")) == []


FITS = {
    "version is a variable": f"version: ${{V}}\n{MONITORS}\n{SOURCES}",
    "port is a variable": f"version: 1\nlisten: a:${{PORT:-1}}\n{MONITORS}\n{SOURCES}",
    "address is a variable": f"version: 1\nlisten: ${{LISTEN}}\n{MONITORS}\n{SOURCES}",
    "bucket is a variable": "version: 1\nmonitors: [{model: a, buckets: [1, '${B}']}]\n" + SOURCES,
    "settings are variables": f"version: 1\n{MONITORS}\nsources: [{{file: '${{F}}', "
    "follow: '${A:-true}', format: '${B}', delimiter: '${C}', max_line_bytes: '${D}'}]",
    "windows": "version: 1\nmonitors: [{model: a, windows: [5m, 1h30m, '${W}', {last: '${L}'}, "
    "{last: 5m, exact: true}, {last: 5m, panes: 9}, {last: 5m, exact: false, panes: '${P}'}, "
    "{events: '${N}'}, {half_life: 1h}, {half_life: 9 events}, {half_life: '${H}'}, "
    f"{{tumbling: 1d}}]}}]\n{SOURCES}",
    "segments": "version: 1\nmonitors: [{model: a, windows: [], segments: {labels: [a, '${B}'], "
    "limit: '${L}', idle: '${I}', declared: [{a: x, b: 12}, {a: '${X}', b: y}]}}]\n"
    "sources: [{file: e, fields: {time: t, segment.a: x.y}}]",
    "http and kafka": f"version: 1\nstate: a.db\n{MONITORS}\nsources: [{{http: {{}}}}, {{http: "
    "{path: '${P}', max_body_bytes: '${B}', queue: 1}, model: a, fields: {prediction_id: id}}, "
    "{kafka: {brokers: 'a:1, b:2', topics: [a, '${T}']}}, {kafka: {brokers: [a:1, '${B}'], "
    "topics: [b], start: '${S}', dead_letters: {file: a}, settings: {a: b, c: 1, d: true}}}]",
    "socket": f"version: 1\n{MONITORS}\nsources: [{{socket: {{path: '${{P}}'}}}}, {{socket: "
    "{path: a.sock, mode: '0660', queue: '${Q}'}, model: a}, {socket: {path: b, mode: '${M}'}}]",
    "join": "version: 1\nmonitors: [{model: a, join: {ttl: '${T}', pending: '${P}', retention: 0s, "
    f"retained: 1, time: '${{W}}'}}}}]\n{SOURCES}",
    "columns": f"version: 1\n{MONITORS}\nsources: [{{file: a.parquet}}, "
    "{file: b.arrow, follow: no}, {file: c.feather, follow: '${F}', format: '${G}', model: a}]",
    "IPv6": f"version: 1\nlisten: '[::1]:80'\n{MONITORS}\n{SOURCES}",
}

FAILS = {
    "keys of lines for columns": (
        f"version: 1\n{MONITORS}\nsources: [{{file: a.parquet, follow: yes, format: csv}}]",
        ["$.sources[0].follow", "$.sources[0].format"],
    ),
    "delimiter of columns": (
        f"version: 1\n{MONITORS}\nsources: [{{file: a.parquet.gz, delimiter: ';'}}]",
        ["$.sources[0]"],
    ),
    "unknown key": (f"version: 1\nextra: 1\n{MONITORS}\n{SOURCES}", ["$"]),
    "unknown key of a monitor": (
        f"version: 1\nmonitors: [{{model: a, bucket: [1]}}]\n{SOURCES}",
        ["$.monitors[0]"],
    ),
    "unknown key of a source": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, path: e}}]",
        ["$.sources[0]"],
    ),
    "fields of workers": (
        f"version: 1\n{MONITORS}\nsources: [{{socket: {{path: a, mode: '9'}}, fields: {{}}}}]",
        ["$.sources[0]", "$.sources[0].socket"],
    ),
    "unknown field": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, fields: {{y_tru: a}}}}]",
        ["$.sources[0].fields"],
    ),
    "variable as a field": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, fields: {{'${{A}}': a}}}}]",
        ["$.sources[0].fields"],
    ),
    "no version": (f"{MONITORS}\n{SOURCES}", ["$"]),
    "unknown version": (f"version: 2\n{MONITORS}\n{SOURCES}", ["$.version"]),
    "no port": (f"version: 1\nlisten: localhost\n{MONITORS}\n{SOURCES}", ["$.listen"]),
    "port alone": (f"version: 1\nlisten: 80\n{MONITORS}\n{SOURCES}", ["$.listen"]),
    "no monitor": (f"version: 1\nmonitors: []\n{SOURCES}", ["$.monitors"]),
    "model is a number": (
        f"version: 1\nmonitors: [{{model: 7}}]\n{SOURCES}",
        ["$.monitors[0].model"],
    ),
    "buckets empty": (
        f"version: 1\nmonitors: [{{model: a, buckets: []}}]\n{SOURCES}",
        ["$.monitors[0].buckets"],
    ),
    "bucket is text": (
        f"version: 1\nmonitors: [{{model: a, buckets: [two]}}]\n{SOURCES}",
        ["$.monitors[0].buckets"],
    ),
    "follow is text": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, follow: always}}]",
        ["$.sources[0].follow"],
    ),
    "format": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, format: xml}}]",
        ["$.sources[0].format"],
    ),
    "limit of 0": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, max_line_bytes: 0}}]",
        ["$.sources[0].max_line_bytes"],
    ),
    "windows": (
        f"""{HEAD}windows: [5, 5 min, {{last: 5}}, {{events: 0}}, {{half_life: 9}}, {{}}, yes,
        {{last: 5m, panes: 9, exact: true}}]}}]\n{SOURCES}""",
        [f"$.monitors[0].windows[{index}]" for index in range(8)],
    ),
    "too many windows": (
        f"version: 1\nmonitors: [{{model: a, windows: [{', '.join(['5m'] * 17)}]}}]\n{SOURCES}",
        ["$.monitors[0].windows"],
    ),
    "field of no label": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, fields: {{segment.1: a}}}}]",
        ["$.sources[0].fields"],
    ),
    "no source": (f"version: 1\n{MONITORS}\nsources: [{{model: a}}]", ["$.sources[0]"]),
    "two sources in one": (
        f"version: 1\n{MONITORS}\nsources: [{{file: e, http: {{}}}}]",
        ["$.sources[0]"],
    ),
    "a key of files": (
        f"version: 1\n{MONITORS}\nsources: [{{http: {{}}, follow: true}}]",
        ["$.sources[0]"],
    ),
    "list": ("- version: 1", ["$"]),
}


SEGMENTS = [
    "{}",
    "{labels: []}",
    "{labels: [model]}",
    "{labels: [1a]}",
    "{labels: [__a]}",
    "{labels: [7]}",
    "{labels: [a], limit: 0}",
    "{labels: [a], limit: 1000001}",
    "{labels: [a], idle: 5}",
    "{labels: [a], idle: 5 min}",
    "{labels: [a], declared: [x]}",
    "{labels: [a], declared: [{a: 1.5}]}",
    "{labels: [a], declared: [{a: ''}]}",
    "{labels: [a], max: 1}",
]


JOINS = [
    "{ttl: 5}",
    "{ttl: 5 min}",
    "{pending: 0}",
    "{retention: 0}",
    "{retained: 1.5}",
    "{time: arrival}",
    "{tll: 7d}",
]
OTHERS = [
    "http: {path: events}",
    "http: {path: /api}",
    "http: {queue: 0}",
    "http: {max_body_bytes: 16MB}",
    "kafka: {}",
    "kafka: {brokers: a, topics: [a]}",
    "kafka: {brokers: a:1, topics: []}",
    "kafka: {brokers: a:1, topics: [a b]}",
    "kafka: {brokers: a:1, topics: [a], start: now}",
    "kafka: {brokers: a:1, topics: [a], dead_letters: {}}",
    "kafka: {brokers: a:1, topics: [a], dead_letters: {file: a, topic: b}}",
    "kafka: {brokers: a:1, topics: [a], settings: {a: [b]}}",
]


@pytest.mark.parametrize("text", FITS.values(), ids=FITS)
def test_right_config_fits_the_schema(text):
    """A variable may stand for any value that is not a list or a mapping."""
    assert errors_of(text) == []


@pytest.mark.parametrize(("text", "expected"), FAILS.values(), ids=FAILS)
def test_wrong_config_does_not_fit_the_schema(text, expected):
    """What the loader refuses the schema refuses too, at its place."""
    assert errors_of(text) == expected


@pytest.mark.parametrize("segments", SEGMENTS)
def test_wrong_segments_do_not_fit_the_schema(segments):
    """What the loader refuses of segments the schema refuses too."""
    assert errors_of(f"{HEAD}segments: {segments}}}]\n{SOURCES}") == ["$.monitors[0].segments"]


@pytest.mark.parametrize("join", JOINS)
def test_wrong_join_does_not_fit_the_schema(join):
    """What the loader refuses of a join the schema refuses too."""
    errors = errors_of(f"{HEAD}join: {join}}}]\n{SOURCES}")
    assert {error[: len("$.monitors[0].join")] for error in errors} == {"$.monitors[0].join"}


@pytest.mark.parametrize("source", OTHERS)
def test_wrong_http_and_kafka_do_not_fit_the_schema(source):
    """What the loader refuses of them the schema refuses too."""
    place = f"$.sources[0].{source[: source.index(':')]}"
    errors = errors_of(f"version: 1\n{MONITORS}\nsources: [{{{source}}}]")
    assert {error[: len(place)] for error in errors} == {place}


def test_every_key_is_described():
    """Every key has a description, which editors show."""
    schema: dict[str, Any] = json_schema()
    sections = [schema, *schema["$defs"].values()]
    keys = [key for section in sections for key in section["properties"].items()]
    assert [name for name, key in keys if not key.get("description")] == []
    assert len(keys) == 90
