"""``losswatch``: how a command runs and ends."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from losswatch.cli.parser import build_parser
from losswatch.errors import ConfigError, ListenError, SourceError, StateError, StoreError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

__all__ = ["main"]

OK, FAILED, WRONG_CALL = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit with its code."""
    _open_streams()
    options = build_parser().parse_args(arguments)
    logging.basicConfig(
        stream=sys.stderr,
        level=options.log_level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    signal.signal(signal.SIGTERM, _interrupt)
    code = _run(options.command, options)
    sys.exit(code)


def _interrupt(*_: object) -> None:
    """Let SIGTERM end a command as Ctrl-C does."""
    raise KeyboardInterrupt


def _run(command: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    try:
        code = command(options)
        sys.stdout.flush()
    except ConfigError as error:
        print(error, file=sys.stderr)
        return WRONG_CALL
    except (ListenError, SourceError, StateError, StoreError) as error:
        print(f"losswatch: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of our output has gone, as in `| head`
        _discard_output()
        return FAILED
    except OSError as error:  # the output cannot be written
        _discard_output()
        print(f"losswatch: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("losswatch: interrupted", file=sys.stderr)
        return FAILED
    return code


def _open_streams() -> None:
    """Make output possible whatever the terminal's encoding, and where it is closed."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115  # until the end
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Send what is still in the buffer nowhere: Python would fail again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
