"""``losswatch run`` as a user starts it, with real signals."""

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
from servers import answers, fetch, free_port, wait_for

LINES = [
    b'{"y_true": 10, "y_pred": 10}\n',
    b'{"y_true": 11, "y_pred": 12}\n',
    b'{"y_true": 12, "y_pred": 14}\n',
    b'{"y_true": 13, "y_pred": 11}\n',
]


@contextmanager
def service(folder, config, stdin=subprocess.DEVNULL, *options):
    """Start the service on a free port and wait until it is ready."""
    address = f"127.0.0.1:{free_port()}"
    (folder / "losswatch.yml").write_text(config)
    command = [
        sys.executable,
        "-m",
        "losswatch",
        "run",
        str(folder / "losswatch.yml"),
        "--web.listen-address",
        address,
        *options,
    ]
    running = subprocess.Popen(command, stdin=stdin, stderr=subprocess.PIPE)
    try:
        wait_for(lambda: answers(f"http://{address}/-/ready"), about="for the service")
        yield running, f"http://{address}/"
    finally:
        running.kill()
        running.wait(10)
        running.stderr.close()
        if running.stdin:
            running.stdin.close()


def metric(url, name) -> float | None:
    found = re.search(
        rf"^{re.escape(name)} (\S+)$", fetch(url + "metrics")[2].decode(), re.MULTILINE
    )
    return float(found[1]) if found else None


FOLLOW = "version: 1\nmonitors: [{model: eta}]\nsources: [{file: events.ndjson, follow: true}]\n"
MSE = 'losswatch_mse{model="eta",window="lifetime"}'
EVENTS = 'losswatch_events{model="eta",window="lifetime"}'


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_follows_a_file_until_it_is_told_to_stop(tmp_path, number):
    """Lines count as they are appended; a signal ends it cleanly with what was seen."""
    events = tmp_path / "events.ndjson"
    with service(tmp_path, FOLLOW) as (running, url):
        assert metric(url, EVENTS) == 0
        assert metric(url, MSE) is None
        with events.open("ab", buffering=0) as file:
            file.write(LINES[0] + LINES[1] + LINES[2][:10])
            wait_for(lambda: metric(url, EVENTS) == 2, about="for two events")
            file.write(LINES[2][10:] + LINES[3] + b"oops\n")
            wait_for(lambda: metric(url, EVENTS) == 4, about="for four events")
        assert metric(url, MSE) == 2.25
        running.send_signal(number)
        assert running.wait(10) == 0
        errors = running.stderr.read().decode()
    assert errors.splitlines()[-1] == (
        f"losswatch: stopped by {number.name} after 4 events, 1 refused; eta n=4 rmse=1.5"
    )
    assert "events.ndjson line 5 refused: " in errors
    assert "Traceback" not in errors


def test_follows_through_rotation(tmp_path):
    """A renamed file is read to its end and the new one from its beginning."""
    events = tmp_path / "events.ndjson"
    events.write_bytes(LINES[0])
    with service(tmp_path, FOLLOW) as (_, url):
        wait_for(lambda: metric(url, EVENTS) == 1, about="for the first event")
        with events.open("ab", buffering=0) as old:
            events.rename(tmp_path / "events.1")
            old.write(LINES[1])
            events.write_bytes(LINES[2])
            wait_for(lambda: metric(url, EVENTS) == 3, about="for the rotated file")
        events.write_bytes(b'{"y_true":13,"y_pred":11}\n')  # shorter: it was emptied
        wait_for(lambda: metric(url, EVENTS) == 4, about="for the emptied file")
        assert metric(url, MSE) == 2.25


def test_reads_standard_input_and_goes_on_serving(tmp_path):
    """A pipe is taken as it comes; after its end the cost stays on the page."""
    config = "version: 1\nmonitors: [{model: eta}]\nsources: [{file: '-'}]\n"
    with service(tmp_path, config, subprocess.PIPE) as (running, url):
        running.stdin.write(LINES[0] + LINES[1])
        running.stdin.flush()
        wait_for(lambda: metric(url, EVENTS) == 2, about="for what was piped")
        running.stdin.write(LINES[2] + LINES[3].rstrip())
        running.stdin.close()
        wait_for(lambda: metric(url, EVENTS) == 4, about="for the rest")
        assert metric(url, MSE) == 2.25


