"""``losswatch run``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.cli.summary import as_line
from losswatch.config.load import load_config, load_web_file
from losswatch.service.run import Service

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from losswatch.config.model import Config

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Run the service until SIGINT or SIGTERM; then say what was seen."""
    early: list[int] = []
    _at_hang_up(early.append)  # by default it would end the process
    service = Service(_load(options), Path(options.config).parent, lambda: _load(options))
    received: list[str] = []

    def stop(number: int, _: object) -> None:
        received.append(signal.Signals(number).name)
        service.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    _at_hang_up(lambda _: service.hang_up())
    if early:
        service.hang_up()
    service.run()
    seen = as_line(service.monitors.snapshot())
    print(f"losswatch: stopped by {' '.join(received[:1])} after {seen}", file=sys.stderr)
    return 0


def _at_hang_up(what: Callable[[int], object]) -> None:
    if hasattr(signal, "SIGHUP"):  # not on Windows
        signal.signal(signal.SIGHUP, lambda number, _: what(number))


def _load(options: argparse.Namespace) -> Config:
    """Return the config with what the options say instead."""
    config = load_config(Path(options.config))
    web = config.web
    if options.web_file is not None:
        web = web.with_file(load_web_file(Path(options.web_file)))
    if options.lifecycle:
        web = web.model_copy(update={"enable_lifecycle": True})
    update = {"web": web} | ({} if options.listen is None else {"listen": options.listen})
    return config.model_copy(update=update)
