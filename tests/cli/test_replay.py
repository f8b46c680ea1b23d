"""``losswatch replay`` scores real files, exactly."""

import json
import os
import random
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from river import datasets

from losswatch import Cost


def predictions(dataset):
    """Predict each target by the one before it."""
    last = 0.0
    for _, y in dataset:
        yield float(y), last
        last = float(y)


REAL = {
    "water_flow": list(predictions(datasets.WaterFlow())),
    "sp500": list(predictions(datasets.SP500Stocks())),
}


def lines_of(model) -> list[bytes]:
    return [
        json.dumps({"model": model, "y_true": y_true, "y_pred": y_pred}).encode()
        for y_true, y_pred in REAL[model]
    ]


def exact_mse(pairs) -> float:
    return float(sum(Fraction((t - p) * (t - p)) for t, p in pairs) / len(pairs))


def costs(result) -> dict[str, dict[str, object]]:
    assert result.returncode == 0, result.stderr
    return {cost["model"]: cost for cost in json.loads(result.stdout)["costs"]}


@pytest.mark.parametrize("model", REAL)
def test_real_data_piped_through_is_exact(losswatch_command, model):
    """The mse has the bits of the fractions, in any order of the lines."""
    lines = lines_of(model)
    wanted = exact_mse(REAL[model])
    for seed in range(3):
        found = costs(losswatch_command("replay", "--json", "-", stdin=b"\n".join(lines)))[model]
        assert (found["mse"], found["n"]) == (wanted, len(lines))
        random.Random(seed).shuffle(lines)


@pytest.mark.parametrize("model", REAL)
def test_pieces_merge_to_the_same_bits(losswatch_command, model, tmp_path):
    """A file cut in pieces gives the same cost: replayed as a folder, or merged as costs."""
    lines, merged = lines_of(model), Cost()
    for piece in range(5):
        (tmp_path / f"{piece}.ndjson").write_bytes(b"\n".join(lines[piece::5]) + b"\n")
        part = Cost()
        for y_true, y_pred in REAL[model][piece::5]:
            part.update(y_true, y_pred)
        merged.merge(Cost.from_bytes(bytes(part)))
    found = costs(losswatch_command("replay", "--json", tmp_path))[model]
    assert found["mse"] == merged.mse == exact_mse(REAL[model])


def test_all_models_in_one_table(losswatch_command):
    """Without --json there is a table with a row for each model, and the rate."""
    lines = lines_of("water_flow") + lines_of("sp500") + [b"oops"]
    result = losswatch_command("replay", "-", stdin=b"\n".join(lines))
    table = result.stdout.decode()
    assert result.returncode == 0
    assert [line.split()[:2] for line in table.splitlines()[:3]] == [
        ["model", "events"],
        ["water_flow", "1,268"],
        ["sp500", "1,257"],
    ]
    assert "2,526 lines in " in table
    assert "1 refused: invalid_json 1" in table
    assert b"stdin line 2526 refused: " in result.stderr


def test_json_tells_lines_and_reasons(losswatch_command):
    """The report names what was refused; a number that does not exist is null."""
    stdin = b'{"y_true": 1, "y_pred": 1, "w": 0}\n\n{"y_true": NaN, "y_pred": 1}\n[]\n'
    result = losswatch_command("replay", "--json", "-", stdin=stdin)
    assert result.returncode == 1  # not one event counts
    report = json.loads(result.stdout)
    assert report["lines"] == 4
    assert report["rejected"] == {"empty_line": 1, "not_finite": 1, "wrong_type": 1}
    assert report["costs"] == [
        {
            "model": "default",
            "segment": {},
            "window": "lifetime",
            "n": 0,
            "weight": 0.0,
            **dict.fromkeys(("mse", "rmse", "mae", "bias", "error_variance", "r2", "dummy_ratio")),
        }
    ]


