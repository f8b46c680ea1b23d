"""``losswatch rules``."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def test_the_committed_rules_are_those_of_the_command(losswatch_command, tmp_path):
    """If not, its first lines tell how it is written; commit it again."""
    committed = (ROOT / "deploy" / "prometheus" / "losswatch.rules.yml").read_text()
    printed = losswatch_command("rules", ROOT / "config" / "objective.yml")
    assert (printed.returncode, printed.stdout.decode()) == (0, committed)
    path = tmp_path / "rules.yml"
    written = losswatch_command("rules", ROOT / "config" / "objective.yml", "--output", path)
    assert (written.returncode, written.stdout) == (0, b"")
    assert path.read_text() == committed


def test_the_options_are_in_the_rules(losswatch_command):
    """The job in each selector, the runbook in each link."""
    options = ("--job", "meters", "--runbook-url", "https://example.org/runbook")
    text = losswatch_command("rules", ROOT / "config" / "minimal.yml", *options).stdout.decode()
    assert set(re.findall(r'job="([^"]*)"', text)) == {"meters"}
    rules = [rule for group in yaml.safe_load(text)["groups"] for rule in group["rules"]]
    links = [rule["annotations"]["runbook_url"] for rule in rules if "alert" in rule]
    assert all(link.startswith("https://example.org/runbook#losswatch") for link in links)


@pytest.mark.parametrize("job", ["", "a\nb"])
def test_a_job_that_is_none_is_refused(losswatch_command, job):
    """With exit code 2 and what was found."""
    done = losswatch_command("rules", ROOT / "config" / "minimal.yml", "--job", job)
    assert done.returncode == 2
    assert b"is no text of at least one character" in done.stderr


def test_a_wrong_config_has_no_rules(losswatch_command, tmp_path):
    """All problems are told, and no file is written."""
    path, output = tmp_path / "bad.yml", tmp_path / "rules.yml"
    path.write_text("version: 2\n")
    done = losswatch_command("rules", path, "--output", output)
    assert done.returncode == 2
    assert not output.exists()
