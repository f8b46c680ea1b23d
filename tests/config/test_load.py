"""Every wrong config is refused with file, line, path, what was found and the remedy."""

from __future__ import annotations

import pytest

from losswatch.config.load import parse_config
from losswatch.errors import ConfigError

ROOT_KEYS = "version, listen, state, web, monitors, sources"
MONITOR_KEYS = (
    "model, unit, outputs, buckets, exemplars, windows, segments, join, objective, alarms,"
    " model_version"
)
SOURCE_KEYS = "file, http, kafka, follow, format, delimiter, model, fields, max_line_bytes"
FIELD_KEYS = "y_true, y_pred, w, model, time, prediction_id, segment.<label>"
ONE_OF_THREE = (
    "file, http and kafka; must have one: {file: events.ndjson}, {http: {}} or"
    " {kafka: {brokers: ..., topics: [...]}}"
)
TEXT = "must be text; put it in quotes if it is"
LISTEN = "must be an address and a port, as in 127.0.0.1:18100"


def problem_of(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "bad.yml", {})
    return str(caught.value)


def with_monitor(monitor: str) -> str:
    return f"version: 1\nmonitors:\n  - {monitor}\nsources: [{{file: e}}]\n"


def with_source(source: str) -> str:
    return f"version: 1\nmonitors: [{{model: a}}]\nsources:\n  - {source}\n"


def with_root(line: str) -> str:
    return f"{line}\nmonitors: [{{model: a}}]\nsources: [{{file: e}}]\n"


MONITORS = {
    "unknown key with a guess": (
        "{model: a, bucket: [1]}",
        f".bucket: is no key here; did you mean buckets? allowed: {MONITOR_KEYS}",
    ),
    "unknown key without a guess": (
        "{model: a, zzz: 1}",
        f".zzz: is no key here; allowed: {MONITOR_KEYS}",
    ),
    "missing key": (
        "{unit: minutes}",
        ".model: is missing; needed: The model's name: the value of the label `model`.",
    ),
    "text, not keys": ("eta", f": is 'eta'; must be keys with values; allowed: {MONITOR_KEYS}"),
    "nothing": ("", f": is empty; must be keys with values; allowed: {MONITOR_KEYS}"),
    "model is a number": ("{model: 7}", f".model: is 7; {TEXT}"),
    "model is yes": ("{model: yes}", f".model: is true; {TEXT}"),
    "model is a date": ("{model: 2024-09-09}", f".model: is 2024-09-09; {TEXT}"),
    "model is no date": (
        "{model: 2024-99-99}",
        ".model: is '2024-99-99', which is no valid timestamp; put it in quotes if it is text",
    ),
    "model is empty": ("{model: }", f".model: is empty; {TEXT}"),
    "model is empty text": ("{model: ''}", ".model: is ''; must not be empty"),
    "model is long": (
        f"{{model: {'m' * 129}}}",
        f".model: is '{'m' * 56}...; must have at most 128 characters",
    ),
    "model is no Unicode": (r'{model: "\ud800"}', r".model: is '\ud800'; must be Unicode text"),
    "model is a mapping": ("{model: {a: b}}", f".model: is a mapping; {TEXT}"),
    "outputs is text": ("{model: a, outputs: lat}", ".outputs: is 'lat'; must be a list"),
    "outputs twice": ("{model: a, outputs: [x, y, x]}", ".outputs: has x twice; keep one"),
    "buckets empty": ("{model: a, buckets: []}", ".buckets: is []; must have at least one item"),
    "buckets decreasing": (
        "{model: a, buckets: [1, 3, 2]}",
        ".buckets: is [1.0, 3.0, 2.0]; must be finite, increasing, and not below 0",
    ),
    "buckets equal": (
        "{model: a, buckets: [1, 1]}",
        ".buckets: is [1.0, 1.0]; must be finite, increasing, and not below 0",
    ),
    "bucket not a number": (
        "{model: a, buckets: [1, two]}",
        ".buckets[1]: is 'two'; must be a number",
    ),
    "bucket infinite": (
        "{model: a, buckets: [1, .inf]}",
        ".buckets: is [1.0, inf]; must be finite, increasing, and not below 0",
    ),
    "bucket beyond float64": (
        "{model: a, buckets: [1e400]}",
        ".buckets: is [inf]; must be finite, increasing, and not below 0",
    ),
    "bucket nan": (
        "{model: a, buckets: [.nan]}",
        ".buckets: is [nan]; must be finite, increasing, and not below 0",
    ),
    "bucket true": ("{model: a, buckets: [true]}", ".buckets[0]: is true; must be a number"),
    "unset variable": (
        "model: ${NAME}",
        ".model: environment variable NAME is not set; set it, or write ${NAME:-default}",
    ),
    "duplicate key": ("{model: a, model: b}", ".model: stands here twice; keep one"),
}

