"""Which offsets are counted: each once, whatever comes again."""

from __future__ import annotations

from confluent_kafka import KafkaError
from hypothesis import given
from hypothesis import strategies as st

from losswatch.sources.offsets import Offsets, Partition
from losswatch.sources.progress import Progress
from losswatch.sources.troubles import Troubles

ETA = Partition("eta", 0)

RUNS = st.lists(st.lists(st.integers(0, 30), min_size=1, max_size=10), max_size=10)


@given(RUNS)
def test_no_offset_is_taken_twice_whatever_order_they_come_in(runs):
    """Only what is beyond all that was taken counts, so a position is one number at its end."""
    progress, taken = Progress("kafka", {}), []
    for run in runs:
        taken += [run[place] for place in progress.take(ETA, run)]
    assert taken == sorted(set(taken))
    assert progress.next(ETA) == (taken[-1] + 1 if taken else None)


@given(RUNS)
def test_a_position_survives_json_and_goes_on_where_it_was(runs):
    progress = Progress("kafka", {"eta": {"0": [[0, 3], [5, 7]]}})
    for run in runs:
        progress.take(ETA, run)
    position = progress.position()
    if position is not None:
        assert Offsets.of(position).position() == position
        assert Progress("kafka", position).next(ETA) == progress.next(ETA)
    assert progress.position() is None


def test_an_offset_that_is_gone_begins_a_new_range():
    progress = Progress("kafka", {"eta": {"0": [[0, 3]]}})
    progress.misplace(ETA)
    assert progress.take(ETA, [10, 11]) == [0, 1]
    assert progress.position() == {"eta": {"0": [[0, 3], [10, 12]]}}
    assert progress.lost == {ETA: 7}


def test_an_end_that_moved_back_forgets_what_was_counted():
    progress = Progress("kafka", {"eta": {"0": [[0, 30]]}})
    progress.misplace(ETA)
    progress.end(ETA, 4)
    assert progress.position() == {"eta": {"0": [[4, 4]]}}
    assert progress.lost == {}


def test_a_gap_without_notice_is_of_compaction_and_inside_the_range():
    progress = Progress("kafka", {"eta": {"0": [[0, 3]]}})
    progress.take(ETA, [7])
    progress.end(ETA, 9)
    assert progress.position() == {"eta": {"0": [[0, 9]]}}
    assert progress.lag({ETA: 12, Partition("eta", 1): 4}) == {("eta", 0): 3}


def test_a_trouble_is_logged_once_until_it_is_over(caplog):
    troubles = Troubles("kafka:g")
    down = KafkaError(KafkaError._ALL_BROKERS_DOWN)
    for _ in range(3):
        troubles.hear(down)
        troubles.hear(KafkaError(KafkaError._TRANSPORT))
    assert len(caplog.records) == 1
    troubles.over()
    troubles.hear(down)
    assert len(caplog.records) == 2
    assert not troubles.fatal
    troubles.hear(KafkaError(KafkaError.FENCED_INSTANCE_ID, "another took its place", fatal=True))
    assert troubles.fatal == "another took its place"
