"""The JSON of a dashboard: sound, the same for the same config, and of just what the config has."""

import json
import re
import warnings
from itertools import combinations

import pytest
from grafana import KNOWN, Board, text_of
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from promtool import FULL, rules_of

from losswatch.generate.dashboard.board import dashboard_rows, dashboard_text
from losswatch.generate.watched import Watched, WatchedModel

MINIMAL = "version: 1\nmonitors: [{model: eta}]\nsources: [{file: events.ndjson}]\n"
SPLIT = """
version: 1
monitors:
  - {model: eta, unit: minutes, segments: {labels: [city, job]}, windows: [10s, {tumbling: 1d}]}
  - {model: fare, unit: "litres a second"}
sources: [{http: {}}]
"""
CONFIGS = {"minimal": MINIMAL, "full": FULL, "split": SPLIT}
OTHERS = {"up", "scrape_duration_seconds", "process_cpu_seconds_total"}
OTHERS |= {"process_resident_memory_bytes"}
"""Metrics on the page that are not ours."""


def board_of(config):
    return Board(json.loads(text_of(config)))


@pytest.fixture(params=CONFIGS.values(), ids=CONFIGS)
def board(request):
    return board_of(request.param)


def test_the_same_config_gives_the_same_text():
    """Byte for byte, with its keys in order."""
    text = text_of(FULL)
    assert text == text_of(FULL)
    assert text == json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def test_it_can_be_imported(board):
    """No id of this or that Grafana in it; the uid is one that Grafana takes."""
    model = board.model
    assert "id" not in model or model["id"] is None
    assert re.fullmatch(r"[a-zA-Z0-9_-]{8,40}", model["uid"])
    assert model["schemaVersion"] >= 36
    assert "__inputs" not in model


