"""One row that the worker writes and every process reads: is anchoring going on, and what keeps it from going on."""

import math
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from service.config import Settings
from service.errors import Unavailable
from service.ledger.tables import anchoring_health as table
from service.trouble import Trouble


class Health(NamedTuple):
    """`seen_at` and `since` in seconds since 1970 UTC; `trouble` is a code of chain.Trouble, None where there is none.

    head, final_head, final_block, final_time and balance_gwei are what the chain said when it was last read; `left_out` names the
    endpoints that said nothing then, comma-separated.
    """

    seen_at: float
    trouble: str | None
    since: float | None
    detail: str | None
    head: int
    final_head: int
    final_block: int
    final_time: int
    balance_gwei: int
    left_out: str

    @property
    def count_left_out(self) -> int:
        return len(self.left_out.split(",")) if self.left_out else 0

    def is_working(self, now: float, silent_s: int) -> bool:
        """Whether a receipt may promise the usual time. A sign of life from the future is of another clock than `now`."""
        return self.trouble is None and abs(now - self.seen_at) <= silent_s


NOTHING_PROVEN = frozenset((Trouble.FINAL_VANISHED, Trouble.BEHIND, Trouble.WRONG_CHAIN, Trouble.NO_CONTRACT))
"""Troubles in which what was final is not there: no proof is handed out, nothing is green."""


def promise_s(last: Health | None, now: float, settings: Settings) -> int:
    """What a receipt may promise now: the usual time while anchoring goes on, a longer one in trouble (protocol.md section 6).

    A promise is kept or broken by the chain's time: where our clock is behind that, the difference is added.
    """
    is_working = last is not None and last.is_working(now, settings.worker_silent_s)
    promised = settings.promise_s if is_working else settings.troubled_promise_s
    return promised + max(0, math.ceil(last.final_time - now) if last else 0)


def check_may_promise(last: Health | None, settings: Settings) -> None:
    """Raises Unavailable where no promise would mean anything: the contract is not what it was, or nobody ever anchored to it."""
    if last is None and settings.env == "production":
        raise Unavailable("worker_never_seen", 30)
    if last is not None and last.trouble in NOTHING_PROVEN:
        raise Unavailable("chain_in_doubt", 60)


_read = select(*(table.c[name] for name in Health._fields))


def read(connection: Connection) -> Health | None:
    """The last word of the worker; None before its first."""
    row = connection.execute(_read).one_or_none()
    return Health(*row) if row else None


def write(connection: Connection, health: Health) -> None:
    """Replace the row; the beginning of a trouble that goes on is kept."""
    before = read(connection)
    if before is not None and health.trouble is not None and before.trouble == health.trouble:
        health = health._replace(since=before.since)
    if before is None:
        connection.execute(insert(table), {"id": 1, **health._asdict()})
    else:
        connection.execute(update(table).values(**health._asdict()))
