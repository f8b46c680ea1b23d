"""A machine of all that can happen to a join: whatever comes when, the cost is the right one."""

from __future__ import annotations

from exactly import added, numbers, terms
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from stories import value

from losswatch import BudgetAlarm, Monitor, RejectedEvent, Segments

IDS = st.sampled_from(["a", "b", "c", "d"])
CITY = st.sampled_from(["oslo", "rome", None])
START = 1_700_000_000.0


def monitor() -> Monitor:
    return Monitor(
        "eta",
        windows=["1h", {"last": "20s", "exact": True}],
        segments=Segments(("city",)),
        alarms=[BudgetAlarm(name="budget", max_rmse=1.0)],
    )


class Join(RuleBasedStateMachine):
    """Tells a monitor, restarts it and looks at it; knows what is true by the rules of the join."""

    def __init__(self) -> None:
        super().__init__()
        self.monitor = monitor()
        self.now = START
        self.predicted: dict[str, tuple[float, float, str | None]] = {}
        self.true: dict[str, tuple[float, float]] = {}  # by the time of the truth

    @rule(name=IDS, y_pred=value, w=st.sampled_from([1.0, 0.25, 3.0]), city=CITY)
    def predict(self, name, y_pred, w, city):
        """The first prediction of an id is the one; another one is refused."""
        if name in self.true and not self.fits(self.true[name][1], y_pred, w):
            return
        self.monitor.predicted(name, y_pred, w, segment={"city": city}, at=self.now)
        self.predicted.setdefault(name, (y_pred, w, city))

    @rule(name=IDS, y_true=value, late=st.sampled_from([0.0, 5.0, 50.0]))
    def observe(self, name, y_true, late):
        """The truth of the latest time is the one; the latest to come among equals."""
        known = self.predicted.get(name)
        if known is not None and not self.fits(y_true, known[0], known[1]):
            return
        time = self.now - late
        self.monitor.observed(name, y_true, time=time, at=self.now)
        if name not in self.true or time >= self.true[name][0]:
            self.true[name] = (time, y_true)

    @rule(count=st.integers(1, 3))
    def tell_all_again(self, count):
        """Retries and redelivery change nothing."""
        for _ in range(count):
            for name, (y_pred, w, city) in self.predicted.items():
                self.monitor.predicted(name, y_pred, w, segment={"city": city}, at=self.now)
            for name, (time, y_true) in self.true.items():
                self.monitor.observed(name, y_true, time=time, at=self.now)

    @rule(seconds=st.sampled_from([0.5, 15.0, 4000.0]))
    def wait(self, seconds):
        """Time passes, less than an event is kept for."""
        self.now += seconds
        self.monitor.sweep(self.now)

    @rule()
    def look(self):
        """Reading changes nothing."""
        self.monitor.snapshot(self.now)

    @precondition(lambda self: self.predicted or self.true)
    @rule()
    def restart(self):
        """Neither does a restart."""
        state, self.monitor = self.monitor.dump(), monitor()
        assert self.monitor.load(state) == []

    @staticmethod
    def fits(y_true, y_pred, w) -> bool:
        """Whether that can be scored: what overflows is another test."""
        try:
            Monitor("other").update(y_true, y_pred, w)
        except RejectedEvent:
            return False
        return True

    @invariant()
    def the_cost_is_that_of_the_truth(self):
        """In the lifetime, as a whole and by segment, bit for bit."""
        if self.now > START + 80_000.0:  # an event may be over
            return
        snapshot = self.monitor.snapshot(self.now)
        parts: dict[str | None, list] = {"all": [], "oslo": [], "rome": []}
        for name in self.predicted.keys() & self.true.keys():
            y_pred, w, city = self.predicted[name]
            y_true = self.true[name][1]
            for which in ("all", city):
                parts.setdefault(which, []).append(terms(y_true - y_pred, y_true, w))
        for which, some in parts.items():
            labels = {"all": {}, None: {"segment": "none"}}.get(which, {"city": which})
            if some:
                cell, exact = snapshot.read(segment=labels), numbers(added(some))
                found = [str(getattr(cell, each)) for each in ("n", "weight", "mse", "mae", "bias")]
                wanted = ("n", "weight", "mse", "mae", "bias")
                assert found == [str(exact[each]) for each in wanted]
        assert snapshot.join.ever_predicted == len(self.predicted)


Join.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestJoin = Join.TestCase
