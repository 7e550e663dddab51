"""Webhook endpoints: who wants which events where. Two secrets are valid while one takes the other's place.

An endpoint that fails rests, longer and longer; after days of failure it is disabled, and its owner told. What was queued for it is
dead then, and can be sent again once it is enabled.
"""

import secrets
from base64 import b32encode
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, delete, func, insert, select, update

from service.deliveries import queue, signing
from service.deliveries.events import TYPES, Role, moment
from service.deliveries.outcomes import Failed
from service.deliveries.queue import Wanted
from service.deliveries.tables import deliveries
from service.deliveries.tables import webhook_endpoints as table
from service.deliveries.timing import pause_ms
from service.errors import Finding, Refused
from service.vault import Vault

MAX_OF_OWNER = 20
ROTATION_MS = 24 * 3_600_000
"""So long both secrets are valid."""
_LEAST_FAILURES = 10
"""In a row, before days of failure count: two events a week apart are no proof."""
_DAY_MS = 86_400_000


class Order(NamedTuple):
    """An endpoint as its owner wants it. `sellers` and `object` narrow what it gets; `contact` is told when it is disabled."""

    owner: str
    role: Role
    sellers: frozenset[str] | None
    url: str
    events: Sequence[str]
    label: str = ""
    contact: str | None = None
    language: str = "zh-CN"
    object: str | None = None


def create(connection: Connection, order: Order, vault: Vault, now_ms: int) -> tuple[Any, str]:
    """Its row, and its secret, which cannot be had again.

    Raises Refused("invalid_request") for an event that is none, or not for this role, and ("too_many_webhooks").
    """
    allowed = [type_ for type_, roles in TYPES.items() if order.role in roles]
    found = [Finding("member_invalid", "error", f"/events/{n}") for n, one in enumerate(order.events) if one not in allowed]
    if found or not order.events:
        raise Refused("invalid_request", findings=found or [Finding("member_invalid", "error", "/events")])
    of_owner = select(func.count()).select_from(table).where(table.c.owner == order.owner)
    if (connection.scalar(of_owner) or 0) >= MAX_OF_OWNER:
        raise Refused("too_many_webhooks", {"limit": str(MAX_OF_OWNER)})
    id_ = "wh_" + b32encode(secrets.token_bytes(10)).decode().lower()
    secret = signing.new_secret()
    row = {
        "id": id_,
        "owner": order.owner,
        "role": order.role,
        "sellers": None if order.sellers is None else orjson.dumps(sorted(order.sellers)).decode(),
        "object": order.object,
        "events": orjson.dumps(list(dict.fromkeys(order.events))).decode(),
        "label": order.label,
        "url": _seal(vault, id_, "url", order.url),
        "contact": None if order.contact is None else _seal(vault, id_, "contact", order.contact),
        "language": order.language,
        "secret": _seal(vault, id_, "secret", secret),
        "created_at": now_ms,
    }
    connection.execute(insert(table), row)
    return find(connection, id_), secret


def find(connection: Connection, id_: str) -> Any | None:
    """Its row; None where there is none."""
    return connection.execute(select(table).where(table.c.id == id_)).one_or_none()


def of_owner(connection: Connection, id_: str, owner: str) -> Any:
    """The same for its owner. Raises Refused("webhook_not_found") alike for somebody else's."""
    row = find(connection, id_)
    if row is None or row.owner != owner:
        raise Refused("webhook_not_found")
    return row


def listed(connection: Connection, owner: str) -> list[Any]:
    """All of an owner's, newest first: there are MAX_OF_OWNER at most."""
    query = select(table).where(table.c.owner == owner).order_by(table.c.created_at.desc(), table.c.id)
    return list(connection.execute(query))


def remove(connection: Connection, id_: str) -> None:
    """With everything that was queued for it."""
    connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == id_))
    connection.execute(delete(table).where(table.c.id == id_))


def disable_of(connection: Connection, owner: str, now_ms: int) -> None:
    """Everything of an owner who may know nothing any more."""
    is_theirs = (table.c.owner == owner, table.c.disabled_at.is_(None))
    for row in connection.execute(select(table.c.id).where(*is_theirs)).all():
        _disable(connection, row.id, "revoked", now_ms)


