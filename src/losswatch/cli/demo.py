"""``losswatch demo``: real data, real models, live."""

from __future__ import annotations

import sys
import time
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from losswatch.cli.summary import as_line, as_table
from losswatch.river import Monitored
from losswatch.river.streams import DemoStream, demo_streams
from losswatch.service.live import live_snapshot, serve_live

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["demo"]

_SHOW_SECONDS = 0.5
_LINE_SECONDS = 5.0


class _Learner:
    """A model that learns its stream, loop after loop."""

    def __init__(self, stream: DemoStream) -> None:
        self.stream = stream
        self.loop = 0
        self._model = Monitored(stream.model, name=stream.name, listen=None)
        self._events = self._loops()

    def step(self) -> None:
        """Learn one event."""
        self._model.learn_one(*next(self._events))

    def _loops(self) -> Iterator[tuple[dict[Any, Any], float]]:
        while True:
            self.loop += 1
            yield from self.stream


def demo(listen: str, rate: float, events: int) -> int:
    """Let models learn at a watchable pace until Ctrl-C, or for some events."""
    server = serve_live(listen, required=True)
    assert server is not None
    learners = [_Learner(stream) for stream in demo_streams()]
    print(f"losswatch demo: the cost is live at {server.url}metrics; Ctrl-C ends it")
    with suppress(KeyboardInterrupt):
        _learn(learners, rate, events, server.url)
    print(f"losswatch: stopped after {as_line(live_snapshot())}", file=sys.stderr)
    server.stop()
    return 0


def _learn(learners: list[_Learner], rate: float, events: int, url: str) -> None:
    console = Console(highlight=False, markup=False)
    live = Live(console=console, auto_refresh=False) if console.is_terminal else nullcontext()
    shown = start = time.monotonic()
    step = 0
    with live:
        while not events or step < events:
            for learner in learners:
                learner.step()
            step += 1
            now = time.monotonic()
            if now - shown >= (_SHOW_SECONDS if console.is_terminal else _LINE_SECONDS):
                _show(live, learners, url)
                shown = now
            time.sleep(max(0.0, start + step / rate - now))


def _show(live: Live | nullcontext[None], learners: list[_Learner], url: str) -> None:
    snapshot = live_snapshot()
    if not isinstance(live, Live):
        print(as_line(snapshot), flush=True)
        return
    units = {learner.stream.name: learner.stream.unit for learner in learners}
    loops = f"loop {min(learner.loop for learner in learners)} · {url}metrics · Ctrl-C ends"
    live.update(Group(as_table(snapshot, units), Text(loops, style="dim")), refresh=True)
