"""A monitor that a YAML file describes, inside a program of your own."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from losswatch.core import monitor
from losswatch.errors import ConfigError, Problem

if TYPE_CHECKING:
    import os

    from losswatch.config.model import Config, MonitorConfig

__all__ = ["Monitor"]


class Monitor(monitor.Monitor):  # noqa: D101  # it has the docstring of its base
    __doc__ = monitor.Monitor.__doc__

    @classmethod
    def from_config(cls, path: str | os.PathLike[str], model: str | None = None) -> Self:
        """Return the monitor of a model as a YAML file declares it, with the clock of now.

        What it sees is kept in memory: ``state``, ``listen`` and ``sources``
        are for ``losswatch run``.

        Parameters
        ----------
        path
            The YAML file.
        model
            Which model, if it declares several.

        Raises
        ------
        ConfigError
            The file is wrong, or does not declare the model.

        Examples
        --------
        >>> import losswatch
        >>> monitor = losswatch.Monitor.from_config("config/minimal.yml", model="eta")
        >>> monitor.predicted("trip 7", 12.0)
        >>> monitor.observed("trip 7", 10.0)
        >>> monitor.snapshot().read("5m").rmse
        2.0
        """
        # Here, so that who needs a monitor alone does not load the readers of YAML and events.
        from losswatch.config.load import load_config  # noqa: PLC0415
        from losswatch.service.build import make_monitor  # noqa: PLC0415

        config = load_config(Path(path))
        return make_monitor(_declared(config, model, str(path)), time.time, cls)


def _declared(config: Config, model: str | None, path: str) -> MonitorConfig:
    """Return what a config says of a model."""
    found = [each for each in config.monitors if model in {None, each.model}]
    if len(found) == 1:
        return found[0]
    known = ", ".join(each.model for each in config.monitors)
    asked = f"{model!r:.60} is not declared" if model else "no model was named"
    raise ConfigError(path, [Problem(0, "monitors", f"{asked}; must be one of {known:.300}")])