def test_grafana_knows_every_key(board):
    """Read with the types of Grafana's plugins and written again, nothing is lost or changed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        plugins.register_default_plugins()
        from grafana_foundation_sdk.models.dashboard import Dashboard
    read = json.loads(JSONEncoder().encode(Dashboard.from_json(board.model)))
    assert list(missing(board.model, read)) == []


def missing(written, read, place=""):
    """Yield where what was written is not what is read; defaults may be added."""
    if isinstance(written, dict):
        for key, value in written.items():
            yield from missing(value, read.get(key), f"{place}.{key}")
    elif isinstance(written, list):
        for number, value in enumerate(written):
            yield from missing(value, read[number], f"{place}[{number}]")
    elif written != read:
        yield place, written, read


def test_every_panel_has_its_place(board):
    """Within 24 columns, none over another, each with an id of its own; rows are full."""
    panels = board.model["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    for place in places:
        assert place["x"] >= 0 < place["w"]
        assert place["x"] + place["w"] <= 24
    for one, other in combinations(places, 2):
        apart = [
            one[start] + one[size] <= other[start] or other[start] + other[size] <= one[start]
            for start, size in (("x", "w"), ("y", "h"))
        ]
        assert any(apart), (one, other)
    assert sum(p["w"] * p["h"] for p in places) == 24 * max(p["y"] + p["h"] for p in places)
    assert [p["y"] for p in places] == sorted(p["y"] for p in places)


def test_every_panel_says_what_it_is(board):
    """A title, a description, the data source that is chosen, and queries told apart."""
    for panel in board.panels:
        assert panel["title"]
        assert len(panel["description"]) > 20
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        letters = [target["refId"] for target in panel["targets"]]
        assert letters == sorted(set(letters))
        assert panel["fieldConfig"]["defaults"].get("custom", {}).get("spanNulls") in {None, False}


def test_queries_name_what_exists(board):
    """Each metric is exported or recorded by the rules, each variable is there."""
    recorded = set(re.findall(r"record: (\S+)", rules_of(FULL)))
    for _, target in board.queries():
        expr = board.filled(target["expr"])
        bare = re.sub(r'"[^"]*"', "", expr)
        names = set(re.findall(r"\b([a-z_][\w:]+)(?=\{)", bare))
        assert names
        assert names <= KNOWN | recorded | OTHERS
        assert "$" not in expr


def test_nothing_is_averaged(board):
    """A mean of means is wrong; every query but that of processes looks at the models chosen."""
    for title, target in board.queries():
        expr = target["expr"]
        assert not re.search(r"\bavg|quantile_over_time|\bmean\(", expr), title
        assert 'job="$job"' in expr
        if not re.search(
            r"\b(process_|scrape_|up\b|losswatch_(kafka|config|state|collector|scrape))", expr
        ):
            assert 'model=~"$model' in expr


@pytest.mark.parametrize(
    ("config", "without"),
    [
        (FULL, {"Which segment?", "RMSE of other windows", "Segments"}),
        (
            SPLIT,
            {"Alarms on", "RMSE against the objective", "Burn rates", "Evidence of alarms"}
            | {"Alarms", "On since", "Lag of Kafka", "Lost by Kafka, 1h"},
        ),
    ],
    ids=["full", "split"],
)
def test_a_panel_is_there_if_the_config_has_what_it_is_about(config, without):
    """Without segments there is no row of segments, without Kafka no lag."""
    every = {
        name
        for config in CONFIGS.values()
        for row, titles in board_of(config).titles.items()
        for name in (row, *titles)
    }
    here = {name for row, titles in board_of(config).titles.items() for name in (row, *titles)}
    assert without <= every
    assert not without & here


def test_the_questions_are_asked_from_top_to_bottom():
    """From whether it is healthy to losswatch itself."""
    assert list(board_of(SPLIT).titles) == [
        "Is it healthy now?",
        "Since when is it not?",
        "Which segment?",
        "Which events?",
        "Is the truth arriving?",
        "losswatch itself",
    ]


def test_a_river_alarm_has_no_evidence():
    """It promises nothing, so there is nothing to be near to."""
    river = "alarms: [{kind: river, detector: river.drift.ADWIN}]"
    titles = board_of(MINIMAL.replace("model: eta", f"model: eta, {river}")).titles
    history = titles["Since when is it not?"]
    assert "Alarms" in history
    assert "Evidence of alarms" not in history


def test_units_are_those_of_the_config():
    """One for all, or one for the series of each model; losses have it squared."""

    def units(*models):
        made = Board(json.loads(dashboard_text(Watched(models))))
        configs = {panel["title"]: panel["fieldConfig"] for panel in made.panels}
        return configs["RMSE"], configs["Losses"]["defaults"]["unit"]

    rmse, loss = units(WatchedModel("eta", 1.0, unit="minutes"))
    assert (rmse["defaults"]["unit"], loss) == ("suffix:minutes", "suffix:minutes²")
    _, loss = units(WatchedModel("eta", 1.0, unit="litres a second"))
    assert loss == "suffix:(litres a second)²"
    rmse, loss = units(WatchedModel("a/b", 1.0, unit="m"), WatchedModel("c", 1.0))
    assert (rmse["defaults"]["unit"], loss) == ("short", "short")
    (override,) = rmse["overrides"]
    assert override["matcher"]["options"] == r"/^a\/b( |$)/"
    assert override["properties"] == [{"id": "unit", "value": "suffix:m"}]


def test_labels_have_variables_of_their_own():
    """Also one that each target has already: Prometheus shows it as ``exported_job``."""
    variables = board_of(SPLIT).variables
    assert list(variables) == ["datasource", "job", "model", "segment_city", "segment_exported_job"]
    assert variables["segment_exported_job"]["label"] == "exported_job"
    exprs = [target["expr"] for _, target in board_of(SPLIT).queries()]
    assert any('exported_job=~"$segment_exported_job"' in expr for expr in exprs)
    assert not any(re.search(r'[{,]job=~?"(?!\$job")', expr) for expr in exprs)


def test_models_without_segments_are_not_among_them():
    """The others are named, so that Grafana takes no part of a name for a variable."""
    models = (WatchedModel("a.b$job", 1.0, labels=("city",)), WatchedModel("c", 1.0))
    board = Board(json.loads(dashboard_text(Watched(models))))
    exprs = {title: board.filled(target["expr"]) for title, target in board.queries()}
    assert r"""model=~"a\\.b[$]job"}""" in exprs["Share of the loss, 1h"]
    alone = Board(json.loads(dashboard_text(Watched(models[:1]))))
    exprs = {title: alone.filled(target["expr"]) for title, target in alone.queries()}
    assert exprs["Share of the loss, 1h"].count("model=~") == 2


def test_exemplars_are_asked_for():
    """Of the losses alone: each is an event."""
    asked = {title for title, target in board_of(FULL).queries() if target["exemplar"]}
    assert asked == {"Losses"}


def test_windows_too_short_for_prometheus_are_left_to_losswatch():
    """Rates need four scrapes; a config without such a window has one of 5m."""
    board = board_of(SPLIT)
    assert "RMSE of 5m" in board.titles["Is it healthy now?"]
    exprs = {title: target["expr"] for title, target in board.queries()}
    assert 'window=~"10s|tumbling 1d"' in exprs["RMSE of other windows"]
    assert all(row.panels for row in dashboard_rows(Watched((WatchedModel("eta", 1.0),))))


def test_each_model_has_a_bias():
    """In the shortest window that it has itself: of one with others it would have none."""
    models = (
        WatchedModel("a", 1.0, sliding=(("5m", 300.0), ("10s", 10.0))),
        WatchedModel("b$job", 1.0, sliding=(("1h", 3600.0),)),
        WatchedModel("c", 1.0),
    )
    board = Board(json.loads(dashboard_text(Watched(models))))
    found = [
        re.search(r'window="(.+?)",model=~"(.+?)"', board.filled(target["expr"])).groups()
        for title, target in board.queries()
        if title == "Bias and spread, 10s or 1h or lifetime"
    ]
    assert found == [
        (window, model)
        for window, model in (("10s", "a"), ("1h", "b[$]job"), ("lifetime", "c"))
        for _ in ("bias", "spread")
    ]
    same = Board(json.loads(dashboard_text(Watched(models[:1] * 2))))
    (bias, _) = [t["expr"] for title, t in same.queries() if title == "Bias and spread, 10s"]
    assert bias == 'losswatch_bias{job="$job",model=~"$model",window="10s"}'


def test_a_panel_may_have_more_queries_than_there_are_letters():
    """Grafana goes on with AA; a query of another name is taken for a wrong one."""
    sliding = tuple((f"{minutes}m", 60.0 * minutes) for minutes in range(5, 40))
    models = tuple(WatchedModel(f"m{n}", 1.0, sliding=sliding[n:]) for n in range(30))
    found = json.loads(dashboard_text(Watched(models)))["panels"]
    letters = max(([target["refId"] for target in p.get("targets", ())] for p in found), key=len)
    assert len(letters) > 52
    assert letters[25:28] == ["Z", "AA", "AB"]
    assert letters[51:53] == ["AZ", "BA"]
    assert len(set(letters)) == len(letters)
