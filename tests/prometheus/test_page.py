"""Our page is the one that ``prometheus_client`` writes of the same samples."""

import math
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text
from servers import binary

from losswatch import BudgetAlarm, DriftAlarm, Monitor, Segments, Span
from losswatch.core.exemplars import Exemplar
from losswatch.core.ledger import LIFETIME
from losswatch.core.monitors import Monitors
from losswatch.errors import OutOfTimeError
from losswatch.prometheus import METRICS, Exposition, LossCollector
from losswatch.prometheus.client import _add, _families
from losswatch.prometheus.label_texts import LabelTexts
from losswatch.prometheus.page import Page
from losswatch.prometheus.sample import Histograms, Rows, Sample, bounds_of

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
FORMATS = ["", OPENMETRICS]
PARSERS = {"": parse_text, OPENMETRICS: parse_openmetrics}
HOSTILE = [
    'a"b',
    "a\\",
    "\\n",
    'x\\"',
    "{}",
    "a,b=",
    "  ",
    "Ørsta 東京 🏔",
    "\u200d",
    "#",
    "%s",
    "=",
]


def theirs(collect, accept, names=()):
    """The page of a collector as the client writes it, without that of the process."""
    registry = CollectorRegistry()
    registry.register(collect)
    some = registry.restricted_registry(names) if names else registry
    return choose_encoder(accept)[0](some).decode()


def ours(page):
    """Our lines, without the one that tells how long it took."""
    return [
        line
        for line in page.splitlines(keepends=True)
        if "losswatch_" in line and not line.startswith("losswatch_scrape_duration_seconds ")
    ]


def told(page, accept):
    """All that a parser finds of ours."""
    return {
        family.name: (family.type, family.documentation, sorted(map(str, family.samples)))
        for family in PARSERS[accept](page)
        if family.name.startswith("losswatch_") and "duration" not in family.name
    }


def assert_same(exposition, monitors, accept, names=()):
    """Parsed and in bytes."""
    page = exposition.render(accept, names)[0].decode()
    peer = theirs(LossCollector(monitors.snapshot), accept, names)
    assert ours(page) == ours(peer)
    if names and accept == OPENMETRICS:
        return page  # a histogram without its buckets is not one for the parser
    assert told(page, accept) == told(peer, accept)
    return page


def cities(names, **options):
    """A model with windows and segments of hostile names, all with events."""
    segments = Segments(("city", "name", "zone"), limit=len(names) + 1)
    monitor = Monitor('m"\\\n🏔', windows=["5m", {"events": 3}], segments=segments, **options)
    for second, name in enumerate(names * 3):
        labels = {"city": name, "name": "n", "zone": name[::-1]}
        monitor.update(10.0, second / 7, 1.5, segment=labels, time=second, at=second)
    return monitor


def outputs():
    monitor = Monitor("pos", outputs=('"', "lon"), buckets=(1.0, 3e6), windows=["1h"])
    for second in range(5):
        monitor.update({'"': 1e7, "lon": 2.0}, {'"': second, "lon": 5.0}, time=1.7e9 + second)
    return monitor


def alarmed():
    kept = {"block": Span.of("10 events"), "one_false_alarm_per": Span.of("1000 events")}
    budget = BudgetAlarm(name="b", max_rmse={"ticket": 1.0, "page": 2.0}, per_segment=True, **kept)
    drift = DriftAlarm(name="d", block=Span.of("10 events"))
    monitor = Monitor("al", segments=Segments(("city",)), alarms=[budget, drift], max_rmse=1.0)
    for index in range(400):
        monitor.update(0.0, 3.0 * (index % 2), segment={"city": "ab"[index % 2]}, time=index)
    return monitor


def joined():
    monitor = Monitor("late", buckets=(1.0, 100.0), exemplars=True)
    for index, name in enumerate(["a{b, c}", "ordinary", "x" * 115, "y" * 116]):
        monitor.predicted(name, 2.0 * index, at=1_700_000_000.0 + index)
        monitor.observed(name, 0.0, at=1_700_000_060.5 + index)
    return monitor


def huge():
    monitor = Monitor("huge", buckets=(0.0, 1e300))
    monitor.update_many(np.full(3, 1.3e154), np.zeros(3))
    monitor.update_many(np.zeros(1_200_001), np.ones(1_200_001))
    return monitor


def everything():
    made = [cities(HOSTILE), outputs(), alarmed(), joined(), huge(), Monitor("idle")]
    empty = Monitor("unseen", segments=Segments(("city",), declared=({"city": "oslo"},)))
    return Monitors([*made, empty, Monitor("two", outputs=("a", "b"))])


