"""Detectors of other libraries, by the name of their class."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from losswatch.core.alarms.settings import Detector

__all__ = ["detector_maker"]


def detector_maker(path: str, settings: Mapping[str, object]) -> Callable[[], Detector]:
    """Return what makes detectors of a class, with settings.

    Parameters
    ----------
    path
        Module and class, as in ``river.drift.ADWIN``.
    settings
        Its arguments.

    Raises
    ------
    ValueError
        There is no such class, it does not take the settings, or what it makes
        is no drift detector.
    """
    module, _, name = path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ValueError(
            f"has detector: {path}, which cannot be imported ({error}); name a class such as"
            " river.drift.ADWIN"
        ) from None
    make: Callable[[], Detector] = partial(kind, **settings)
    try:
        detector = make()
    except Exception as error:  # noqa: BLE001  # whatever a class of others raises
        raise ValueError(
            f"has detector: {path}, which cannot be made with its settings: {error}"
        ) from None
    if not (hasattr(detector, "update") and hasattr(detector, "drift_detected")):
        raise ValueError(
            f"has detector: {path}, which has no update and drift_detected; name a drift detector"
        )
    return make
