"""What reconciliation has found and nobody has set right, for Prometheus to raise an alarm by."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from service.db import Database
from service.reconciliation.tables import findings, runs


class Findings(Collector):
    """Read when it is asked for, from the database that every process shares."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else the registry would ask before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        counted = (
            select(findings.c.scope, findings.c.code, func.count())
            .where(findings.c.resolved_at.is_(None))
            .group_by(findings.c.scope, findings.c.code)
        )
        ended = select(runs.c.kind, runs.c.state, func.max(runs.c.finished_at)).where(runs.c.finished_at.is_not(None))
        with self._database.read() as connection:
            open_ones = connection.execute(counted).all()
            last = connection.execute(ended.group_by(runs.c.kind, runs.c.state)).all()
        found = GaugeMetricFamily("zhengpiao_findings", "Open findings of reconciliation.", labels=("scope", "code"))
        for scope, code, count in open_ones:
            found.add_metric((scope, code), count)
        yield found
        at = GaugeMetricFamily(
            "zhengpiao_reconciled_seconds", "When the last run of a kind ended so, in s since 1970 UTC.", labels=("kind", "state")
        )
        for kind, state, finished_at in last:
            at.add_metric((kind, state), finished_at / 1000)
        yield at
