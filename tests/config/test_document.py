"""YAML to data that remembers its lines, with the environment filled in."""

from __future__ import annotations

import pytest

from losswatch.config.document import read_document, show_path
from losswatch.errors import Problem

ENVIRONMENT = {"PORT": "8080", "NAME": "eta", "EMPTY": "", "YES": "true", "LIST": "[1, 2]"}

FILLED = {
    "number": ("${PORT}", 8080),
    "number in double quotes": ('"${PORT}"', "8080"),
    "number in single quotes": ("'${PORT}'", "8080"),
    "part of a text": ("127.0.0.1:${PORT}", "127.0.0.1:8080"),
    "part of a number": ("1${PORT}", 18080),
    "two": ("${NAME}-${PORT}", "eta-8080"),
    "boolean": ("${YES}", True),
    "boolean in quotes": ('"${YES}"', "true"),
    "text with brackets is no list": ("${LIST}", "[1, 2]"),
    "default not used": ("${NAME:-other}", "eta"),
    "default used": ("${NONE:-other}", "other"),
    "default is a number": ("${NONE:-7}", 7),
    "default is a number in quotes": ('"${NONE:-7}"', "7"),
    "default is empty": ("${NONE:-}", None),
    "default is empty in quotes": ('"${NONE:-}"', ""),
    "default for an empty variable": ("${EMPTY:-other}", "other"),
    "empty variable": ('"a${EMPTY}b"', "ab"),
    "default with signs": ("${NONE:-a-b:c}", "a-b:c"),
    "dollar": ("a$$b", "a$b"),
    "dollar before braces": ("$${NAME}", "${NAME}"),
    "three dollars": ("$$${NAME}", "$eta"),
    "dollar alone": ("a$b", "a$b"),
    "name without braces": ("$NAME", "$NAME"),
    "variable not filled again": ("$${NAME}${NAME}", "${NAME}eta"),
    "block": ("|\n  a ${NAME}\n", "a eta\n"),
}


@pytest.mark.parametrize(("text", "expected"), FILLED.values(), ids=FILLED)
def test_variables_are_filled_in(text, expected):
    """A variable is filled in; without quotes the value gets its type after that."""
    document = read_document(f"key: {text}", ENVIRONMENT)
    assert document.problems == []
    assert document.data == {"key": expected}
    assert type(document.data["key"]) is type(expected)


def test_variable_is_filled_in_wherever_values_are():
    """Variables are filled in at any depth, but never in a key."""
    document = read_document("a:\n  - b: ${NAME}\n${NAME}: 1\n", ENVIRONMENT)
    assert document.data == {"a": [{"b": "eta"}], "${NAME}": 1}


def test_value_of_the_environment_is_not_filled_again():
    """What the environment says is taken as it is, also where an alias repeats it."""
    document = read_document("a: &x $${B}\nb: *x\n", {})
    assert document.problems == []
    assert document.data == {"a": "${B}", "b": "${B}"}


def test_variable_that_is_not_set_is_a_problem():
    """Each variable that is not set is told with its line and path."""
    document = read_document("a: 1\nb:\n  - ${X}\n  - ${Y:-ok}\n  - ${Z}\n", {})
    remedy = "is not set; set it, or write"
    assert document.problems == [
        Problem(3, "b[0]", f"environment variable X {remedy} ${{X:-default}}"),
        Problem(5, "b[2]", f"environment variable Z {remedy} ${{Z:-default}}"),
    ]


TYPES = {
    "whole number": ("7", 7),
    "number": ("0.25", 0.25),
    "small number": ("1e-6", 1e-6),
    "large number": ("1E+9", 1e9),
    "number with point and exponent": ("-1.5e3", -1500.0),
    "no number": ("1e", "1e"),
    "version": ("1.2.3", "1.2.3"),
    "true": ("true", True),
    "null": ("~", None),
    "text": ("minutes", "minutes"),
    "number in quotes": ("'7'", "7"),
    "address": ("127.0.0.1:18100", "127.0.0.1:18100"),
}


@pytest.mark.parametrize(("text", "expected"), TYPES.values(), ids=TYPES)
def test_values_have_their_types(text, expected):
    """A value has the type that it looks like; 1e-6 is a number."""
    document = read_document(f"key: {text}", {})
    assert document.data == {"key": expected}
    assert type(document.data["key"]) is type(expected)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-99-99", "'2024-99-99', which is no valid timestamp"),
        ("!!int abc", "'abc', which is no valid int"),
        ("!!bool abc", "'abc', which is no valid bool"),
        ("!!timestamp abc", "'abc', which is no valid timestamp"),
        ("9" * 5000, f"'{'9' * 59}, which is no valid int"),
    ],
    ids=["date", "int", "bool", "timestamp", "5000 digits"],
)
def test_value_that_does_not_fit_its_type_is_a_problem(text, found):
    """A value that only looks like a date or a number is told with its line, and read on after."""
    document = read_document(f"a: 1\nb: {text}\nc: 2\n", {})
    assert document.problems == [
        Problem(2, "b", f"is {found}; put it in quotes if it is text"),
    ]
    assert document.data == {"a": 1, "b": None, "c": 2}


def test_lines_are_remembered():
    """Each path knows its line; a path that is not there has that of the nearest around it."""
    document = read_document("a: 1\nb:\n  - c: 1\n    d: 2\n\n  - e\n", {})
    paths = [(), ("a",), ("b",), ("b", 0), ("b", 0, "c"), ("b", 0, "d"), ("b", 1)]
    assert [document.line_of(path) for path in paths] == [1, 1, 2, 3, 3, 4, 6]
    assert document.line_of(("b", 0, "missing", "too")) == 3
    assert document.line_of(("missing",)) == 1


def test_key_that_stands_twice_is_a_problem():
    """Every key that stands twice is told where it stands again."""
    document = read_document("a: 1\nb: {c: 1, c: 2}\na: 3\na: 4\n", {})
    assert sorted(document.problems, key=lambda problem: problem.line) == [
        Problem(2, "b.c", "stands here twice; keep one"),
        Problem(3, "a", "stands here twice; keep one"),
        Problem(4, "a", "stands here twice; keep one"),
    ]


def test_merged_keys_may_be_overridden():
    """A key that is merged and given again is no duplicate: the given one wins, each time."""
    text = "a: &a {x: 1, y: 1}\nb: &b {<<: *a, x: 2}\nc: *b\nd: {<<: [*a, *b], y: 3}\n"
    document = read_document(text, {})
    assert document.problems == []
    assert document.data == {
        "a": {"x": 1, "y": 1},
        "b": {"x": 2, "y": 1},
        "c": {"x": 2, "y": 1},
        "d": {"x": 1, "y": 3},
    }


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ((), ""),
        (("listen",), "listen"),
        (("monitors", 0, "buckets", 12), "monitors[0].buckets[12]"),
        ((0, "a"), "[0].a"),
    ],
)
def test_path_is_shown_as_people_write_it(path, expected):
    """A path is shown with dots and brackets."""
    assert show_path(path) == expected


def test_aliases_cannot_ask_for_billions():
    """A few lines of aliases that stand for billions of values are refused, quickly."""
    levels = [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 12)]
    document = read_document("\n".join(["l0: &l0 [lol]", *levels]), {})
    assert [problem.message for problem in document.problems] == [
        "is no valid YAML: holds more than 100,000 values, aliases counted each time"
    ]


def test_an_empty_number_is_told():
    """A tag without a value is a problem of its line, not a crash."""
    (problem,) = read_document('version: !!int ""', {}).problems
    assert problem.line == 1
    assert "no valid int" in problem.message
