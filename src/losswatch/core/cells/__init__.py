"""Exact sums of many cells at once: integers in rows, grouped, added and read as columns."""
