"""Limits to guessing what an invoice says (api.md, `POST /v1/lookups`): counted in the database, so that a restart forgets nothing.

A right answer is never counted, and a number that nobody registered is counted like any other. Nor is what the same network has
guessed wrongly before on that day: it tells nothing new, so a look-up may be followed by the diagnosis of the same facts.
"""

import ipaddress
from hashlib import sha256
from typing import Literal

from sqlalchemy import Connection, delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from service.errors import Unavailable
from service.invoices.tables import wrong_guesses as table

About = Literal["facts", "buyer"]
"""What is guessed: date and amount, or the buyer."""

MAX_OF_NETWORK = 5
MAX_OF_INVOICE = 50
"""Wrong guesses a day, Beijing time: of one invoice by one client network, and by all."""

_ALL = ""
_SAID = "said"
"""Rows that stand for a guess itself: their key is the hash of it, their count always 1."""
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


def check(connection: Connection, about: About, key: bytes, network: str, now_ms: int, guess: bytes | None = None) -> int:
    """How many wrong guesses the network has left today. Raises Unavailable("too_many_guesses") where there is none.

    `guess` is what is guessed, as bytes: one that was wrong before may be asked about again, though no try is left.
    """
    query = select(table.c.network, table.c.count).where(
        table.c.about == about, table.c.key == key, table.c.network.in_((network, _ALL)), table.c.day == _day(now_ms)
    )
    counts = {row.network: row[1] for row in connection.execute(query)}
    of_network, of_invoice = counts.get(network, 0), counts.get(_ALL, 0)
    if guess is not None and _was_said(connection, key, guess, network, now_ms):
        return _rest(of_network, of_invoice)
    return _left(about, of_network, of_invoice, now_ms)


def count(connection: Connection, about: About, key: bytes, network: str, now_ms: int, guess: bytes | None = None) -> int:
    """Count a wrong guess: how many are left then. In a write transaction of its own. `guess` as in `check`: counted once a day.

    Raises Unavailable("too_many_guesses") where none was left, for those too that came at the same time: each waits for the other's
    row.
    """
    day = _day(now_ms)
    into = postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)
    primary = [table.c.about, table.c.key, table.c.network, table.c.day]
    if guess is not None:
        said = {"about": _SAID, "key": _hash(key, guess), "network": network, "day": day, "count": 1}
        first = into.values(said).on_conflict_do_nothing(index_elements=primary).returning(table.c.count)
        if connection.execute(first).scalar_one_or_none() is None:
            return check(connection, about, key, network, now_ms, guess)
    counts: list[int] = []
    for whose in (network, _ALL):
        row = {"about": about, "key": key, "network": whose, "day": day, "count": 1}
        upsert = into.values(row).on_conflict_do_update(index_elements=primary, set_={"count": table.c.count + 1})
        counts.append(connection.execute(upsert.returning(table.c.count)).scalar_one())
    _left(about, counts[0] - 1, counts[1] - 1, now_ms)
    _prune(connection, day)
    return _rest(*counts)


def _was_said(connection: Connection, key: bytes, guess: bytes, network: str, now_ms: int) -> bool:
    found = exists().where(
        table.c.about == _SAID, table.c.key == _hash(key, guess), table.c.network == network, table.c.day == _day(now_ms)
    )
    return bool(connection.scalar(select(found)))


def _hash(key: bytes, guess: bytes) -> bytes:
    return sha256(key + guess).digest()


def _rest(of_network: int, of_invoice: int) -> int:
    return max(0, min(MAX_OF_NETWORK - of_network, MAX_OF_INVOICE - of_invoice))


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
