"""The shapes of what is sent and answered, as JSON schemas."""

from __future__ import annotations

from typing import Any

from losswatch.core.costs import NUMBERS
from losswatch.core.validity import LARGEST
from losswatch.errors import Reason
from losswatch.web.intake import MOST_LISTED

__all__ = ["SCHEMAS", "ref"]

Json = dict[str, Any]


def ref(name: str) -> Json:
    """Return what stands for a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def _object(properties: Json, required: list[str] | None = None, **more: object) -> Json:
    names = [*properties] if required is None else required
    return {"type": "object", "properties": properties, "required": names, **more}


_COUNT: Json = {"type": "integer", "minimum": 0}
_TEXT: Json = {"type": "string"}

_NUMBER: Json = {"type": "number", "minimum": -LARGEST, "maximum": LARGEST}
_SIDE: Json = {
    "description": "A number or, of a model with several outputs, one of each.",
    "anyOf": [_NUMBER, {"type": "object", "additionalProperties": _NUMBER, "minProperties": 1}],
}

_ID: Json = {
    "description": "Names a prediction, within its model: its truth has the same.",
    "anyOf": [
        {"type": "string", "pattern": r"^[^\u0000-\u001f\u007f-\u009f]{1,256}$"},
        {"type": "integer"},
    ],
}

_TIME: Json = {
    "description": "When: seconds since 1970, or ISO 8601 with its zone.",
    "anyOf": [
        {"type": "number", "minimum": 0, "exclusiveMaximum": 253_402_300_800},
        {"type": "string", "format": "date-time", "pattern": r"^(19[7-9]|[2-9][0-9]{2})[0-9]-"},
        {"type": "null"},
    ],
}

_COMMON: Json = {
    "w": {"description": "The weight; 1.", "type": ["number", "null"], "minimum": 0},
    "model": {"description": "The model; that of the config.", "type": ["string", "null"]},
    "time": _TIME,
    "segment": {
        "description": "The labels that the config names; others are not read.",
        "type": ["object", "null"],
    },
}
_COMMON["w"]["maximum"] = LARGEST

_NULL: Json = {"type": "null"}


def _with(*names: str) -> Json:
    """Return what an event with these fields is, none of them null."""
    kinds = {"y_true": ref("Side"), "y_pred": ref("Side"), "prediction_id": ref("Id")}
    return {"properties": {name: kinds[name] for name in names}, "required": [*names]}


_EVENT: Json = {
    "type": "object",
    "properties": {
        "y_true": {"anyOf": [ref("Side"), _NULL]},
        "y_pred": {"anyOf": [ref("Side"), _NULL]},
        "prediction_id": {"anyOf": [ref("Id"), {"enum": ["", None]}]},
        **_COMMON,
    },
    "anyOf": [
        _with("y_true", "y_pred"),
        _with("y_pred", "prediction_id"),
        _with("y_true", "prediction_id"),
    ],
}

_REFUSED = _object(
    {
        "line": {
            "description": "Its line, or its place in the array, from 1.",
            "type": "integer",
            "minimum": 1,
        },
        "reason": {"enum": [reason.value for reason in Reason]},
        "detail": _TEXT,
    }
)

_RESULT: Json = {
    "accepted": {"description": "Events that count now.", **_COUNT},
    "duplicates": {"description": "Events that counted before.", **_COUNT},
    "refused_total": {"description": "Events that do not count.", **_COUNT},
    "refused": {
        "description": f"The first {MOST_LISTED} of them.",
        "type": "array",
        "items": ref("Refused"),
        "maxItems": MOST_LISTED,
    },
}

_PROBLEM: Json = {
    "title": _TEXT,
    "status": {"type": "integer"},
    "detail": {"description": "What was found, and what is allowed.", **_TEXT},
}

_OPTIONAL: Json = {"type": ["number", "null"]}

_COST = _object(
    {
        "model": _TEXT,
        "output": {"description": "Of a model with several, else not there.", **_TEXT},
        "segment": {
            "description": "Its labels; none for the total.",
            "type": "object",
            "additionalProperties": _TEXT,
        },
        "window": _TEXT,
        "n": {"description": "Events.", **_COUNT},
        **dict.fromkeys(NUMBERS, _OPTIONAL),
    },
    ["model", "segment", "window", "n", *NUMBERS],
    description="A number that does not exist is null: without events there is no error.",
)

_WHERE: Json = {
    "segment": {
        "description": "Its labels; none for the whole model.",
        "type": "object",
        "additionalProperties": _TEXT,
    },
}

_ALARM = _object(
    {
        "model": _TEXT,
        "output": {"description": "Of a model with several, else not there.", **_TEXT},
        **_WHERE,
        "alarm": {"description": "Its name.", **_TEXT},
        "kind": {"enum": ["budget", "drift", "river"]},
        "active": {"description": "Whether it is on.", "type": "boolean"},
        "severity": {"description": "The highest one that is on.", "type": ["string", "null"]},
        "since": {"description": "Seconds since 1970.", **_OPTIONAL},
        "events_since_change": {
            "description": "Events since the error seems to have grown.",
            "type": ["integer", "null"],
            "minimum": 0,
        },
        "evidence": {"description": "How near it is: 1 is on.", **_OPTIONAL},
        "warmup_remaining_blocks": {"description": "What is still to be learnt.", **_COUNT},
        "events": {"description": "Events that it has seen.", **_COUNT},
        "guarantee": {"enum": ["proved", "calibrated", "none"]},
        "promise": {
            "description": "At most one false alarm is expected in so many events, or seconds.",
            "type": ["object", "null"],
            "additionalProperties": {"type": "number"},
        },
    },
    [
        *("model", "segment", "alarm", "kind", "active", "severity", "since", "evidence"),
        *("events_since_change", "warmup_remaining_blocks", "events", "guarantee", "promise"),
    ],
)

_ACKNOWLEDGEMENT = _object(
    {
        "model": _TEXT,
        "alarm": {"description": "The name of the alarm.", **_TEXT},
        "segment": {
            "description": "All labels of a segment; without it the alarm is off everywhere.",
            "type": ["object", "null"],
            "additionalProperties": _TEXT,
        },
    },
    ["model", "alarm"],
    additionalProperties=False,
)

SCHEMAS: Json = {
    "Event": _EVENT,
    "Prediction": _object(
        {"y_pred": ref("Side"), "prediction_id": ref("Id"), "y_true": _NULL, **_COMMON},
        ["y_pred", "prediction_id"],
    ),
    "Truth": _object(
        {"y_true": ref("Side"), "prediction_id": ref("Id"), "y_pred": _NULL, **_COMMON},
        ["y_true", "prediction_id"],
    ),
    "Side": _SIDE,
    "Id": _ID,
    "Refused": _REFUSED,
    "Result": _object(_RESULT),
    "Problem": _object(_PROBLEM),
    "RefusedProblem": _object({**_PROBLEM, **_RESULT}),
    "Cost": _COST,
    "Alarm": _ALARM,
    "Alarms": _object({"alarms": {"type": "array", "items": ref("Alarm")}}),
    "Acknowledgement": _ACKNOWLEDGEMENT,
    "Acknowledged": _object(
        {"acknowledged": {"description": "In how many places it was on.", **_COUNT}}
    ),
    "Costs": _object({"costs": {"type": "array", "items": ref("Cost")}}),
}
