"""The worker's side: a call is never refused for nothing, never waits, and loses nothing."""

import os
import subprocess
import sys
import threading
import time

import pytest
from servers import wait_for
from working import Owner

import losswatch
from losswatch.core.monitor import Monitor
from losswatch.errors import RejectedEvent
from losswatch.workers.outbox import BATCH


def test_events_come_as_they_were_told(connection, owner):
    """Both sides, weights, labels, times and ids; refusals are told with their reason."""
    assert connection.update(10, 12.0, segment={"city": "oslo"}) == 4.0
    assert connection.update(1.0, 2.0, 0.5, time=1_700_000_000.0) == 1.0
    connection.predicted("a", 3.0, 2.0, segment={"city": "rome"})
    connection.observed(7, 4)
    with pytest.raises(RejectedEvent, match="y_pred is 'x'; must be a number"):
        connection.update(1.0, "x")
    assert connection.flush(10)
    nan = pytest.approx(float("nan"), nan_ok=True)
    assert owner.events == [
        ("eta", 10.0, 12.0, 1.0, "oslo"),
        ("eta", 1.0, 2.0, 0.5, None),
        ("eta", nan, 3.0, 2.0, "rome"),
        ("eta", 4.0, nan, 1.0, None),
    ]
    assert [(refusal.reason, refusal.model) for refusal in owner.refused] == [("wrong_type", "eta")]


def test_several_outputs_come_as_they_were_told(connection, owner):
    """As dicts, between events of one output."""
    losses = connection.update({"lat": 1.0, "lon": 2.0}, {"lat": 2, "lon": 4.0}, 0.5)
    assert losses == {"lat": 1.0, "lon": 4.0}
    connection.update(1.0, 1.0)
    connection.predicted("a", {"lat": 1.0, "lon": 0.1}, segment={"city": "oslo"})
    assert connection.flush(10)
    assert len(owner.events) == 1
    whole, predicted = owner.several
    assert whole[:4] == ("eta", {"lat": 1.0, "lon": 2.0}, {"lat": 2.0, "lon": 4.0}, 0.5)
    assert predicted.y_true is None
    assert (predicted.y_pred, predicted.prediction_id) == ({"lat": 1.0, "lon": 0.1}, "a")
    assert predicted.segment == {"city": "oslo"}


CALLS = {
    "NaN": ("update", (float("nan"), 1.0), {}),
    "text": ("update", ("1", 1.0), {}),
    "none": ("update", (None, 1.0), {}),
    "overflow": ("update", (1e200, -1e200), {}),
    "weight": ("update", (1.0, 2.0, -1.0), {}),
    "weight is text": ("update", (1.0, 2.0, "1"), {}),
    "weighted overflow": ("update", (1e150, 0.0, 1e10), {}),
    "time": ("update", (1.0, 2.0), {"time": -1.0}),
    "time in milliseconds": ("update", (1.0, 2.0), {"time": 1.7e12}),
    "label": ("update", (1.0, 2.0), {"segment": {"city": ""}}),
    "label is true": ("update", (1.0, 2.0), {"segment": {"city": True}}),
    "labels are text": ("update", (1.0, 2.0), {"segment": "oslo"}),
    "id": ("predicted", ("", 1.0), {}),
    "long id": ("predicted", ("x" * 257, 1.0), {}),
    "prediction": ("predicted", ("a", float("inf")), {}),
    "weight of a prediction": ("predicted", ("a", 1.0, -1.0), {}),
    "truth": ("observed", ("a", "x"), {}),
    "time of a truth": ("observed", ("a", 1.0), {"time": "now"}),
}


@pytest.mark.parametrize(("call", "values", "more"), CALLS.values(), ids=CALLS)
def test_what_a_monitor_refuses_is_refused_here(connection, call, values, more):
    """At once, and for the same reason."""
    monitor = Monitor("eta", segments=losswatch.Segments(("city",)))
    connection.update(1.0, 2.0, segment={"city": 1})  # which is no reason to know True
    raised = []
    for each in (monitor, connection):
        with pytest.raises(RejectedEvent) as caught:
            getattr(each, call)(*values, **more)
        raised.append(caught.value.reason)
    assert raised[0] == raised[1]
    assert len(connection._outbox) == 1


def test_events_wait_for_an_owner_that_comes_later(connection, path, caplog):
    """They are told once it is there; meanwhile a call takes them, and the log says why once."""
    connection.update(1.0, 2.0)
    assert not connection.flush(0.5)
    assert caplog.text.count("must run; events wait in memory meanwhile") == 1
    with pytest.raises(losswatch.LosswatchError, match=r"must run$"):
        connection.page()
    owner = Owner(path)
    with owner.serving():
        assert connection.flush(10)
    assert len(owner.events) == 1
    owner.close()


