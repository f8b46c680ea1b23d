"""Numbers and rules. Pure: no I/O and no clock; the standard library and NumPy."""