@pytest.mark.parametrize("accept", FORMATS)
def test_it_is_the_page_of_the_client(accept):
    """Hostile names, outputs, alarms, joins, huge numbers, nothing at all: byte for byte."""
    monitors = everything()
    page = assert_same(Exposition(monitors.snapshot), monitors, accept)
    assert len(ours(page)) > 1000
    assert ("# EOF\n" in page) == (accept == OPENMETRICS)
    assert "losswatch_alarm_active" in page
    assert "process_cpu_seconds" in page


@pytest.mark.parametrize("accept", FORMATS)
def test_no_monitor_is_a_page_too(accept):
    """Without any model there are the families and what is known of the exporter."""
    monitors = Monitors()
    page = assert_same(Exposition(monitors.snapshot), monitors, accept)
    assert "losswatch_collector_success 1.0" in page


def test_promtool_has_nothing_to_say():
    """``promtool check metrics`` takes the page with the most hostile labels."""
    page = Exposition(everything().snapshot).render("")[0]
    checked = subprocess.run(
        [binary("promtool"), "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


label = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
number = st.one_of(st.floats(), st.floats(0, 1e17), st.integers(0, 10**18).map(float))


@st.composite
def blocks(draw):
    """Samples, rows and histograms, with any labels and numbers."""
    size = draw(st.integers(0, 4))
    names = draw(st.lists(st.tuples(label, label), min_size=size, max_size=size, unique=True))
    segments = tuple({"a": first, "nn": second} for first, second in names)
    values = draw(st.lists(number, min_size=2 * size, max_size=2 * size))
    single = Sample("bias", {"model": draw(label)}, draw(number))
    each = ({"model": draw(label), "severity": "1"}, {"model": "m", "severity": "2"})
    rows = Rows("alarm_evidence_ratio", each, segments, lambda: np.array(values))
    counts = draw(st.lists(st.integers(0, 2**53), min_size=3 * size, max_size=3 * size))
    columns = np.array(counts, dtype=np.int64).reshape(size, 3).cumsum(axis=1)
    losses = np.array(draw(st.lists(st.floats(0), min_size=size, max_size=size)))
    some = {
        row: {1: Exemplar(draw(label), 2.5, draw(st.sampled_from([None, 1.7e9])))}
        for row in range(size)
    }
    bounds = bounds_of([2.0, 3e6])
    shown = Histograms("l2_loss", each[0], segments, bounds, columns, lambda: losses, lambda: some)
    counted = Rows("weight", each[:1], segments, lambda: columns[:, 2], "_total")
    return [single, rows, shown, counted]


class Given:
    """Collects samples one by one."""

    def __init__(self, made):
        self.made = made

    def describe(self):
        return _families().values()

    def collect(self):
        families = _families()
        for block in self.made:
            for sample in block.samples():
                _add(families[sample.family], sample)
        return families.values()


@pytest.mark.parametrize("accept", FORMATS)
@given(blocks(), st.booleans())
def test_any_block_is_written_as_the_client_does(accept, made, some):
    """Whatever the labels and numbers: the same bytes, all of it or a part."""
    names = ["losswatch_bias", "losswatch_l2_loss_sum"] if some else []
    page = Page(LabelTexts(), openmetrics=accept == OPENMETRICS, names=names)
    page.add(made)
    page = b"".join(page.parts()).decode()
    assert page == theirs(Given(made), accept, names).removesuffix("# EOF\n")


@pytest.mark.parametrize("accept", FORMATS)
def test_each_name_can_be_asked_for(accept):
    """``name[]`` does what the client's does, for every sample name, also of histograms."""
    monitors = Monitors([joined(), cities(HOSTILE[:2])])
    exposition = Exposition(monitors.snapshot)
    suffixes = {"histogram": ("_bucket", "_sum", "_count", ""), "counter": ("_total", "")}
    for family, (kind, _) in METRICS.items():
        for suffix in suffixes.get(kind, ("",)):
            name = f"losswatch_{family}{suffix}"
            page = assert_same(exposition, monitors, accept, [name])
            assert all(line.startswith(("#", name)) for line in page.splitlines())
    both = ["losswatch_l2_loss_sum", "losswatch_l2_loss_bucket", "process_open_fds", "none"]
    page = assert_same(exposition, monitors, accept, both)
    assert "process_open_fds " in page


def test_what_is_not_asked_for_is_not_computed():
    """A filter leaves numbers unread, and a page without ours reads nothing."""
    snapshot = Monitors([cities(HOSTILE[:2])]).snapshot()
    Exposition(lambda: snapshot).render("", ["losswatch_rmse"])
    numbers = vars(snapshot.monitors[0].outputs[""].readings[LIFETIME])
    assert "rmse" in numbers
    assert not {"mae", "bias", "r2", "n"} & set(numbers)

    read = []
    page = Exposition(lambda: read.append(1)).render("", ["process_open_fds"])[0].decode()
    assert (len(page.splitlines()), read) == (3, [])


def test_labels_follow_the_segments():
    """New, retired and renamed segments are right on the next page of the same exposition."""
    segments = Segments(("city",), limit=4, idle=60.0)
    monitor = Monitor("m", segments=segments, windows=["10s"])
    monitors = Monitors([monitor])
    exposition = Exposition(monitors.snapshot)
    shown = []
    for second, city in enumerate(["a", "b", "c", "d", "e", "f", "a", "g"]):
        monitor.update(1.0, 2.0, segment={"city": city}, time=40.0 * second)
        for accept in FORMATS:
            page = assert_same(exposition, monitors, accept)
            exposition.render("", ["losswatch_rmse"])  # forgets nothing, and is not confused
        shown.append(page.count("losswatch_l2_loss_count{city="))
    assert shown[0] == 1
    assert max(shown) < 5


def test_labels_are_spelled_once():
    """Later pages, whole or in part, of either format, use the texts of the first."""
    exposition = Exposition(Monitors([cities(HOSTILE), alarmed()]).snapshot)

    def kept():
        texts = exposition._texts
        columns = [*texts._rows._old.values(), *texts._ends._old.values()]
        return [id(text) for column in columns for text in column._texts if len(column._texts) > 1]

    exposition.render("")
    before = kept()
    exposition.render("", ["losswatch_mse"])
    exposition.render(OPENMETRICS)
    assert sorted(kept()) == sorted(before)
    assert len(before) > 100


def test_labels_are_forgotten():
    """What is not shown any more is not kept either."""
    texts = LabelTexts()
    for model in range(100):
        texts.one({"model": str(model)})
        texts.rows({"model": str(model)}, ({"city": "a"},))
        texts.forget()
    assert [len(kept._old) + len(kept._new) for kept in (texts._single, texts._rows)] == [1, 1]


def test_labels_are_forgotten_where_only_parts_are_asked_for():
    """Models that come and go leave nothing behind, though nobody asks for a whole page."""
    shown = []
    exposition = Exposition(lambda: Monitors([Monitor(shown[-1])]).snapshot())
    for number in range(500):
        shown.append(f"m{number}")
        exposition.render("", ["losswatch_events", "losswatch_last_event_timestamp_seconds"])
    texts = exposition._texts
    assert sum(len(kept._old) + len(kept._new) for kept in (texts._single, texts._rows)) <= 300


def test_a_page_that_is_late_is_given_up():
    """After its deadline a page is not finished; the next one is whole."""
    exposition = Exposition(everything().snapshot)
    whole = exposition.render("", deadline=time.monotonic() + 600)[0]
    with pytest.raises(OutOfTimeError):
        exposition.render("", deadline=time.monotonic() - 1)
    assert ours(exposition.render("")[0].decode()) == ours(whole.decode())


def test_a_failure_halfway_leaves_no_half_page(caplog):
    """When numbers cannot be read none are shown, in both formats."""
    snapshot = Monitors([outputs()]).snapshot()
    vars(snapshot.monitors[0])["readings"] = None  # the pooled numbers come last
    for accept in FORMATS:
        page = Exposition(lambda: snapshot).render(accept)[0].decode()
        assert "losswatch_mse{" not in page
        assert "losswatch_collector_success 0.0\n" in page
        assert "process_cpu_seconds" in page
    assert len(caplog.records) == 2


def test_exemplars_are_told_in_openmetrics_only():
    """Each bucket names its costliest id with loss and time; a long id has none."""
    monitors = Monitors([joined()])
    exposition = Exposition(monitors.snapshot)
    assert " # {" not in exposition.render("")[0].decode()
    found = {
        sample.labels["le"]: sample.exemplar
        for family in parse_openmetrics(exposition.render(OPENMETRICS)[0].decode())
        for sample in family.samples
        if sample.name == "losswatch_l2_loss_bucket"
    }
    assert found["1.0"].labels == {"prediction_id": "a{b, c}"}
    assert found["100.0"].labels == {"prediction_id": "x" * 115}
    assert (found["100.0"].value, float(found["100.0"].timestamp)) == (16.0, 1_700_000_062.5)
    assert found["+Inf"] is None


def test_sums_and_means_beyond_float64():
    """What is infinite is held where it is a sum, and a mean is as large as it is."""
    page = Exposition(Monitors([huge()]).snapshot).render("")[0].decode()
    assert f'losswatch_l2_loss_sum{{model="huge"}} {sys.float_info.max!r}\n' in page
    assert 'losswatch_l2_loss_count{model="huge"} 1.200004e+06\n' in page
    assert not math.isinf(
        float(page.split('losswatch_mse{model="huge",window="lifetime"} ')[1].split()[0])
    )
