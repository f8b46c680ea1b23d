"""What an event costs a worker process, and how many events its owner takes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.pairs import Pair, Table, show

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESSES = 4
EVENTS = 200_000

CALLS = """
import json, sys, time
import losswatch
from prometheus_client import Histogram

eta = losswatch.connect(sys.argv[1], model="eta")
loss = Histogram("loss", "L2 loss.", ["model", "city"])
cities = {"oslo": {"city": "oslo"}, "rome": {"city": "rome"}}

def plain(n):
    for _ in range(n):
        eta.update(10.0, 12.5)

def labelled(n):
    for _ in range(n):
        eta.update(10.0, 12.5, segment=cities["oslo"])

def predicted(n):
    for _ in range(n):
        eta.predicted("trip 12345", 12.5)

def observe(n):
    for _ in range(n):
        loss.labels("eta", "oslo").observe((10.0 - 12.5) ** 2)

def timed(call, n=2000):
    start = time.perf_counter()
    call(n)
    return (time.perf_counter() - start) / n

found = {}
for call in (plain, labelled, predicted):
    rounds = []
    for _ in range(30):
        rounds.append((timed(call), timed(observe)))
        eta.flush(60.0)  # so that the thread that sends is not timed, but rests
    found[call.__name__] = list(zip(*rounds[1:]))
for call in (plain, labelled):
    start = time.process_time()
    for _ in range(50):
        call(4000)
        eta.flush(60.0)
    found["cpu " + call.__name__] = (time.process_time() - start) / 200_000
print(json.dumps(found))
"""
"""Prints seconds an event, of ours and of the peer, whose file all workers have mapped."""

SENDING = """
import sys
import losswatch
eta = losswatch.connect(sys.argv[1], model="eta", buffer=10**6)
cities = [{"city": city} for city in ("oslo", "rome", "lima", "kyiv")]
eta.flush(60.0)
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[2])):
    eta.update(10.0, float(number % 97), segment=cities[number & 3])
eta.flush(600.0)
"""

NOTE = f"""\
The calls alone, in rounds of 2,000, beside `Histogram.labels(...).observe` of prometheus-client in
its mode for several processes. "With sending" is the processor time of the whole worker, its thread
too. The owner counts what {PROCESSES} processes send as fast as they can, with segments and a state
on disk, until all of it is acknowledged; on a machine with {os.cpu_count()} cores."""


def measure() -> Table:
    """Time the calls of one worker, then all that several can send."""
    with tempfile.TemporaryDirectory() as name, owner(Path(name)) as socket:
        found = json.loads(_run(CALLS, socket, PROMETHEUS_MULTIPROC_DIR=name))
        seconds = _send(socket)
    rows = []
    for call, what in (
        ("plain", "`update`"),
        ("labelled", "`update` with a segment"),
        ("predicted", "`predicted`"),
    ):
        pair = Pair(*found[call])
        ours, theirs = pair.median(1e-9)
        cpu = found.get(f"cpu {call}")
        rows.append((what, ours, "" if cpu is None else show(cpu * 1e9), theirs, pair.ratio))
    rate = PROCESSES * EVENTS / seconds
    rows.append((f"the owner: {show(rate / 1000)} thousand events a second", "", "", "", ""))
    header = ("what", "ns a call", "with sending", "peer, ns", "ratio")
    return Table("What does an event cost a worker?", header, rows, NOTE)


@contextmanager
def owner(folder: Path) -> Iterator[str]:
    """Run an owner; yield its socket."""
    socket = folder / "losswatch.sock"
    (folder / "losswatch.yml").write_text(
        "version: 1\nlisten: 127.0.0.1:0\nstate: losswatch.db\n"
        "monitors: [{model: eta, segments: {labels: [city]}}]\n"
        "sources: [{socket: {path: losswatch.sock}}]\n"
    )
    command = [sys.executable, "-m", "losswatch", "run", str(folder / "losswatch.yml")]
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.05)
        yield str(socket)
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait(30)


def _run(code: str, *arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def _send(socket: str) -> float:
    """Return the seconds until all that some processes send is acknowledged."""
    command = [sys.executable, "-c", SENDING, socket, str(EVENTS)]
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(PROCESSES)
    ]
    for worker in workers:
        assert worker.stdout is not None
        worker.stdout.readline()
    start = time.perf_counter()
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.wait()
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.communicate()
    return seconds
