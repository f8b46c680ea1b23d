"""A source of Kafka, with a real broker."""

from __future__ import annotations

import logging
from contextlib import closing

import pytest
from kafka_reading import DECODER, Reader, event
from servers import wait_for

from losswatch.errors import Reason, SourceError
from losswatch.sources.base import Outcome
from losswatch.sources.kafka import KafkaSource


@pytest.fixture
def reader(kafka):
    """Make readers of the broker that are closed at the end."""
    readers = []

    def make(*topics, **options):
        options.setdefault("group", f"group-{topics[0]}")
        readers.append(Reader(kafka, *topics, **options))
        return readers[-1]

    yield make
    for made in readers:
        made.close()


def test_predictions_and_truths_are_read_from_two_topics(kafka, reader):
    """Both topics are read, and the position tells of each partition what was counted."""
    predictions, truths = kafka.topic(), kafka.topic(2)
    kafka.send(predictions, b'{"prediction_id": "a", "y_pred": 3}')
    kafka.send(truths, b'{"prediction_id": "a", "y_true": 5}', partition=1)
    read = reader(predictions, truths)
    sides = set()

    def both(batch) -> bool:
        columns = read.commit(batch).columns
        sides.update(zip(columns.prediction_id, columns.y_true, columns.y_pred, strict=True))
        return sides == {("a", None, 3.0), ("a", 5.0, None)}

    read.first_with(both)
    read.take_until(lambda: set(read.position.get(truths, {})) == {"0", "1"})
    assert read.position == {predictions: {"0": [[0, 1]]}, truths: {"0": [[0, 0]], "1": [[0, 1]]}}


def test_a_restart_from_a_position_counts_every_message_once(kafka, reader):
    """What came after the position that was committed comes again, nothing before it."""
    topic = kafka.topic(3)
    for partition in range(3):
        numbers = range(partition * 100, partition * 100 + 100)
        kafka.send(topic, *map(event, numbers), partition=partition)
    first = reader(topic)
    first.take_all(300)
    first.close()
    kafka.send(topic, *map(event, range(300, 320)), partition=1)
    second = reader(topic, position=first.position)
    second.take_all(20)
    assert sorted(first.values + second.values) == list(range(320))
    second.close()
    again = reader(topic, position=first.position)  # what was not committed
    again.take_all(20)


def test_a_batch_that_failed_is_kept_by_who_has_it(kafka, reader):
    """It is not handed over again: with the one that is tried again it would count twice."""
    topic = kafka.topic()
    kafka.send(topic, event(1))
    read = reader(topic)
    read.first_with(lambda batch: batch.lines)
    kafka.send(topic, event(2))
    for _ in range(3):
        assert read.source.failed("the disk is full")
    read.source.committed(Outcome())
    read.take_all(1)
    assert read.values == [2.0]


def test_latest_is_pinned_before_any_message_comes(kafka, reader):
    """Where ``latest`` was is in the position at once: a restart skips nothing."""
    topic = kafka.topic()
    kafka.send(topic, *map(event, range(5)))
    first = reader(topic, start="latest")
    first.take_until(lambda: first.position)
    first.close()
    assert first.position == {topic: {"0": [[5, 5]]}}
    kafka.send(topic, event(5))
    second = reader(topic, start="latest", position=first.position)
    second.take_all(1)
    assert second.values == [5.0]


def test_tombstones_and_gaps_of_compaction_are_passed_over(kafka, reader):
    """A message without value is no event and no refusal; the range goes over it."""
    topic = kafka.topic(cleanup_policy="compact")
    kafka.send(topic, event(1), None, event(2), None, key=b"eta")
    read = reader(topic)
    read.take_until(lambda: read.next(topic) == 4)
    assert (read.values, read.refused) == ([1.0, 2.0], [])
    assert read.position == {topic: {"0": [[0, 4]]}}


def test_offsets_that_transactions_take_are_no_lag(kafka, reader):
    """An aborted transaction is not read; the markers at the end are passed over."""
    from confluent_kafka import Producer

    topic = kafka.topic()
    settings = {"bootstrap.servers": kafka.address, "transactional.id": topic, "log_level": 0}
    producer = Producer(settings)
    producer.init_transactions(30)
    for number, end in enumerate([producer.commit_transaction, producer.abort_transaction]):
        producer.begin_transaction()
        producer.produce(topic, event(number), partition=0)
        producer.flush(30)
        end(30)
    read = reader(topic)
    read.take_until(lambda: read.next(topic) == 4)
    assert read.values == [0.0]
    read.take_until(lambda: read.source.lag() == {(topic, 0): 0})


