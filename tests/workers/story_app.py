"""An application that tells what it is sent, as records of events, and says when it is safe."""

import json
import os

import losswatch
import losswatch.wsgi

connections = {model: losswatch.connect("losswatch.sock", model) for model in ("eta", "place")}
metrics = losswatch.wsgi.metrics_app(connections["eta"])


def app(environ, start_response):
    """Tell the records of a request."""
    if environ["PATH_INFO"] == "/metrics":
        return metrics(environ, start_response)
    for record in json.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))):
        _tell(connections[record["model"]], record)
    safe = all([connection.flush(30.0) for connection in connections.values()])  # noqa: C419
    start_response("200 OK", [("content-type", "application/json")])
    return [json.dumps({"pid": os.getpid(), "safe": safe}).encode()]


def _tell(connection, record):
    name = record["prediction_id"]
    if "y_pred" in record:
        connection.predicted(name, record["y_pred"], record["w"], segment=record["segment"])
    if "y_true" in record:
        connection.observed(name, record["y_true"], time=record["time"])
