"""The config is loaded again while the service runs: what changes, what goes on, what is told."""

from __future__ import annotations

import itertools
import random
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest
from killing import Service
from running import Running
from sending import Client, Posting, all_sent
from servers import fetch, wait_for

PAIR = {"y_true": 10, "y_pred": 12}
HTTP = "sources: [{http: {}}]\n"
LIVE = "web: {enable_lifecycle: true}\n"
SUCCESS = "losswatch_config_last_reload_successful"


def config(monitors: str = "[{model: eta, windows: [1h]}]", rest: str = HTTP, web: str = LIVE):
    return f"version: 1\n{web}monitors: {monitors}\n{rest}"


def reload(url: str, method: str = "POST", **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(f"{url}/-/reload", method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def change(running: Running, text: str, method: str = "POST") -> str:
    """Write another config and have it loaded; return what was said."""
    running.config.write_text(text)
    status, said = reload(running.url, method)
    assert status == 200, said
    return said


@pytest.fixture(params=["", "state: a.db\n"], ids=["memory", "file"])
def running(request, tmp_path):
    """A service without and with a file for its state."""
    with Running(tmp_path, request.param + config()) as service:
        service.state = request.param
        yield service


def test_models_come_change_and_go(running):
    """What was counted goes on under the new config, as after a restart."""
    begin = running.state
    assert running.post("events", PAIR)[0] == 200
    assert change(running, begin + config("[{model: eta, windows: [1h]}, {model: b}]"), "PUT")
    assert running.post("events", PAIR | {"model": "b"}, PAIR | {"model": "eta"})[0] == 200
    assert {cost["model"]: cost["n"] for cost in running.costs()} == {"eta": 2, "b": 1}
    change(running, begin + config("[{model: eta, windows: [1h, 7m]}]"))
    assert running.post("events", PAIR | {"model": "b"})[0] == 422
    assert running.post("events", PAIR)[2]["accepted"] == 1
    assert {window: running.costs(window)[0]["n"] for window in ("lifetime", "1h", "7m")} == {
        "lifetime": 3,
        "1h": 3,
        "7m": 1,
    }
    assert running.metric(SUCCESS) == 1


def test_a_model_that_went_is_in_the_state(tmp_path):
    """A model that is watched again goes on; and all is as a restart finds it."""
    both, one = (config(m) for m in ("[{model: a}, {model: b}]", "[{model: a}]"))
    with Running(tmp_path, "state: a.db\n" + both) as service:
        service.post("events", *[PAIR | {"model": model} for model in "aabbb"])
        change(service, "state: a.db\n" + one)
        assert [cost["model"] for cost in service.costs()] == ["a"]
        service.post("events", PAIR)
        change(service, "state: a.db\n" + both.replace("{model: b}", "{model: b, windows: [2h]}"))
        service.post("events", PAIR | {"model": "b"})
        before = service.costs()
        assert {cost["model"]: cost["n"] for cost in before} == {"a": 3, "b": 4}
        service.kill()
        service.start()
        assert service.costs() == before


def test_what_did_not_change_goes_on(running):
    """The counters of a model whose monitor is the same do not start anew; those of another do."""
    begin, counter = running.state, 'losswatch_l2_loss_count{model="eta"}'
    running.post("events", PAIR)
    assert running.metric(counter) == 1
    change(running, begin + config("[{model: eta, windows: [1h]}, {model: b}]"))
    assert running.metric(counter) == 1
    change(running, begin + config("[{model: eta, windows: [2h]}, {model: b}]"))
    assert running.metric(counter) == 0
    assert running.metric('losswatch_lifetime_events{model="eta"}') == 1


BAD = {
    "unknown key": (config().replace("monitors", "monitor"), "monitor: is no key here"),
    "no YAML": ("a: [", "is no valid YAML"),
    "empty": ("", "is empty"),
    "a source that is not there": (
        config(rest="sources: [{file: no.csv}]\n"),
        "no.csv: cannot be opened",
    ),
    "other segments": (config("[{model: eta, segments: {labels: [a]}}]"), "segments"),
    "other outputs": (config("[{model: eta, outputs: [a, b]}]"), "outputs"),
    "no certificate": (
        config(web="web: {tls_server_config: {cert_file: a.pem, key_file: a.key}}\n"),
        "a.pem: No such file",
    ),
    "no users": (config(web="web: {basic_auth_users_file: users}\n"), "users: cannot be read"),
}


def test_a_bad_config_changes_nothing(running):
    """The answer has every problem, the metric is 0, and the config of before goes on."""
    good = running.config.read_text()
    when = "losswatch_config_last_reload_success_timestamp_seconds"
    for count, (text, message) in enumerate(BAD.values(), 1):
        before = running.metric(when)
        running.config.write_text(f"{running.state if text else ''}{text}")
        status, said = reload(running.url)
        assert (status, message in said) == (500, True), said
        assert (running.metric(SUCCESS), running.metric(when)) == (0, before)
        assert message in running.log.read_text()
        assert running.post("events", PAIR)[0] == 200
        assert [cost["n"] for cost in running.costs()] == [count]
        change(running, good)
        assert running.metric(SUCCESS) == 1
        assert running.metric(when) > before


def test_a_signal_does_the_same(tmp_path):
    """SIGHUP loads the config, bad and good, also where HTTP may not."""
    with Running(tmp_path, config(web="")) as service:
        status, said = reload(service.url)
        assert (status, "set web: {enable_lifecycle: true}" in said) == (403, True)
        service.post("events", PAIR)
        service.config.write_text("version: 7\n")
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: service.metric(SUCCESS) == 0, about="for the bad one")
        service.config.write_text(config("[{model: eta, windows: [3h]}]", web=""))
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: service.metric(SUCCESS) == 1, about="for the good one")
        assert [cost["n"] for cost in service.costs("3h")] == [0]
        assert [cost["n"] for cost in service.costs()] == [1]
        service.config.write_text(config("[{model: eta, windows: [3h]}]"))
        service.process.send_signal(signal.SIGHUP)
        wait_for(lambda: reload(service.url)[0] == 200, about="for the lifecycle")
        assert reload(service.url, **{"Sec-Fetch-Site": "cross-site"})[0] == 403
        for origin, status in (("http://example.org", 403), ("null", 403), (service.url, 200)):
            assert reload(service.url, Origin=origin)[0] == status
        assert reload(service.url, "GET")[0] == 405


