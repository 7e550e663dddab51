"""Figures over time, for charts: how much a day, how long it took, how much waited. The worker gathers them, each once.

A day is one in Beijing. Batches are counted when they are final, in order, each once; the backlog is looked at once a minute.
"""

import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, update

from service.db import Database
from service.ledger.entries import count_pending
from service.ledger.tables import backlog_samples, batches, daily_figures, entries, outbox
from verifier.entry import Kind, decode_entry

BEIJING = timezone(timedelta(hours=8))
SAMPLE_S = 60
KEPT_S = 8 * 86_400
"""Samples of the backlog."""
MAX_BACKLOG = 1_000_000
POINTS = 300
"""Of a line in a chart: what is between two of them is shown by its highest."""
RECENT = 200
"""Anchors whose times are shown one by one."""


class Day(NamedTuple):
    """`on` as 2026-11-24; entries and invoices of the anchors that came on chain that day."""

    on: str
    invoices: int
    entries: int
    anchors: int


class Timing(NamedTuple):
    """Of one anchor, in seconds: from the acceptance of its first entry until it was sealed, mined (by the chain's time) and seen
    final. None for a heartbeat, which nobody waited for.
    """

    seq: int
    size: int
    sealed_at: int
    sealed_s: float | None
    mined_s: float | None
    final_s: float | None


class Figures(NamedTuple):
    daily: list[Day]
    recent: list[Timing]
    backlog: list[tuple[int, int]]
    """(s since 1970 UTC, the most that waited) since the point before."""


class Gatherer:
    """A step of the worker. `clock` gives seconds since 1970 UTC."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    def step(self) -> bool:
        """True where something was counted."""
        minute = int(self._clock()) // SAMPLE_S * SAMPLE_S
        with self._database.read() as connection:
            is_due = connection.scalar(select(func.max(backlog_samples.c.at))) != minute
            batch = _next(connection)
            if not is_due and batch is None:
                return False
            waiting = count_pending(connection, MAX_BACKLOG) if is_due else 0
            issues = _issues(connection, batch.seq) if batch is not None else 0
        with self._database.write() as connection:
            if is_due and connection.scalar(select(func.max(backlog_samples.c.at))) != minute:
                connection.execute(insert(backlog_samples), {"at": minute, "waiting": waiting})
                connection.execute(delete(backlog_samples).where(backlog_samples.c.at < minute - KEPT_S))
            if batch is not None and _newest(connection) == batch.seq - 1:
                _count(connection, batch, issues)
        return batch is not None


def _newest(connection: Connection) -> int:
    """The newest batch that is counted."""
    newest = connection.scalar(select(func.max(daily_figures.c.seq)))
    if newest is not None:
        return int(newest)
    first = connection.scalar(select(func.min(batches.c.seq)))
    return 0 if first is None else int(first) - 1


def _next(connection: Connection) -> Any:
    """The batch behind it, if that is final."""
    query = select(batches.c.seq, batches.c.size, outbox.c.block_time).join(outbox, outbox.c.seq == batches.c.seq)
    return connection.execute(query.where(batches.c.seq == _newest(connection) + 1, outbox.c.state == "final")).one_or_none()


def _issues(connection: Connection, seq: int) -> int:
    kind = func.substr(entries.c.entry, 10, 1)
    return connection.scalar(select(func.count()).where(entries.c.seq == seq, kind == bytes([Kind.ISSUE]))) or 0


def _count(connection: Connection, batch: Any, issues: int) -> None:
    on = datetime.fromtimestamp(batch.block_time or 0, BEIJING).date().isoformat()
    day = connection.execute(select(daily_figures).where(daily_figures.c.on == on)).one_or_none()
    if day is None:
        row = {"on": on, "invoices": issues, "entries": batch.size, "anchors": 1, "seq": batch.seq}
        connection.execute(insert(daily_figures), row)
        return
    more = {
        "invoices": daily_figures.c.invoices + issues,
        "entries": daily_figures.c.entries + batch.size,
        "anchors": daily_figures.c.anchors + 1,
        "seq": batch.seq,
    }
    connection.execute(update(daily_figures).where(daily_figures.c.on == on).values(more))


def read(connection: Connection, now: float, days: int) -> Figures:
    """Of the last `days` days, and of the newest anchors."""
    since = (datetime.fromtimestamp(now, BEIJING) - timedelta(days=days - 1)).date().isoformat()
    columns = [daily_figures.c[name] for name in Day._fields]
    query = select(*columns).where(daily_figures.c.on >= since).order_by(daily_figures.c.on)
    daily = [Day(*row) for row in connection.execute(query)]
    return Figures(daily, _recent(connection), _backlog(connection, now, min(days * 86_400, KEPT_S)))


def _recent(connection: Connection) -> list[Timing]:
    query = (
        select(batches.c.seq, batches.c.size, batches.c.sealed_at, outbox.c.block_time, outbox.c.final_at, entries.c.entry)
        .join(outbox, outbox.c.seq == batches.c.seq)
        .outerjoin(entries, (entries.c.seq == batches.c.seq) & (entries.c.index == 0))
        .where(outbox.c.state == "final", batches.c.foreign == 0)
        .order_by(batches.c.seq.desc())
        .limit(RECENT)
    )
    return [_timing(row) for row in reversed(connection.execute(query).all())]


def _timing(row: Any) -> Timing:
    if row.entry is None:
        return Timing(row.seq, row.size, row.sealed_at, None, None, None)
    began = decode_entry(row.entry).recorded_at

    def after(ms: int | None) -> float | None:
        return None if ms is None else max(0.0, (ms - began) / 1000)

    mined = None if row.block_time is None else row.block_time * 1000
    return Timing(row.seq, row.size, row.sealed_at, after(row.sealed_at), after(mined), after(row.final_at))


def _backlog(connection: Connection, now: float, seconds: int) -> list[tuple[int, int]]:
    """At most POINTS of them."""
    width = max(SAMPLE_S, seconds // POINTS // SAMPLE_S * SAMPLE_S)
    bucket = backlog_samples.c.at - backlog_samples.c.at % width
    query = (
        select(bucket, func.max(backlog_samples.c.waiting))
        .where(backlog_samples.c.at >= int(now) - seconds)
        .group_by(bucket)
        .order_by(bucket)
    )
    return [(row[0], row[1]) for row in connection.execute(query)]
