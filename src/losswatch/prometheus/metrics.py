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
    "build_info": ("gauge", "Always 1; the version is in the labels."),
    "config_last_reload_successful": (
        "gauge",
        "Whether the last attempt to load the config worked.",
    ),
    "config_last_reload_success_timestamp_seconds": ("gauge", "When the config was last loaded."),
    "scrape_duration_seconds": ("gauge", "How long collecting the cost took in this scrape."),
    "collector_success": ("gauge", "Whether collecting the cost worked in this scrape."),
}
"""Name without prefix, type, and help."""
