"""Traffic that is made up, for compose.yml: deliveries of five cities, told how long they take.

Predictions are sent at once, their truths some seconds later. For ten minutes of each half hour
one city has roadworks that the model does not know of. Only Python's own library is needed.
"""

import argparse
import json
import random
import time
import urllib.request
from collections import deque

CITIES = {"oslo": 1.5, "rome": 3.0, "bergen": 2.0, "paris": 2.5, "lyon": 1.0}
"""The usual error in each, in minutes."""

DELAY = 8.0
"""Seconds until a truth is known."""

EVERY, LASTS, FACTOR = 1800, 600, 8.0
"""Seconds between faults and of one, and by what the error grows."""


def main() -> None:
    """Send until it is ended, or for some seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="where losswatch is")
    parser.add_argument("--rate", type=int, default=20, help="predictions a second")
    parser.add_argument("--seconds", type=float, default=float("inf"), help="stop after so many")
    options = parser.parse_args()
    end = time.time() + options.seconds
    waiting: deque[tuple[float, dict[str, object]]] = deque()
    while (now := time.time()) < end:
        made = [delivery(now) for _ in range(options.rate)]
        send(options.url, "predictions", [prediction for prediction, _ in made])
        waiting.extend((now + DELAY, truth) for _, truth in made)
        due = []
        while waiting and waiting[0][0] <= now:
            due.append(waiting.popleft()[1])
        send(options.url, "truths", due)
        time.sleep(max(0.0, now + 1 - time.time()))


def delivery(now: float) -> tuple[dict[str, object], dict[str, object]]:
    """Return a prediction and the truth that will be known later."""
    city = random.choice(list(CITIES))
    fault = city == "rome" and now % EVERY > EVERY - LASTS
    minutes = random.lognormvariate(3, 0.3)
    error = random.gauss(0, CITIES[city] * (FACTOR if fault else 1))
    name = f"{random.getrandbits(64):016x}"
    known = {"model": "eta", "prediction_id": name}
    return (
        {**known, "y_pred": round(minutes, 2), "segment": {"city": city}},
        {**known, "y_true": round(minutes + error, 2)},
    )


def send(url: str, kind: str, records: list[dict[str, object]]) -> None:
    """Post records; where that fails, say so and go on: it is only made up."""
    if not records:
        return
    body = "\n".join(map(json.dumps, records)).encode()
    request = urllib.request.Request(
        f"{url}/api/v1/{kind}", body, {"content-type": "application/x-ndjson"}
    )
    try:
        urllib.request.urlopen(request, timeout=5).close()
    except OSError as error:
        print(f"traffic: {kind} were not sent: {error}", flush=True)


if __name__ == "__main__":
    main()
