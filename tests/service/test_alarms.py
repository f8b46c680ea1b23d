"""Alarms of the service: over restarts, acknowledged safely, in the log."""

import logging

import pytest
from keeping import START, Clock, event, keeper_of, round_of

from losswatch.errors import StoreError
from losswatch.service.alarm_log import AlarmLog

BUDGET = {
    "kind": "budget",
    "max_rmse": 2.0,
    "one_false_alarm_per": "1000 events",
    "block": 10,
    "per_segment": True,
}
ETA = {"model": "eta", "alarms": [BUDGET], "segments": {"labels": ["city"]}}
PLACES = ("oslo", "rome")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.db"


def feed(keeper, error: float, n: int = 60, city: str = "rome") -> None:
    for _ in range(n // 20):
        events = [event(error, model="eta", segment={"city": city}) for _ in range(20)]
        keeper.take(round_of(*events))


def shown(keeper) -> list:
    """Return all that the alarms show."""
    (monitor,) = keeper.monitors
    (watch,) = monitor.snapshot(START).alarms.watches
    return [
        column.tolist()
        for column in (watch.active, watch.evidence, watch.since, watch.since_change, watch.seen)
    ]


def active(keeper) -> bool:
    return any(any(row) for row in shown(keeper)[0])


@pytest.mark.parametrize("how", ["journal", "snapshot"])
def test_alarms_go_on_after_a_restart(path, how):
    """What is on stays on, evidence goes on at the same bit; only the counter begins at 0."""
    keeper = keeper_of(path, ETA)
    keeper.restore()
    feed(keeper, 1.5, city="oslo")
    feed(keeper, 99.0)
    feed(keeper, 2.2, 20, city="oslo")
    before = shown(keeper)
    assert active(keeper)
    if how == "snapshot":
        keeper.snapshot()
    keeper.close()
    keeper = keeper_of(path, ETA)
    keeper.restore()
    assert shown(keeper) == before
    (monitor,) = keeper.monitors
    assert monitor.alarm_changes() == []
    assert not monitor.snapshot().alarms.watches[0].raised.any()
    keeper.close()


def test_an_acknowledgement_is_there_after_a_restart(path):
    """It has its place among the events: those after it count, those before it do not."""
    keeper = keeper_of(path, ETA)
    keeper.restore()
    feed(keeper, 99.0)
    assert keeper.acknowledge("eta", "budget", {"city": "rome"}) == 1
    assert not active(keeper)
    feed(keeper, 2.5, 40)
    before = shown(keeper)
    keeper.close()
    keeper = keeper_of(path, ETA)
    keeper.restore()
    assert shown(keeper) == before
    assert not active(keeper)
    keeper.close()


def test_an_acknowledgement_that_cannot_be_written_changes_nothing(path, monkeypatch):
    """The disk is full: the alarm stays on, also after a restart."""
    keeper = keeper_of(path, ETA)
    keeper.restore()
    feed(keeper, 99.0)

    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(keeper._store, "append", full)
        with pytest.raises(StoreError, match="the disk is full"):
            keeper.acknowledge("eta", "budget", None)
    with pytest.raises(KeyError, match="no alarm 'x'"):
        keeper.acknowledge("eta", "x", None)
    assert active(keeper)
    keeper.close()
    keeper = keeper_of(path, ETA)
    keeper.restore()
    assert active(keeper)
    keeper.close()


@pytest.mark.parametrize(
    ("change", "note"),
    [
        ({"model_version": "2"}, "the version of the model is '2', it was ''"),
        ({"alarms": [BUDGET | {"max_rmse": 3.0}]}, "the alarm budget is new or was declared"),
    ],
)
def test_another_alarm_or_model_begins_anew(path, caplog, change, note):
    """It is off, and the log says why; the costs go on."""
    keeper = keeper_of(path, ETA)
    keeper.restore()
    feed(keeper, 99.0)
    keeper.close()
    keeper = keeper_of(path, ETA | change)
    with caplog.at_level(logging.WARNING):
        keeper.restore()
    assert note in caplog.text
    assert not active(keeper)
    assert keeper.monitors.snapshot().events == 60
    keeper.close()


def test_alarms_are_logged_once(path, caplog):
    """On and off, with model, segment, events; an acknowledgement too."""
    keeper = keeper_of(path, ETA)
    keeper.restore()
    log = AlarmLog(keeper.monitors)
    with caplog.at_level(logging.WARNING):
        feed(keeper, 99.0)
        log.tick()
        log.tick()
        keeper.acknowledge("eta", "budget", None)
        log.tick()
    on, off = [record.getMessage() for record in caplog.records]
    assert on.startswith("alarm budget (warning) of eta city=rome at 2023-11-14T22:13:20+00:00")
    assert off.startswith("alarm budget (warning) of eta city=rome is over at")
    keeper.close()


def test_a_block_that_is_too_short_is_told_once(path, caplog):
    """Errors that come in runs of 100: the advice is in the log, once."""
    alarm = {"kind": "budget", "max_rmse": 99.0, "block": 10}
    keeper = keeper_of(path, {"model": "eta", "alarms": [alarm]})
    keeper.restore()
    (monitor,) = keeper.monitors
    log = AlarmLog(keeper.monitors)
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            errors = ([1.0] * 100 + [3.0] * 100) * 50
            monitor.update_many([0.0] * 10_000, errors, at=Clock.now)
            log.tick()
    (message,) = [record.getMessage() for record in caplog.records]
    assert "alarm budget of eta has blocks of 10 events" in message
    assert "it should have 10" in message.replace("102", "100").replace("101", "100")
    keeper.close()
