"""Events that are revised read as if they had come so at first."""

import numpy as np
import pytest
from ledgers import COUNTED, History, books
from exactly import scored

from losswatch.core.windows import panes as pane_module


@pytest.mark.parametrize("split", [True, False], ids=["pooled", "alone"])
@pytest.mark.parametrize("seed", range(25))
def test_revised_events_count_as_they_are_now(monkeypatch, seed, split):
    """Whenever events enter, are revised and leave, every number is that of the list as corrected."""
    history = History(seed, split=split, outputs=("a", "b") if seed % 3 == 0 else ("a",))
    rng = history.rng
    monkeypatch.setattr(pane_module, "_DENSE", int(rng.integers(0, 5)))
    monkeypatch.setattr(pane_module, "_MANY_BLOCKS", int(rng.integers(1, 4)))
    for _ in range(25):
        kind = rng.integers(0, 8)
        if kind < 3:
            history.enter(int(rng.integers(1, 10)))
        elif kind < 6:
            history.revise(int(rng.integers(1, 6)))
        elif kind == 6:
            history.pass_time()
        else:
            history.check()
    history.check()
    history.now += 40.0
    history.check()
    history.now += 300.0
    history.check()