def test_what_has_no_room_is_dropped_and_told(path):
    """The first ones are kept; how many were dropped is told when the owner is there."""
    connection = losswatch.connect(path, "eta", buffer=10)
    for number in range(2 * BATCH):
        connection.update(float(number), 0.0)
    wait_for(lambda: connection._outbox._dropped or len(connection._outbox) == 0)
    owner = Owner(path)
    with owner.serving():
        assert not connection.flush(10)  # what it says once
        connection.update(0.0, 0.0)
        assert connection.flush(10)
        wait_for(lambda: len(owner.events) + owner.source.tally().dropped == 2 * BATCH + 1)
    assert owner.source.tally().dropped > BATCH
    connection.close()
    connection.update(1.0, 1.0)  # is dropped: nobody sends it
    assert not connection.flush()
    owner.close()


def test_a_signal_handler_may_tell_events_at_any_moment(path):
    """Also while the one it interrupts wakes the thread that sends: nothing there may wait."""
    code = (
        "import losswatch, signal, sys\n"
        "c = losswatch.connect(sys.argv[1], 'eta', buffer=10**6)\n"
        "handled = []\n"
        "def handle(*_):\n"
        "    c.update(1.0, 2.0)\n"
        "    handled.append(1)\n"
        "signal.signal(signal.SIGALRM, handle)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)\n"
        "while len(handled) < 500:\n"
        "    c.update(1.0, 2.0)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0)\n"
        "c.close(0.0)\n"
    )
    command = [sys.executable, "-c", code, str(path)]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def test_a_child_sends_its_own_and_nothing_of_its_parent(connection, path):
    """What waits at a fork is sent by the parent alone; both go on, as two sessions."""
    connection.update(1.0, 0.0)
    assert not connection.flush(0.2)
    child = os.fork()
    if child == 0:
        try:
            connection.update(2.0, 0.0)
            os._exit(0 if connection.flush(10) else 1)
        finally:
            os._exit(2)
    connection.update(3.0, 0.0)
    owner = Owner(path)
    with owner.serving():
        assert connection.flush(10)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert sorted(event[1] for event in owner.events) == [1.0, 2.0, 3.0]
    assert len(owner.position["sessions"]) == 2
    owner.close()


def test_forks_while_events_are_sent_lose_and_double_nothing(connection, owner):
    """Children are made between the steps of a busy parent; each has its own."""
    stop = threading.Event()
    told = []

    def tell():
        while not stop.is_set():
            connection.update(1.0, 0.0)
            told.append(1)
            time.sleep(0.0002)

    thread = threading.Thread(target=tell)
    thread.start()
    codes = []
    for _ in range(8):
        if (child := os.fork()) == 0:
            try:
                connection.update(2.0, 0.0)
                os._exit(0 if connection.flush(10) else 1)
            finally:
                os._exit(2)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    stop.set()
    thread.join()
    assert connection.flush(10)
    assert codes == [0] * 8
    values = [event[1] for event in owner.events]
    assert (values.count(1.0), values.count(2.0)) == (len(told), 8)


def test_threads_that_tell_at_once_lose_nothing(connection, owner):
    """Events of many threads, while they are taken out to be sent."""

    def tell(number):
        for _ in range(5000):
            connection.update(float(number), 0.0)

    threads = [threading.Thread(target=tell, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert connection.flush(20)
    assert len(owner.events) == 30_000


def test_the_end_of_a_process_sends_what_waits(owner, path):
    """Without a flush; and it ends soon where nobody takes it."""
    code = "import losswatch; c = losswatch.connect({!r}, 'eta'); c.update(1.0, 2.0)"
    subprocess.run([sys.executable, "-c", code.format(str(path))], check=True, timeout=30)
    assert len(owner.events) == 1
    assert owner.source.sessions.position({}) == {"sessions": {}}  # it said goodbye
    done = subprocess.run(
        [sys.executable, "-c", code.format("nobody")],
        check=True,
        timeout=30,
        capture_output=True,
        text=True,
    )
    assert "gave up after 2 s; events are lost" in done.stderr


@pytest.mark.parametrize(("model", "buffer"), [("", 1), (7, 1), ("a", 0)])
def test_a_connection_that_cannot_be_is_refused(path, model, buffer):
    """At once, with what is wrong."""
    with pytest.raises(ValueError, match="must be"):
        losswatch.connect(path, model, buffer=buffer)
