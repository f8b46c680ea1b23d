"""A model behind Flask, in as many processes as you like.

``losswatch run owner.yml`` has ``sources: [{socket: {path: losswatch.sock}}]``; beside it runs
``gunicorn -w 4 flask_app:app``, with or without ``--preload``.
"""

import os

from flask import Flask, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

import losswatch
import losswatch.wsgi

eta = losswatch.connect(os.environ.get("LOSSWATCH_SOCKET", "losswatch.sock"), model="eta")

app = Flask(__name__)
metrics = losswatch.wsgi.metrics_app(eta)  # the same from each process
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/metrics": metrics})  # type: ignore[method-assign]


@app.post("/score")
def score() -> dict[str, object]:
    """Take events whose truth is known at once, and say whether they are safe."""
    events = request.get_json()
    for y_true, y_pred in events:
        eta.update(y_true, y_pred, segment={"city": request.args["city"]})
    return {"pid": os.getpid(), "safe": eta.flush(timeout=60.0)}


@app.post("/predict/<trip_id>")
def predict(trip_id: str) -> dict[str, object]:
    """Predict; whichever process will be told the truth."""
    minutes = 2.0 * float(request.args["km"])
    eta.predicted(trip_id, minutes, segment={"city": request.args["city"]})
    return {"minutes": minutes, "pid": os.getpid()}


@app.post("/arrived/<trip_id>")
def arrived(trip_id: str) -> dict[str, object]:
    """Tell the truth."""
    eta.observed(trip_id, float(request.args["minutes"]))
    return {"pid": os.getpid()}
