"""``kill -9`` at any moment: what was acknowledged counts, each event once, bit for bit."""

import os
import threading

import pytest
from killing import Service
from sending import Client, Posting, all_sent
from servers import wait_for

KILLS = int(os.environ.get("LOSSWATCH_KILLS", "50"))


@pytest.fixture
def stop():
    """Set at the end, so that no client goes on for ever."""
    event = threading.Event()
    yield event
    event.set()


def test_http_clients_that_send_all_twice_are_counted_once_through_kills(tmp_path, stop):
    """Four clients retry, and send each request again once it was acknowledged."""
    service = Service(tmp_path, "{http: {}}")
    way = Posting(service.url)
    clients = [Client(seed, stop, way, twice=1.0) for seed in range(1, 5)]
    try:
        for client in clients:
            client.start()
        service.restarts(KILLS // 2, 0.4)
        service.check(all_sent(clients, stop))
        assert way.retries > KILLS // 2
    finally:
        service.kill()


def test_http_and_kafka_count_once_through_kills(tmp_path, stop, kafka):
    """Both sides come by either way, and events without an id by Kafka: no message twice."""
    from producing import Producing, source, topics

    kinds = topics(kafka, 3)
    service = Service(tmp_path, "{http: {}}", source(kafka, kinds))
    way = Posting(service.url)
    sending = [Producing(kafka, kinds, 3, seed) for seed in (1, 2)]
    clients = [Client(9, stop, way)]
    clients += [Client(seed, stop, way, one, once=one) for seed, one in enumerate(sending)]
    try:
        for client in clients:
            client.start()
        service.restarts(KILLS, 0.9)
        service.check(all_sent(clients, stop))
        assert (tmp_path / "dead.ndjson").stat().st_size
    finally:
        service.kill()


def test_a_broker_that_is_killed_loses_and_doubles_nothing(tmp_path, stop):
    """``kill -9`` of Kafka, five times, and of the service between."""
    pytest.importorskip("confluent_kafka")
    from kafka_broker import broker
    from producing import Producing, source, topics

    with broker(tmp_path) as kafka:
        kinds = topics(kafka, 2)
        service = Service(tmp_path, "{http: {}}", source(kafka, kinds))
        sending, way = Producing(kafka, kinds, 2, 1), Posting(service.url)
        client = Client(1, stop, way, sending, once=sending)
        try:
            service.start()
            client.start()
            for number in range(5):
                known = len(client.story.sent)
                wait_for(lambda k=known: len(client.story.sent) > k + 1000, about="for the broker")
                kafka.kill()
                if number % 2:
                    service.kill()
                    service.start()
                kafka.start()
            service.check(all_sent([client], stop))
        finally:
            service.kill()
