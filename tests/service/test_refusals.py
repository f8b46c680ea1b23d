"""Refusals are seen, but do not flood the log."""

import logging

from losswatch.errors import Reason
from losswatch.service.refusals import RefusalLog
from losswatch.sources.base import Refusal


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_first_of_each_reason_are_shown_and_the_rest_counted(caplog):
    """Five of a kind are shown, then one summary a period, then five again."""
    clock = Clock()
    log = RefusalLog(clock)
    with caplog.at_level(logging.WARNING):
        for line in range(1, 101):
            log.add("a.ndjson", Refusal(line, Reason.INVALID_JSON, "oops"))
        log.add("a.ndjson", Refusal(101, Reason.EMPTY_LINE, "empty"))
    assert len(caplog.messages) == 6
    assert caplog.messages[0] == "a.ndjson line 1 refused: oops (invalid_json)"
    assert caplog.messages[5] == "a.ndjson line 101 refused: empty (empty_line)"
    caplog.clear()
    clock.now = 10.0
    log.add("a.ndjson", Refusal(102, Reason.INVALID_JSON, "oops"))
    assert caplog.messages == [
        "95 more refused: invalid_json 95",
        "a.ndjson line 102 refused: oops (invalid_json)",
    ]


def test_what_came_without_a_line_is_told_without(caplog):
    """A worker refuses before it sends: there is no line to look at."""
    RefusalLog(Clock()).add("socket:s", Refusal(0, Reason.NOT_FINITE, "oops"))
    assert caplog.messages == ["socket:s refused: oops (not_finite)"]


def test_flush_tells_what_was_held_back(caplog):
    """Nothing is said when nothing was held back."""
    log = RefusalLog(Clock(), first=0)
    log.flush()
    assert caplog.messages == []
    log.add("a", Refusal(1, Reason.OVERFLOW, "big"))
    log.flush()
    assert caplog.messages == ["1 more refused: overflow 1"]
