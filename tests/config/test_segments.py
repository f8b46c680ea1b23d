"""The segments of a monitor as they stand in the YAML, and where their labels are."""

from __future__ import annotations

import pytest

from losswatch.config.load import parse_config, parse_source
from losswatch.config.model import labels_of
from losswatch.errors import ConfigError

VALUE = "must be text of 1 to 128 characters, none a control, or a whole number"
TEXT = "must be text; put it in quotes if it is"
RESERVED = "which metrics and alerts use themselves; rename it with fields"
NAME = "must be letters, digits and _, not starting with a digit or __"
DURATION = "must be a duration such as 30s, 5m, 1h30m or 7d (units: ms, s, m, h, d, w)"
KEYS = "labels, limit, idle, declared"
APART = "give each a place of its own, none inside another"


def parse(segments: str, source: str = "{file: e}"):
    monitor = f"{{model: a, segments: {segments}}}"
    text = f"version: 1\nmonitors:\n- {monitor}\n- {{model: b}}\nsources:\n- {source}\n"
    return parse_config(text, "c.yml", {})


def problems_of(segments: str, source: str = "{file: e}") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(segments, source)
    return [f"{p.line} {p.path}: {p.message}" for p in caught.value.problems]


def test_segments_have_defaults():
    """Labels are all that is needed."""
    segments = parse("{labels: [city]}").monitors[0].segments
    assert (segments.limit, segments.idle, segments.declared) == (1000, "24h", [])


def test_segments_are_right():
    """All keys may be given; a whole number is a value, spelled in decimal."""
    text = "{labels: [a, b], limit: 2, idle: 1h30m, declared: [{a: x, b: 12}, {b: y, a: x}]}"
    segments = parse(text).monitors[0].segments
    assert (segments.labels, segments.limit, segments.idle) == (["a", "b"], 2, "1h30m")
    assert segments.declared == [{"a": "x", "b": "12"}, {"b": "y", "a": "x"}]


def test_labels_of_all_monitors_are_read():
    """The union of the labels, in order, is what the sources read."""
    text = "version: 1\nmonitors:\n- {model: a, segments: {labels: [z, city]}}\n- {model: b}\n"
    text += "- {model: c, outputs: [x], segments: {labels: [city, a]}}\nsources: [{file: e}]\n"
    assert labels_of(parse_config(text).monitors) == ["a", "city", "z"]


WRONG = {
    "no labels": (
        "{limit: 1}",
        (
            ".labels: is missing; needed: The labels whose values together name a segment, for"
            " example city and tier; they are read from segment.city and segment.tier, or from"
            " where fields says."
        ),
    ),
    "list": ("[city]", f": is a list; must be keys with values; allowed: {KEYS}"),
    "unknown key": (
        "{labels: [a], limits: 1}",
        f".limits: is no key here; did you mean limit? allowed: {KEYS}",
    ),
    "empty": ("{labels: []}", ".labels: is []; must have at least one item"),
    "eleven": (
        "{labels: [a, b, c, d, e, f, g, h, i, j, k]}",
        ".labels: is a list; must have at most 10 items; it has 11",
    ),
    "twice": ("{labels: [a, b, a]}", ".labels: has a twice; keep one"),
    "reserved": (
        "{labels: [a, model]}",
        f".labels[1]: is 'model', {RESERVED}",
    ),
    "of alerts": (
        "{labels: [a, alertname]}",
        f".labels[1]: is 'alertname', {RESERVED}",
    ),
    "no name": ("{labels: [1a]}", f".labels[0]: is '1a'; {NAME}"),
    "number": ("{labels: [7]}", f".labels[0]: is 7; {TEXT}"),
    "limit of 0": ("{labels: [a], limit: 0}", ".limit: is 0; must be at least 1"),
    "limit too large": (
        "{labels: [a], limit: 1000001}",
        ".limit: is 1000001; must be at most 1000000",
    ),
    "idle is a number": ("{labels: [a], idle: 60}", f".idle: is 60; {DURATION}"),
    "declared is text": ("{labels: [a], declared: x}", ".declared: is 'x'; must be a list"),
    "declared item is text": (
        "{labels: [a], declared: [x]}",
        ".declared[0]: is 'x'; must be keys with values; allowed: each of the labels",
    ),
    "label missing": (
        "{labels: [a, b], declared: [{a: x, b: y}, {a: x}]}",
        ".declared[1]: has the labels a; must have each of a, b and no other",
    ),
    "label too many": (
        "{labels: [a], declared: [{a: x, b: y}]}",
        ".declared[0]: has the labels a, b; must have each of a and no other",
    ),
    "declared twice": (
        "{labels: [a, b], declared: [{a: x, b: 1}, {b: '1', a: x}]}",
        ".declared: has {a: x, b: 1} twice; keep one",
    ),
    "beyond the limit": (
        "{labels: [a], limit: 1, declared: [{a: x}, {a: y}]}",
        ".declared: has 2 segments; must have at most 1: raise limit if all are needed",
    ),
    "empty value": ("{labels: [a], declared: [{a: ''}]}", f".declared[0].a: is ''; {VALUE}"),
    "no value": ("{labels: [a], declared: [{a: }]}", f".declared[0].a: is empty; {TEXT}"),
    "fraction": ("{labels: [a], declared: [{a: 1.5}]}", f".declared[0].a: is 1.5; {TEXT}"),
    "yes": ("{labels: [a], declared: [{a: yes}]}", f".declared[0].a: is true; {TEXT}"),
    "long value": (
        f"{{labels: [a], declared: [{{a: {'x' * 129}}}]}}",
        f".declared[0].a: has 129 characters; {VALUE}",
    ),
    "control": (
        r'{labels: [a], declared: [{a: "\x01"}]}',
        rf".declared[0].a: is '\x01'; {VALUE}",
    ),
}


