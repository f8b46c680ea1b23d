"""The description of the API is true: of a running server, and whatever is sent to it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import bcrypt
import jsonschema
import pytest
from posting import GOOD, service
from servers import fetch

import losswatch
from losswatch.errors import Reason
from losswatch.sources.base import Outcome, Refusal
from losswatch.web.doors import Doors
from losswatch.web.passwords import Passwords
from losswatch.web.rate import Rate
from losswatch.web.schemas import SCHEMAS

EXAMPLES = 40
TESTS = Path(__file__).parents[1]


def refuse_what_the_core_does(batch):
    """Refuse what a decoder does not see: a weight below 0, no outputs at all."""
    columns = batch.columns
    lines = [line for line, w in zip(columns.line, columns.w, strict=True) if w < 0]
    lines += [e.line for e in batch.events if e.w < 0 or {} in (e.y_true, e.y_pred)]
    return Outcome([Refusal(line, Reason.NEGATIVE_WEIGHT, "w is below 0") for line in lines])


def test_schemathesis_finds_nothing(tmp_path):
    """All its checks hold: statuses, media types, schemas, methods, what is taken and refused."""
    with service(1 << 20, commit=refuse_what_the_core_does, limit=1 << 20) as running:
        command = [str(Path(sys.executable).with_name("schemathesis")), "run", "--no-color"]
        command += [
            "--checks=all",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--continue-on-failure",
        ]
        command += ["--generation-database=none", f"{running.url}/api/v1/openapi.json"]
        hooks = {"SCHEMATHESIS_HOOKS": "schemathesis_hooks", "PYTHONPATH": str(TESTS)}
        found = subprocess.run(
            command,
            check=False,
            cwd=tmp_path,
            env=os.environ | hooks,
            capture_output=True,
            text=True,
            timeout=250,
        )
    assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
    assert "Tested: 6" in found.stdout  # it reads the description itself
    assert sum(len(batch.columns) for batch in running.batches) > EXAMPLES


def described(running):
    return running.send("GET", "/api/v1/openapi.json").body


def test_every_path_is_described():
    """Each path of the API is there, with its own name, and no other."""
    with service() as running:
        description = described(running)
    methods = {path: [*entry] for path, entry in description["paths"].items()}
    posts = {f"/api/v1/{name}": ["post"] for name in ("events", "predictions", "truths")}
    posts["/api/v1/alarms/acknowledge"] = ["post"]
    gets = {f"/api/v1/{name}": ["get"] for name in ("cost", "alarms", "openapi.json")}
    assert methods == {**posts, **gets}
    names = re.findall('"operationId": "(.*?)"', json.dumps(description))
    assert len(names) == len(set(names)) == 7


def test_the_password_is_described():
    """A client may need one, and learns so by an answer of the shape that is described."""
    secret = {"alice": bcrypt.hashpw(b"x", bcrypt.gensalt(4)).decode()}
    with service() as running:
        description = described(running)
        running.server.doors = Doors(passwords=Passwords(secret))
        answer = running.send("GET", "/api/v1/cost")
    assert description["components"]["securitySchemes"]["user"]["scheme"] == "basic"
    assert description["security"] == [{}, {"user": []}]
    assert (answer.status, answer.headers["www-authenticate"][:5]) == (401, "Basic")
    jsonschema.validate(answer.body, SCHEMAS["Problem"])
    for operations in description["paths"].values():
        for operation in operations.values():
            assert "WWW-Authenticate" in operation["responses"]["401"]["headers"]


def test_a_rate_is_described():
    """Whatever is asked for, there may have been too much of it."""
    with service() as running:
        description = described(running)
        running.server.doors = Doors(rate=Rate(3600.0, 1))
        answers = [running.send("GET", "/api/v1/cost") for _ in range(2)]
    assert [answer.status for answer in answers] == [200, 429]
    jsonschema.validate(answers[1].body, SCHEMAS["Problem"])
    for operations in description["paths"].values():
        for operation in operations.values():
            assert "Retry-After" in operation["responses"]["429"]["headers"]


def test_without_a_place_to_send_to_none_is_described():
    """What cannot be sent to is not there; what can be read always is."""
    with losswatch.serve(losswatch.Monitor("eta"), port=0) as server:
        description = json.loads(fetch(server.url + "api/v1/openapi.json")[2])
        assert fetch(server.url + "api/v1/events")[0] == 404
        assert fetch(server.url + "api/v1/cost")[0] == 200
    names = ("cost", "alarms", "alarms/acknowledge", "openapi.json")
    assert set(description["paths"]) == {f"/api/v1/{name}" for name in names}


def test_every_reason_is_described():
    """An answer names no reason that the description does not."""
    assert SCHEMAS["Refused"]["properties"]["reason"]["enum"] == [r.value for r in Reason]


BODIES = {
    "Result": (GOOD + b"x\n", 200),
    "RefusedProblem": (b"x\n", 422),
    "Problem": (b"[", 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_answers_fit_their_schemas(name):
    """Each kind of answer is valid by the schema of its name."""
    body, status = BODIES[name]
    with service() as running:
        answer = running.post(body)
    assert answer.status == status
    jsonschema.validate(answer.body, {**SCHEMAS[name], "components": {"schemas": SCHEMAS}})