SOURCES = {
    "unknown key": (
        "{path: e}",
        f".path: is no key here; allowed: {SOURCE_KEYS}",
    ),
    "no file": (
        "{format: csv}",
        f": has none of {ONE_OF_THREE}",
    ),
    "follow on stdin": (
        "{file: '-', follow: true}",
        ".follow: is true, but standard input is always read to its end; remove it",
    ),
    "follow is a number": ("{file: e, follow: 1}", ".follow: is 1; must be true or false"),
    "format": ("{file: e, format: xml}", ".format: is 'xml'; must be 'ndjson' or 'csv'"),
    "two delimiters": (
        "{file: e, delimiter: ab}",
        ".delimiter: is 'ab'; must be one character, no quote and no line feed",
    ),
    "no delimiter": (
        "{file: e, delimiter: ''}",
        ".delimiter: is ''; must be one character, no quote and no line feed",
    ),
    "quote as delimiter": (
        "{file: e, delimiter: '\"'}",
        ".delimiter: is '\"'; must be one character, no quote and no line feed",
    ),
    "line feed as delimiter": (
        r'{file: e, delimiter: "\n"}',
        r".delimiter: is '\n'; must be one character, no quote and no line feed",
    ),
    "limit of 0": ("{file: e, max_line_bytes: 0}", ".max_line_bytes: is 0; must be at least 1"),
    "limit with a unit": (
        "{file: e, max_line_bytes: 1MB}",
        ".max_line_bytes: is '1MB'; must be a whole number",
    ),
    "fields is text": (
        "{file: e, fields: a}",
        f".fields: is 'a'; must be keys with values; allowed: {FIELD_KEYS}",
    ),
    "unknown field": (
        "{file: e, fields: {y_tru: a}}",
        f".fields.y_tru: is no key here; did you mean y_true? allowed: {FIELD_KEYS}",
    ),
    "field at an empty place": (
        "{file: e, fields: {w: ''}}",
        ".fields.w: is ''; must not be empty",
    ),
}

ROOT = {
    "unknown version": ("version: 2", "line 1: version: is 2; must be 1"),
    "version is text": ("version: '1'", "line 1: version: is '1'; must be 1"),
    "no version": (
        "listen: a:1",
        "line 1: version: is missing; needed: Version of this format; always 1.",
    ),
    "duplicate key": ("version: 1\nversion: 1", "line 2: version: stands here twice; keep one"),
    "unknown key": (
        "version: 1\nlissten: a:1",
        f"line 2: lissten: is no key here; did you mean listen? allowed: {ROOT_KEYS}",
    ),
    "port too large": (
        "version: 1\nlisten: localhost:65536",
        "line 2: listen: is 'localhost:65536'; must have a port up to 65535",
    ),
    "no address": ("version: 1\nlisten: :80", f"line 2: listen: is ':80'; {LISTEN}"),
    "no port": ("version: 1\nlisten: localhost", f"line 2: listen: is 'localhost'; {LISTEN}"),
    "port alone": ("version: 1\nlisten: 18100", f"line 2: listen: is 18100; {LISTEN}"),
    "URL": ("version: 1\nlisten: http://a:1", f"line 2: listen: is 'http://a:1'; {LISTEN}"),
    "IPv6 without brackets": (
        "version: 1\nlisten: ::1:80",
        f"line 2: listen: is '::1:80'; {LISTEN}",
    ),
}

