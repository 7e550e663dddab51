"""Writes that may be asked for again: what was made is kept under the caller's key, in the same transaction as the write.

Not the answer is kept but what it is built from, so that a repeated question gets the same answer from the same rows.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from service.db import Database, is_unique_violation
from service.errors import Refused, Unavailable
from service.invoices.tables import idempotency_keys as table

TRIES = 5
"""How often a transaction runs again because another process was faster with one of its numbers."""


class Attempt(NamedTuple):
    """One write as its caller names it: id of the API key, Idempotency-Key, hash of what was asked, and which part of a batch."""

    owner: str
    key: str
    body_hash: bytes
    part: int = 0


def find(connection: Connection, attempt: Attempt) -> Any | None:
    """What the attempt made before; None where it made nothing. Raises Refused("idempotency_mismatch") for another body."""
    query = select(table.c.body_hash, table.c.made).where(
        table.c.owner == attempt.owner, table.c.key == attempt.key, table.c.part == attempt.part
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    if row.body_hash != attempt.body_hash:
        raise Refused("idempotency_mismatch")
    return orjson.loads(row.made)


def done_before(database: Database, attempt: Attempt | None) -> Any | None:
    """As `find`, before anything else is looked at: what was done stays done, whatever has become impossible since."""
    if attempt is None:
        return None
    with database.read() as connection:
        return find(connection, attempt)


def forget(connection: Connection, before_ms: int, at_most: int) -> bool:
    """Delete the oldest that are from before then; True where as many as that were found, so that there may be more."""
    columns = (table.c.owner, table.c.key, table.c.part)
    old = connection.execute(select(*columns).where(table.c.at < before_ms).order_by(table.c.at).limit(at_most)).all()
    if old:
        is_it = [column == bindparam(f"old_{column.name}") for column in columns]
        connection.execute(
            delete(table).where(*is_it), [{f"old_{name}": value for name, value in row._asdict().items()} for row in old]
        )
    return len(old) == at_most


def write_once(
    database: Database, attempt: Attempt | None, now_ms: int, work: Callable[[Connection], tuple[Any, bool]]
) -> tuple[Any, bool]:
    """Do `work` in a transaction of its own, unless `attempt` did it before: (what was made, whether that was before).

    `work` returns what is to be kept, as JSON, and whether there is anything to keep. It runs again where another process was
    faster with a number. Raises Unavailable("busy") where that happens again and again.
    """
    for _ in range(TRIES):
        try:
            with database.write() as connection:
                made = find(connection, attempt) if attempt else None
                if made is not None:
                    return made, True
                made, is_worth_keeping = work(connection)
                if attempt and is_worth_keeping:
                    row = {**attempt._asdict(), "made": orjson.dumps(made).decode(), "at": now_ms}
                    connection.execute(insert(table), row)
                return made, False
        except IntegrityError as error:
            if not is_unique_violation(error):
                raise
    raise Unavailable("busy", 1)
