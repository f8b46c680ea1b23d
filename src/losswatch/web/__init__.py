"""The HTTP side: what is served where, and the server that does it."""
