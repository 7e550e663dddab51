"""One case: read, and moved by an event of the transition table together with its history, all in the caller's transaction.

Whoever moves a case writes the next round of its history: of two that move it at once, the second meets a UNIQUE violation or a
row that has changed, and its whole transaction comes to nothing.
"""

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from service.errors import Refused
from service.reprints.tables import reprint_cases, reprint_history
from service.reprints.transitions import Event, State, follow
from service.vault import Vault

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BEIJING = timedelta(hours=8)

APPLICANT = "applicant"
SYSTEM = "system"
"""Actors of the history that are no person or key."""

Case = Any
"""A row of `reprint_cases`: its columns by name."""


class Moved(NamedTuple):
    """One row of a case's history. `reason` is what the applicant is told."""

    round: int
    at: int
    event: Event
    source: State | None
    target: State
    actor: str
    reason: str | None


def new_id(now_ms: int) -> str:
    """For people to read out and type: the date in Beijing, and 40 random bits that are no secret but not to be guessed either."""
    on = datetime.fromtimestamp(now_ms / 1000, UTC) + _BEIJING
    return f"R{on:%y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"


def find(connection: Connection, case_id: str) -> Case | None:
    """The case as it is in this transaction's eyes."""
    return connection.execute(select(reprint_cases).where(reprint_cases.c.id == case_id)).one_or_none()


def get(connection: Connection, case_id: str) -> Case:
    """Raises Refused("case_not_found")."""
    case = find(connection, case_id)
    if case is None:
        raise Refused("case_not_found")
    return case


def lock(connection: Connection, case_id: str) -> Case:
    """The same to be moved: on PostgreSQL nobody else moves it before this transaction ends; on SQLite a write holds the one lock.

    Raises Refused("case_not_found").
    """
    case = find_locked(connection, case_id)
    if case is None:
        raise Refused("case_not_found")
    return case


def find_locked(connection: Connection, case_id: str) -> Case | None:
    """The same; None where there is none."""
    return connection.execute(select(reprint_cases).where(reprint_cases.c.id == case_id).with_for_update()).one_or_none()


def move(
    connection: Connection,
    case: Case,
    event: Event,
    actor: str,
    now_ms: int,
    vault: Vault,
    *,
    due_at: int | None = None,
    reason: str | None = None,
    **values: Any,
) -> Case:
    """Follow `event` from the case's state, and write it down. `values` are further columns; `due_at` is of the new state.

    Returns the case as it is then. Raises Refused("case_state") where the table has no such way, and ("case_moved") where somebody
    else was faster.
    """
    target = follow(event, case.state)
    round_ = case.round + 1
    is_same = (reprint_cases.c.id == case.id, reprint_cases.c.round == case.round, reprint_cases.c.state == case.state)
    changed = {"state": target, "round": round_, "changed_at": now_ms, "due_at": due_at, "reminded_at": None, **values}
    if connection.execute(update(reprint_cases).where(*is_same).values(changed)).rowcount != 1:
        raise Refused("case_moved")
    _write_down(connection, vault, case.id, Moved(round_, now_ms, event, case.state, target, actor, reason))
    return get(connection, case.id)


def open_case(connection: Connection, values: dict[str, Any], actor: str, now_ms: int, vault: Vault, due_at: int) -> Case:
    """A new case in `started`; `values` has every column that `move` does not. A UNIQUE violation: the number has an open case."""
    row = {**values, "state": follow("open", None), "round": 1, "opened_at": now_ms, "changed_at": now_ms, "due_at": due_at}
    connection.execute(insert(reprint_cases), row)
    _write_down(connection, vault, row["id"], Moved(1, now_ms, "open", None, "started", actor, None))
    return get(connection, row["id"])


def history(connection: Connection, case_id: str, vault: Vault) -> list[Moved]:
    """Everything that happened to the case, in order."""
    query = select(reprint_history).where(reprint_history.c.case_id == case_id).order_by(reprint_history.c.round)
    return list(_moves(connection.execute(query), vault))


def _moves(rows: Iterable[Any], vault: Vault) -> Iterable[Moved]:
    for row in rows:
        told = None if row.reason is None else vault.decrypt(row.reason, _context(row.case_id, row.round)).decode()
        yield Moved(row.round, row.at, row.event, row.source, row.target, row.actor, told)


def _write_down(connection: Connection, vault: Vault, case_id: str, moved: Moved) -> None:
    reason = None if moved.reason is None else vault.encrypt(moved.reason.encode(), _context(case_id, moved.round))
    connection.execute(insert(reprint_history), {"case_id": case_id, **moved._asdict(), "reason": reason})


def _context(case_id: str, round_: int) -> str:
    return f"reprint/{case_id}/{round_}"