def test_what_takes_a_restart_is_told(tmp_path):
    """Address and state stay as they are, and the answer says so."""
    with Running(tmp_path, "state: a.db\n" + config()) as service:
        service.post("events", PAIR)
        probes = LIVE.replace("}", ", probe_listen: '127.0.0.1:1'}")
        said = change(service, "state: b.db\n" + config("[{model: eta}, {model: b}]", web=probes))
        assert said.splitlines() == [
            "the config was loaded",
            "state: a.db stays until a restart, then it is b.db",
            "web.probe_listen: None stays until a restart, then it is 127.0.0.1:1",
        ]
        assert sum(cost["n"] for cost in service.costs()) == 1
    assert not (tmp_path / "b.db").exists()


def test_sources_come_and_go(running, tmp_path):
    """Files go on where they were read to, whatever else changes; a path that went is 404."""
    begin = running.state
    line = b'{"y_true": 1, "y_pred": 2}\n'
    events = tmp_path / "events.ndjson"
    events.write_bytes(line * 3)
    follow = "sources: [{file: events.ndjson, follow: true%s}]\n"

    def counted(count: int) -> None:
        wait_for(lambda: running.costs()[0]["n"] == count, about=f"for {count} events")

    change(running, begin + config(rest=follow % ""))
    counted(3)
    assert fetch(f"{running.url}/api/v1/events")[0] == 404
    change(running, begin + config(rest=follow % ", max_line_bytes: 1000"))
    with events.open("ab") as file:
        file.write(line * 2)
    counted(5)
    change(running, begin + config())
    with events.open("ab") as file:
        file.write(line)
    assert running.post("events", PAIR)[0] == 200
    change(running, begin + config(rest=follow % ""))
    counted(7)
    change(running, begin + config("[{model: eta, windows: [2h]}]", rest=follow % ""))
    with events.open("ab") as file:
        file.write(line)
    counted(8)


def texts(service: Service) -> list[str]:
    """Return configs that change monitors, sources and limits, of the same models."""
    base = service.config.read_text().replace("monitors:", f"{LIVE}monitors:")
    return [
        base,
        base.replace("windows: [5m]", "windows: [7m, {events: 10}]"),
        base.replace("{http: {}}", "{http: {queue: 5000}}"),
        base.replace("windows: [1h, {events: 50}]", "windows: []"),
        base.replace("{labels: [city]}", "{labels: [city], limit: 500}"),
        "version: 1\n",
    ]


