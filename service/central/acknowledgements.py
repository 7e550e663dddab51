"""The delivery hop of the custody timeline: a follower says how far it has come, and we sign that it said so."""

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from service.central.tables import acknowledgements as table
from service.errors import Finding, Refused
from service.ledger import outbox
from service.ledger.receipts import ReceiptKeys


class Delivery(NamedTuple):
    """`consumer` had everything up to `cursor` at `at` (ms since 1970 UTC)."""

    consumer: str
    cursor: int
    at: int


def message(chain_id: int, contract: bytes, delivery: Delivery) -> bytes:
    """What is signed: "zhengpiao/acknowledgement" ‖ u64(chain_id) ‖ contract ‖ u64(cursor) ‖ u64(at) ‖ consumer."""
    numbers = (chain_id.to_bytes(8, "big"), contract, delivery.cursor.to_bytes(8, "big"), delivery.at.to_bytes(8, "big"))
    return b"".join((b"zhengpiao/acknowledgement", *numbers, delivery.consumer.encode()))


def acknowledge(connection: Connection, consumer: str, cursor: int, keys: ReceiptKeys, now_ms: int) -> Delivery:
    """Keep it. A cursor never goes back (the newest counts), and never ahead of what is final: Refused."""
    newest = outbox.newest_final(connection)
    if not 0 < cursor <= (newest.seq if newest else 0):
        raise Refused("invalid_request", findings=[Finding("cursor_range", "error", "/cursor")])
    last = connection.execute(
        select(table.c.cursor, table.c.at).where(table.c.consumer == consumer).order_by(table.c.cursor.desc()).limit(1)
    ).one_or_none()
    if last is not None and last.cursor >= cursor:
        return Delivery(consumer, last.cursor, last.at)
    delivery = Delivery(consumer, cursor, now_ms)
    key_id, signature = keys.sign_message(lambda chain_id, contract: message(chain_id, contract, delivery))
    connection.execute(insert(table), {**delivery._asdict(), "key_id": key_id, "signature": signature})
    return delivery


def newest(connection: Connection) -> list[Delivery]:
    """How far each consumer has come."""
    last = select(table.c.consumer, func.max(table.c.cursor), func.max(table.c.at)).group_by(table.c.consumer)
    return [Delivery(*row) for row in connection.execute(last.order_by(table.c.consumer))]


def delivered(connection: Connection, seq: int) -> list[Delivery]:
    """Who has batch `seq`, and since when."""
    first = select(table.c.consumer, func.min(table.c.cursor), func.min(table.c.at)).where(table.c.cursor >= seq)
    return [Delivery(*row) for row in connection.execute(first.group_by(table.c.consumer).order_by(table.c.consumer))]
