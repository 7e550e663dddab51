"""How many reprint cases are in which state, and which reviews are late, for Prometheus to raise an alarm by."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from service.db import Database
from service.reprints import statistics


class Cases(Collector):
    """Read when it is asked for, from the database that every process shares."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def describe(self) -> Iterator[GaugeMetricFamily]:
        return iter(())  # else the registry would ask before there is a database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with self._database.read() as connection:
            counted = statistics.states(connection, int(self._clock() * 1000))
        found = GaugeMetricFamily("zhengpiao_reprint_cases", "Reprint cases by state.", labels=("state",))
        late = GaugeMetricFamily("zhengpiao_reprint_late", "Reprint cases whose review is past its time.", labels=("state",))
        for row in counted:
            found.add_metric((row["state"],), row["cases"])
            late.add_metric((row["state"],), row["late"])
        yield found
        yield late
