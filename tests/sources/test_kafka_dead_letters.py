"""Messages that hold no event are kept with their reason."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from confluent_kafka import Consumer
from kafka_reading import Reader, event

from losswatch.errors import Reason, SourceError
from losswatch.sources.base import Outcome, Refusal

POISON = [b"no json", event(1), b'{"y_pred": "\xff"}', b"", b'{"y_true": null}', event(2)]


def letters_of(path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_poison_goes_to_a_file_before_its_batch_is_handed_over(kafka, tmp_path):
    """Each line tells place, time, reason, and key and value as they were."""
    topic, path = kafka.topic(), tmp_path / "dead.ndjson"
    kafka.send(topic, *POISON, key=b"eta", timestamp=1_700_000_000_000)
    with closing(Reader(kafka, topic, group=topic, dead_letters=path)) as read:
        batch = read.first_with(lambda batch: batch.refused)
        letters = letters_of(path)
        assert len(letters) == len(batch.refused) == 4
    assert [letter["offset"] for letter in letters] == [0, 2, 3, 4]
    assert letters[0] == {
        "topic": topic,
        "partition": 0,
        "offset": 0,
        "timestamp": 1_700_000_000_000,
        "reason": "invalid_json",
        "detail": letters[0]["detail"],
        "key": "eta",
        "value": "no json",
    }
    assert "must be one JSON object" in letters[0]["detail"]
    assert letters[1]["value_base64"] == "eyJ5X3ByZWQiOiAi/yJ9"
    assert [letter["reason"] for letter in letters[1:3]] == ["invalid_utf8", "empty_line"]


def test_what_is_refused_when_scored_is_kept_too(kafka, tmp_path):
    """The outcome tells of it; what was refused before is not written twice."""
    topic, path = kafka.topic(), tmp_path / "dead.ndjson"
    kafka.send(topic, b"no json", event(1))
    with closing(Reader(kafka, topic, group=topic, dead_letters=path)) as read:
        batch = read.first_with(lambda batch: batch.lines)
        late = Refusal(2, Reason.UNKNOWN_MODEL, "no model is named")
        read.source.committed(Outcome(refused=[*batch.refused, late]))
        assert read.source.place(2) == f"topic {topic}, partition 0, offset 1"
    assert [(x["offset"], x["reason"]) for x in letters_of(path)] == [
        (0, "invalid_json"),
        (1, "unknown_model"),
    ]


def test_while_letters_cannot_be_written_their_batch_waits(kafka, tmp_path, caplog):
    """Nothing is handed over, it is said once, and all goes on when the file can be written."""
    topic, folder = kafka.topic(), tmp_path / "later"
    kafka.send(topic, b"no json", event(1))
    with closing(Reader(kafka, topic, group=topic, dead_letters=folder / "dead.ndjson")) as read:
        batch = read.first_with(lambda batch: batch.lines or "cannot be written" in caplog.text)
        assert not batch.lines
        for _ in range(20):
            assert read.source.next_batch().lines == 0
        folder.mkdir()
        read.take_all(1)
    assert len(letters_of(folder / "dead.ndjson")) == 1
    assert caplog.text.count("cannot be written") == 1


def test_half_a_line_of_a_crash_spoils_no_letter(kafka, tmp_path):
    topic, path = kafka.topic(), tmp_path / "dead.ndjson"
    path.write_bytes(b'{"topic": "cut o')
    kafka.send(topic, b"no json", event(1))
    with closing(Reader(kafka, topic, group=topic, dead_letters=path)) as read:
        read.take_all(1)
    assert json.loads(path.read_bytes().splitlines()[1])["value"] == "no json"


def test_poison_goes_to_a_topic_with_headers_that_say_why(kafka):
    """Key, value and headers are as they were; it was acknowledged before the batch came."""
    topic, dead = kafka.topic(), kafka.topic()
    kafka.send(topic, event(0), b"no \xff json", key=b"eta", headers=[("trace", b"1"), ("n", None)])
    with closing(Reader(kafka, topic, group=topic, dead_letters=dead)) as read:
        read.first_with(lambda batch: batch.refused)
        message = only_message(kafka, dead)
    assert (message.key(), message.value()) == (b"eta", b"no \xff json")
    headers = dict(message.headers())
    assert (headers.pop("trace"), headers.pop("n")) == (b"1", None)
    assert b"no UTF-8" in headers.pop("losswatch.detail")
    assert headers == {
        "losswatch.reason": b"invalid_utf8",
        "losswatch.topic": topic.encode(),
        "losswatch.partition": b"0",
        "losswatch.offset": b"1",
    }


def test_a_dead_letter_topic_that_is_missing_is_waited_for(kafka, caplog):
    topic = kafka.topic()
    dead = f"dead-{topic}"
    kafka.send(topic, event(0), b"no json")
    settings = {"message.timeout.ms": 1000}
    with closing(Reader(kafka, topic, group=topic, dead_letters=dead, settings=settings)) as read:
        read.take_until(lambda: "dead letters cannot be sent" in caplog.text)
        assert read.values == []
        kafka.topic(name=dead)
        read.take_all(1)
        assert only_message(kafka, dead).value() == b"no json"


def test_a_letter_that_is_too_large_is_given_up(kafka, caplog):
    """Waiting would stop the source for ever; the log has its place."""
    topic, dead = kafka.topic(), kafka.topic(max_message_bytes="1000")
    kafka.send(topic, b"x" * 2000, event(1))
    with closing(Reader(kafka, topic, group=topic, dead_letters=dead)) as read:
        read.take_all(1)
    assert f"topic {topic}, partition 0, offset 0: its dead letter is too large" in caplog.text


def test_dead_letters_may_not_go_to_a_topic_that_is_read(kafka):
    with pytest.raises(SourceError, match="which is read"):
        Reader(kafka, "t", group="g", dead_letters="t")


def only_message(kafka, topic: str):
    settings = {
        "bootstrap.servers": kafka.address,
        "group.id": f"look-{topic}",
        "auto.offset.reset": "earliest",
    }
    with closing(Consumer(settings)) as consumer:
        consumer.subscribe([topic])
        messages = consumer.consume(1, timeout=20)
    assert len(messages) == 1
    return messages[0]
