"""``losswatch check`` and ``losswatch schema``."""

from __future__ import annotations

import json
from pathlib import Path

from losswatch.config.load import load_config
from losswatch.config.model import json_schema

__all__ = ["check", "schema"]


def check(path: str) -> int:
    """Print what a config says, or raise with everything that is wrong."""
    config = load_config(Path(path))
    models = ", ".join(monitor.model for monitor in config.monitors)
    sources = ", ".join("stdin" if s.file == "-" else s.file for s in config.sources)
    print(f"{path}: ok: watches {models}; reads {sources}; serves http://{config.listen}/metrics")
    return 0


def schema() -> int:
    """Print the JSON schema."""
    print(json.dumps(json_schema(), indent=2))
    return 0
