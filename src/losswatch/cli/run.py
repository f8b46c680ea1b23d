"""``losswatch run``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from losswatch.cli.summary import as_line
from losswatch.config.load import load_config
from losswatch.service.run import Service

__all__ = ["run"]


def run(path: str, listen: str | None) -> int:
    """Run the service until SIGINT or SIGTERM; then say what was seen."""
    config = load_config(Path(path))
    if listen is not None:
        config = config.model_copy(update={"listen": listen})
    service = Service(config, Path(path).parent)
    received: list[str] = []

    def stop(number: int, _: object) -> None:
        received.append(signal.Signals(number).name)
        service.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    service.run()
    seen = as_line(service.monitors.snapshot())
    print(f"losswatch: stopped by {' '.join(received[:1])} after {seen}", file=sys.stderr)
    return 0
