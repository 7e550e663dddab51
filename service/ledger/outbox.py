"""The outbox: one row a batch, the only state machine of anchoring (decision 8).

Every change of an outbox row's state is one of TRANSITIONS; a batch's and an invoice's state are derived from it.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from sqlalchemy import Connection, func, insert, select, update

from service.ledger.tables import batches, outbox

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
    """A batch on its way. `log_root` and `register_root` are 32 bytes, `block_time` is in seconds by the chain."""

    seq: int
    state: State
    log_root: bytes
    size: int
    register_root: bytes
    block_number: int | None
    block_time: int | None


_items = select(
    outbox.c.seq,
    outbox.c.state,
    batches.c.log_root,
    batches.c.size,
    batches.c.register_root,
    outbox.c.block_number,
    outbox.c.block_time,
).join(batches, batches.c.seq == outbox.c.seq)


def add(connection: Connection, seq: int) -> None:
    """A batch was sealed: it is to be anchored."""
    connection.execute(insert(outbox), {"seq": seq, "state": "sealed"})


def open_items(connection: Connection) -> Sequence[Item]:
    """Everything that is not final yet, in order."""
    return [Item(*row) for row in connection.execute(_items.where(outbox.c.state != "final").order_by(outbox.c.seq))]


def newest_final(connection: Connection) -> Item | None:
    """The newest final anchor; proofs are handed out at it."""
    newest = select(func.max(outbox.c.seq)).where(outbox.c.state == "final").scalar_subquery()
    row = connection.execute(_items.where(outbox.c.seq == newest)).one_or_none()
    return row and Item(*row)


def move(connection: Connection, item: Item, event: Event, **facts: object) -> Item:
    """Take one transition and store the facts that belong to it (columns of `outbox`).

    Raises KeyError for a transition that does not exist. Run twice, it ends the same.
    """
    after = TRANSITIONS[item.state, event]
    connection.execute(update(outbox).where(outbox.c.seq == item.seq).values(state=after, **facts))
    return item._replace(state=after)