def test_csv_with_other_names(losswatch_command, tmp_path):
    """Columns are mapped on the command line."""
    path = tmp_path / "taxi.csv"
    path.write_text("when;actual;promised\n1;10;12\n2;10;11\n")
    result = losswatch_command(
        "replay",
        "--json",
        path,
        "--delimiter",
        ";",
        "--model",
        "taxi",
        "--field",
        "y_true=actual",
        "--field",
        "y_pred=promised",
    )
    assert costs(result)["taxi"]["mse"] == 2.5


def test_several_outputs(losswatch_command):
    """Objects as y_true and y_pred give a cost for each output and the pooled one."""
    stdin = b'{"y_true": {"lat": 1, "lon": 2}, "y_pred": {"lat": 2, "lon": 5}}'
    report = json.loads(losswatch_command("replay", "--json", "-", stdin=stdin).stdout)
    assert [(c.get("output"), c["mse"]) for c in report["costs"]] == [
        (None, 5.0),
        ("lat", 1.0),
        ("lon", 9.0),
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["replay", "nowhere.ndjson"], 1, "losswatch: nowhere.ndjson: no such file or folder"),
        (["replay"], 2, "the following arguments are required: FILE"),
        (
            ["replay", "-", "--field", "y=z"],
            2,
            "command line: fields.y: is no key here; allowed: y_true, y_pred, w, model",
        ),
        (["replay", "-", "--delimiter", ";;"], 2, "command line: delimiter: is ';;'"),
        (["replay", "-", "--max-line-bytes", "0"], 2, "command line: max_line_bytes: is 0;"),
        (["frobnicate"], 2, "invalid choice: 'frobnicate'"),
        ([], 2, "the following arguments are required: COMMAND"),
    ],
    ids=["no file", "no argument", "field", "delimiter", "limit", "command", "nothing"],
)
def test_wrong_calls(losswatch_command, arguments, code, message, tmp_path):
    """Each wrong call says what is wrong and ends with its code."""
    result = losswatch_command(*arguments, cwd=tmp_path)
    assert result.returncode == code
    assert message in result.stderr.decode()
    assert result.stdout == b""


