"""Run the real command."""

import subprocess
import sys

import pytest


@pytest.fixture
def losswatch_command():
    def run(*arguments, stdin=b"", **options):
        return subprocess.run(
            [sys.executable, "-m", "losswatch", *map(str, arguments)],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            **options,
        )

    return run
