"""Changing the keys that encrypt at rest: whatever is encrypted or wrapped under an older version is encrypted again.

Every column that the vault writes is listed here; a test compares the list with the tables. It goes on beside a running service,
some rows at a time, and may be interrupted and run again; once it finds nothing, the old version can be taken out of the settings.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, select, tuple_, update

from service import activity
from service.auth.tables import users
from service.db import Database
from service.deliveries.tables import deliveries, webhook_endpoints
from service.reprints.feedback import feedback, feedback_messages
from service.reprints.materials import reprint_materials
from service.reprints.preferences import notice_preferences
from service.reprints.tables import reprint_cases, reprint_history
from service.vault import NotDecrypted, Vault

ACTOR = "cli"
_AT_ONCE = 200


class Sealed(NamedTuple):
    """A column that the vault writes. `context` is what a row's value is bound to, a format of the row's columns."""

    table: Table
    column: str
    context: str


SEALED: tuple[Sealed, ...] = (
    Sealed(users, "totp_secret", "totp/{id}"),
    Sealed(reprint_cases, "application", "reprint/{id}/application"),
    Sealed(reprint_cases, "diagnosis", "reprint/{id}/diagnosis"),
    Sealed(reprint_cases, "pickup", "reprint/{id}/pickup"),
    Sealed(reprint_history, "reason", "reprint/{case_id}/{round}"),
    Sealed(reprint_materials, "wrapped", "reprint/{case_id}/material/{id}"),
    Sealed(notice_preferences, "chosen", "notice_preferences/{case_id}"),
    Sealed(feedback, "token", "feedback/{id}/token"),
    Sealed(feedback, "contact", "feedback/{id}/contact"),
    Sealed(feedback_messages, "text", "feedback/{feedback_id}/{round}"),
    Sealed(webhook_endpoints, "url", "webhook/{id}/url"),
    Sealed(webhook_endpoints, "contact", "webhook/{id}/contact"),
    Sealed(webhook_endpoints, "secret", "webhook/{id}/secret"),
    Sealed(webhook_endpoints, "old_secret", "webhook/{id}/old_secret"),
    Sealed(deliveries, "message", "delivery/{uid}"),
)


class Rotated(NamedTuple):
    """Of one column: how many values are under the newest key now that were not before, and how many could not be read at all."""

    name: str
    renewed: int
    unreadable: int


def rotate(database: Database, vault: Vault, now_ms: int) -> list[Rotated]:
    """Encrypt under the newest key whatever is not; written down in the activity log where there was anything."""
    done = [_column(database, sealed, vault) for sealed in SEALED]
    renewed = sum(one.renewed for one in done)
    if renewed:
        with database.write() as connection:
            activity.append(
                connection, now_ms, ACTOR, "rotated_keys", "data_keys", {"to": str(vault.newest), "values": str(renewed)}
            )
    return done


def _column(database: Database, sealed: Sealed, vault: Vault) -> Rotated:
    renewed = unreadable = 0
    for rows in _chunks(database, sealed):
        old = [row for row in rows if not vault.is_current(row._mapping[sealed.column])]
        if not old:
            continue
        with database.write() as connection:
            for row in old:
                try:
                    renewed += _renew(connection, sealed, row, vault)
                except NotDecrypted:
                    unreadable += 1
    return Rotated(f"{sealed.table.name}.{sealed.column}", renewed, unreadable)


def _renew(connection: Connection, sealed: Sealed, row: Any, vault: Vault) -> int:
    """One value, unless it has changed since it was read: then it is under the newest key already, or its turn comes again."""
    table, before = sealed.table, row._mapping[sealed.column]
    context = sealed.context.format_map(dict(row._mapping))
    is_same = [column == row._mapping[column.name] for column in table.primary_key] + [table.c[sealed.column] == before]
    values = {sealed.column: vault.encrypt_again(before, context)}
    return connection.execute(update(table).where(*is_same).values(values)).rowcount


def _chunks(database: Database, sealed: Sealed) -> Iterator[list[Any]]:
    """All rows that have a value, in order of their key, each chunk in a transaction of its own."""
    table = sealed.table
    key = list(table.primary_key)
    wanted = {column.name: column for column in [*key, *_named(sealed), table.c[sealed.column]]}
    query = select(*wanted.values()).where(table.c[sealed.column].is_not(None)).order_by(*key).limit(_AT_ONCE)
    after: tuple[Any, ...] | None = None
    while True:
        with database.read() as connection:
            rows = list(connection.execute(query if after is None else query.where(tuple_(*key) > after)))
        if not rows:
            return
        yield rows
        after = tuple(rows[-1]._mapping[column.name] for column in key)


def _named(sealed: Sealed) -> list[Any]:
    return [column for column in sealed.table.c if f"{{{column.name}}}" in sealed.context]
