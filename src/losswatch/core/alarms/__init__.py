"""Alarms with a stated promise: expected false alarms in ``n`` events are at most ``n / A``."""
