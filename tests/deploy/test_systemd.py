"""The unit of systemd: verified, and locked."""

import re
import subprocess
from pathlib import Path

import pytest
from prometheus_client import ProcessCollector
from servers import binary

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy" / "systemd" / "losswatch.service"
PROGRAM = "/opt/losswatch/bin/losswatch"


def analyze(*arguments):
    command = [binary("systemd-analyze"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


@pytest.fixture
def unit(tmp_path):
    """The unit with a program that is there on this machine."""
    path = tmp_path / "losswatch.service"
    text = UNIT.read_text()
    assert text.count(f"={PROGRAM} ") == 2
    path.write_text(text.replace(PROGRAM, "/bin/true"))
    return path


def test_systemd_understands_the_unit(unit):
    """No key that it does not know, no value that it cannot read."""
    done = analyze("verify", unit)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_key_that_is_misspelled_is_seen(unit):
    """The check above would notice."""
    unit.write_text(unit.read_text().replace("ProtectHome=", "ProtectHomes="))
    assert "ProtectHomes" in analyze("verify", unit).stderr


def test_the_service_is_locked(unit):
    """Its exposure is below 1.5 of 10, as systemd counts it."""
    done = analyze("security", "--offline=true", "--threshold=15", unit)
    assert done.returncode == 0, done.stdout[-200:]
    assert analyze("security", "--offline=true", "--threshold=1", unit).returncode != 0


def test_the_state_is_where_the_config_says():
    """The folder is named by systemd, in the variable that the config reads."""
    text = UNIT.read_text()
    assert re.search(r"^StateDirectory=losswatch$", text, re.MULTILINE)
    assert "state: ${STATE_DIRECTORY:-.}/" in (ROOT / "config" / "objective.yml").read_text()
    assert re.search(r"^ExecStartPre=\S+ check (\S+)$\n^ExecStart=\S+ run \1$", text, re.MULTILINE)


def test_the_process_can_be_measured(tmp_path):
    """Without ``/proc/stat`` there is neither memory nor time on the page; the unit leaves it."""
    (tmp_path / "self").symlink_to("/proc/self")
    assert list(ProcessCollector(registry=None).collect())
    assert not list(ProcessCollector(proc=str(tmp_path), registry=None).collect())
    assert not re.search(r"^ProcSubset=pid", UNIT.read_text(), re.MULTILINE)


def test_the_steps_of_the_readme_make_what_the_unit_names():
    """The program, the config and the documentation are where the unit looks for them."""
    steps = (ROOT / "deploy" / "README.md").read_text().split("## systemd")[1].split("```")[1]
    (documentation,) = re.findall(r"^Documentation=file://(\S+)$", UNIT.read_text(), re.MULTILINE)
    folder, name = documentation.rsplit("/", 1)
    assert re.search(rf"^install .* {name} {folder}/$", steps, re.MULTILINE)
    assert f"venv {PROGRAM.removesuffix('/bin/losswatch')}\n" in steps
    (config,) = set(re.findall(r"(/etc/\S+\.yml)", UNIT.read_text()))
    assert f" {config}\n" in steps
