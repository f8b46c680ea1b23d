"""What a config names becomes the parts that it means."""

from __future__ import annotations

import json
from pathlib import Path

from losswatch.config.load import parse_config
from losswatch.core.segments import Segments
from losswatch.service.build import make_source, segments_of
from losswatch.service.replay import Replay

TEXT = """\
version: 1
monitors:
  - model: a
    segments: {labels: [city, tier], limit: 5, idle: 90m, declared: [{city: oslo, tier: 1}]}
  - model: b
sources: [{file: "%s", fields: {segment.city: town, time: at}}]
"""
LINE = {"model": "a", "y_true": 1, "y_pred": 2, "town": "oslo", "at": 5, "segment": {"tier": 7}}


def config_of(path: Path):
    path.write_text(json.dumps(LINE))
    return parse_config(TEXT % path)


def test_segments_become_those_of_the_core(tmp_path):
    """Labels, limit, seconds and declared segments are handed on; none stay none."""
    first, second = config_of(tmp_path / "e").monitors
    declared = ({"city": "oslo", "tier": "1"},)
    assert segments_of(first) == Segments(("city", "tier"), 5, 5400.0, declared)
    assert segments_of(second) is None


def test_source_reads_the_labels_asked_for(tmp_path):
    """A source reads the labels that it is given, from where the config says, and the time."""
    settings = config_of(tmp_path / "e").sources[0]
    source = make_source(settings, tmp_path, ["city", "tier"])
    source.next_batch()
    columns = source.next_batch().columns
    source.close()
    assert columns.segment == {"city": ["oslo"], "tier": ["7"]}
    assert columns.time == [5.0]


def test_replay_reads_the_labels_asked_for(tmp_path):
    """A replay refuses a bad value of a label that it is asked for, and of no other."""
    path = tmp_path / "e.ndjson"
    path.write_text('{"y_true": 1, "y_pred": 2, "segment": {"city": ""}}\n')
    settings = config_of(tmp_path / "e").sources[0].model_copy(update={"fields": {}})
    for labels, refused in ((("city",), 1), ((), 0), (("tier",), 0)):
        replay = Replay(settings, labels=labels)
        replay.run([str(path)], lambda *_: None)
        assert sum(replay.monitors.snapshot().all_rejected.values()) == refused
