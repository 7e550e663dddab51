"""Feedback: a message from any page, answered by staff, followed by its number and token. Text and contact are kept encrypted.

open -> answered -> closed; a further message of the visitor's opens it again
"""

import secrets
from base64 import b32encode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any, Literal, NamedTuple, get_args

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    insert,
    select,
    tuple_,
    update,
)

from service import activity
from service.config import Settings
from service.db import metadata
from service.errors import Refused
from service.messages import Language
from service.reprints import notices
from service.reprints.applying import Channel
from service.reprints.notices import Contact
from service.reprints.tables import CASE_ID
from service.vault import Vault

State = Literal["open", "answered", "closed"]
STATES: tuple[State, ...] = get_args(State)
Event = Literal["asked", "answered", "closed"]

PREFIX = "zpf_"
VISITOR = "visitor"
"""Actor of what is no person's of ours."""
MOST_ROUNDS = 100
_ID = 16
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BEIJING = timedelta(hours=8)

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(_ID), primary_key=True, comment="F, yymmdd of Beijing, -, 8 at random"),
    Column("token", LargeBinary, nullable=False, comment="encrypted: what its sender follows it by"),
    Column("state", String(16), nullable=False, comment="open -> answered -> closed"),
    Column("round", Integer, nullable=False, comment="number of its newest message"),
    Column("page", String(100), nullable=False, comment="path of the page that it was written on"),
    Column("case_id", String(CASE_ID), comment="as the visitor named it; it need not exist"),
    Column("language", String(2), nullable=False, comment="zh or en"),
    Column("contact", LargeBinary, comment="encrypted JSON: channel and address; null: none was given"),
    Column("opened_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("changed_at", BigInteger, nullable=False),
)
Index("feedback_state_idx", feedback.c.state, feedback.c.opened_at, feedback.c.id)

