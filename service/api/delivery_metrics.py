"""What waits to be delivered, and what could not be, for Prometheus to raise an alarm by."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.db import Database
from service.deliveries import endpoints, queue


class Deliveries(Collector):
    """Read when it is asked for, from the database that couriers and every process share."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else the registry would ask before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now_ms = int(self._clock() * 1000)
        with self._database.read() as connection:
            figures = queue.figures(connection, now_ms)
            disabled = endpoints.count_disabled(connection)
        kept = GaugeMetricFamily("zhengpiao_deliveries", "Deliveries by how it stands with them.", labels=("channel", "state"))
        for (channel, state), count in figures.counts.items():
            kept.add_metric((channel, state), count)
        yield kept
        failed = GaugeMetricFamily("zhengpiao_delivery_failures", "Tries that failed, since the beginning.", labels=("channel",))
        for channel, count in figures.failures.items():
            failed.add_metric((channel,), count)
        yield failed
        oldest = GaugeMetricFamily(
            "zhengpiao_delivery_oldest_seconds", "Since when the oldest one that is due waits.", labels=("channel",)
        )
        for channel, due_at in figures.oldest.items():
            oldest.add_metric((channel,), max(0.0, (now_ms - due_at) / 1000))
        yield oldest
        yield GaugeMetricFamily("zhengpiao_webhooks_disabled", "Webhooks that were disabled, and not removed.", value=disabled)
