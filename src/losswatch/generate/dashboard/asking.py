"""PromQL for panels: sums and counts are pooled first and divided afterwards, never averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.dashboard.panel import Variable
from losswatch.generate.text import duration, matching, quoted

if TYPE_CHECKING:
    from losswatch.generate.watched import Watched

__all__ = ["Asking"]

_SHORTEST = 60.0
"""Seconds of the shortest window that Prometheus can be asked for: four scrapes of 15 s."""

JOB = 'job="$job"'
MODEL = 'model=~"$model"'


class Asking:
    """The parts that the queries of a config's dashboard are made of.

    Parameters
    ----------
    watched
        What the config declares.

    Examples
    --------
    >>> from losswatch.generate.watched import Watched, WatchedModel
    >>> print(Asking(Watched((WatchedModel("eta", ttl=1.0),))).pooled("sum", "5m", ("model",)))
    sum by (model) (rate(losswatch_l2_loss_sum{job="$job",model=~"$model"}[5m]))
    """

    def __init__(self, watched: Watched) -> None:
        self.watched = watched
        models = watched.models
        self.labels = watched.labels
        outputs = ("output",) if any(model.outputs for model in models) else ()
        self.of = ("model", *outputs)
        self.name = " ".join(f"{{{{{label}}}}}" for label in self.of)
        self.job = f"{{{JOB}}}"
        self.model = f"{{{JOB},{MODEL}}}"

    def has(self, what: str) -> bool:
        """Tell whether some model declares this."""
        return any(getattr(model, what) for model in self.watched.models)

    def windows(self) -> dict[str, str]:
        """Return the windows that rates can be asked for: as the YAML and as PromQL spell them."""
        long = {w: duration(seconds) for w, seconds in self._sliding() if seconds >= _SHORTEST}
        return long or {"5m": "5m"}

    def other_windows(self) -> list[str]:
        """Return the labels of the windows that losswatch alone can compute."""
        short = [label for label, seconds in self._sliding() if seconds < _SHORTEST]
        others = [label for model in self.watched.models for label in model.windows]
        return list(dict.fromkeys([*short, *others]))

    def shortest(self) -> dict[str, list[str]]:
        """Return the shortest window of time of each model, and labels of who has it.

        It is the lifetime where there is none; without labels all have the same.
        """
        found: dict[str, list[str]] = {}
        for model in self.watched.models:
            windows = sorted(model.sliding, key=lambda window: (window[1], window[0]))
            window = windows[0][0] if windows else "lifetime"
            found.setdefault(window, []).append(model.name)
        return {window: self._only(tuple(names)) for window, names in found.items()}

    def _sliding(self) -> list[tuple[str, float]]:
        every = {window for model in self.watched.models for window in model.sliding}
        return sorted(every, key=lambda window: (window[1], window[0]))

    @property
    def soon(self) -> str:
        """The shortest of them: what is so now."""
        return next(iter(self.windows().values()))

    def losses(self, part: str, more: str = "") -> str:
        """Return the selector of one part of the histogram, of the segments that are chosen."""
        chosen = "".join(f',{label}=~"$segment_{label}"' for label in self.labels)
        return f"losswatch_l2_loss_{part}{{{JOB},{MODEL}{chosen}{more}}}"

    def whole(self, *more: str) -> str:
        """Return the labels of a gauge of whole models."""
        none = [f'{label}=""' for label in self.segment[1:]] if self.labels else []
        return "{" + ",".join([JOB, MODEL, *more, *none]) + "}"

    def pooled(self, part: str, window: str, by: tuple[str, ...], more: str = "") -> str:
        """Return a sum over all processes, and over all labels but these, a second."""
        return f"sum by ({', '.join(by)}) (rate({self.losses(part, more)}[{window}]))"

    def events(self, window: str) -> str:
        """Return the events of each model, a second: an event is in the counts of each output."""
        counts = self.pooled("count", window, self.of)
        return counts if self.of == ("model",) else f"max by (model) ({counts})"

    def mse(self, window: str, by: tuple[str, ...] = (), more: str = "") -> str:
        """Return the MSE; nothing where there were no events."""
        by = by or self.of
        return (
            f"{self.pooled('sum', window, by, more)}"
            f" / ({self.pooled('count', window, by, more)} > 0)"
        )

    def rmse(self, window: str, by: tuple[str, ...] = (), more: str = "") -> str:
        """Return the RMSE; nothing where there were no events."""
        return f"sqrt({self.mse(window, by, more)})"

    @property
    def objective(self) -> str:
        """The largest acceptable MSE."""
        return f"max by ({', '.join(self.of)}) (losswatch_objective_mse{self.model})"

    @property
    def split(self) -> str:
        """What leaves only the models that have segments, if there are others too."""
        models = tuple(model.name for model in self.watched.models if model.labels)
        return "".join(f",{label}" for label in self._only(models))

    def _only(self, names: tuple[str, ...]) -> list[str]:
        """Return the label that leaves only these models, none if there are no others."""
        # Grafana would take `$name` for a variable, also behind a backslash.
        pattern = quoted(matching(names)).replace(r"\\$", "[$]")
        return [] if len(names) == len(self.watched.models) else [f"model=~{pattern}"]

    @property
    def segment(self) -> tuple[str, ...]:
        """The labels that tell segments apart."""
        return ("model", *self.labels, "segment")

    @property
    def segment_name(self) -> str:
        """How a segment is called."""
        return " ".join(f"{{{{{label}}}}}" for label in self.segment)

    @property
    def alarm(self) -> tuple[str, ...]:
        """The labels that tell alarms apart, whatever their severity."""
        return (*self.of, "alarm", *self.labels, *(["segment"] if self.labels else []))

    @property
    def alarm_name(self) -> str:
        """How an alarm is called."""
        return " ".join(f"{{{{{label}}}}}" for label in self.alarm)

    def variables(self) -> tuple[Variable, ...]:
        """Return what can be chosen."""
        info = "losswatch_build_info"
        events = f"losswatch_lifetime_events{{{JOB}}}"
        losses = f"losswatch_l2_loss_count{{{JOB},{MODEL}}}"
        return (
            Variable("job", "job", info, "job", self.watched.job),
            Variable("model", "model", events, "model"),
            *(Variable(f"segment_{name}", name, losses, name) for name in self.labels),
        )
