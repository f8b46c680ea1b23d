"""Sources that are no files, the join and the state: what is right, and what is told."""

from __future__ import annotations

import pytest

from losswatch.config.load import parse_config
from losswatch.core.join.settings import Join
from losswatch.errors import ConfigError

THREE = (
    "of file, http, socket and kafka; must have one: {file: events.ndjson}, {http: {}},"
    " {socket: {path: losswatch.sock}} or {kafka: {brokers: ..., topics: [...]}}"
)
PATH = (
    "must begin with / and end in /events, with letters, digits and . _ ~ - between, as in"
    " /api/v1/events"
)
TOPIC = "must be the name of a topic: up to 249 letters, digits and . _ -"
DURATION = "must be a duration such as 30s, 5m, 1h30m or 7d (units: ms, s, m, h, d, w)"
OURS = "is set by losswatch"


def parse(*sources: str, monitor: str = "{model: a}", environment=None):
    text = f"version: 1\nmonitors: [{monitor}]\nsources:\n"
    text += "".join(f"  - {source}\n" for source in sources)
    return parse_config(text, "c.yml", environment or {})


def problems_of(*sources: str, monitor: str = "{model: a}") -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(*sources, monitor=monitor)
    return [f"{problem.path}: {problem.message}" for problem in caught.value.problems]


def kafka(more: str = "", topics: str = "[a]") -> str:
    return f"{{kafka: {{brokers: 'h:1', topics: {topics}{', ' if more else ''}{more}}}}}"


WRONG = {
    "none of three": ("{model: a}", f": has none {THREE}"),
    "file is empty": ("{file: }", f": has none {THREE}"),
    "http is empty": ("{http: }", f": has none {THREE}"),
    "two of three": ("{file: e, http: {}}", f": has file and http {THREE}"),
    "follow of http": (
        "{http: {}, follow: no}",
        ".follow: is for a file; http takes NDJSON: remove it",
    ),
    "format of kafka": (
        "{kafka: {brokers: 'h:1', topics: [a]}, format: csv}",
        ".format: is for a file; kafka takes NDJSON: remove it",
    ),
    "path without a slash": ("{http: {path: events}}", f".http.path: is 'events'; {PATH}"),
    "path of its own": ("{http: {path: /api}}", f".http.path: is '/api'; {PATH}"),
    "queue of 0": ("{http: {queue: 0}}", ".http.queue: is 0; must be at least 1"),
    "unknown key of http": (
        "{http: {port: 1}}",
        ".http.port: is no key here; allowed: path, max_body_bytes, queue",
    ),
    "socket without a path": (
        "{socket: {}}",
        (
            ".socket.path: is missing; needed: Path of the socket, from the folder of this YAML; at"
            " most about 100 bytes."
        ),
    ),
    "mode in digits": (
        '{socket: {path: s, mode: "980"}}',
        ".socket.mode: is '980'; must be three octal digits in quotes, as in \"0660\"",
    ),
    "fields of workers": (
        "{socket: {path: s}, fields: {y_true: a}}",
        ".fields: is for records of your own; workers send columns: remove it",
    ),
    "format of workers": (
        "{socket: {path: s}, format: csv}",
        ".format: is for a file; socket takes columns: remove it",
    ),
    "socket and kafka": (
        "{socket: {path: s}, kafka: {brokers: 'h:1', topics: [a]}}",
        f": has socket and kafka {THREE}",
    ),
    "no topics": (
        "{kafka: {brokers: 'h:1'}}",
        ".kafka.topics: is missing; needed: The topics that are read.",
    ),
    "broker without a port": (
        "{kafka: {brokers: [h:1, h], topics: [a]}}",
        ".kafka.brokers: has 'h'; must be addresses with ports, as in localhost:9092",
    ),
    "topic is a pattern": (kafka(topics="[^a]"), f".kafka.topics[0]: is '^a'; {TOPIC}"),
    "topic twice": (kafka(topics="[a, b, a]"), ".kafka.topics: has a twice; keep one"),
    "start": (kafka("start: now"), ".kafka.start: is 'now'; must be 'earliest' or 'latest'"),
    "dead letters nowhere": (
        kafka("dead_letters: {}"),
        ".kafka.dead_letters: has none of file and topic; must have one",
    ),
    "dead letters twice": (
        kafka("dead_letters: {file: d, topic: t}"),
        ".kafka.dead_letters: has both of file and topic; must have one",
    ),
    "dead letters to itself": (
        kafka("dead_letters: {topic: a}"),
        (
            ".kafka.dead_letters: sends to a, which is read: each would come back for ever; take"
            " another"
        ),
    ),
    "brokers as a setting": (
        kafka("settings: {bootstrap.servers: h}"),
        (
            f".kafka.settings.bootstrap.servers: {OURS}; remove it, and give brokers beside"
            " settings instead"
        ),
    ),
    "positions as a setting": (
        kafka("settings: {enable.auto.commit: true}"),
        (
            f".kafka.settings.enable.auto.commit: {OURS}, which keeps positions in its state;"
            " remove it"
        ),
    ),
    "setting is a list": (
        kafka("settings: {debug: [a]}"),
        ".kafka.settings.debug: is a list; must be text; put it in quotes if it is",
    ),
}


@pytest.mark.parametrize(("source", "expected"), WRONG.values(), ids=WRONG)
def test_wrong_source_is_told(source, expected):
    """A source that is none, or more than one, or wrong within, is told with its place."""
    assert problems_of(source) == [f"sources[0]{expected}"]