def test_messages_that_retention_deleted_are_told_as_lost(kafka, reader, caplog):
    """Reading goes on at the first that is there; how many are lost is logged and counted."""
    topic = kafka.topic()
    kafka.send(topic, *map(event, range(10)))
    first = reader(topic)
    first.take_all(10)
    first.close()
    kafka.send(topic, *map(event, range(10, 30)))
    kafka.delete_records(topic, 25)
    second = reader(topic, position=first.position)
    second.take_all(5)
    assert second.values == [25.0, 26.0, 27.0, 28.0, 29.0]
    assert second.position == {topic: {"0": [[0, 10], [25, 30]]}}
    assert second.source.lost() == {(topic, 0): 15}
    assert "deleted the offsets from 10 to before 25, so up to 15 messages are lost" in caplog.text


def test_a_topic_made_anew_is_read_from_its_beginning(kafka, reader, caplog):
    """What was counted of the old one is forgotten; the log says what happened."""
    topic = kafka.topic()
    kafka.send(topic, *map(event, range(10)))
    first = reader(topic)
    first.take_all(10)
    first.close()
    kafka.delete_topic(topic)
    kafka.topic(name=topic)
    kafka.send(topic, event(99))
    second = reader(topic, position=first.position)
    second.take_all(1)
    assert second.position == {topic: {"0": [[0, 1]]}}
    assert "ends before offset 10" in caplog.text


def test_a_topic_that_comes_later_is_waited_for(kafka, reader, caplog):
    """It is said once that it is missing."""
    topic = "comes-later"
    read = reader(topic)
    read.take_until(lambda: "UNKNOWN_TOPIC_OR_PART" in caplog.text)
    kafka.topic(name=topic)
    kafka.send(topic, event(1))
    read.take_all(1)
    assert caplog.text.count("UNKNOWN_TOPIC_OR_PART") == 1


def test_a_large_backlog_is_read_in_bounded_batches(kafka, reader):
    """No batch is larger than 10,000 messages, and the lag goes down to 0."""
    topic = kafka.topic(2)
    for partition in range(2):
        kafka.send(topic, *map(event, range(50_000)), partition=partition)
    read = reader(topic)
    sizes = []
    read.take_until(lambda: sizes.append(read.take().lines) or len(read.values) == 100_000)
    assert max(sizes) <= 10_000
    read.take_until(lambda: set(read.source.lag().values()) == {0})
    assert sorted(read.values) == sorted([*range(50_000)] * 2)


def test_refusals_tell_topic_partition_and_offset(kafka, reader):
    """Their line is the place in the batch, which says little."""
    topic = kafka.topic()
    kafka.send(topic, event(0), b"no json", event(2))
    read = reader(topic)
    read.take_all(2)
    (refusal,) = read.refused
    assert (refusal.line, refusal.reason) == (2, Reason.INVALID_JSON)
    assert refusal.detail.startswith(f"topic {topic}, partition 0, offset 1: ")


def test_no_broker_is_waited_for_and_told_once(caplog):
    """Nothing is raised, nothing blocks, and one line of the log says it."""
    caplog.set_level(logging.INFO)
    with closing(KafkaSource(["127.0.0.1:1"], ["t"], "g", DECODER)) as source:
        wait_for(lambda: source.next_batch().lines or "_ALL_BROKERS_DOWN" in caplog.text)
        for _ in range(100):
            source.next_batch()
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"enable.auto.commit": True}, "enable.auto.commit is set by losswatch; remove it"),
        ({"sasl.usename": "x"}, 'No such configuration property: "sasl.usename"'),
        ({"session.timeout.ms": "soon"}, "Invalid value for configuration property"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    with pytest.raises(SourceError, match=message):
        KafkaSource(["127.0.0.1:1"], ["t"], "g", DECODER, settings=settings)


@pytest.mark.parametrize("position", [{"t": 1}, {"t": {"0": []}}, {"t": {"x": [[0, 1]]}}, [1]])
def test_a_position_that_is_none_is_refused(position):
    with (
        closing(KafkaSource(["127.0.0.1:1"], ["t"], "g", DECODER)) as source,
        pytest.raises(SourceError, match="its position is wrong"),
    ):
        source.resume(position)


def test_a_missing_extra_is_named(monkeypatch):
    monkeypatch.setattr("losswatch.sources.kafka.client", None)
    with pytest.raises(SourceError, match=r"pip install 'losswatch\[kafka\]'"):
        KafkaSource(["127.0.0.1:1"], ["t"], "g", DECODER)
