"""Events that are sent to a running server: what is taken, what is answered, and when."""

from __future__ import annotations

import gzip
import zlib

import pytest
from posting import GOOD, service

from losswatch.errors import Reason
from losswatch.sources.base import Outcome, Refusal

PAIR = b'{"y_true": 1, "y_pred": 2}'


@pytest.fixture(scope="module")
def running():
    with service() as running:
        yield running


TAKEN = {
    "lines": (GOOD * 3, {}, 3),
    "lines without a last line feed": (GOOD + PAIR, {}, 2),
    "an array": (b"[%b,%b]" % (PAIR, PAIR), {"content_type": "application/json"}, 2),
    "an array as text": (b" [%b]" % PAIR, {"content_type": "text/plain; charset=utf-8"}, 1),
    "one object": (b'{\n"y_true": 1,\n"y_pred": 2}', {"content_type": "application/json"}, 1),
    "gzip": (gzip.compress(GOOD * 2), {"content_encoding": "gzip"}, 2),
    "two gzips": (gzip.compress(GOOD) + gzip.compress(GOOD), {"content_encoding": "x-gzip"}, 2),
    "identity": (GOOD, {"content_encoding": "identity"}, 1),
    "in chunks": (iter([GOOD[:5], GOOD[5:], GOOD]), {}, 2),
    "another protocol offered": (GOOD, {"connection": "Upgrade", "upgrade": "h2c"}, 1),
    "of a browser at the address itself": (GOOD, {"sec_fetch_site": "none"}, 1),
    "many": (GOOD * 2000, {}, 2000),
    "nothing": (b"", {}, 0),
    "an empty array": (b"[]", {}, 0),
}


@pytest.mark.parametrize(("body", "headers", "accepted"), TAKEN.values(), ids=TAKEN)
def test_what_is_taken(running, body, headers, accepted):
    """Lines, arrays and single objects, packed or not, count one by one."""
    answer = running.post(body, **headers)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.body == {"accepted": accepted, "duplicates": 0, "refused_total": 0, "refused": []}


def test_without_a_content_type(running):
    """What is not said to be something is seen from itself."""
    assert running.send("POST", "/api/v1/events", GOOD).status == 200


def test_a_page_of_the_same_origin_may_send(running):
    """Over plain HTTP a browser tells the origin alone."""
    assert running.post(GOOD, origin=running.url).status == 200


BOMB = gzip.compress(bytes(1 << 26))

NOT_TAKEN = {
    "a form": (GOOD, {"content_type": "application/x-www-form-urlencoded"}, 415, "must be one of"),
    "brotli": (GOOD, {"content_encoding": "br"}, 415, "must be gzip or none"),
    "two codings": (GOOD, {"content_encoding": "gzip, gzip"}, 415, "must be gzip or none"),
    "no gzip": (GOOD, {"content_encoding": "gzip"}, 400, "no gzip"),
    "half a gzip": (gzip.compress(GOOD)[:-9], {"content_encoding": "gzip"}, 400, "cut short"),
    "nothing as gzip": (b"", {"content_encoding": "gzip"}, 400, "cut short"),
    "more after gzip": (gzip.compress(GOOD) + b"x", {"content_encoding": "gzip"}, 400, "gzip"),
    "a thousand gzips": (gzip.compress(b"") * 1001, {"content_encoding": "gzip"}, 400, "send one"),
    "a bomb": (BOMB[:60_000], {"content_encoding": "gzip"}, 413, "more than 65536 bytes"),
    "too large": (b"x" * 65_537, {}, 413, "more than 65536 bytes"),
    "too large in chunks": (iter([b"x" * 40_000] * 2), {}, 413, "more than 65536 bytes"),
    "a page of another site": (GOOD, {"sec_fetch_site": "cross-site"}, 403, "another site"),
    "one by plain HTTP": (GOOD, {"origin": "http://example.org"}, 403, "another site"),
    "a page of no site": (GOOD, {"content_type": "text/plain", "origin": "null"}, 403, "another"),
    "half an array": (b"[1,", {}, 400, "array cannot be read"),
    "not one event": (b"1\n2\n", {}, 422, "not one event counts"),
}


