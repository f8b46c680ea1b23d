"""The windows of a monitor, each for all its segments."""
