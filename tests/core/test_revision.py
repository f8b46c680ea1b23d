"""Events that are revised read as if they had come so at first, also after a restart."""

import numpy as np
import pytest
from exactly import scored
from ledgers import History, books

from losswatch.core.windows import panes as pane_module


@pytest.mark.parametrize("split", [True, False], ids=["pooled", "alone"])
@pytest.mark.parametrize("restarts", [False, True], ids=["one process", "restarted"])
@pytest.mark.parametrize("seed", range(16))
def test_revised_events_count_as_they_are_now(monkeypatch, seed, restarts, split):
    """Whenever events enter, are revised and leave, every number is that of the corrected list."""
    history = History(seed, split=split, outputs=("a", "b") if seed % 3 == 0 else ("a",))
    rng = history.rng
    monkeypatch.setattr(pane_module, "_DENSE", int(rng.integers(0, 5)))
    monkeypatch.setattr(pane_module, "_MANY_BLOCKS", int(rng.integers(1, 4)))
    for _ in range(25):
        kind = rng.integers(0, 9)
        if kind < 3:
            history.enter(int(rng.integers(1, 10)))
        elif kind < 6:
            history.revise(int(rng.integers(1, 6)))
        elif kind == 6:
            history.pass_time()
        elif kind == 7:
            history.check()
        elif restarts:
            history.restart()
    history.check()
    history.now += 40.0
    history.check()
    history.now += 300.0
    history.check()


def test_what_arrived_is_counted_once_and_never_taken_back():
    """Counters and histograms do not know revisions, and start at 0 in a new process."""
    mine = books(outputs=("a",))
    slots = np.array([3, 3])
    mine.registry.places({"city": ["oslo"]}, np.ones(1, dtype=bool))
    for w in (None, [2.0, 3.0]):
        entered = mine.enter("a", scored(slots, [1.0, 2.0], [0.0, 0.0], w), np.ones(2), 1.0)
        before = mine.read(1.0)[1]["a"]
        revised = entered.take(np.arange(2))
        revised.events.error[:] = 0.5
        mine.revise("a", entered, revised)
        after = mine.read(1.0)[1]["a"]
        assert after.counted == before.counted
        assert after.plain == before.plain
        assert after.counts.tolist() == before.counts.tolist()
    assert after.counted.loss.tolist() == [19.0, 0.0, 0.0, 19.0]
    assert after.plain.loss.tolist() == [10.0, 0.0, 0.0, 10.0]
    assert after.readings["lifetime"].loss.tolist() == [1.75, 0.0, 0.0, 1.75]
    other = books(outputs=("a",))
    other.load(mine.dump())
    after = other.read(1.0)[1]["a"]
    assert after.readings["lifetime"].loss.tolist() == [1.75, 0.0, 0.0, 1.75]
    assert after.counted.n.tolist() == after.plain.n.tolist() == [0] * 4
    other.enter("a", scored([3], [4.0], [0.0]), np.ones(1), 1.0)
    after = other.read(1.0)[1]["a"]
    assert after.counted.loss.tolist() == after.plain.loss.tolist() == [16.0, 0.0, 0.0, 16.0]
