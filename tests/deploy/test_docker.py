"""The image and what runs beside it: as much as can be seen without a container engine."""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml
from servers import answers, binary, fetch, free_port, process, wait_for

from losswatch.config.load import load_config

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "docker"
TEXT = (FOLDER / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((FOLDER / "compose.yml").read_text())


def instructions():
    """Return the instructions of the Dockerfile, by stage: comments gone, lines joined."""
    plain = "\n".join(line for line in TEXT.splitlines() if not line.startswith("#"))
    lines = [line for line in plain.replace("\\\n", " ").splitlines() if line.strip()]
    stages = []
    for line in lines:
        name, _, rest = line.partition(" ")
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, " ".join(rest.split())))
    return stages


BUILD, FINAL = instructions()


def test_hadolint_has_nothing_to_say():
    """Not even a hint."""
    command = [binary("hadolint"), str(FOLDER / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, check=False, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_the_image_runs_as_a_user_who_may_do_nothing():
    """A number that is not root, and the command listens on all addresses."""
    assert [rest for name, rest in FINAL if name == "USER"] == ["10001:10001"]
    last = dict(FINAL)
    assert json.loads(last["ENTRYPOINT"]) == ["losswatch"]
    assert json.loads(last["CMD"])[-1] == "0.0.0.0:18100"
    assert "curl" not in last["HEALTHCHECK"]


def test_what_the_head_says_to_run_can_be_run():
    """The config that it mounts is what the image reads, and one that needs no other file."""
    (source, target) = re.search(r"-v \./(\S+):(/etc/\S+):ro", TEXT).groups()
    assert target == json.loads(dict(FINAL)["CMD"])[1]
    config = load_config(ROOT / source)
    assert all(made.file is None for made in config.sources)
    assert config.state != ":memory:"


def test_the_build_sees_what_it_copies_and_no_more():
    """What is not ignored is what the Dockerfile copies."""
    ignored = (FOLDER / "Dockerfile.dockerignore").read_text().splitlines()
    seen = {line[1:] for line in ignored if line.startswith("!")}
    copied = {part for name, rest in BUILD if name == "COPY" for part in rest.split()[:-1]}
    assert "*" in ignored
    assert copied == seen
    assert all((ROOT / name).exists() for name in copied)


def test_compose_is_right():
    """By the specification; its files exist and are read only, its services are not root's."""
    compose = pytest.importorskip("compose_spec").PyCompose.from_yaml(yaml.safe_dump(COMPOSE))
    compose.validate()
    compose.validate_volumes()
    assert set(compose.service_names()) == {
        "losswatch", "traffic", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip
    for name, service in COMPOSE["services"].items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), name
        for volume in service["volumes"]:
            source, _, mode = re.fullmatch(r"(.*?):(/.*?)(:ro)?", volume).groups()
            if source.startswith("."):
                assert (FOLDER / source).exists(), volume
                assert mode, volume
            else:
                assert source in COMPOSE["volumes"], volume


def test_the_services_know_each_other():
    """Each address that a config names is a service, at a port that it has."""
    names = set(COMPOSE["services"])
    prometheus = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    (job,) = prometheus["scrape_configs"]
    assert job["job_name"] == "losswatch"
    addresses = [*job["static_configs"][0]["targets"]]
    addresses += prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    url = COMPOSE["services"]["grafana"]["environment"]["LOSSWATCH_PROMETHEUS_URL"]
    addresses.append(url.removeprefix("http://"))
    for address in addresses:
        name, _, port = address.partition(":")
        assert name in names
        assert f"127.0.0.1:{port}:{port}" in COMPOSE["services"][name]["ports"]
    assert prometheus["rule_files"] == ["losswatch.rules.yml"]


LOCKED = ["setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
"""As compose.yml has it; root too may then do only what its files allow."""


@pytest.fixture
def built(tmp_path):
    """What the build makes; dependencies are those of the tests, to have it in seconds."""
    for name, rest in BUILD:
        if name == "COPY":
            for source in rest.split()[:-1]:
                copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                copy(ROOT / source, tmp_path / source)
    place = tmp_path / "opt" / "losswatch"
    quicker = {
        "/opt/losswatch": str(place),
        "python -m venv": f"{sys.executable} -m venv",
        "python -m pip wheel": f"{sys.executable} -m pip wheel",
        "--no-cache-dir --constraint": "--no-deps --constraint",
        "--no-cache-dir": "",
    }
    (command,) = (rest for name, rest in BUILD if name == "RUN")
    for asked, done in quicker.items():
        assert asked in command
        command = command.replace(asked, done)
    (extras,) = (rest for name, rest in BUILD if name == "ARG")
    steps = subprocess.run(
        ["sh", "-euc", f"{extras}; {command}"],
        cwd=tmp_path,
        env=PLAIN,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert steps.returncode == 0, steps.stdout + steps.stderr
    (packages,) = place.glob("lib/python*/site-packages")
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"))
    return place / "bin"


PLAIN = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""The environment without what would show the checkout to Python."""


def test_what_is_built_runs(built, tmp_path):
    """The steps of the Dockerfile, without any right, where nothing but the state is writable."""
    state, here = tmp_path / "state", tmp_path / "here"
    state.mkdir()
    here.mkdir()
    (here / "losswatch.yml").write_text((ROOT / "config" / "objective.yml").read_text())
    here.chmod(0o555)
    address = f"127.0.0.1:{free_port()}"
    options = {"cwd": here, "env": {"STATE_DIRECTORY": str(state), "PYTHONDONTWRITEBYTECODE": "1"}}
    entry, run, _, listen, _ = json.loads(dict(FINAL)["ENTRYPOINT"]) + json.loads(
        dict(FINAL)["CMD"]
    )
    command = [*LOCKED, str(built / entry), run, "losswatch.yml", listen, address]
    with process(command, tmp_path / "run.log", **options) as running:
        wait_for(lambda: answers(f"http://{address}/-/ready"), 60, "for what was built")
        assert is_healthy(built, address, **options)
        assert b"losswatch_build_info" in fetch(f"http://{address}/metrics")[2]
        assert (state / "losswatch.db").exists()
        touch = subprocess.run([*LOCKED, "touch", "x"], check=False, capture_output=True, **options)
        assert touch.returncode != 0
        running.terminate()
        assert running.wait(20) == 0, (tmp_path / "run.log").read_text()
    assert not is_healthy(built, address, **options)
    where = [built / "python", "-c", "import losswatch; print(losswatch.__file__)"]
    found = subprocess.run(where, check=True, capture_output=True, text=True, **options)
    assert found.stdout.startswith(str(built.parent))


def is_healthy(built, address, **options):
    """Tell what the health check of the image tells."""
    program, *rest = json.loads(re.search(r"CMD (\[.*\])", dict(FINAL)["HEALTHCHECK"])[1])
    rest[1] = rest[1].replace("127.0.0.1:18100", address)
    command = [built / program, *rest]
    done = subprocess.run(command, check=False, capture_output=True, timeout=30, **options)
    return done.returncode == 0
