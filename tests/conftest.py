"""What tests of all folders share."""

import pytest


@pytest.fixture(scope="session")
def kafka(tmp_path_factory):
    """One broker for all tests; each makes its own topics."""
    pytest.importorskip("confluent_kafka")
    from kafka_broker import broker

    with broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running
