"""What every process shares, for Prometheus to raise an alarm by: findings, deliveries, reprint cases."""

from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import Connection, func, select

from service.db import Database
from service.deliveries import endpoints, queue
from service.reconciliation.tables import findings, runs
from service.reprints import statistics


class Shared(Collector):
    """Read from the database when it is asked for. `clock` gives seconds since 1970 UTC."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else the registry would ask before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        now_ms = int(self._clock() * 1000)
        with self._database.read() as connection:
            yield from _findings(connection)
            yield from _deliveries(connection, now_ms)
            yield from _cases(connection, now_ms)


def _findings(connection: Connection) -> Iterator[GaugeMetricFamily]:
    """What reconciliation has found and nobody has set right."""
    counted = (
        select(findings.c.scope, findings.c.code, func.count())
        .where(findings.c.resolved_at.is_(None))
        .group_by(findings.c.scope, findings.c.code)
    )
    found = GaugeMetricFamily("zhengpiao_findings", "Open findings of reconciliation.", labels=("scope", "code"))
    for scope, code, count in connection.execute(counted):
        found.add_metric((scope, code), count)
    yield found
    ended = select(runs.c.kind, runs.c.state, func.max(runs.c.finished_at)).where(runs.c.finished_at.is_not(None))
    at = GaugeMetricFamily(
        "zhengpiao_reconciled_seconds", "When the last run of a kind ended so, in s since 1970 UTC.", labels=("kind", "state")
    )
    for kind, state, finished_at in connection.execute(ended.group_by(runs.c.kind, runs.c.state)):
        at.add_metric((kind, state), finished_at / 1000)
    yield at


def _deliveries(connection: Connection, now_ms: int) -> Iterator[GaugeMetricFamily]:
    """What waits to be delivered, and what could not be."""
    figures = queue.figures(connection, now_ms)
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
    disabled = endpoints.count_disabled(connection)
    yield GaugeMetricFamily("zhengpiao_webhooks_disabled", "Webhooks that were disabled, and not removed.", value=disabled)


def _cases(connection: Connection, now_ms: int) -> Iterator[GaugeMetricFamily]:
    """How many reprint cases are in which state, and which reviews are late."""
    found = GaugeMetricFamily("zhengpiao_reprint_cases", "Reprint cases by state.", labels=("state",))
    late = GaugeMetricFamily("zhengpiao_reprint_late", "Reprint cases whose review is past its time.", labels=("state",))
    for row in statistics.states(connection, now_ms):
        found.add_metric((row["state"],), row["cases"])
        late.add_metric((row["state"],), row["late"])
    yield found
    yield late
