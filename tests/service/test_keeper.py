"""What was counted is there again after a restart, and counted once."""

import itertools
import logging

import pytest
from keeping import Clock, event, keeper_of, numbers, round_of

from losswatch.errors import StateError, StoreError
from losswatch.service import keeper as keeper_module
from losswatch.store.database import Store

WINDOWS = [
    "5m",
    {"last": "2s", "exact": True},
    {"last": "6m", "panes": 300},
    {"events": 3},
    {"half_life": "1h"},
    {"half_life": "1000 events"},
    {"tumbling": "1h"},
]
ETA = {"model": "eta", "windows": WINDOWS, "segments": {"labels": ["city"]}}
FARE = {"model": "fare", "windows": ["1h"]}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "losswatch.db"


def count_some(keeper):
    """Count what is of all kinds: events, both sides, revisions, segments, refusals, positions."""
    oslo = {"model": "eta", "segment": {"city": "oslo"}}
    keeper.take(round_of(event(0.1, **oslo), event(1 / 3, model="fare"), position={"at": 1}))
    keeper.take(round_of({**oslo, "prediction_id": "a", "y_pred": 1.1, "w": 0.3}))
    keeper.take(round_of({"model": "eta", "prediction_id": "a", "y_true": 7.7}))
    keeper.take(round_of({"model": "eta", "prediction_id": "a", "y_true": 3.3}, event(5.0)))
    keeper.take(round_of({"model": "eta", "prediction_id": "waits", "y_pred": 4.0}))


def test_what_was_counted_is_there_again_bit_for_bit(path):
    """From the journal, from the snapshot, and from both; the counters of Prometheus begin at 0."""
    keeper = keeper_of(path, ETA, FARE)
    assert keeper.restore() == {}
    count_some(keeper)
    before = numbers(keeper.monitors)
    assert len({key[2] for key in before}) == len(WINDOWS) + 2
    keeper.close()
    for _ in range(2):
        keeper = keeper_of(path, ETA, FARE)
        assert keeper.restore() == {"given": {"at": 1}}
        assert numbers(keeper.monitors) == before
        for monitor in keeper.monitors:
            snapshot = monitor.snapshot()
            assert not sum(snapshot.rejected.values())
            assert snapshot.join.predicted == snapshot.join.scored == snapshot.join.revised == 0
            assert not any(ledger.counted.loss.any() for ledger in snapshot.outputs.values())
        keeper.close()
    keeper = keeper_of(path, ETA, FARE)
    keeper.restore()
    assert keeper.monitors.get("eta").snapshot().join.pending_predictions == 1
    again = round_of({"model": "eta", "prediction_id": "waits", "y_pred": 4.0})
    (outcome,) = keeper.take(again)
    assert outcome.duplicates == [1]
    keeper.close()


def test_a_large_journal_becomes_a_snapshot(path, monkeypatch):
    """At rest, not before; then the journal is empty, and a restart reads the same."""
    monkeypatch.setattr(keeper_module, "_JOURNAL_BYTES", 2_000)
    keeper = keeper_of(path, FARE)
    keeper.restore()
    store = keeper._store
    while store.journal_bytes <= max(2_000, keeper._most_bytes):
        keeper.rest()
        keeper.take(round_of(event(1.5), event(2.5)))
    assert store.journal_bytes
    keeper.rest()
    assert store.journal_bytes == 0
    before = numbers(keeper.monitors)
    keeper.close()
    keeper = keeper_of(path, FARE)
    keeper.restore()
    assert numbers(keeper.monitors) == before
    keeper.close()


