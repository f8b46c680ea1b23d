"""Every metric: its name, type and help."""

from __future__ import annotations

__all__ = ["METRICS", "PREFIX"]

PREFIX = "losswatch_"

METRICS = {
    "l2_loss": ("histogram", "L2 loss of accepted events, in the target's unit squared."),
    "weighted_loss": ("counter", "Sum of w * loss of accepted events."),
    "weight": ("counter", "Sum of the weights of accepted events."),
    "mse": ("gauge", "Mean squared error in the window. Do not average: divide rates of l2_loss."),
    "rmse": (
        "gauge",
        "Root mean squared error in the window, in the target's unit. Do not average.",
    ),
    "mae": ("gauge", "Mean absolute error in the window, in the target's unit. Do not average."),
    "bias": ("gauge", "Mean of y_true - y_pred in the window: above 0, predictions are too low."),
    "error_variance": (
        "gauge",
        "Variance of the error in the window: mse = bias^2 + error_variance.",
    ),
    "r2": (
        "gauge",
        "Share of the variance of y_true in the window that is explained; 1 is perfect.",
    ),
    "dummy_ratio": (
        "gauge",
        "rmse by that of predicting the mean of all y_true: below 1, better than nothing.",
    ),
    "events": ("gauge", "Events in the window."),
    "lifetime_events": ("gauge", "Events since the state began; goes on over restarts."),
    "lifetime_rmse": ("gauge", "rmse of all events since the state began. Do not average."),
    "predictions": ("counter", "Predictions with an id, each once."),
    "predictions_scored": ("counter", "Predictions with an id whose truth came."),
    "predictions_pending": ("gauge", "Predictions that wait for their truth."),
    "predictions_expired": ("counter", "Predictions given up: their truth did not come."),
    "truths_pending": ("gauge", "Truths that wait for their prediction."),
    "truths_unmatched": ("counter", "Truths given up: their prediction did not come."),
    "truths_revised": ("counter", "Truths that replaced another one; the loss was reverted."),
    "truth_delay_seconds": ("histogram", "From the prediction to its truth."),
    "duplicates": ("counter", "Predictions and truths that came again; they count once."),
    "coverage": ("gauge", "Share of the predictions that were scored, since the state began."),
    "scored_retained": ("gauge", "Scored events that can still be revised."),
    "last_prediction_timestamp_seconds": ("gauge", "When the last prediction with an id arrived."),
    "last_truth_timestamp_seconds": ("gauge", "When the last truth with an id arrived."),
    "late_events": (
        "counter",
        "Accepted events that came when the window had left their time behind.",
    ),
    "segments": ("gauge", "Segments that have a cost of their own now."),
    "segments_overflowed": (
        "counter",
        'Events of segments beyond the limit; they count as segment="other".',
    ),
    "rejected_events": (
        "counter",
        "Events refused, by reason; model is empty where it is not known.",
    ),
    "last_event_timestamp_seconds": ("gauge", "When the last accepted event arrived."),
    "objective_mse": ("gauge", "The largest acceptable mse: the square of max_rmse."),
    "mse_lower_bound": (
        "gauge",
        "The mean loss so far is above this, with a confidence of 95 % at all times at once.",
    ),
    "loss_autocorrelation_events": (
        "gauge",
        "Events that errors remember each other for; a block of an alarm should be twice as long.",
    ),
    "alarm_active": ("gauge", "Whether the alarm is on; it stays on until it is cleared."),
    "alarms": ("counter", "How often the alarm went on."),
    "alarm_evidence_ratio": ("gauge", "How near the alarm is, on the scale of logs: 1 is on."),
    "alarm_since_timestamp_seconds": ("gauge", "Since when the alarm is on."),
    "alarm_change_events_ago": (
        "gauge",
        "Events since the error seems to have grown; an estimate, where the alarm is on.",
    ),
    "alarm_warmup_remaining_blocks": ("gauge", "Blocks that the alarm has yet to learn from."),
    "alarm_promised_events_per_false_alarm": (
        "gauge",
        "At most one false alarm is expected in so many events of the model.",
    ),
    "alarm_promised_seconds_per_false_alarm": (
        "gauge",
        "At most one false alarm is expected in so much time.",
    ),
    "alarm_info": ("gauge", "Always 1; the kind of the alarm and what its promise rests on."),
    "kafka_lag_messages": ("gauge", "Messages of a partition that were not read yet."),
    "kafka_lost_messages": ("counter", "Messages that the broker deleted before they were read."),
    "state_writable": ("gauge", "Whether the last commit to the state worked."),
    "build_info": ("gauge", "Always 1; the version is in the labels."),
    "config_last_reload_successful": (
        "gauge",
        "Whether the last attempt to load the config worked.",
    ),
    "config_last_reload_success_timestamp_seconds": ("gauge", "When the config was last loaded."),
    "scrape_duration_seconds": (
        "gauge",
        "How long collecting and writing the cost took in this scrape.",
    ),
    "collector_success": ("gauge", "Whether collecting the cost worked in this scrape."),
}
"""Name without prefix, type, and help."""
