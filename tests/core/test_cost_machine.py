"""Whatever is done to a cost, and in which order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from streams import Event, columns, cost_of, events, reading, same, truth

from losswatch import Cost


class CostMachine(RuleBasedStateMachine):
    """Any updates, reverts, merges, reads and restarts give the cost of the events left."""

    def __init__(self):
        super().__init__()
        self.cost = Cost()
        self.left: list[Event] = []

    @rule(stream=events)
    def update(self, stream):
        for event in stream:
            self.cost.update(*event)
        self.left += stream

    @rule(stream=events)
    def update_many(self, stream):
        self.cost.update_many(*columns(stream))
        self.left += stream

    @rule(stream=events)
    def merge(self, stream):
        self.cost.merge(cost_of(stream))
        self.left += stream

    @precondition(lambda self: self.left)
    @rule(data=st.data())
    def revert(self, data):
        index = data.draw(st.integers(0, len(self.left) - 1))
        self.cost.revert(*self.left.pop(index))

    @rule()
    def restart(self):
        self.cost = Cost.from_bytes(bytes(self.cost))

    @rule()
    def read(self):
        assert same(reading(self.cost), truth(self.left))

    @invariant()
    def counts(self):
        assert self.cost.n == sum(event.w != 0 for event in self.left)

    def teardown(self):
        assert same(reading(self.cost), truth(self.left))


TestCostMachine = CostMachine.TestCase
TestCostMachine.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