@pytest.mark.parametrize(("body", "headers", "status", "detail"), NOT_TAKEN.values(), ids=NOT_TAKEN)
def test_what_is_not_taken(running, body, headers, status, detail):
    """Each failure has its status and says what is wrong, in one shape."""
    answer = running.post(body, **headers)
    assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.body["status"] == status
    assert detail in answer.body["detail"]
    assert answer.body["title"]
    assert "retry-after" not in answer.headers


def test_refused_lines_are_listed_in_order_and_at_most_a_hundred():
    """The good ones count; the writer's refusals stand among those of the decoder."""

    def commit(_):
        return Outcome([Refusal(2, Reason.OVERFLOW, "too much")], [4])

    with service(commit=commit) as running:
        answer = running.post(b"nope\n" + GOOD * 3 + b'{"y_true": NaN, "y_pred": 1}\n' * 200)
    body = answer.body
    assert (answer.status, body["accepted"], body["duplicates"]) == (200, 1, 1)
    assert body["refused_total"] == 202
    assert len(body["refused"]) == 100
    assert [r["line"] for r in body["refused"]] == [1, 2, *range(5, 103)]
    assert [r["reason"] for r in body["refused"][:3]] == ["invalid_json", "overflow", "not_finite"]


def test_all_duplicates_are_no_failure():
    """A request that is sent again is told that it counted before."""
    with service(commit=lambda batch: Outcome(duplicates=[*batch.columns.line])) as running:
        answer = running.post(GOOD * 2)
    assert (answer.status, answer.body["duplicates"], answer.body["accepted"]) == (200, 2, 0)


METHODS = {
    ("GET", "/api/v1/events"): {"POST"},
    ("DELETE", "/api/v1/truths"): {"POST"},
    ("POST", "/api/v1/cost"): {"GET", "HEAD"},
}


@pytest.mark.parametrize(("method", "path"), METHODS)
def test_other_methods(running, method, path):
    """405 names those that there are."""
    answer = running.send(method, path)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == METHODS[method, path]
    assert answer.headers["content-type"] == "application/problem+json"
    assert method in answer.body["detail"]


def test_the_cost(running):
    """It is that of the snapshot; filters choose, and what is no filter is a mistake."""
    everything = running.send("GET", "/api/v1/cost").body["costs"]
    assert {cost["model"] for cost in everything} == {"eta"}
    some = running.send("GET", "/api/v1/cost?model=eta&model=x&window=5m").body["costs"]
    assert some == [cost for cost in everything if cost["window"] == "5m"]
    assert running.send("GET", "/api/v1/cost?model=x").body == {"costs": []}
    unknown = running.send("GET", "/api/v1/cost?modle=eta")
    assert (unknown.status, unknown.body["detail"]) == (
        400,
        "'modle' is unknown; must be one of model, window",
    )


def test_unknown_paths_are_problems_below_api_alone(running):
    """People see text, programs JSON."""
    assert running.send("GET", "/api/v1/x").headers["content-type"] == "application/problem+json"
    told = b"there is no such path: see / for all; events are taken at /api/v1/events, "
    assert running.send("GET", "/x").body.startswith(told)


def test_a_bomb_is_not_unpacked_further_than_the_limit():
    """What one stream or many hold is refused once it is too much."""
    from losswatch.web.body import BodyLimits, RefusedBodyError, gunzip

    limits = BodyLimits(size=100_000)
    for bomb in (
        BOMB,
        gzip.compress(bytes(60_000)) * 2,
        zlib.compress(b"x", wbits=31) * 999 + BOMB,
    ):
        with pytest.raises(RefusedBodyError) as refusal:
            gunzip(bomb, limits)
        assert refusal.value.status == 413
    assert gunzip(gzip.compress(bytes(100_000)), limits) == bytes(100_000)
