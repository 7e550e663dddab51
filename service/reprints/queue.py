"""The cases that wait for a reviewer, and lists of the others."""

from typing import Literal

from sqlalchemy import Connection, or_, select, tuple_

from service.reprints.cases import Case
from service.reprints.tables import reprint_cases
from service.reprints.transitions import CLOSED, State

WAITING: tuple[State, ...] = ("review_1", "review_2")


def listed(
    connection: Connection,
    state: State | Literal["all"] | None,
    approved_by: str | None,
    limit: int,
    after: tuple[int, str] | None = None,
    due_before: int | None = None,
) -> list[Case]:
    """Those in `state` (None: that wait for a reviewer), behind the (changed_at, id) `after`: what waits longest first, but what is
    over newest first. `approved_by`: only those that this reviewer has approved, in any state where none is given.
    `due_before`: only those that go on, and were due before then (ms since 1970 UTC).
    """
    table = reprint_cases
    query = select(table)
    if approved_by is not None:
        query = query.where(or_(table.c.first_reviewer == approved_by, table.c.second_reviewer == approved_by))
    if state is None and approved_by is None:
        query = query.where(table.c.state.in_(WAITING))
    elif state is not None and state != "all":
        query = query.where(table.c.state == state)
    if due_before is not None:
        query = query.where(table.c.state.not_in(CLOSED), table.c.due_at < due_before)
    is_waiting = state not in (*CLOSED, "all") and approved_by is None
    place = tuple_(table.c.changed_at, table.c.id)
    if after is not None:
        query = query.where(place > after if is_waiting else place < after)
    columns = (table.c.changed_at, table.c.id) if is_waiting else (table.c.changed_at.desc(), table.c.id.desc())
    return list(connection.execute(query.order_by(*columns).limit(limit)))
