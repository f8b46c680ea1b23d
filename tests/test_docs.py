"""The docs name everything that there is, and nothing that there is not."""

import argparse
import re
from pathlib import Path

import pytest
import yaml

from losswatch.cli.parser import build_parser
from losswatch.config.load import parse_config
from losswatch.config.model import (
    ARROW_SUFFIXES,
    COLUMNS,
    AlarmConfig,
    Config,
    HttpConfig,
    HttpServerConfig,
    JoinConfig,
    KafkaConfig,
    MonitorConfig,
    ObjectiveConfig,
    SegmentsConfig,
    SocketConfig,
    SourceConfig,
    TlsConfig,
    WebConfig,
)
from losswatch.errors import Reason
from losswatch.prometheus import METRICS

ROOT = Path(__file__).parents[1]
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
METRICS_PAGE = (ROOT / "docs" / "metrics.md").read_text()
CLI = (ROOT / "docs" / "cli.md").read_text()
README = (ROOT / "README.md").read_text()
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "deploy/runbook.md", "deploy/README.md")
    ),
    *(ROOT / "docs").rglob("*.md"),
]


def commands() -> dict[str, argparse.ArgumentParser]:
    parser = build_parser()
    (subparsers,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return dict(subparsers.choices)


@pytest.mark.parametrize(
    "section",
    [
        *(Config, MonitorConfig, SegmentsConfig, JoinConfig, ObjectiveConfig, AlarmConfig),
        *(SourceConfig, HttpConfig, SocketConfig, KafkaConfig),
        *(WebConfig, TlsConfig, HttpServerConfig),
    ],
    ids=lambda s: s.__name__,
)
def test_every_key_is_documented(section):
    """Each key of the YAML has a row, and each has a description for the schema."""
    for key, field in section.model_fields.items():
        assert f"\n| `{key}` | " in CONFIGURATION
        assert field.description


def test_every_reason_is_documented():
    """Each reason has a row and no other has."""
    table = CONFIGURATION[CONFIGURATION.index("| reason |") :]
    assert set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == {r.value for r in Reason}


def test_every_metric_is_documented():
    """Each metric has a row with its type, and no other has."""
    rows = dict(re.findall(r"^\| `losswatch_(\w+)` \| (\w+) \|", METRICS_PAGE, re.MULTILINE))
    wanted = {
        f"{name}_total" if kind == "counter" else name: kind for name, (kind, _) in METRICS.items()
    }
    assert rows == wanted


def test_every_command_and_option_is_documented():
    """Each command has a section that names each of its options."""
    for name, parser in commands().items():
        section = CLI[CLI.index(f"## losswatch {name}") :].split("\n## ")[0]
        options = {o for action in parser._actions for o in action.option_strings}
        for option in options - {"-h", "--help"}:
            if option != "--log.level":
                assert f"`{option}`" in section, (name, option)
    assert set(re.findall(r"^## losswatch (\w+)", CLI, re.MULTILINE)) == set(commands())


def test_the_readme_is_short_and_its_config_is_right():
    """Under 100 lines; its YAML is a config and its commands exist."""
    assert len(README.splitlines()) < 100
    (config,) = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert parse_config(config).monitors[0].model == "eta"
    for command in re.findall(r"^losswatch (\w+)", README, re.MULTILINE):
        assert command in commands()


def test_the_configs_of_the_docs_are_right():
    """Each YAML block of the configuration page that is no grammar loads with the minimal rest."""
    blocks = re.findall(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL)
    for block in blocks:
        if "<" not in block:
            rest = {"monitors": "monitors: [{model: eta}]", "sources": "sources: [{file: e}]"}
            missing = [line for key, line in rest.items() if f"{key}:" not in block]
            parse_config("\n".join(["version: 1", *missing, block]))
    assert len(blocks) == 11


def test_the_page_of_parquet_is_right():
    """Its config loads, its options exist, and it names every ending."""
    page = (ROOT / "docs" / "parquet.md").read_text()
    (config,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert parse_config(config).sources[0].lines == COLUMNS
    options = {o for a in commands()["replay"]._actions for o in a.option_strings}
    assert (
        set(re.findall(r"(--\w[\w-]*) ", "".join(re.findall(r"^losswatch .*", page, re.MULTILINE))))
        <= options
    )
    for ending in ARROW_SUFFIXES:
        assert f"`*{ending}`" in page
        assert f"`*{ending}`" in CLI
        assert f"`{ending}`" in CONFIGURATION


def test_every_link_leads_somewhere():
    """Relative links of all pages are files or folders."""
    for page in PAGES:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), (page, link)


def test_the_full_example_shows_every_key():
    """config/losswatch.yml uses every key there is."""
    data = yaml.safe_load((ROOT / "config" / "losswatch.yml").read_text())
    assert set(data) == set(Config.model_fields)
    for key, section in (("monitors", MonitorConfig), ("sources", SourceConfig)):
        assert set().union(*data[key]) == set(section.model_fields)
    monitor, sources = data["monitors"][0], data["sources"]
    assert set(monitor["segments"]) == set(SegmentsConfig.model_fields)
    assert set(monitor["join"]) == set(JoinConfig.model_fields)
    assert set(monitor["objective"]) == set(ObjectiveConfig.model_fields)
    alarms = [alarm for each in data["monitors"] for alarm in each["alarms"]]
    assert set().union(*alarms) == set(AlarmConfig.model_fields)
    for kind, section in (("http", HttpConfig), ("socket", SocketConfig), ("kafka", KafkaConfig)):
        (keys,) = (source[kind] for source in sources if kind in source)
        assert set(keys) == set(section.model_fields)
    web = data["web"]
    assert set(web) == set(WebConfig.model_fields)
    assert set(web["http_server_config"]) == set(HttpServerConfig.model_fields)
    text = (ROOT / "config" / "losswatch.yml").read_text()
    assert set(re.findall(r"^  #   (\w+):", text, re.MULTILINE)) == set(TlsConfig.model_fields)