def test_a_snapshot_that_fails_is_not_tried_all_the_time(path, monkeypatch):
    """The journal goes on, and must have grown by half before the next one."""
    monkeypatch.setattr(keeper_module, "_JOURNAL_BYTES", 1_000)
    keeper = keeper_of(path, FARE)
    keeper.restore()
    store, tried = keeper._store, []

    def fail(_):
        tried.append(store.journal_bytes)
        raise StoreError("full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "snapshot", fail)
        while store.journal_bytes < 20_000:
            keeper.take(round_of(*[event(1.0)] * 5))
            try:
                keeper.rest()
            except StoreError:
                keeper.rest()
    assert len(tried) > 1
    assert all(b > 1.5 * a for a, b in itertools.pairwise(tried))
    keeper.close()


@pytest.mark.parametrize("clean", [True, False], ids=["snapshot", "journal"])
def test_a_model_that_is_not_declared_any_more_keeps_its_part(path, caplog, clean):
    """It is left alone, said in the log, and goes on when it is declared again."""
    keeper = keeper_of(path, ETA, FARE)
    keeper.restore()
    count_some(keeper)
    before = numbers(keeper.monitors)
    if clean:
        keeper.snapshot()
    keeper.close()
    keeper = keeper_of(path, FARE)
    with caplog.at_level(logging.WARNING):
        keeper.restore()
    (message,) = caplog.messages
    assert message == "the state has the model 'eta', which no monitor watches; it stays there"
    assert {key: value for key, value in before.items() if key[0] == "fare"} == numbers(
        keeper.monitors
    )
    keeper.snapshot()
    keeper.close()
    keeper = keeper_of(path, ETA, FARE)
    keeper.restore()
    assert numbers(keeper.monitors) == before
    keeper.close()


def test_the_journal_is_counted_by_the_yaml_that_it_was_written_with(path):
    """An event without a model was of the only one: also if there are two after the kill."""
    keeper = keeper_of(path, ETA, FARE)
    keeper.restore()
    keeper.close()
    keeper = keeper_of(path, FARE)
    keeper.restore()
    keeper.take(round_of(event(1.0)))
    keeper.close()  # no snapshot, as after kill -9
    for settings in ([ETA, FARE], [FARE, {"model": "new"}], [FARE]):
        keeper = keeper_of(path, *settings)
        keeper.restore()
        assert keeper.monitors.get("fare").snapshot().pooled.n == 1
        keeper.close()


def test_windows_that_changed_are_noted(path, caplog):
    """A new window starts empty, and the log says so; the others go on."""
    keeper = keeper_of(path, FARE)
    keeper.restore()
    keeper.take(round_of(event(1.0)))
    keeper.close()
    keeper = keeper_of(path, FARE | {"windows": ["1h", "2h"]})
    with caplog.at_level(logging.WARNING):
        keeper.restore()
    assert [message for message in caplog.messages if "2h" in message]
    assert all(message.startswith("the state of fare: ") for message in caplog.messages)
    snapshot = keeper.monitors.get("fare").snapshot(Clock.now)
    assert snapshot.read("1h").n == 1
    assert snapshot.read("2h").n == 0
    keeper.close()


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (ETA, ETA | {"segments": {"labels": ["tier"]}}, r"segments by \['city'\].*put them back"),
        (ETA, ETA | {"segments": None}, "put segments back"),
        (FARE, FARE | {"segments": {"labels": ["city"]}}, "is not split by segments"),
        (FARE, FARE | {"outputs": ["lat", "lon"]}, r"the config has \['lat', 'lon'\]"),
    ],
)
def test_a_state_that_cannot_go_on_is_refused_and_left_as_it_is(path, before, after, message):
    """Other segments or outputs: file, model and remedy are told, and nothing is lost."""
    keeper = keeper_of(path, before)
    keeper.restore()
    keeper.take(round_of(event(1.0)))
    keeper.close()
    keeper = keeper_of(path, after)
    model = before["model"]
    with pytest.raises(StateError, match=f"{path}: model '{model}': .*{message}"):
        keeper.restore()
    keeper.close()
    keeper = keeper_of(path, before)
    keeper.restore()
    assert keeper.monitors.get(model).snapshot().pooled.n == 1
    keeper.close()


def test_nothing_is_counted_that_could_not_be_kept(path, monkeypatch):
    """A commit that fails leaves monitors and positions as they were."""
    keeper = keeper_of(path, FARE)
    keeper.restore()
    store = keeper._store

    def fail(*_):
        raise StoreError("full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "append", fail)
        with pytest.raises(StoreError, match="full"):
            keeper.take(round_of(event(1.0), position={"at": 9}))
        with pytest.raises(StoreError, match="full"):
            keeper.probe()
    assert keeper.monitors.snapshot().events == 0
    keeper.probe()
    keeper.take(round_of(event(1.0)))
    keeper.close()
    keeper = keeper_of(path, FARE)
    assert keeper.restore() == {}
    assert keeper.monitors.snapshot().events == 1
    keeper.close()


def test_a_restart_on_a_full_disk_goes_on_with_the_journal(path, monkeypatch, caplog):
    """The snapshot at the start saves time only; without room for it the service starts."""
    keeper = keeper_of(path, FARE)
    keeper.restore()
    keeper.take(round_of(event(1.0)))
    keeper.close()

    def fail(*_):
        raise StoreError("full")

    keeper = keeper_of(path, FARE)
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Store, "snapshot", fail)
        keeper.restore()
    assert caplog.messages == ["no snapshot of the state: full; the journal goes on"]
    keeper.take(round_of(event(1.0)))
    keeper.close()
    keeper = keeper_of(path, FARE)
    keeper.restore()
    assert keeper.monitors.snapshot().events == 2
    keeper.close()


def test_without_a_state_all_is_kept_in_memory():
    """Every step works and keeps nothing."""
    keeper = keeper_of(None, FARE)
    assert keeper.restore() == {}
    (outcome,) = keeper.take(round_of(event(1.0), "no"))
    assert [refusal.line for refusal in outcome.refused] == [2]
    keeper.probe()
    keeper.rest()
    keeper.snapshot()
    keeper.close()
    assert keeper.monitors.snapshot().events == 1