FILES = {
    "empty": ("", "is empty; must have version, monitors and sources"),
    "comments alone": ("# later\n", "is empty; must have version, monitors and sources"),
    "list": (
        "- version: 1\n",
        f"line 1: is a list; must be keys with values; allowed: {ROOT_KEYS}",
    ),
    "text": ("hello\n", f"line 1: is 'hello'; must be keys with values; allowed: {ROOT_KEYS}"),
    "no monitors": (
        "version: 1\nmonitors:\nsources: [{file: e}]\n",
        "line 2: monitors: is empty; must be a list",
    ),
    "no sources": (
        "version: 1\nmonitors: [{model: a}]\nsources: []\n",
        "line 3: sources: is []; must have at least one item",
    ),
    "duplicate models": (
        "version: 1\nmonitors: [{model: b}, {model: a}, {model: b}]\nsources: [{file: e}]\n",
        "line 2: monitors: has the model b twice; keep one monitor for each",
    ),
    "tab": (
        "version: 1\nmonitors:\n\t- model: a\n",
        (
            r"line 3: is no valid YAML: found character '\t' that cannot start any token;"
            " indent with spaces, not with tabs"
        ),
    ),
    "bracket not closed": (
        "version: 1\nmonitors: [\n",
        "line 3: is no valid YAML: expected the node content, but found '<stream end>'",
    ),
    "two colons": (
        "version: 1\nlisten: a: b\n",
        "line 2: is no valid YAML: mapping values are not allowed here",
    ),
    "two documents": (
        "version: 1\n---\nversion: 1\n",
        "line 2: is no valid YAML: found another document",
    ),
    "key is a list": (
        "version: 1\n? [a]\n: 1\n",
        "line 2: is no valid YAML: found a key that is no text",
    ),
    "control character": (
        "version: 1\nlisten: a\x00\n",
        r"line 2: is no valid YAML: found '\x00'; remove it",
    ),
    "Python object": (
        "version: !!python/name:os.system 1\n",
        (
            "line 1: is no valid YAML: could not determine a constructor for the tag; put it in"
            " quotes if it is text"
        ),
    ),
    "variable in braces without quotes": (
        "version: 1\nmonitors: [{model: ${NAME}}]\n",
        (
            "line 2: is no valid YAML: expected ',' or '}', but got '{';"
            " within brackets put ${...} in quotes"
        ),
    ),
    "unknown alias": (
        "version: *v\n",
        "line 1: is no valid YAML: found undefined alias; put it in quotes if it is text",
    ),
    "within itself": ("a: &a [*a]\n", "is nested too deep or within itself"),
    "very deep": ("[" * 5000, "is nested too deep or within itself"),
}


@pytest.mark.parametrize(("monitor", "expected"), MONITORS.values(), ids=MONITORS)
def test_wrong_monitor_is_told(monitor, expected):
    """A wrong monitor is told with its line, its path, what was found and what is allowed."""
    assert problem_of(with_monitor(monitor)) == f"bad.yml: line 3: monitors[0]{expected}"


@pytest.mark.parametrize(("source", "expected"), SOURCES.values(), ids=SOURCES)
def test_wrong_source_is_told(source, expected):
    """A wrong source is told with its line, its path, what was found and what is allowed."""
    shown = problem_of(with_source(source)).splitlines()
    assert f"bad.yml: line 4: sources[0]{expected}" in shown
    assert len(shown) == (2 if "path" in source else 1)  # then there is no file, too


@pytest.mark.parametrize(("line", "expected"), ROOT.values(), ids=ROOT)
def test_wrong_root_is_told(line, expected):
    """A wrong key beside monitors and sources is told with its line."""
    assert problem_of(with_root(line)) == f"bad.yml: {expected}"


@pytest.mark.parametrize(("text", "expected"), FILES.values(), ids=FILES)
def test_wrong_file_is_told(text, expected):
    """A file that is wrong as a whole, or no YAML, is told in one line."""
    assert problem_of(text) == f"bad.yml: {expected}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "{file: a.csv, model: taxii}",
            "gives events to taxii, which no monitor watches; declared: taxi",
        ),
        (
            "{file: a.csv}, {file: ./a.csv}",
            "has the file a.csv twice; its events would count twice",
        ),
    ],
    ids=["unknown model", "same file"],
)
def test_sources_fit_the_monitors(source, message):
    """A source cannot name a model that nobody watches, nor be read twice."""
    with pytest.raises(ConfigError) as error:
        parse_config(f"version: 1\nmonitors: [{{model: taxi}}]\nsources: [{source}]\n", "c.yml")
    assert str(error.value) == f"c.yml: line 3: sources: {message}"
