"""The outbox: one row a batch, the only state machine of anchoring (decision 8).

Every change of an outbox row's state is one of TRANSITIONS; a batch's and an invoice's state are derived from it.
"""

from typing import Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from service.ledger.tables import batches, outbox, transactions

State = Literal["sealed", "broadcast", "mined", "final"]
Event = Literal["sent", "found", "finalized", "reorganised"]

TRANSITIONS: dict[tuple[State, Event], State] = {
    ("sealed", "sent"): "broadcast",
    ("broadcast", "sent"): "broadcast",  # the same bytes again, or the same nonce with a higher fee
    ("sealed", "found"): "mined",  # sent before a crash, or adopted: the contract holds that seq with these roots
    ("broadcast", "found"): "mined",
    ("mined", "found"): "mined",  # moved to another block by a reorganisation
    ("mined", "reorganised"): "broadcast",  # nothing else needs undoing
    ("mined", "finalized"): "final",
}


class Item(NamedTuple):
    """A batch on its way. `log_root` and `register_root` are 32 bytes, `block_time` is in seconds by the chain.

    `final_block` and `final_hash` are the evidence: the final block at which the contract was seen to hold it.
    """

    seq: int
    state: State
    log_root: bytes
    size: int
    register_root: bytes
    block_number: int | None
    block_time: int | None
    final_block: int | None
    final_hash: bytes | None


_items = select(
    outbox.c.seq,
    outbox.c.state,
    batches.c.log_root,
    batches.c.size,
    batches.c.register_root,
    outbox.c.block_number,
    outbox.c.block_time,
    outbox.c.final_block,
    outbox.c.final_hash,
).join(batches, batches.c.seq == outbox.c.seq)


def add(connection: Connection, seq: int) -> None:
    """A batch was sealed: it is to be anchored."""
    connection.execute(insert(outbox), {"seq": seq, "state": "sealed"})


def add_final(connection: Connection, seq: int, **facts: object) -> None:
    """A foreign anchor was found, final already; `facts` are columns of `outbox`."""
    connection.execute(insert(outbox), {"seq": seq, "state": "final", **facts})


def open_items(connection: Connection, *, lock: bool = False) -> list[Item]:
    """Everything that is not final yet, in order. `lock`: nobody else moves them before this transaction ends."""
    query = _items.where(outbox.c.state != "final").order_by(outbox.c.seq)
    return [Item(*row) for row in connection.execute(query.with_for_update(of=outbox) if lock else query)]


class Attempt(NamedTuple):
    """A signed transaction of a batch, stored before it is sent; fees in wei for one unit of gas."""

    hash: bytes
    nonce: int
    max_fee: int
    tip: int
    raw: bytes
    signed_at: int


def attempts(connection: Connection, seq: int) -> list[Attempt]:
    """Every transaction that was signed for batch `seq`; of those with one nonce, each replaces the one before it."""
    columns = [transactions.c[name] for name in Attempt._fields]
    query = select(*columns).where(transactions.c.seq == seq).order_by(transactions.c.nonce, transactions.c.max_fee)
    return [Attempt(*row) for row in connection.execute(query)]


def add_attempt(connection: Connection, seq: int, attempt: Attempt) -> None:
    """Keep the signed bytes: after a crash the same ones are sent again (decision 9)."""
    connection.execute(insert(transactions), {"seq": seq, **attempt._asdict()})


_newest = (
    select(func.max(outbox.c.seq))
    .join(batches, batches.c.seq == outbox.c.seq)
    .where(outbox.c.state == "final", batches.c.foreign == 0)
    .scalar_subquery()
)
_newest_final = _items.where(outbox.c.seq == _newest)


def newest_final(connection: Connection) -> Item | None:
    """The newest final anchor of ours; proofs are handed out at it."""
    row = connection.execute(_newest_final).one_or_none()
    return Item(*row) if row else None


def final_at(connection: Connection, seq: int) -> Item | None:
    """The final anchor `seq` of ours; None where there is none."""
    row = connection.execute(_items.where(outbox.c.seq == seq, outbox.c.state == "final", batches.c.foreign == 0)).one_or_none()
    return Item(*row) if row else None


def final_since(connection: Connection, seq: int) -> int | None:
    """Since when (ms) the first final anchor behind `seq` is final; None where there is none."""
    query = select(outbox.c.final_at).where(outbox.c.seq > seq, outbox.c.state == "final").order_by(outbox.c.seq).limit(1)
    since: int | None = connection.scalar(query)
    return since


def move(connection: Connection, item: Item, event: Event, **facts: object) -> Item:
    """Take one transition of a locked item and store the facts that belong to it (columns of `outbox`).

    Raises KeyError for a transition that does not exist. Run twice, it ends the same.
    """
    after = TRANSITIONS[item.state, event]
    connection.execute(update(outbox).where(outbox.c.seq == item.seq).values(state=after, **facts))
    return item._replace(state=after)
