"""Releasing a number that was registered in error: two operators, each bound to exactly what they were shown (protocol.md, kind 7).

    approval = canonical JSON {"act", "at", "by", "shown"}, of the second one also "after": the hash of the first

approvals.py makes the entry's `auth` of both.
"""

from hashlib import sha256
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, insert, select, update

from service.errors import Finding, Refused
from service.invoices import approvals, reading
from service.invoices.reading import Record
from service.invoices.tables import acts, release_requests
from service.ledger.entries import Accepted, append
from service.ledger.receipts import ReceiptKeys
from verifier.canonical import canonical_bytes
from verifier.entry import ZERO, Entry, Kind, number_key
from verifier.errors import NotAllowed, NotCanonical
from verifier.register import apply

LAPSE_MS = 72 * 3600 * 1000
"""After that long a request that nobody has confirmed is over."""

State = Literal["pending", "released", "declined", "lapsed"]
_ACT = "release"


class Request(NamedTuple):
    """A request and what became of it. `shown` is the hash that the first operator approved. Times in ms since 1970 UTC."""

    id: int
    number: str
    copy: bytes
    reason: str
    state: State
    requested_by: str
    requested_at: int
    first_approval: str
    decided_by: str | None
    decided_at: int | None
    second_approval: str | None
    entry_id: int | None


class Released(NamedTuple):
    request: Request
    accepted: Accepted


_requests = select(*(release_requests.c[name] for name in Request._fields))


def summary(connection: Connection, record: Record) -> dict[str, str]:
    """What an operator is shown of an invoice before deciding: all texts, so that it has one canonical form to be hashed.

    Raises Refused("content_lost").
    """
    made_by = record.current()
    sections = reading.read_copy(connection, made_by.id).sections()
    header, seller, totals, buyer = (sections.get(name, {}) for name in ("header", "seller", "totals", "buyer"))
    facts = {
        "number": record.number,
        "copy": made_by.entry.copy.hex(),
        "status": record.status,
        "registered_at": reading.at(made_by.entry.recorded_at),
        "kind": header.get("kind"),
        "issued_on": header.get("issued_on"),
        "seller": seller.get("name"),
        "seller_tax_id": seller.get("tax_id"),
        "buyer": buyer.get("name"),
        "currency": totals.get("currency"),
        "amount_with_tax": totals.get("amount_with_tax"),
    }
    return {name: value for name, value in facts.items() if value is not None}


def hash_of_shown(facts: dict[str, str], reason: str) -> bytes:
    """Of an invoice's summary and the reason for its release. Raises Refused for a reason that could not be hashed."""
    try:
        return sha256(b"zhengpiao/shown\x00" + canonical_bytes({"act": _ACT, "reason": reason, **facts})).digest()
    except NotCanonical:
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/reason", {"case": "pattern"})]) from None


def pending(connection: Connection, number: str, now_ms: int) -> Request | None:
    """The request of a number that waits for the second operator."""
    query = _requests.where(release_requests.c.number == number, release_requests.c.state == "pending")
    row = connection.execute(query).one_or_none()
    request = Request(*row) if row else None
    return None if request is None or _has_lapsed(request, now_ms) else request


def get(connection: Connection, id_: int, now_ms: int) -> Request:
    """The request of that id, which exists."""
    return _as_of(Request(*connection.execute(_requests.where(release_requests.c.id == id_)).one()), now_ms)


def listed(connection: Connection, limit: int, now_ms: int, below: int | None = None) -> list[Request]:
    """Newest first."""
    query = _requests.order_by(release_requests.c.id.desc()).limit(limit)
    rows = connection.execute(query if below is None else query.where(release_requests.c.id < below)).all()
    return [_as_of(Request(*row), now_ms) for row in rows]


def request(connection: Connection, record: Record, reason: str, shown: bytes, by: str, now_ms: int) -> Request:
    """The first operator's approval. Raises Refused: shown_differs, not_open, release_pending."""
    _check_shown(connection, record, reason, shown)
    _open_entry(record, now_ms)
    if pending(connection, record.number, now_ms) is not None:
        raise Refused("release_pending")
    is_lapsed = (release_requests.c.number == record.number, release_requests.c.state == "pending")
    connection.execute(update(release_requests).where(*is_lapsed).values(state="lapsed"))
    row = {
        "number": record.number,
        "copy": record.current().entry.copy,
        "reason": reason,
        "state": "pending",
        "requested_by": by,
        "requested_at": now_ms,
        "first_approval": _approval(shown, by, now_ms),
    }
    made = connection.execute(insert(release_requests).returning(release_requests.c.id), row).scalar_one()
    return get(connection, made, now_ms)


def confirm(
    connection: Connection,
    record: Record,
    waiting: Request,
    shown: bytes,
    by: str,
    keys: ReceiptKeys,
    now_ms: int,
    deadline: int,
) -> Released:
    """The second operator's approval: the number is released. Raises Refused: second_person_needed, shown_differs, not_open."""
    if waiting.requested_by == by:
        raise Refused("second_person_needed")
    _check_shown(connection, record, waiting.reason, shown)
    second_approval = _approval(shown, by, now_ms, approvals.hash_of_approval(waiting.first_approval))
    auth = approvals.auth_of(waiting.first_approval, second_approval)
    entry = _open_entry(record, now_ms)._replace(auth=auth)
    record.history.add(entry)
    accepted = append(connection, [(entry, record.history.ordinal)], keys, deadline)[0]
    connection.execute(insert(acts), {"entry_id": accepted.id, "reason": waiting.reason, "other_number": None, "actor": by})
    decided = {"state": "released", "decided_by": by, "decided_at": now_ms}
    values = {**decided, "second_approval": second_approval, "entry_id": accepted.id}
    connection.execute(update(release_requests).where(release_requests.c.id == waiting.id).values(values))
    return Released(get(connection, waiting.id, now_ms), accepted)


def decline(connection: Connection, waiting: Request, by: str, now_ms: int) -> Request:
    """Nothing is released. Whoever asked may take it back in the same way."""
    values = {"state": "declined", "decided_by": by, "decided_at": now_ms}
    connection.execute(update(release_requests).where(release_requests.c.id == waiting.id).values(values))
    return get(connection, waiting.id, now_ms)


def _check_shown(connection: Connection, record: Record, reason: str, shown: bytes) -> None:
    if hash_of_shown(summary(connection, record), reason) != shown:
        raise Refused("shown_differs")


def _open_entry(record: Record, now_ms: int) -> Entry:
    """The entry that would release it, without `auth`. Raises Refused("not_open") where the register's rules do not allow it."""
    state = record.history.state
    assert state is not None
    entry = Entry(Kind.RELEASE, now_ms, number_key(record.number), state.copy, ZERO, ZERO)
    try:
        apply(state, entry, 0, 0, record.history.copies)
    except NotAllowed:
        raise Refused("not_open", {"status": record.status}) from None
    return entry


def _approval(shown: bytes, by: str, now_ms: int, after: bytes | None = None) -> str:
    said: dict[str, Any] = {"act": _ACT, "at": str(now_ms), "by": by, "shown": shown.hex()}
    if after is not None:
        said["after"] = after.hex()
    return canonical_bytes(said).decode()


def _has_lapsed(request: Request, now_ms: int) -> bool:
    return request.state == "pending" and now_ms - request.requested_at >= LAPSE_MS


def _as_of(request: Request, now_ms: int) -> Request:
    return request._replace(state="lapsed") if _has_lapsed(request, now_ms) else request
