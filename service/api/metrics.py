"""Prometheus metrics of one process. Labels are route templates, never paths: those hold invoice numbers."""

import time
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.ledger.status import Status

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60)


class Metrics:
    """A registry of its own, so that two applications in one process do not count each other's requests."""

    def __init__(self, status: Callable[[], Status], clock: Callable[[], float] = time.time) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter("zhengpiao_requests", "Answers sent.", ("method", "route", "status"), registry=self.registry)
        self._seconds = Histogram(
            "zhengpiao_request_seconds",
            "From the first byte of a request's head to the last of its answer.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self.registry.register(_Ledger(status, clock))

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        method = method if method in _METHODS else "other"
        key = method, route, status
        counted = self._counted.get(key)
        if counted is None:  # looking for the labels takes longer than counting
            counted = self._requests.labels(method, route, str(status)), self._seconds.labels(method, route)
            self._counted[key] = counted
        counted[0].inc()
        counted[1].observe(seconds)

    def text(self) -> bytes:
        """The exposition format, version 0.0.4."""
        return generate_latest(self.registry)


class _Ledger(Collector):
    """Read when it is asked for: every process that answers says the same of the one ledger."""

    def __init__(self, status: Callable[[], Status], clock: Callable[[], float]) -> None:
        self._status = status
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else the registry would ask for the status before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        status = self._status()
        now = self._clock()
        yield _gauge("backlog", "Entries that are accepted and not sealed.", status.backlog)
        age = 0.0 if status.oldest_pending is None else max(0.0, now - status.oldest_pending / 1000)
        yield _gauge("oldest_pending_seconds", "Age of the oldest entry that is not sealed.", age)
        yield _gauge("sealed_head", "Seq of the newest batch.", status.sealed_head or 0)
        incidents = GaugeMetricFamily("zhengpiao_incidents", "What a person must look at, since the beginning.", labels=("code",))
        for code, count in status.incidents.items():
            incidents.add_metric((code,), count)
        yield incidents
        trouble = GaugeMetricFamily("zhengpiao_trouble", "1 for what keeps anchors from being mined now.", labels=("code",))
        health = status.health
        if health is not None:
            yield _gauge("head", "Newest seq that the contract holds.", health.head)
            yield _gauge("final_head", "Newest seq that it holds at a finalized block.", health.final_head)
            yield _gauge("lag_seconds", "Age of that block.", max(0.0, now - health.final_time))
            yield _gauge("worker_seen_seconds", "Since the worker's last sign of life.", max(0.0, now - health.seen_at))
            yield _gauge("anchoring_balance_gwei", "What the anchoring key can pay with.", health.balance_gwei)
            yield _gauge("endpoints_left_out", "Endpoints of the chain that said nothing.", health.count_left_out)
            if health.trouble is not None:
                trouble.add_metric((health.trouble,), 1)
        yield trouble


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"zhengpiao_{name}", text, value)
