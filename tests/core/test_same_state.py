"""Books do the same whoever looks at them, and whenever they are saved and read back."""

import numpy as np
import pytest
from exactly import scored
from ledgers import books, numbers

from losswatch.core.segments import Segments
from losswatch.core.windows.batch import Entered

BRIEF = Segments(("city",), limit=4, idle=20.0)
CITIES = ("oslo", "rome", "lima", "bonn", "cork", "kyiv", None)


def entered_alike(one: Entered, other: Entered) -> bool:
    names = ("time", "clock", "seq", "pool_seq")
    same = [np.array_equal(getattr(one, name), getattr(other, name)) for name in names]
    return all(same) and np.array_equal(one.events.slot, other.events.slot)


def steps(seed: int):
    """Yield what comes: the clock, which steps back at times, cities, times and values."""
    rng = np.random.default_rng(seed)
    now = 1.7e9
    for _ in range(25):
        now += float(rng.exponential(3.0)) * float(rng.choice([1.0, 1.0, 1.0, 20.0]))
        at = now - float(rng.choice([0.0, 0.0, 4.0]))
        n = int(rng.integers(1, 7))
        time = at + rng.choice([0.0, -1.0, 0.5]) * rng.exponential(8.0, n)
        w = rng.exponential(1, n) + 1e-3 if rng.integers(0, 2) else None
        cities = [CITIES[k] for k in rng.integers(0, len(CITIES), n)]
        yield at, cities, time, (numbers(rng, n), numbers(rng, n), w), int(rng.integers(0, 99))


@pytest.mark.parametrize("split", [True, False], ids=["pooled", "alone"])
@pytest.mark.parametrize("seed", range(6))
def test_looking_and_restarting_change_nothing(seed, split):
    """Events go to the same places at the same times; in the end every bit is the same."""
    kind = {"split": split, "outputs": ("a",), "segments": BRIEF}
    calm, odd = books(**kind), books(**kind)
    rng = np.random.default_rng(1000 + seed)
    kept: list[Entered] = []
    for at, cities, time, (error, y_true, w), pick in steps(seed):
        if rng.integers(0, 3) == 0:
            odd.read(at + float(rng.exponential(10.0)))
        if rng.integers(0, 4) == 0:
            state, odd = odd.dump(), books(**kind)
            assert odd.load(state) == []
        placed = []
        for mine in (calm, odd):
            slots = [mine.place({"city": city}, at) for city in cities]
            events = scored(slots, error, y_true, w)
            placed.append(mine.enter("a", events, time, at))
        assert entered_alike(*placed)
        kept.append(placed[0])
        place = max(len(kept) - 1 - pick // 10, 0)
        old = kept[place]
        events = scored(old.events.slot, -old.events.error, old.events.y_true + 1, old.events.w)
        new = Entered(events, old.time + pick % 3, old.clock, old.seq, old.pool_seq)
        for mine in (calm, odd):
            mine.revise("a", old, new)
        kept[place] = new
    end = max(calm.now, odd.now)
    for now in (end, end + 12.0, end + 100.0):
        (names, seen), (others, found) = calm.read(now), odd.read(now)
        assert names == others
        assert seen["a"].readings == found["a"].readings
