"""From one config to the next: what goes on, what is made anew, what takes a restart."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from losswatch.errors import ConfigError, LosswatchError, Problem
from losswatch.service.build import make_monitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from losswatch.config.model import Config
    from losswatch.core.monitor import Monitor
    from losswatch.core.monitors import Monitors
    from losswatch.prometheus import ConfigStatus

__all__ = ["changed_monitors", "declared_of", "loaded", "settled"]

logger = logging.getLogger(__name__)


def declared_of(config: Config) -> dict[str, str]:
    """Return what a config says of each model, for the state."""
    return {monitor.model: monitor.model_dump_json() for monitor in config.monitors}


def settled(before: Config, config: Config) -> tuple[Config, list[str]]:
    """Return a config with what only a restart can change as before, and notes of that."""
    fixed = {
        "listen": (before.listen, config.listen),
        "state": (before.state, config.state),
        "web.probe_listen": (before.web.probe_listen, config.web.probe_listen),
    }
    notes = [
        f"{name}: {old} stays until a restart, then it is {new}"
        for name, (old, new) in fixed.items()
        if old != new
    ]
    web = config.web.model_copy(update={"probe_listen": before.web.probe_listen})
    update = {"listen": before.listen, "state": before.state, "web": web}
    return config.model_copy(update=update), notes


def changed_monitors(
    before: Config, config: Config, monitors: Monitors, clock: Callable[[], float]
) -> list[Monitor]:
    """Return the monitors of a config; those that count now where nothing of them changed."""
    old = {each.model: each for each in before.monitors}
    return [
        (monitors.get(each.model) if each == old.get(each.model) else None)
        or make_monitor(each, clock)
        for each in config.monitors
    ]


@contextmanager
def loaded(status: ConfigStatus) -> Iterator[None]:
    """Tell the log and the metrics how loading a config went.

    Raises
    ------
    LosswatchError
        Whatever was raised: an error of the config must not end the service.
    """
    try:
        yield
    except LosswatchError as error:
        status.successful = False
        logger.error("the config of before goes on: %s", error)
        raise
    except Exception as error:
        status.successful = False
        logger.exception("the config of before goes on")
        what = f"cannot be used: {type(error).__name__}; the log says more"
        raise ConfigError("config", [Problem(0, "", what)]) from None
    status.successful, status.loaded_at = True, time.time()
    logger.info("the config was loaded again")