def test_a_reader_that_leaves_is_no_crash(tmp_path):
    """``| head`` closes the pipe: no traceback."""
    path = tmp_path / "many.ndjson"
    path.write_bytes(
        b"".join(b'{"model": "m%d", "y_true": 1, "y_pred": 2}\n' % n for n in range(9000))
    )
    command = [sys.executable, "-m", "losswatch", "replay", "--json", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        running.stdout.read(10)
        running.stdout.close()
        errors = running.stderr.read()
        running.wait(30)
    assert b"Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_an_interrupt_tells_what_was_seen(number):
    """A replay that waits for more ends at once, with code 1 and a last line."""
    command = [sys.executable, "-m", "losswatch", "replay", "--json", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as running:
        running.stdin.write(b'{"y_true": 1, "y_pred": 3}\noops\n')
        running.stdin.flush()
        assert b"line 2 refused" in running.stderr.readline()
        running.send_signal(number)
        output, errors = running.communicate(timeout=30)
    assert (running.returncode, output) == (1, b"")
    assert errors.decode().splitlines()[-1] == (
        "losswatch: interrupted after 2 lines: 1 events, 1 refused; default n=1 rmse=2"
    )


def test_nothing_scored_is_said(losswatch_command):
    """Without one event there is no empty table; a CSV taken for JSON gets a hint."""
    result = losswatch_command("replay", "-", stdin=b"y_true,y_pred\n1,2\n")
    assert result.returncode == 1
    assert result.stdout.decode().splitlines()[0] == "no event could be scored"
    assert b"(is it CSV? then the format must be csv)" in result.stderr


def test_a_tab_may_be_written_as_in_shells(losswatch_command):
    r"""``--delimiter '\t'`` is a tab."""
    arguments = ("replay", "--json", "-", "--format", "csv", "--delimiter", r"\t")
    result = losswatch_command(*arguments, stdin=b"y_true\ty_pred\n1\t3\n")
    assert costs(result)["default"]["mse"] == 4.0


def test_names_are_shown_as_they_are(losswatch_command):
    """Markup, escape sequences and line feeds in names do nothing, in the table and in the log."""
    stdin = (
        b'{"model": "[red]hi", "y_true": 1, "y_pred": 2}\n'
        b'{"model": "[/foo]", "y_true": 1, "y_pred": 2}\n'
        b'{"model": "a\\u001b[31mb", "y_true": 1, "y_pred": 2}\n'
        b'{"y_true": {"a\\nFAKE LINE": null}, "y_pred": {"b": 1}}\n'
    )
    result = losswatch_command("replay", "-", stdin=stdin)
    rows = [line.split()[0] for line in result.stdout.decode().splitlines()[1:4]]
    assert rows == ["[red]hi", "[/foo]", r"a\x1b[31mb"]
    assert len(result.stderr.splitlines()) == 1
    assert rb"a\nFAKE LINE" in result.stderr


def test_output_in_any_encoding(losswatch_command):
    """A name that the terminal cannot show is escaped, not a crash."""
    stdin = '{"model": "København", "y_true": 1, "y_pred": 2}'.encode()
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    result = losswatch_command("replay", "-", stdin=stdin, env=environment)
    assert result.returncode == 0
    assert rb"K\xf8benhavn" in result.stdout


@pytest.mark.parametrize("arguments", [["replay", "--json", "e.ndjson"], ["schema"]], ids=" ".join)
def test_output_that_cannot_be_written(arguments, tmp_path):
    """A full disk ends the command with code 1 and one line."""
    (tmp_path / "e.ndjson").write_text('{"y_true": 1, "y_pred": 2}')
    command = [sys.executable, "-m", "losswatch", *arguments]
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, cwd=tmp_path, timeout=60, check=False
        )
    assert result.returncode == 1
    assert result.stderr == b"losswatch: [Errno 28] No space left on device\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_closed_streams_are_no_crash(closed, tmp_path):
    """Without standard input, output or error a command still ends by its own code."""
    (tmp_path / "e.ndjson").write_text('{"y_true": 1, "y_pred": 2}')
    file = "-" if closed == "<&-" else "e.ndjson"
    command = f"{sys.executable} -m losswatch replay {file} {closed}"
    result = subprocess.run(
        command, shell=True, capture_output=True, cwd=tmp_path, timeout=60, check=False
    )
    assert result.returncode == (1 if closed == "<&-" else 0)
    assert b"Traceback" not in result.stderr
    if closed == "<&-":
        assert result.stderr == b"losswatch: standard input is closed\n"


def test_the_order_of_lines_does_not_decide_what_a_model_is(losswatch_command):
    """A refused line does not fix the outputs of its model, wherever it stands."""
    good = b'{"model": "m", "y_true": {"a": 1, "b": 1}, "y_pred": {"a": 1, "b": 2}}\n'
    bad = b'{"model": "m", "y_true": {"a": 1}, "y_pred": {"a": 1, "b": 2}}\n'
    weight = b'{"model": "m", "y_true": 1, "y_pred": 2, "w": -1}\n'
    for lines in ([bad, weight, good, good], [good, good, bad, weight]):
        result = losswatch_command("replay", "--json", "-", stdin=b"".join(lines))
        assert costs(result)["m"]["n"] == 2


def test_a_file_given_twice_is_refused(losswatch_command, tmp_path):
    """By whatever name, its events would count twice."""
    (tmp_path / "e.ndjson").write_text('{"y_true": 1, "y_pred": 2}')
    result = losswatch_command("replay", "e.ndjson", ".", cwd=tmp_path)
    assert result.returncode == 1
    assert b"e.ndjson: is given twice; its events would count twice" in result.stderr
