"""Brokers that die, and members of a group that come and go."""

from __future__ import annotations

from contextlib import closing

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, Producer
from kafka_broker import broker
from kafka_reading import Reader, event, read_until


@pytest.fixture
def mortal(tmp_path):
    """A broker of its own, to be killed."""
    with broker(tmp_path) as running:
        yield running


def counted(reader: Reader, topic: str) -> dict[int, set[int]]:
    """Return which offsets of each partition a state counted; none of them twice."""
    partitions = {}
    for number, ranges in reader.position.get(topic, {}).items():
        offsets = [offset for start, end in ranges for offset in range(start, end)]
        assert len(offsets) == len(set(offsets))
        partitions[int(number)] = set(offsets)
    return partitions


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_members_come_and_go_and_each_counts_every_message_of_its_own_once(kafka, protocol):
    """Who gets a partition back goes on where it stood; so the last one has counted all."""
    topic = kafka.topic(4)
    sent = dict.fromkeys(range(4), 0)

    def send(count: int) -> None:
        for partition in sent:
            numbers = range(sent[partition], sent[partition] + count)
            kafka.send(
                topic, *(event(partition * 10_000 + n) for n in numbers), partition=partition
            )
            sent[partition] += count

    def options() -> dict:
        if protocol == "classic":
            return {"group": topic}
        return {"group": topic, "settings": {"group.protocol": "consumer"} | NOT_CLASSIC}

    NOT_CLASSIC = {"session.timeout.ms": None, "heartbeat.interval.ms": None}  # noqa: N806
    with closing(Reader(kafka, topic, **options())) as first:
        send(50)
        first.take_until(lambda: len(first.values) == 200)
        with closing(Reader(kafka, topic, **options())) as second:
            read_until(lambda: len(second.source.lag()) == 2, first, second)
            read_until(lambda: len(first.source.lag()) == 2, first, second)
            send(50)
            read_until(
                lambda: len(first.values) == 300 and len(second.values) == 200, first, second
            )
            theirs = counted(second, topic)
            assert {p for p in theirs if theirs[p]} == {
                p for p, offsets in counted(first, topic).items() if len(offsets) == 50
            }
        send(50)
        first.take_all(600)
        everything = [p * 10_000 + n for p in sent for n in range(150)]
        assert sorted(first.values) == everything
        assert counted(first, topic) == {p: set(range(150)) for p in sent}
    assert len(second.values) == len(set(second.values))


def test_nothing_is_committed_to_the_broker(kafka):
    topic = kafka.topic()
    kafka.send(topic, event(1))
    with closing(Reader(kafka, topic, group=topic)) as read:
        read.take_all(1)
    asked = kafka.admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(topic)])
    for future in asked.values():
        assert future.result(20).topic_partitions == []


def test_a_broker_that_is_killed_and_comes_back_loses_and_doubles_nothing(mortal, caplog):
    """Everything that was sent is counted once, by a source that lived through it."""
    caplog.set_level("INFO")
    topic = mortal.topic(2)
    producer = Producer(
        {"bootstrap.servers": mortal.address, "enable.idempotence": True, "log_level": 0}
    )
    with closing(Reader(mortal, topic, group="g")) as read:
        for number in range(3000):
            if number in {1000, 2000}:
                read.take_until(lambda: len(read.values) > 0)
                mortal.kill()
                read.take_until(lambda: "_ALL_BROKERS_DOWN" in caplog.text)
                mortal.start()
            producer.produce(topic, event(number), partition=number % 2)
            producer.poll(0)
            if number % 100 == 0:
                read.take()
        assert producer.flush(60) == 0
        read.take_all(3000)
    assert sorted(read.values) == list(range(3000))
    assert "reads again" in caplog.text
    assert "lost" not in caplog.text
