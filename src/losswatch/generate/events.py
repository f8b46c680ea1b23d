"""Alerts on what comes in: events, truths, refusals, and messages of Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING

from losswatch.generate.rates import COUNT
from losswatch.generate.rule import Alert, Group
from losswatch.generate.text import duration, selector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from losswatch.generate.watched import Watched

__all__ = ["event_groups"]

_LEAST_WAIT, _LONGEST_WAIT = 900.0, 604_800.0

_ABOUT = "What comes in. An error that nobody measures is no small error."
_ABOUT_KAFKA = "Messages of Kafka."


def event_groups(watched: Watched) -> list[Group]:
    """Return the groups; that of Kafka is empty where no source is."""
    job = watched.job
    events = (_no_events(job), *_truth_stopped(watched), _join_full(job), *_rejected(job))
    kafka = (_lag(job), _lost(job)) if watched.kafka else ()
    return [
        Group("losswatch.events", _ABOUT, events),
        Group("losswatch.kafka", _ABOUT_KAFKA, kafka),
    ]


def _no_events(job: str) -> Alert:
    labels = selector(job)
    last = f"max_over_time(losswatch_last_event_timestamp_seconds{labels}[1w])"
    busiest = f"max_over_time({COUNT}1d{labels}[1w])"
    return Alert(
        "LosswatchNoEvents",
        f"time() - max by (job, model) ({last}) > 3600\n"
        f"and on (job, model)\nmax by (job, model) ({busiest}) * 86400 >= 360\n"
        f"and on (job, model)\nlosswatch_lifetime_events{labels}\n"
        f"and on (job)\nmax by (job) (up{labels}) == 1",
        summary="No events of {{ $labels.model }} for {{ $value | humanizeDuration }}",
        description="No event of {{ $labels.model }} was counted for"
        " {{ $value | humanizeDuration }}, though losswatch runs and some day of the last week had"
        " 360 or more. Its error is not known, which is not the same as small; alarms and burn"
        " rates are silent.",
        why="An hour without events, of a model that had 15 an hour on some day of the last week:"
        " if they come at random at that rate, chance leaves out an hour once in 25 years. A model"
        " that is not watched any more is left out. Knobs:"
        " the 3600 seconds, for traffic that stops at night; the 360 events of a day.",
        severity="ticket",
        wait="5m",
    )


def _truth_stopped(watched: Watched) -> Iterator[Alert]:
    """Yield an alert for each patience; models that have the same share one."""
    models: dict[str, list[str]] = {}
    for model in watched.models:
        quarter = min(max(model.ttl / 4, _LEAST_WAIT), _LONGEST_WAIT)
        models.setdefault(duration(quarter), []).append(model.name)
    for patience, names in models.items():
        yield _stopped(watched.job, patience, tuple(names) if len(models) > 1 else ())


def _stopped(job: str, patience: str, models: tuple[str, ...]) -> Alert:
    labels = selector(job, models)
    waits = f"losswatch_last_prediction_timestamp_seconds{labels} offset {patience}"
    truth = f"max_over_time(losswatch_last_truth_timestamp_seconds{labels}[{patience}])"
    came = f"increase(losswatch_predictions_total{labels}[{patience}])"
    return Alert(
        "LosswatchTruthStopped",
        f"max by (job, model) ({waits})\nunless on (job, model) (\n"
        f"  max by (job, model) ({truth})\n  >=\n  max by (job, model) ({waits})\n)\n"
        f"and on (job, model)\nsum by (job, model) ({came}) > 0\n"
        f"and on (job, model)\nlosswatch_lifetime_events{labels}",
        summary="Truths of {{ $labels.model }} have stopped",
        description=f"Predictions of {{{{ $labels.model }}}} go on, but for more than {patience} no"
        " truth has come. What waits is given up when join.ttl is over and is never"
        " scored. The error that is shown is that of the past; alarms and burn rates are silent.",
        why=f"Some prediction is older than {patience}, no truth came after it, and predictions go"
        f" on. {patience} is a quarter of join.ttl, from 15m to 1w: time enough to mend it. Knobs:"
        " all of these durations, if truths come in rarer batches; `for`, if they take"
        " more than an hour when predictions begin again after a pause.",
        severity="ticket",
        wait="1h",
        labels={"after": patience},
    )


def _join_full(job: str) -> Alert:
    labels = selector(job, more='reason="limit"')
    counters = ("losswatch_predictions_expired_total", "losswatch_truths_unmatched_total")
    parts = [f"sum by (job, model) (increase({name}{labels}[1h]))" for name in counters]
    return Alert(
        "LosswatchJoinFull",
        f"{parts[0]}\n+\n{parts[1]}\n> 0",
        summary="{{ $labels.model }} gives up predictions or truths before their time",
        description='In the last hour {{ $value | printf "%.0f" }} predictions or truths of'
        " {{ $labels.model }} were given up because more than join.pending waited: they will never"
        " be scored, however soon the other side comes.",
        why="Any at all: the limit decides here and not join.ttl, so the coverage is lower than"
        " what the config promises.",
        severity="ticket",
    )


def _rejected(job: str) -> tuple[Alert, Alert]:
    """Return one for records of known models, and one for those that name none."""
    counted = f"max by (job, model) ({COUNT}1h{selector(job)} * 3600)"
    return (
        _refused("LosswatchEventsRejected", job, "job, model", counted),
        _refused("LosswatchEventsOfNoModel", job, "job", f"sum by (job) ({counted})"),
    )


def _refused(name: str, job: str, by: str, counted: str) -> Alert:
    known = "model" in by
    whose = "of {{ $labels.model }}" if known else "of no known model"
    refused = selector(job, more=f'model{"!=" if known else "="}""')
    number = f"sum by ({by}) (increase(losswatch_rejected_events_total{refused}[1h]))"
    predicted = f"sum by ({by}) (increase(losswatch_predictions_total{selector(job)}[1h]))"
    return Alert(
        name,
        f"{number} >= 20\n> on ({by})\n0.05 * {counted}\n"
        f"unless on ({by}) (\n  0.05 * {predicted}\n  >= on ({by})\n  {number}\n)",
        summary=f'{{{{ $value | printf "%.0f" }}}} records {whose} refused in the last hour',
        description=f'In the last hour {{{{ $value | printf "%.0f" }}}} records {whose} were'
        " refused, more than 5% of what was accepted. Nothing counted before is harmed, but the"
        " error that is shown is that of the others. losswatch_rejected_events_total has the"
        " reasons, the log has examples.",
        why="At least 20, and more than 5% of the events counted and of the predictions taken."
        " Knobs: both numbers.",
        severity="ticket",
        wait="5m",
    )


def _lag(job: str) -> Alert:
    name = f"losswatch_kafka_lag_messages{selector(job)}"
    return Alert(
        "LosswatchKafkaLagGrowing",
        f"sum by (job, topic) ({name}) > 1000\n"
        f"and on (job, topic)\nsum by (job, topic) (deriv({name}[30m])) > 0",
        summary="losswatch falls behind on the topic {{ $labels.topic }}",
        description='{{ $value | printf "%.0f" }} messages of the topic {{ $labels.topic }} were'
        " not read yet, and for an hour they have become more. What is shown is of the past;"
        " messages that outlive the retention of the topic before they are read are lost.",
        why="More than 1000 messages, and the trend of 30 minutes went up for 30 minutes. Knob: the"
        " 1000 messages.",
        severity="ticket",
        wait="30m",
    )


def _lost(job: str) -> Alert:
    name = f"losswatch_kafka_lost_messages_total{selector(job)}"
    return Alert(
        "LosswatchKafkaMessagesLost",
        f"sum by (job, topic) (increase({name}[1h])) > 0\n"
        f"or\nsum by (job, topic) ({name} unless {name} offset 1h) > 0",
        summary="The broker deleted messages of {{ $labels.topic }} before they were read",
        description='About {{ $value | printf "%.0f" }} messages of the topic {{ $labels.topic }}'
        " were deleted by the broker before losswatch had read them. Their events are in no cost"
        " and will never be.",
        why="Any at all. The second half sees a series that is new and begins above 0: an increase"
        " needs a sample before.",
        severity="page",
    )