def test_survives_every_bad_line(tmp_path):
    """Bad input of all kinds is counted by its reason; the good lines around it count."""
    good = LINES[0]
    bad = {
        "not_finite": [
            b'{"y_true": NaN, "y_pred": 1}',
            b'{"y_true": 1, "y_pred": Infinity}',
            b'{"y_true": 1e400, "y_pred": 1}',
        ],
        "wrong_type": [
            b'{"y_true": "1", "y_pred": 1}',
            b'{"y_true": true, "y_pred": 1}',
            b'{"y_true": [1], "y_pred": 1}',
            b"[1, 2]",
            b'{"y_true": {"a": 1}, "y_pred": {"a": 1}}',
        ],
        "missing_field": [b'{"y_true": null, "y_pred": 1}', b'{"y_pred": 1}'],
        "empty_line": [b"", b"   "],
        "invalid_json": [b'{"y_true": 1, "y_p', b"hello"],
        "line_too_long": [b'{"y_true": 1, "y_pred": 1, "x": "' + b"x" * 10_000_000 + b'"}'],
        "invalid_utf8": [b'{"y_true": 1, "y_pred": 1, "x": "\xff"}'],
        "negative_weight": [b'{"y_true": 1, "y_pred": 1, "w": -1}'],
        "overflow": [b'{"y_true": 1e200, "y_pred": 0}'],
        "too_deep": [b'{"y_true": 1, "y_pred": ' + b"[" * 200_000 + b"}"],
        "unknown_model": [b'{"model": "other", "y_true": 1, "y_pred": 1}'],
    }
    lines = [line + b"\n" for kind in bad.values() for line in kind]
    (tmp_path / "events.ndjson").write_bytes(b"".join(good + line for line in lines) + good)
    (tmp_path / "wrong.csv").write_bytes(b"a,b\n1,2\n3,4\n")
    config = FOLLOW.replace("follow: true}", "follow: true}, {file: wrong.csv}")
    with service(tmp_path, config) as (running, url):
        wait_for(lambda: metric(url, EVENTS) == len(lines) + 1, about="for the good lines")
        page = fetch(url + "metrics")[2].decode()
        running.terminate()
        running.wait(10)
        errors = running.stderr.read().decode()
    counted: dict[str, float] = {}
    for reason, count in re.findall(r'rejected_events_total\{.*reason="(.*)"\} (\S+)', page):
        counted[reason] = counted.get(reason, 0) + float(count)
    wanted = {reason: len(kind) for reason, kind in bad.items()} | {"wrong_header": 3}
    assert {reason: count for reason, count in counted.items() if count} == wanted
    assert "Traceback" not in errors
    assert max(map(len, errors.splitlines())) < 600


def test_a_missing_file_ends_the_run(tmp_path, losswatch_command):
    """A file that is read once must be there: code 1 and its name."""
    path = tmp_path / "losswatch.yml"
    path.write_text(
        "version: 1\nlisten: 127.0.0.1:0\nmonitors: [{model: m}]\nsources: [{file: no.csv}]\n"
    )
    result = losswatch_command("run", path)
    assert result.returncode == 1
    assert f"losswatch: {tmp_path / 'no.csv'}: cannot be opened: ".encode() in result.stderr


def test_a_wrong_config_ends_the_run(tmp_path, losswatch_command):
    """A bad config: code 2 and every problem."""
    path = tmp_path / "losswatch.yml"
    path.write_text("version: 1\n")
    result = losswatch_command("run", path)
    assert result.returncode == 2
    assert b"monitors: is missing" in result.stderr
    assert b"sources: is missing" in result.stderr


@pytest.mark.parametrize("kind", ["pipe", "folder"])
def test_what_is_no_file_ends_the_run(kind, tmp_path, losswatch_command):
    """A named pipe or a folder would block the other sources: it is refused at the start."""
    path = tmp_path / "odd"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    config = tmp_path / "losswatch.yml"
    config.write_text(
        "version: 1\nlisten: 127.0.0.1:0\nmonitors: [{model: m}]\nsources: [{file: odd}]\n"
    )
    result = losswatch_command("run", config)
    assert result.returncode == 1
    assert f"losswatch: {path}: is no regular file".encode() in result.stderr
