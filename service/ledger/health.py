"""One row that the worker writes and every process reads: is anchoring going on, and what keeps it from going on."""

from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select

from service.config import Settings
from service.errors import Unavailable
from service.ledger.tables import anchoring_health as table


class Health(NamedTuple):
    """`seen_at` and `since` in seconds since 1970 UTC; `trouble` is a fixed code, None where there is none.

    head, final_head, final_block and final_time are what the chain said when it was last read.
    """

    seen_at: float
    trouble: str | None
    since: float | None
    detail: str | None
    head: int
    final_head: int
    final_block: int
    final_time: int

    def is_working(self, now: float, silent_s: int) -> bool:
        """Whether a receipt may promise the usual time."""
        return self.trouble is None and now - self.seen_at <= silent_s


NOTHING_PROVEN = frozenset({"final_vanished", "wrong_chain", "no_contract"})
"""Troubles in which what was final is not: no proof is handed out, nothing is green."""


def promise_s(last: Health | None, now: float, settings: Settings) -> int:
    """What a receipt may promise now: the usual time while anchoring goes on, a longer one in trouble (protocol.md section 6)."""
    is_working = last is not None and last.is_working(now, settings.worker_silent_s)
    return settings.promise_s if is_working else settings.troubled_promise_s


def check_may_promise(last: Health | None, settings: Settings) -> None:
    """Raises Unavailable where no promise would mean anything: the contract is not what it was, or nobody ever anchored to it."""
    if last is None and settings.env == "production":
        raise Unavailable("worker_never_seen", 30)
    if last is not None and last.trouble in NOTHING_PROVEN:
        raise Unavailable("chain_in_doubt", 60)


def read(connection: Connection) -> Health | None:
    """The last word of the worker; None before its first."""
    row = connection.execute(select(*(table.c[name] for name in Health._fields))).one_or_none()
    return Health(*row) if row else None


def write(connection: Connection, health: Health) -> None:
    """Replace the row; the beginning of a trouble that goes on is kept."""
    before = read(connection)
    if before is not None and health.trouble is not None and before.trouble == health.trouble:
        health = health._replace(since=before.since)
    connection.execute(delete(table))
    connection.execute(insert(table), {"id": 1, **health._asdict()})
