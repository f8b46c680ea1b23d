"""Where alarms are read and acknowledged."""

from __future__ import annotations

__all__ = ["ACKNOWLEDGE", "ALARMS"]

ALARMS = "/api/v1/alarms"
ACKNOWLEDGE = "/api/v1/alarms/acknowledge"