@pytest.fixture
def loaded(tmp_path):
    """A service under load; afterwards every event must count once."""
    service = Service(tmp_path, "{http: {}}")
    all_texts = texts(service)
    service.config.write_text(all_texts[0])
    service.start()
    service.wait()
    stop = threading.Event()
    clients = [Client(seed, stop, Posting(service.url)) for seed in range(3)]
    try:
        for client in clients:
            client.start()
        yield service, all_texts
        sent = all_sent(clients, stop)
        assert len(sent) > 500
        service.check(sent)
        service.kill()
        service.start()
        service.wait()
        service.check(sent)
    finally:
        stop.set()
        service.kill()


def test_reloads_lose_nothing_and_count_nothing_twice(loaded):
    """Clients send through 21 reloads, by HTTP and by signal: what they were told is true."""
    service, all_texts = loaded
    for number, text in zip(range(21), itertools.cycle(all_texts), strict=False):
        service.config.write_text(text)
        if number % 3:
            wanted = 500 if text == all_texts[-1] else 200
            assert reload(service.url)[0] == wanted
        else:
            service.process.send_signal(signal.SIGHUP)
        time.sleep(0.15)
    service.config.write_text(all_texts[0])
    assert reload(service.url)[0] == 200


def test_a_kill_in_the_middle_of_a_reload_is_like_any_other(loaded):
    """Killed at random moments around reloads, it goes on with all that was acknowledged."""
    service, all_texts = loaded
    draw = random.Random(5)
    for _ in range(6):
        service.config.write_text(draw.choice(all_texts[:-1]))
        service.process.send_signal(signal.SIGHUP)
        time.sleep(draw.uniform(0.0, 0.12))
        service.kill()
        service.start()
        service.wait()
        time.sleep(draw.uniform(0.0, 0.3))


@pytest.mark.parametrize("state", ["", "state: a.db\n"], ids=["memory", "file"])
def test_what_was_read_to_its_end_is_not_read_again(tmp_path, state):
    """A file that has ended stays so, also where its keys change; a pipe is read on."""
    (tmp_path / "old.ndjson").write_bytes(b'{"y_true": 1, "y_pred": 2}\n' * 3)
    rest = "sources: [{file: old.ndjson%s}, {file: '-'%s}, {http: {}}]\n"
    first = state + config(rest=rest % ("", ""))
    service = Running(tmp_path, first)
    service.start(stdin=subprocess.PIPE)
    pipe = service.process.stdin
    try:
        for count, text in enumerate(
            [
                first,
                state + config("[{model: eta, windows: [5m]}]", rest=rest % ("", "")),
                state + config(rest=rest % (", max_line_bytes: 99", ", max_line_bytes: 98")),
                state + config("[{model: eta, windows: []}]", rest=rest % ("", "")),
            ],
            4,
        ):
            change(service, text)
            pipe.write(b'{"y_true": 1, "y_pred": 2, "time": 1}\n')
            pipe.flush()
            wait_for(lambda count=count: service.costs()[0]["n"] == count, about=f"for {count}")
        assert "standard input is read as before until a restart" in service.log.read_text()
    finally:
        pipe.close()
        service.kill()


def test_topics_go_on_where_they_were_read_to(kafka, tmp_path):
    """Through reloads that leave the source alone, and others that open it anew."""
    producing = pytest.importorskip("producing")
    kinds = producing.topics(kafka, 2)
    service = Service(tmp_path, producing.source(kafka, kinds))
    base = service.config.read_text().replace("monitors:", f"{LIVE}monitors:")
    all_texts = [
        base,
        base.replace("windows: [5m]", "windows: [7m]"),
        base.replace('{"kafka":', '{"max_line_bytes": 100000, "kafka":'),
    ]
    assert len(set(all_texts)) == 3
    service.config.write_text(base)
    stop = threading.Event()
    way = producing.Producing(kafka, kinds, 2, 1)
    client = Client(1, stop, way, once=way)
    service.start()
    try:
        service.wait()
        client.start()
        for text in all_texts[1:] + all_texts:
            time.sleep(1.0)
            service.config.write_text(text)
            assert reload(service.url)[0] == 200
        service.check(all_sent([client], stop))
    finally:
        stop.set()
        service.kill()
