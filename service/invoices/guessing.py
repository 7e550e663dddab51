"""Limits to guessing what an invoice says (api.md, `POST /v1/lookups`): counted in the database, so that a restart forgets nothing.

A right answer is never counted, and a number that nobody registered is counted like any other.
"""

import ipaddress
from typing import Literal

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from service.errors import Unavailable
from service.invoices.tables import wrong_guesses as table

About = Literal["facts", "buyer"]
"""What is guessed: date and amount, or the buyer."""

MAX_OF_NETWORK = 5
MAX_OF_INVOICE = 50
"""Wrong guesses a day, Beijing time: of one invoice by one client network, and by all."""

_ALL = ""
_DAY_MS = 86_400_000
_BEIJING_MS = 8 * 3_600_000
_PRUNED_AT_ONCE = 20


def network_of(host: str | None) -> str:
    """What a client is counted as: its /24, or its /48 in IPv6. A host that is no address stands for itself."""
    try:
        address = ipaddress.ip_address(host or "")
    except ValueError:
        return (host or "unknown")[:48]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(ipaddress.ip_network((address, 24 if address.version == 4 else 48), strict=False))


def check(connection: Connection, about: About, key: bytes, network: str, now_ms: int) -> int:
    """How many wrong guesses the network has left today. Raises Unavailable("too_many_guesses") where there is none."""
    query = select(table.c.network, table.c.count).where(
        table.c.about == about, table.c.key == key, table.c.network.in_((network, _ALL)), table.c.day == _day(now_ms)
    )
    counts = {row.network: row[1] for row in connection.execute(query)}
    return _left(about, counts.get(network, 0), counts.get(_ALL, 0), now_ms)


def count(connection: Connection, about: About, key: bytes, network: str, now_ms: int) -> int:
    """Count a wrong guess: how many are left then. In a write transaction of its own.

    Raises Unavailable("too_many_guesses") where none was left, for those too that came at the same time: each waits for the other's
    row.
    """
    day = _day(now_ms)
    counts: list[int] = []
    for whose in (network, _ALL):
        row = {"about": about, "key": key, "network": whose, "day": day, "count": 1}
        into = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
        upsert = into.values(row).on_conflict_do_update(
            index_elements=[table.c.about, table.c.key, table.c.network, table.c.day], set_={"count": table.c.count + 1}
        )
        counts.append(connection.execute(upsert.returning(table.c.count)).scalar_one())
    _left(about, counts[0] - 1, counts[1] - 1, now_ms)
    _prune(connection, day)
    return min(MAX_OF_NETWORK - counts[0], MAX_OF_INVOICE - counts[1])


def _left(about: About, of_network: int, of_invoice: int, now_ms: int) -> int:
    left = min(MAX_OF_NETWORK - of_network, MAX_OF_INVOICE - of_invoice)
    if left <= 0:
        seconds = (_DAY_MS - (now_ms + _BEIJING_MS) % _DAY_MS) // 1000 + 1
        raise Unavailable("too_many_guesses", seconds, {"case": about})
    return left


def _prune(connection: Connection, day: int) -> None:
    """Forget other days' counts, some at a time: who guesses pays for it."""
    old = select(table.c.about, table.c.key, table.c.network, table.c.day).where(table.c.day < day).limit(_PRUNED_AT_ONCE)
    rows = connection.execute(old).all()
    for about, key, network, on in rows:
        connection.execute(
            delete(table).where(table.c.about == about, table.c.key == key, table.c.network == network, table.c.day == on)
        )


def _day(now_ms: int) -> int:
    return (now_ms + _BEIJING_MS) // _DAY_MS
