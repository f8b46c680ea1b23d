"""The places of the fields of a source: each has its own, and optional ones give way."""

from __future__ import annotations

import pytest

from losswatch.config.load import parse_config
from losswatch.errors import ConfigError

APART = "give each a place of its own, none inside another"
KEYS = "must be keys with dots between them, without quotes, backslashes and control characters"


def parse(source: str):
    return parse_config(
        f"version: 1\nmonitors: [{{model: a}}]\nsources:\n  - {source}\n", "c.yml", {}
    ).sources[0]


WRONG = {
    "two at one place": (
        "{file: e, fields: {y_true: v, y_pred: v}}",
        f"y_true is at v and y_pred at v; {APART}",
    ),
    "two at one place in CSV": (
        "{file: e.csv, fields: {y_true: v, y_pred: v}}",
        f"y_true is at v and y_pred at v; {APART}",
    ),
    "an optional one at the place of a needed one": (
        "{file: e, fields: {time: y_true}}",
        f"y_true is at y_true and time at y_true; {APART}",
    ),
    "a needed one at the place of the other": (
        "{file: e.csv, fields: {y_true: y_pred}}",
        f"y_true is at y_pred and y_pred at y_pred; {APART}",
    ),
    "one at the place that an optional one is given": (
        "{file: e, fields: {y_true: time, time: time}}",
        f"y_true is at time and time at time; {APART}",
    ),
    "two optional ones at one place": (
        "{file: e, fields: {w: a, time: a}}",
        f"w is at a and time at a; {APART}",
    ),
    "one inside another": (
        "{file: e, fields: {y_true: a.b, y_pred: a}}",
        f"y_true is at a.b and y_pred at a; {APART}",
    ),
    "one inside an optional one that is given": (
        "{file: e, fields: {y_true: model.actual, model: model}}",
        f"y_true is at model.actual and model at model; {APART}",
    ),
    "empty key": ("{file: e, fields: {y_true: a..b}}", f"y_true is at 'a..b'; {KEYS}"),
    "quote in a key": ("{file: e, fields: {y_true: 'a\"b'}}", f"y_true is at 'a\"b'; {KEYS}"),
}


@pytest.mark.parametrize(("source", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_places_are_told(source, expected):
    """Fields at one place or inside each other are told, and places that are none."""
    with pytest.raises(ConfigError) as caught:
        parse(source)
    assert str(caught.value) == f"c.yml: line 4: sources[0].fields: {expected}"


@pytest.mark.parametrize(
    "source",
    [
        "{file: e.csv, fields: {y_true: time}}",
        "{file: e, fields: {y_true: w, y_pred: model}}",
        "{file: e, fields: {y_true: model.actual, y_pred: model.predicted}}",
        "{file: e, fields: {y_true: w, w: weight}}",
        "{file: e, fields: {w: time, time: w}}",
    ],
)
def test_optional_fields_give_way(source):
    """A field may have the name of an optional one, which is not read or stands elsewhere."""
    assert parse(source).fields
