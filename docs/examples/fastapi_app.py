"""A model behind FastAPI, in as many processes as you like.

``losswatch run owner.yml`` has ``sources: [{socket: {path: losswatch.sock}}]``; beside it runs
``uvicorn fastapi_app:app --workers 4``.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI
from pydantic import BaseModel

import losswatch
import losswatch.asgi

eta = losswatch.connect(os.environ.get("LOSSWATCH_SOCKET", "losswatch.sock"), model="eta")


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Send what waits before the process ends; in a thread, as it may take some seconds."""
    yield
    await anyio.to_thread.run_sync(eta.close)


app = FastAPI(lifespan=lifespan)
app.mount("/metrics", losswatch.asgi.metrics_app(eta))  # the same from each process


class Trip(BaseModel):
    """What a prediction is made from."""

    id: str
    km: float
    city: str


@app.post("/predict")
async def predict(trip: Trip) -> dict[str, float]:
    """Predict; whichever process will be told the truth."""
    minutes = 2.0 * trip.km
    eta.predicted(trip.id, minutes, segment={"city": trip.city})
    return {"minutes": minutes}


@app.post("/arrived/{trip_id}")
async def arrived(trip_id: str, minutes: float) -> None:
    """Tell the truth."""
    eta.observed(trip_id, minutes)
