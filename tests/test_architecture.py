"""What an import loads."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "bcrypt",
    "msgspec",
    "numpy",
    "prometheus_client",
    "pyarrow",
    "pydantic",
    "rich",
    "river",
    "scipy",
    "starlette",
    "uvicorn",
    "yaml",
}


def loaded_by(statement: str) -> set[str]:
    """Return the heavy packages that a statement loads in a fresh process."""
    code = f"{statement}; import json, sys; print(json.dumps(sorted(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return HEAVY & set(json.loads(result.stdout))


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("import losswatch", set()),
        ("from losswatch import RejectedEvent", set()),
        ("from losswatch import Cost, ExactSum, Monitor", {"numpy"}),
        ("import losswatch.cli.main", set()),
        ("import losswatch.config.load", {"pydantic", "yaml"}),
        ("import losswatch.sources.ndjson", {"msgspec", "numpy"}),
        ("import losswatch.sources.parquet", {"msgspec", "numpy"}),
        ("import losswatch.prometheus", {"prometheus_client", "numpy"}),
        ("import losswatch.web.server", {"starlette", "uvicorn", "numpy"}),
    ],
)
def test_imports_load_no_more_than_they_need(statement, allowed):
    """``import losswatch`` is light, and each part loads its own third party alone."""
    assert loaded_by(statement) <= allowed
