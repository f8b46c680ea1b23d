"""``losswatch check`` and ``losswatch schema``."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.cli.trial import try_on
from losswatch.config.load import load_config
from losswatch.config.model import json_schema
from losswatch.service.doors import make_doors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.config.model import Config

__all__ = ["check", "schema"]


def check(path: str, data: list[str]) -> int:
    """Print what a config says, or raise with everything that is wrong; try it on files."""
    config = load_config(Path(path))
    make_doors(config.web, Path(path).parent)
    scheme = "http" if config.web.tls_server_config is None else "https"
    models = ", ".join(monitor.model for monitor in config.monitors)
    sources = ", ".join(source.title for source in config.sources)
    address = f"{scheme}://{config.listen}/metrics"
    print(f"{path}: ok: watches {models}; reads {sources}; serves {address}")
    for note in _notes(config, Path(path).parent):
        print(f"{path}: note: {note}")
    return try_on(path, config, data) if data else 0


def _notes(config: Config, folder: Path) -> Iterator[str]:
    """Yield what is no mistake of the config, but missing around it."""
    for source in config.sources:
        if source.file and source.file != "-" and not (folder / source.file).exists():
            what = "it is waited for" if source.follow else "it must be there at the start"
            yield f"{source.file} does not exist yet; {what}"
    if any(source.kafka for source in config.sources) and not find_spec("confluent_kafka"):
        yield "kafka needs an extra: pip install 'losswatch[kafka]'"
    made = [source.socket.path for source in config.sources if source.socket]
    if config.state != ":memory:":
        made.append(config.state)
    for name in made:
        if not (folder / name).parent.is_dir():
            yield f"the folder of {name} does not exist yet; it must be there at the start"


def schema() -> int:
    """Print the JSON schema."""
    print(json.dumps(json_schema(), indent=2))
    return 0
