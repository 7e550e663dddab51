"""Filters that somebody keeps under a name, to look at the same again."""

from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, func, insert, select

from service.auth.tables import saved_filters as table
from service.errors import Refused

MAX_OF_OWNER = 100


class SavedFilter(NamedTuple):
    """`page` is where it belongs, `criteria` what that page makes of it. `created_at` in ms since 1970 UTC."""

    id: int
    page: str
    name: str
    criteria: dict[str, Any]
    created_at: int


def keep(connection: Connection, owner: str, page: str, name: str, criteria: dict[str, Any], now_ms: int) -> SavedFilter:
    """Under a name that is taken it takes the other's place. Raises Refused("too_many_filters")."""
    of_owner = table.c.owner == owner
    connection.execute(delete(table).where(of_owner, table.c.page == page, table.c.name == name))
    if (connection.scalar(select(func.count()).select_from(table).where(of_owner)) or 0) >= MAX_OF_OWNER:
        raise Refused("too_many_filters", {"limit": str(MAX_OF_OWNER)})
    row = {"owner": owner, "page": page, "name": name, "criteria": orjson.dumps(criteria).decode(), "created_at": now_ms}
    id_ = connection.execute(insert(table).returning(table.c.id), row).scalar_one()
    return SavedFilter(id_, page, name, criteria, now_ms)


def listed(connection: Connection, owner: str, page: str | None) -> list[SavedFilter]:
    """By name."""
    query = select(table.c.id, table.c.page, table.c.name, table.c.criteria, table.c.created_at).where(table.c.owner == owner)
    query = query if page is None else query.where(table.c.page == page)
    return [
        SavedFilter(row.id, row.page, row.name, orjson.loads(row.criteria), row.created_at)
        for row in connection.execute(query.order_by(table.c.name, table.c.id))
    ]


def forget(connection: Connection, owner: str, id_: int) -> None:
    """Raises Refused("no_such_filter") alike for one that is somebody else's."""
    if connection.execute(delete(table).where(table.c.owner == owner, table.c.id == id_)).rowcount == 0:
        raise Refused("no_such_filter")