def rotate(connection: Connection, row: Any, vault: Vault, now_ms: int) -> str:
    """A new secret, which cannot be had again; the one before signs beside it for a day, an older one no more."""
    secret = signing.new_secret()
    values = {
        "secret": _seal(vault, row.id, "secret", secret),
        # The context names the column: what is moved from one to the other is sealed anew.
        "old_secret": _seal(vault, row.id, "old_secret", _open(vault, row, "secret")),
        "old_until": now_ms + ROTATION_MS,
    }
    connection.execute(update(table).where(table.c.id == row.id).values(values))
    return secret


def enable(connection: Connection, id_: str) -> None:
    """Try again, as if it had never failed."""
    values = {"disabled_at": None, "disabled_by": None, "failing_since": None, "failures": 0, "rests_until": 0}
    connection.execute(update(table).where(table.c.id == id_).values(values))


def test(connection: Connection, row: Any, vault: Vault, now_ms: int) -> str:
    """Queue an event that means nothing. Returns the uid of its delivery."""
    body = {"type": "webhook.test", "timestamp": moment(now_ms), "data": {"webhook": row.id}}
    wanted = Wanted("webhook", "webhook.test", row.id, {"body": orjson.dumps(body).decode()}, endpoint_id=row.id)
    return queue.enqueue(connection, wanted, vault, now_ms)


def url_of(row: Any, vault: Vault) -> str:
    return _open(vault, row, "url")


def contact_of(row: Any, vault: Vault) -> str | None:
    return None if row.contact is None else _open(vault, row, "contact")


def count_disabled(connection: Connection) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(table.c.disabled_at.is_not(None))) or 0


def valid_secrets(row: Any, vault: Vault, now_ms: int) -> list[str]:
    """The new one first."""
    found = [_open(vault, row, "secret")]
    if row.old_secret is not None and now_ms < row.old_until:
        found.append(_open(vault, row, "old_secret"))
    return found


def note_success(connection: Connection, id_: str) -> None:
    connection.execute(update(table).where(table.c.id == id_).values(failing_since=None, failures=0, rests_until=0))


def note_failure(
    connection: Connection, id_: str, failed: Failed, vault: Vault, now_ms: int, chance: float, give_up_days: int
) -> bool:
    """It rests now, or is disabled: 410 means that nobody wants it any more; so do days of failure. Returns whether it was."""
    row = find(connection, id_)
    if row is None or row.disabled_at is not None:
        return False
    failures, since = row.failures + 1, row.failing_since or now_ms
    is_over = failures >= _LEAST_FAILURES and now_ms - since >= give_up_days * _DAY_MS
    values: dict[str, Any] = {"failures": failures, "failing_since": since, "rests_until": now_ms + pause_ms(failures, chance)}
    connection.execute(update(table).where(table.c.id == id_).values(values))
    why = "gone" if failed.status == 410 else "failing" if is_over else None
    if why is None:
        return False
    _disable(connection, id_, why, now_ms)
    if row.contact is not None:
        message = _disabled_mail(row, _open(vault, row, "contact"))
        queue.enqueue(connection, Wanted("email", "webhook.disabled", id_, message), vault, now_ms)
    return True


def _disable(connection: Connection, id_: str, why: str, now_ms: int) -> None:
    """Nothing is sent there from now on, and what was queued for it is dead."""
    connection.execute(update(table).where(table.c.id == id_).values(disabled_at=now_ms, disabled_by=why))
    is_open = (deliveries.c.endpoint_id == id_, deliveries.c.state == "queued")
    ended = {"state": "dead", "error": "webhook_disabled", "ended_at": now_ms}
    connection.execute(update(deliveries).where(*is_open).values(ended))


def _disabled_mail(row: Any, to: str) -> dict[str, Any]:
    """The notice to whoever looks after an endpoint; its URL may hold a secret, so it is called by id and label."""
    name = f"{row.id} {row.label}".strip()
    if row.language == "en":
        subject = f"Webhook {row.id} is disabled"
        text = f"Nothing could be delivered to webhook {name} for days, or it answered 410.\n\nRepair it, then enable it.\n"
    else:
        subject = f"Webhook {row.id} 已停用"
        text = f"Webhook {name} 连续多日无法送达，或已返回 410，现已停用。\n\n请修复后重新启用。\n"
    language = "en" if row.language == "en" else "zh"
    return {"to": to, "subject": subject, "text": text, "html": None, "language": language, "unsubscribe": None}


def _seal(vault: Vault, id_: str, name: str, text: str) -> bytes:
    return vault.encrypt(text.encode(), f"webhook/{id_}/{name}")


def _open(vault: Vault, row: Any, name: str) -> str:
    return vault.decrypt(row._mapping[name], f"webhook/{row.id}/{name}").decode()
