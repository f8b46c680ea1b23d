"""Bytes of plain values and of events, for what is stored and what is sent."""
