"""``losswatch merge``: states of several machines as one, and what would count twice."""

import json
import random
import shutil

import pytest
from exactly import added, numbers, terms
from killing import CHECKED
from running import Running

CONFIG = """\
version: 1
state: {name}.db
monitors: [{{model: eta, windows: [{{events: 10}}], segments: {{labels: [city]}}}}]
sources: [{{http: {{}}}}]
"""


def pairs_of(seed: int) -> list[tuple[float, float]]:
    draw = random.Random(seed)
    return [(draw.gauss(0, 1e8), draw.gauss(0, 1e-8)) for _ in range(50)]


@pytest.fixture
def tell(tmp_path):
    """Tell records to a service with a state of that name; return how many events count then."""

    def tell(name: str, *records: dict, config: str = CONFIG) -> dict[str | None, int]:
        with Running(tmp_path, config.format(name=name)) as running:
            assert running.post("events", *records)[0] == 200
            costs = running.costs()
            assert running.stop() == 0
        return {cost["segment"].get("city"): cost["n"] for cost in costs}

    return tell


@pytest.fixture
def merged(losswatch_command, tmp_path):
    """Merge states; return the costs of the lifetime by segment, or what it said."""

    def merged(*names: str) -> dict | str:
        done = losswatch_command("merge", *names, "--json", cwd=tmp_path)
        if done.returncode:
            assert not done.stdout
            return done.stderr.decode()
        costs = json.loads(done.stdout)["costs"]
        return {c["segment"].get("city"): c for c in costs if c["window"] == "lifetime"}

    return merged


def events(seed: int, city: str) -> list[dict]:
    keys = ("y_true", "y_pred")
    return [dict(zip(keys, pair, strict=True), segment={"city": city}) for pair in pairs_of(seed)]


def test_the_sum_of_two_machines_is_exact_and_goes_on(tell, merged, losswatch_command, tmp_path):
    """As if one had seen all, to the last bit; the sum is a state like any other."""
    tell("one", *events(1, "oslo"))
    tell("two", *events(2, "oslo"), *events(3, "rome"))
    exact = {
        city: numbers(added([terms(t - p, t) for seed in seeds for t, p in pairs_of(seed)]))
        for city, seeds in ((None, (1, 2, 3)), ("oslo", (1, 2)), ("rome", (3,)))
    }
    for files in (("one.db", "two.db"), ("two.db", "one.db")):
        found = merged(*files)
        assert found.keys() == exact.keys()
        for city, right in exact.items():
            assert {name: found[city][name] for name in CHECKED} == {
                name: right[name] for name in CHECKED
            }
    done = losswatch_command("merge", "one.db", "two.db", "--output", "both.db", cwd=tmp_path)
    assert done.returncode == 0
    assert b"RMSE" in done.stdout
    assert tell("both", *events(4, "rome")) == {None: 200, "oslo": 100, "rome": 100}


def test_halves_that_wait_on_two_machines_are_joined(tell, merged):
    """And what both have seen of one event counts once."""
    whole = {"prediction_id": "b", "y_true": 1.0, "y_pred": 5.0}
    tell("one", {"prediction_id": "a", "y_pred": 3.0}, whole)
    tell("two", {"prediction_id": "a", "y_true": 1.0}, whole)
    (cost,) = merged("one.db", "two.db").values()
    assert (cost["n"], cost["mse"]) == (2, 10.0)


def test_a_common_past_is_refused(tell, merged, losswatch_command, tmp_path):
    """Two copies of one state, the same file twice, a sum and what it was made of."""
    tell("one", *events(1, "oslo"))
    shutil.copy(tmp_path / "one.db", tmp_path / "copy.db")
    tell("copy", *events(2, "oslo"))
    assert "copy.db: it and another state are copies of one" in merged("one.db", "copy.db")
    assert "one.db: was given twice" in merged("one.db", "one.db")
    tell("two", *events(3, "oslo"))
    assert merged("copy.db", "two.db")["oslo"]["n"] == 150
    done = losswatch_command("merge", "one.db", "two.db", "--output", "sum.db", cwd=tmp_path)
    assert done.returncode == 0
    for other in ("two.db", "copy.db"):
        assert "a sum that has the other" in merged("sum.db", other)
    done = losswatch_command("merge", "one.db", "--output", "two.db", cwd=tmp_path)
    assert (done.returncode, b"is there already; name a new file" in done.stderr) == (1, True)


def test_what_is_no_state_of_the_same_models_is_refused(tell, merged, tmp_path):
    """Not there, something else, or counted by another config."""
    tell("one", *events(1, "oslo"))
    assert "no.db: no such file" in merged("one.db", "no.db")
    (tmp_path / "text.db").write_text("hello")
    assert "text.db: " in merged("one.db", "text.db")
    tell("two", *events(2, "oslo"), config=CONFIG.replace("{{events: 10}}", "5m"))
    assert "two.db: declares windows of 'eta' otherwise than the states" in merged(
        "one.db", "two.db"
    )
