"""Score files once, as fast as they can be read."""

from __future__ import annotations

import os.path
import stat
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.config.model import ARROW_SUFFIXES
from losswatch.core.monitor import Monitor
from losswatch.core.monitors import Monitors
from losswatch.errors import SourceError
from losswatch.service.build import make_source
from losswatch.service.ingest import Ingest
from losswatch.service.refusals import RefusalLog

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from losswatch.config.model import SourceConfig
    from losswatch.core.alarmed import AlarmChange

__all__ = ["Replay", "files_of"]

SUFFIXES = (".ndjson", ".jsonl", ".json", ".csv")
"""What is read of a folder, each also with .gz; and files of columns."""


class Replay:
    """Scores the events of some files; every model that occurs gets a monitor.

    Parameters
    ----------
    settings
        How to read each file.
    monitors
        Where the events go; if not given, models are taken as they come.
    labels
        Those of segments that are read.
    timed
        Whether the times of events are read; only windows of time need them.
    """

    def __init__(
        self,
        settings: SourceConfig,
        monitors: Monitors | None = None,
        labels: Sequence[str] = (),
        *,
        timed: bool = False,
    ) -> None:
        self._settings = settings
        self._labels = labels
        self._timed = timed
        self.monitors = monitors or Monitors(make=lambda m, outputs: Monitor(m, outputs=outputs))
        self.lines = 0
        self.seconds = 0.0
        self.alarms: list[AlarmChange] = []

    def run(self, files: Sequence[str], progress: Callable[[str, int], None]) -> None:
        """Score the files one after another; ``-`` is standard input.

        Parameters
        ----------
        files
            Paths of files.
        progress
            Called with the name and the bytes read of it so far.

        Raises
        ------
        SourceError
            A file cannot be read. What was read until then counts.
        """
        refusals = RefusalLog(time.monotonic)
        ingest = Ingest(self.monitors, refusals)
        start = time.perf_counter()
        try:
            for file in files:
                self._run_file(file, ingest, progress)
        finally:
            refusals.flush()
            self.seconds = time.perf_counter() - start

    def _run_file(self, file: str, ingest: Ingest, progress: Callable[[str, int], None]) -> None:
        settings = self._settings.model_copy(update={"file": file})
        source = make_source(settings, Path(), self._labels, timed=self._timed)
        try:
            while (batch := source.next_batch()) is not None:
                if batch.lines:
                    self.lines += batch.lines
                    ingest.take(source.name, batch)
                    for monitor in self.monitors:
                        self.alarms += monitor.alarm_changes()
                    progress(file, getattr(source, "position", 0))
                elif file == "-":
                    time.sleep(0.005)
        finally:
            source.close()


def files_of(paths: Sequence[str]) -> list[str]:
    """Return the files, those of folders in order of their names.

    Raises
    ------
    SourceError
        A path does not exist or is given twice, or a folder holds nothing to read.
    """
    files: list[str] = []
    for path in paths:
        if path != "-" and _is_dir(path):
            found = sorted(str(f) for f in Path(path).rglob("*") if _is_readable(f))
            if not found:
                names = " ".join(f"*{suffix}" for suffix in (*SUFFIXES, *ARROW_SUFFIXES))
                raise SourceError(f"{path}: holds no file named {names}")
            files += found
        else:
            files.append(path)
    seen = Counter(os.path.realpath(file) for file in files if file != "-")
    for file, times in seen.items():
        if times > 1:
            raise SourceError(f"{file}: is given twice; its events would count twice")
    return files


def _is_dir(path: str) -> bool:
    try:
        return stat.S_ISDIR(Path(path).stat().st_mode)
    except FileNotFoundError:
        raise SourceError(f"{path}: no such file or folder") from None
    except (OSError, ValueError) as error:
        raise SourceError(f"{path!a:.80}: {getattr(error, 'strerror', None) or error}") from None


def _is_readable(path: Path) -> bool:
    is_named = path.name.removesuffix(".gz").endswith(SUFFIXES)
    return path.is_file() and (is_named or path.name.endswith(ARROW_SUFFIXES))
