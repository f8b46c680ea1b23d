"""A real Apache Kafka: one KRaft node on loopback, started and killed by its own pid."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic
from servers import REQUIRED, free_port, wait_for

JARS = Path(__file__).parents[1] / ".kafka"
INSTALL = (
    "apt-get install -y --no-install-recommends maven openjdk-17-jre-headless; tests/kafka/fetch"
)

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=2000
log.cleaner.backoff.ms=200
log.retention.ms=-1
auto.create.topics.enable=false
"""

_LOG4J = """\
<Configuration status="ERROR"><Appenders><Console name="console"><PatternLayout
 pattern="%d %p %c: %m%n"/></Console></Appenders><Loggers><Root level="WARN"><AppenderRef
 ref="console"/></Root></Loggers></Configuration>
"""


class Broker:
    """One node; what it holds survives :meth:`kill` and comes back with :meth:`start`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._java = java()
        self._running: subprocess.Popen[bytes] | None = None
        port, controller = free_port(), free_port()
        self.address = f"127.0.0.1:{port}"
        data = folder / "data"
        self._config = folder / "server.properties"
        self._config.write_text(_PROPERTIES.format(port=port, controller=controller, data=data))
        (folder / "log4j2.xml").write_text(_LOG4J)
        self._run("kafka.tools.StorageTool", "format", "-t", "AAAAAAAAAAAAAAAAAAAAAQ", "-c")
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})

    def start(self) -> None:
        with (self._folder / "broker.log").open("ab") as log:
            self._running = subprocess.Popen(
                [*self._command("kafka.Kafka"), str(self._config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )
        wait_for(self._answers, 60, f"for Kafka; see {self._folder}/broker.log")

    def kill(self) -> None:
        """End it as a crash does."""
        assert self._running
        self._running.kill()
        self._running.wait(10)

    def stop(self) -> None:
        assert self._running
        self._running.terminate()
        try:
            self._running.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()

    def topic(self, partitions: int = 1, name: str = "", **config: str) -> str:
        """Make a topic; return its name, a new one if none is given."""
        name = name or f"topic-{uuid4().hex[:8]}"
        options = {key.replace("_", "."): value for key, value in config.items()}
        self._done(self.admin.create_topics([NewTopic(name, partitions, 1, config=options)]))
        ready = lambda: len(self._partitions(name)) == partitions  # noqa: E731
        wait_for(ready, about=f"for topic {name}")
        return name

    def delete_topic(self, name: str) -> None:
        self._done(self.admin.delete_topics([name]))
        wait_for(lambda: not self._partitions(name), about=f"until topic {name} is gone")

    def delete_records(self, topic: str, before: int, partition: int = 0) -> None:
        """Delete the oldest messages, as retention does."""
        self._done(self.admin.delete_records([TopicPartition(topic, partition, before)]))

    def send(self, topic: str, *values: bytes | None, partition: int = 0, **options) -> None:
        """Send messages and wait until they are safe."""
        producer = Producer({"bootstrap.servers": self.address, "log_level": 0, "linger.ms": 5})
        for value in values:
            producer.produce(topic, value, partition=partition, **options)
            producer.poll(0)
        assert producer.flush(60) == 0

    def _partitions(self, topic: str) -> list[int]:
        topics = self.admin.list_topics(timeout=5).topics
        found = topics.get(topic)
        return [p for p, m in found.partitions.items() if m.leader >= 0] if found else []

    def _done(self, futures) -> None:
        for future in futures.values():
            future.result(30)

    def _answers(self) -> bool:
        assert self._running
        assert self._running.poll() is None, "Kafka ended; see broker.log"
        try:
            return bool(self.admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False

    def _command(self, main: str) -> list[str]:
        options = ["-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        logs = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.xml'}"
        return [self._java, *options, logs, "-cp", f"{JARS}/*", main]

    def _run(self, main: str, *arguments: str) -> None:
        command = [*self._command(main), *arguments, str(self._config)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)


def java() -> str:
    """Return the path of Java; skip the test, or fail it, where it or Kafka is missing."""
    path = shutil.which("java")
    if path is None or not any(JARS.glob("kafka_*.jar")):
        what = "java" if path is None else f"Kafka in {JARS}"
        reason = f"{what} is not there; to run this test: {INSTALL}"
        (pytest.fail if REQUIRED else pytest.skip)(reason)
    assert path is not None
    return path


@contextmanager
def broker(folder: Path) -> Iterator[Broker]:
    """Run a broker."""
    running = Broker(folder)
    try:
        running.start()
        yield running
    finally:
        if running._running is not None:
            running.stop()
