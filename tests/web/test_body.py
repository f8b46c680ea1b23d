"""Bodies are read within bounds, all of them together."""

import asyncio

import pytest

from losswatch.web.body import BodyLimits, BodyReader, GoneError, RefusedBodyError


def receiver(*chunks, gone=False):
    """Return what gives these chunks, and then nothing or the end of the connection."""
    messages = [{"type": "http.request", "body": c, "more_body": True} for c in chunks]
    messages += [{"type": "http.disconnect"}] * gone

    async def receive():
        if not messages:
            await asyncio.sleep(60)
        return messages.pop(0)

    return receive


def whole(body: bytes):
    async def receive():
        return {"type": "http.request", "body": body}

    return receive


def refused(reader, receive) -> int:
    with pytest.raises(RefusedBodyError) as refusal:
        asyncio.run(reader.read(receive, None))
    return refusal.value.status


def test_a_body_that_does_not_come_is_not_waited_for():
    """After some seconds it is refused, and what came of it does not count any more."""
    reader = BodyReader(BodyLimits(size=10, total=10, seconds=0.01))
    assert refused(reader, receiver(b"123456")) == 408
    assert asyncio.run(reader.read(whole(b"1234567890"), None)) == b"1234567890"


def test_all_bodies_together_are_bounded():
    """One that is held leaves less for others, until it is dropped."""
    reader = BodyReader(BodyLimits(size=10, total=15))
    first = asyncio.run(reader.read(whole(b"1234567890"), b"10"))
    assert refused(reader, whole(b"123456")) == 429
    second = asyncio.run(reader.read(whole(b"12345"), None))
    reader.drop(first)
    reader.drop(second)
    assert asyncio.run(reader.read(whole(b"1234567890"), b"10")) == first


def test_who_goes_away_holds_nothing():
    """Half a body is forgotten."""
    reader = BodyReader(BodyLimits(size=10, total=10))
    for _ in range(3):
        with pytest.raises(GoneError):
            asyncio.run(reader.read(receiver(b"12345", gone=True), None))
    assert asyncio.run(reader.read(whole(b"1234567890"), None)) == b"1234567890"
