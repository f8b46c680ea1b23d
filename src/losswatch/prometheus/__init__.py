"""The cost for Prometheus: a scrape-time collector on a registry of its own.

A gauge is never our state: each scrape reads one consistent snapshot and
forgets it.
"""

from losswatch.prometheus.client import ConfigStatus, Exposition, LossCollector
from losswatch.prometheus.metrics import METRICS, PREFIX
from losswatch.prometheus.sample import Sample

__all__ = ["METRICS", "PREFIX", "ConfigStatus", "Exposition", "LossCollector", "Sample"]
