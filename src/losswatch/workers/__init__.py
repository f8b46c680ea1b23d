"""The worker's side: events on their way to the one process that counts them.

Loads the standard library and NumPy, nothing else.
"""