@pytest.mark.parametrize(("segments", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_segments_are_told(segments, expected):
    """Wrong segments are told with line and path, what was found and what is allowed."""
    assert problems_of(segments) == [f"3 monitors[0].segments{expected}"]


def test_every_wrong_declared_segment_is_told():
    """Each wrong item has a message of its own."""
    found = problems_of("{labels: [a], declared: [{}, {a: x}, {b: x}]}")
    assert [problem.split(":")[0] for problem in found] == [
        "3 monitors[0].segments.declared[0]",
        "3 monitors[0].segments.declared[2]",
    ]


def test_labels_and_time_may_stand_anywhere():
    """A source may map time and the labels that a monitor splits by."""
    fields = "{time: meta.at, segment.city: meta.town}"
    source = parse("{labels: [city]}", f"{{file: e, fields: {fields}}}").sources[0]
    assert source.fields == {"time": "meta.at", "segment.city": "meta.town"}
    named = parse_source({"file": "-", "fields": {"segment.city": "town"}})
    assert named.fields == {"segment.city": "town"}


FIELDS = {
    "unknown label": (
        "{segment.town: x}",
        ".segment.town: is a label that no monitor splits by; declared: city",
    ),
    "label inside another field": (
        "{y_true: segment}",
        f": y_true is at segment and segment.city at segment.city; {APART}",
    ),
    "two labels at one place": (
        "{segment.city: tier.x, time: tier}",
        f": time is at tier and segment.city at tier.x; {APART}",
    ),
    "optional field at the place of a label": (
        "{time: segment.city}",
        f": time is at segment.city and segment.city at segment.city; {APART}",
    ),
    "no label": (
        "{segment.1: x}",
        (
            ".segment.1: is no key here; did you mean segment.<label>? allowed: y_true, y_pred, w,"
            " model, time, prediction_id, segment.<label>"
        ),
    ),
}


@pytest.mark.parametrize(("fields", "expected"), FIELDS.values(), ids=FIELDS)
def test_wrong_fields_are_told(fields, expected):
    """A label that nobody splits by, and fields in each other's place, are told."""
    found = problems_of("{labels: [city]}", f"{{file: e, fields: {fields}}}")
    assert found == [f"6 sources[0].fields{expected}"]


def test_label_without_any_segments_is_told():
    """Without segments in any monitor the message says what to add."""
    text = "version: 1\nmonitors: [{model: a}]\nsources: [{file: e, fields: {segment.a: x}}]\n"
    with pytest.raises(ConfigError, match=r"declared: none: give a monitor segments with labels$"):
        parse_config(text, "c.yml", {})


def test_labels_are_columns_in_csv():
    """In CSV a dot is part of a name, so a field may be called segment."""
    source = "{file: e.csv, fields: {y_true: segment, segment.city: segment.town}}"
    assert parse("{labels: [city]}", source).sources[0].fields["y_true"] == "segment"