feedback_messages = Table(
    "feedback_messages",
    metadata,
    Column("feedback_id", String(_ID), ForeignKey("feedback.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 …: whoever comes second fails"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("event", String(16), nullable=False, comment="asked, answered or closed"),
    Column("actor", String(32), nullable=False, comment="visitor, or id of a person"),
    Column("text", LargeBinary, comment="encrypted; null: it was closed without a word"),
)

Feedback = Any
"""A row of `feedback`: its columns by name."""


class Given(NamedTuple):
    """What a visitor sends. `address` is as applying.read_contact has it; None for who wants no notice."""

    message: str
    page: str
    case_id: str | None
    channel: Channel | None
    address: str | None
    language: Language


class Message(NamedTuple):
    round: int
    at: int
    event: Event
    actor: str
    text: str | None


def send(connection: Connection, given: Given, vault: Vault, now_ms: int) -> tuple[str, str]:
    """A new one: its number, and the token that is shown once."""
    on = datetime.fromtimestamp(now_ms / 1000, UTC) + _BEIJING
    id_ = f"F{on:%y%m%d}-{''.join(secrets.choice(_ALPHABET) for _ in range(8))}"
    token = f"{PREFIX}{id_}_{b32encode(secrets.token_bytes(15)).decode().lower()}"
    contact = None if given.address is None else orjson.dumps({"channel": given.channel, "address": given.address})
    row = {
        "id": id_,
        "token": vault.encrypt(token.encode(), token_context(id_)),
        "state": "open",
        "round": 1,
        "page": given.page,
        "case_id": given.case_id,
        "language": given.language,
        "contact": None if contact is None else vault.encrypt(contact, contact_context(id_)),
        "opened_at": now_ms,
        "changed_at": now_ms,
    }
    connection.execute(insert(feedback), row)
    _write_down(connection, vault, id_, Message(1, now_ms, "asked", VISITOR, given.message))
    return id_, token


def get(connection: Connection, id_: str) -> Feedback:
    """Raises Refused("feedback_not_found")."""
    row = connection.execute(select(feedback).where(feedback.c.id == id_)).one_or_none()
    if row is None:
        raise Refused("feedback_not_found")
    return row


def of_token(connection: Connection, id_: str, token: str, vault: Vault) -> Feedback:
    """The same for who has its token. Raises Refused("feedback_not_found") alike for a wrong token."""
    row = get(connection, id_)
    if not compare_digest(vault.decrypt(row.token, token_context(id_)), token.encode(errors="replace")):
        raise Refused("feedback_not_found")
    return row


def messages(connection: Connection, id_: str, vault: Vault) -> list[Message]:
    """In order."""
    query = select(feedback_messages).where(feedback_messages.c.feedback_id == id_).order_by(feedback_messages.c.round)
    return list(_read(connection.execute(query), vault))


def contact_of(row: Feedback, vault: Vault) -> dict[str, str] | None:
    """channel and address; None where none was given."""
    if row.contact is None:
        return None
    found: dict[str, str] = orjson.loads(vault.decrypt(row.contact, contact_context(row.id)))
    return found


def add(connection: Connection, row: Feedback, message: str, vault: Vault, now_ms: int) -> Feedback:
    """The visitor writes again: it waits for staff again."""
    return _move(connection, row, "open", Message(row.round + 1, now_ms, "asked", VISITOR, message), vault)


def answer(connection: Connection, row: Feedback, text: str, by: str, vault: Vault, settings: Settings, now_ms: int) -> Feedback:
    """Staff (`by`) answer; whoever left a contact is told, with a link to it. Raises Refused("feedback_closed")."""
    if row.state == "closed":
        raise Refused("feedback_closed")
    moved = _move(connection, row, "answered", Message(row.round + 1, now_ms, "answered", by, text), vault)
    activity.append(connection, now_ms, by, "answered_feedback", row.id)
    contact = contact_of(row, vault)
    if contact is not None:
        token = vault.decrypt(row.token, token_context(row.id)).decode()
        channel: Channel = "sms" if contact["channel"] == "sms" else "email"
        to = Contact(channel, contact["address"], "en" if row.language == "en" else "zh")
        link = f"{settings.public_url}/feedback#{token}"
        notices.tell(connection, to, "answered", row.id, vault, now_ms, public_url=settings.public_url, case=row.id, link=link)
    return moved


def close(connection: Connection, row: Feedback, by: str, vault: Vault, now_ms: int) -> Feedback:
    """Nothing is left to answer. Raises Refused("feedback_closed")."""
    if row.state == "closed":
        raise Refused("feedback_closed")
    moved = _move(connection, row, "closed", Message(row.round + 1, now_ms, "closed", by, None), vault)
    activity.append(connection, now_ms, by, "closed_feedback", row.id)
    return moved


def listed(connection: Connection, state: State | None, limit: int, below: tuple[int, str] | None) -> list[Feedback]:
    """Newest first, behind the (opened_at, id) `below`."""
    query = select(feedback).order_by(feedback.c.opened_at.desc(), feedback.c.id.desc()).limit(limit)
    if state is not None:
        query = query.where(feedback.c.state == state)
    if below is not None:
        query = query.where(tuple_(feedback.c.opened_at, feedback.c.id) < below)
    return list(connection.execute(query))


def _move(connection: Connection, row: Feedback, state: State, message: Message, vault: Vault) -> Feedback:
    """Raises Refused: feedback_moved where somebody else was faster, feedback_full."""
    if message.round > MOST_ROUNDS:
        raise Refused("feedback_full")
    is_same = (feedback.c.id == row.id, feedback.c.round == row.round)
    values = {"state": state, "round": message.round, "changed_at": message.at}
    if connection.execute(update(feedback).where(*is_same).values(values)).rowcount != 1:
        raise Refused("feedback_moved")
    _write_down(connection, vault, row.id, message)
    return get(connection, row.id)


def _write_down(connection: Connection, vault: Vault, id_: str, message: Message) -> None:
    text = None if message.text is None else vault.encrypt(message.text.encode(), text_context(id_, message.round))
    connection.execute(insert(feedback_messages), {"feedback_id": id_, **message._asdict(), "text": text})


def _read(rows: Any, vault: Vault) -> Iterator[Message]:
    for row in rows:
        text = None if row.text is None else vault.decrypt(row.text, text_context(row.feedback_id, row.round)).decode()
        yield Message(row.round, row.at, row.event, row.actor, text)


def token_context(id_: str) -> str:
    """What is encrypted of a feedback is bound to it."""
    return f"feedback/{id_}/token"


def contact_context(id_: str) -> str:
    return f"feedback/{id_}/contact"


def text_context(id_: str, round_: int) -> str:
    return f"feedback/{id_}/{round_}"
