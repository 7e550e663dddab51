"""What the worker does about reprint cases: complete them, say when a document can be had, remind, expire, forget materials.

Each chore is a step of its own, so that one that fails keeps no other from its turn; each may run twice, or in two workers at once.
"""

import time
from collections.abc import Callable, Iterable

from sqlalchemy import ColumnElement, Connection, or_, select, update

from service.config import Settings
from service.db import Database
from service.ledger.receipts import ReceiptKeys
from service.reprints import cases, completing, materials, notices
from service.reprints.cases import SYSTEM
from service.reprints.steps import advance
from service.reprints.tables import reprint_cases
from service.reprints.transitions import STATES, State, find
from service.vault import Vault

DAY_MS = 86_400_000
REMINDERS_MS = (3 * DAY_MS, DAY_MS)
"""So long before the deadline of what an applicant owes, they are reminded of it."""
LOOK_S = 5.0
"""How often is looked for deadlines."""
_AT_ONCE = 50

_EXPIRING: tuple[State, ...] = tuple(state for state in STATES if find("expire", state))
_REMINDED: tuple[State, ...] = ("materials_pending", "fee_due")
"""Before that nobody has confirmed that the contact is theirs."""


class Chores:
    """`clock` gives seconds since 1970 UTC."""

    def __init__(
        self, database: Database, keys: ReceiptKeys, vault: Vault, settings: Settings, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._keys = keys
        self._vault = vault
        self._settings = settings
        self._clock = clock
        self._looked_at = {"deadlines": 0.0, "materials": 0.0}

    def steps(self) -> tuple[Callable[[], bool], ...]:
        """Each says whether it moved something."""
        return (self.complete, self.announce, self.deadlines, self.forget)

    def complete(self) -> bool:
        """Make what was approved."""
        return completing.complete_next(self._database, self._keys, self._vault, self._settings, self._now_ms())

    def announce(self) -> bool:
        """Tell whose document is final."""
        return completing.announce_ready(self._database, self._vault, self._settings, self._now_ms())

    def deadlines(self) -> bool:
        """Expire what is past its deadline and the applicant owes; remind of what soon will be."""
        if not self._is_time("deadlines"):
            return False
        now_ms = self._now_ms()
        with self._database.read() as connection:
            past, soon = _past(connection, now_ms), _soon(connection, now_ms)
        moved = [self._expire(case_id, now_ms) for case_id in past]
        return any(moved + [self._remind(case_id, now_ms) for case_id in soon])

    def forget(self) -> bool:
        """Delete the materials of cases that closed long ago."""
        return self._is_time("materials") and materials.forget_due(self._database, self._settings, self._now_ms())

    def _expire(self, case_id: str, now_ms: int) -> bool:
        with self._database.write() as connection:
            case = cases.lock(connection, case_id)
            if case.state not in _EXPIRING or case.due_at is None or case.due_at > now_ms:
                return False  # it went on a moment ago
            advance(connection, case, "expire", SYSTEM, now_ms, self._vault, self._settings)
        return True

    def _remind(self, case_id: str, now_ms: int) -> bool:
        with self._database.write() as connection:
            case = cases.lock(connection, case_id)
            is_same = (reprint_cases.c.id == case_id, _is_to_be_reminded(now_ms))
            if connection.execute(update(reprint_cases).where(*is_same).values(reminded_at=now_ms)).rowcount != 1:
                return False
            url = self._settings.public_url
            notices.announce(connection, case, "reminder", self._vault, now_ms, public_url=url)
        return True

    def _is_time(self, what: str) -> bool:
        """A clock that was set back counts as time."""
        now = self._clock()
        if 0 <= now - self._looked_at[what] < LOOK_S:
            return False
        self._looked_at[what] = now
        return True

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)


def _past(connection: Connection, now_ms: int) -> Iterable[str]:
    is_past = (reprint_cases.c.due_at <= now_ms, reprint_cases.c.state.in_(_EXPIRING))
    query = select(reprint_cases.c.id).where(*is_past).order_by(reprint_cases.c.due_at).limit(_AT_ONCE)
    return connection.scalars(query).all()


def _soon(connection: Connection, now_ms: int) -> Iterable[str]:
    query = select(reprint_cases.c.id).where(_is_to_be_reminded(now_ms)).order_by(reprint_cases.c.due_at).limit(_AT_ONCE)
    return connection.scalars(query).all()


def _is_to_be_reminded(now_ms: int) -> ColumnElement[bool]:
    """A reminder of this deadline is due, and was not sent."""
    table = reprint_cases
    unsent = [
        (table.c.due_at <= now_ms + before) & or_(table.c.reminded_at.is_(None), table.c.reminded_at < table.c.due_at - before)
        for before in REMINDERS_MS
    ]
    return table.c.state.in_(_REMINDED) & (table.c.due_at > now_ms) & or_(*unsent)