@pytest.mark.parametrize("setting", ["group.id", "auto.offset.reset", "metadata.broker.list"])
def test_settings_that_have_a_key_are_refused(setting):
    """What losswatch sets itself cannot be set beside it."""
    (problem,) = problems_of(kafka(f"settings: {{{setting}: x}}"))
    assert f"settings.{setting}: {OURS}; remove it, and give" in problem


TOGETHER = {
    "same path": (
        ["{http: {}}", "{http: {path: /api/v1/events}}"],
        "has the http path /api/v1/events twice; its events would count twice",
    ),
    "same topic on other brokers": (
        [kafka(topics="[a, b]"), "{kafka: {brokers: 'i:1', topics: [b], group: g}}"],
        "has the kafka topic b twice; its events would count twice",
    ),
    "same group": (
        [kafka(), kafka(topics="[b]")],
        "has the kafka group losswatch twice; its events would count twice",
    ),
    "same group by name": (
        [kafka("group: g"), kafka("group: g", topics="[b]"), kafka(topics="[c]")],
        "has the kafka group g twice; its events would count twice",
    ),
    "dead letters that are read": (
        [kafka("dead_letters: {topic: d}"), kafka("group: g", topics="[d]")],
        "sends dead letters to d, which is read; take another topic",
    ),
    "dead letters into a file that is read": (
        [kafka("dead_letters: {file: ./d}"), "{file: d}"],
        "writes dead letters to ./d, which is read; take another file",
    ),
}


@pytest.mark.parametrize(("sources", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_sources_do_not_share(sources, expected):
    """No event is read by two sources."""
    assert problems_of(*sources) == [f"sources: {expected}"]


def test_sources_tell_what_they_are():
    """Each knows its kind, its format and its name for people; a file keeps its path."""
    sources = parse("{file: '-'}", "{file: a.csv.gz}", "{http: {}}", kafka(topics="[a, b]")).sources
    assert [source.kind for source in sources] == ["file", "file", "http", "kafka"]
    assert [source.lines for source in sources] == ["ndjson", "csv", "ndjson", "ndjson"]
    assert [source.title for source in sources] == [
        "stdin",
        "a.csv.gz",
        "http /api/v1/events",
        "kafka a b",
    ]
    assert [source.file for source in sources] == ["-", "a.csv.gz", None, None]


def test_kafka_is_read_as_it_is_meant():
    """Brokers may be one text; settings become text as librdkafka has it; variables are filled."""
    settings = "{security.protocol: '${P}', session.timeout.ms: 6000, check.crcs: true}"
    source = (
        f"{{kafka: {{brokers: 'h:1, [::1]:2', topics: [a.b-c_d], settings: {settings}, "
        "dead_letters: {file: d}}, model: a, fields: {prediction_id: id}, max_line_bytes: 9}"
    )
    found = parse(source, environment={"P": "ssl"}).sources[0].kafka
    assert found.brokers == ["h:1", "[::1]:2"]
    assert (found.group, found.start, found.dead_letters.file) == ("losswatch", "earliest", "d")
    assert found.settings == {
        "security.protocol": "ssl",
        "session.timeout.ms": "6000",
        "check.crcs": "true",
    }


def test_http_has_defaults():
    """An empty mapping is enough."""
    http = parse("{http: {}}").sources[0].http
    assert (http.path, http.max_body_bytes, http.queue) == ("/api/v1/events", 16_777_216, 200_000)


def test_join_has_the_defaults_of_the_core():
    """Without the key, predictions wait as the core has it."""
    assert parse("{file: e}").monitors[0].join.settings == Join()


def test_join_is_read():
    """Durations become seconds; a retention of 0 keeps nothing."""
    monitor = (
        "{model: a, join: {ttl: 1h, pending: 2, retention: 0s, retained: 3, time: prediction}}"
    )
    join = parse("{file: e}", monitor=monitor).monitors[0].join.settings
    assert join == Join(ttl=3600.0, pending=2, retention=0.0, retained=3, time="prediction")


JOINS = {
    "{ttl: 0s}": "ttl: is '0s'; must be more than 0 and at most a century",
    "{ttl: 7}": f"ttl: is 7; {DURATION}",
    "{retention: 0}": f"retention: is 0; {DURATION}; 0s keeps none",
    "{pending: 0}": "pending: is 0; must be at least 1",
    "{retained: many}": "retained: is 'many'; must be a whole number",
    "{time: arrival}": "time: is 'arrival'; must be 'truth' or 'prediction'",
    "{tll: 7d}": (
        "tll: is no key here; did you mean ttl? allowed: ttl, pending, retention, retained, time"
    ),
}


@pytest.mark.parametrize("join", JOINS)
def test_wrong_join_is_told(join):
    """A join that cannot be used is told with its key."""
    monitor = f"{{model: a, join: {join}}}"
    assert problems_of("{file: e}", monitor=monitor) == [f"monitors[0].join.{JOINS[join]}"]


def test_state_is_text():
    """The state is a path; an empty one is none."""
    text = "version: 1\nstate: {}\nmonitors: [{{model: a}}]\nsources: [{{file: e}}]\n"
    assert parse_config(text.format("a.db"), environment={}).state == "a.db"
    with pytest.raises(ConfigError, match="line 2: state: is ''; must not be empty"):
        parse_config(text.format("''"), environment={})
