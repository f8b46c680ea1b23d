"""What schemathesis must know of losswatch; it is run as a program of its own."""

import json

import schemathesis


@schemathesis.serializer("application/x-ndjson", "text/plain")
def as_lines(_, value):
    """Send an array as lines."""
    if isinstance(value, bytes):
        return value
    return "\n".join(map(json.dumps, value if isinstance(value, list) else [value])).encode()
