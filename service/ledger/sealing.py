"""Sealing: what has gathered becomes a batch, with its place in the log, its new register pages and its row in the outbox."""

from collections.abc import Collection, Sequence
from hashlib import sha256
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, insert, select, text, update

from service.ledger import notes, outbox, promises, register, tiles
from service.ledger.entries import History, stored_by_key
from service.ledger.receipts import Receipt, ReceiptKeys, of_columns
from service.ledger.tables import batch_receipts, batches, entries, transactions
from service.ledger.tables import outbox as outbox_table
from service.ledger.tables import tiles as tiles_table
from verifier.entry import MAX_BATCH, ZERO, Entry, Key, Kind, decode_entry
from verifier.errors import Malformed, NotAllowed
from verifier.merkle import EMPTY, leaf_hash, tree_hash
from verifier.register import State, Status, apply

FOREIGN_LOG = "foreign-anchors"
"""Name of the log of which a note tells after another anchorer took a seq."""


class Sealed(NamedTuple):
    """A new batch. `refused` are ids of pending rows that carry no valid promise of ours or break the rules: never sealed."""

    seq: int
    size: int
    log_root: bytes
    register_root: bytes
    refused: list[int]


def newest_seq(connection: Connection) -> int | None:
    """The seq of the newest batch; None before the first."""
    newest: int | None = connection.scalar(select(func.max(batches.c.seq)))
    return newest


def seal(
    connection: Connection, keys: ReceiptKeys, now_ms: int, *, first_seq: int, heartbeat: bool = False, limit: int = MAX_BATCH
) -> Sealed | None:
    """Seal up to `limit` pending entries in order of acceptance; None where there are none (an empty batch for a `heartbeat`).

    One transaction of the caller's: batch, positions, tiles, register pages and outbox row, or nothing. Entries of one transaction
    stay together. `first_seq` is the contract's first.
    """
    newest = newest_seq(connection)
    seq = first_seq if newest is None else newest + 1
    pending = _take(connection, limit)
    barred: frozenset[bytes] = frozenset()
    while True:
        batch = _replay(connection, pending, keys, seq, barred)
        if (not batch.entries and not heartbeat) or not _is_allowed(connection, newest, len(batch.entries), bool(batch.changes)):
            return None
        try:
            register_root = register.update(connection, seq, batch.changes, batch.before)
        except register.NotAsBefore as error:
            # What the register has was sealed from rows that are not there any more, or are not what they were: sealed once more,
            # such an entry would stand in the log twice, for ever. It waits, like what was never promised.
            barred |= error.keys
            continue
        log_root = _write(connection, seq, batch, register_root, keys, now_ms)
        promises.forget(connection, pending.accepted_with)
        return Sealed(seq, len(batch.entries), log_root, register_root, batch.refused)


class _Pending(NamedTuple):
    """Rows by column."""

    ids: list[int]
    keys: list[bytes]
    entries: list[bytes]
    ordinals: list[int]
    accepted_with: list[int]
    key_ids: list[bytes]
    deadlines: list[int]
    signatures: list[bytes]


class _Batch(NamedTuple):
    """What is to be sealed, by column; the register's changes as key -> H(state), and what they change likewise."""

    ids: list[int]
    entries: list[bytes]
    receipts: list[Receipt]
    changes: dict[bytes, bytes]
    before: dict[bytes, bytes]
    refused: list[int]


def _write(connection: Connection, seq: int, batch: _Batch, register_root: bytes, keys: ReceiptKeys, now_ms: int) -> bytes:
    """Everything but the register's pages; the log root."""
    size = len(batch.entries)
    connection.execute(
        insert(batches),
        {"seq": seq, "log_root": EMPTY, "size": size, "register_root": register_root, "sealed_at": now_ms, "foreign": 0},
    )
    log_root = tiles.write(connection, seq, list(map(leaf_hash, batch.entries)))
    connection.execute(update(batches).where(batches.c.seq == seq).values(log_root=log_root))
    _place(connection, seq, batch.ids)
    if size:
        signature = keys.sign_batch(log_root, batch.receipts)
        connection.execute(insert(batch_receipts), {"seq": seq, "key_id": keys.key_id, "signature": signature})
    outbox.add(connection, seq)
    return log_root


def _is_allowed(connection: Connection, newest: int | None, size: int, changes: bool) -> bool:
    """Whether the contract would take it: a sealed batch cannot be taken back.

    It refuses an empty batch that changes the register root, and a root that becomes zero again. Neither can happen to us but after
    a foreign anchor, whose root is the last one then.
    """
    if newest is None or changes:
        return True
    last = connection.scalar(select(batches.c.register_root).where(batches.c.seq == newest))
    root = register.root_at(connection, newest)
    return root == last or (size > 0 and root != EMPTY)


_PENDING = text(
    "SELECT id, key, entry, ordinal, accepted_with, key_id, deadline, signature FROM entries WHERE seq IS NULL "
    "ORDER BY accepted_with, id LIMIT :limit"
)


_ROWS_AT_ONCE = 1000
_OF_A_TRANSACTION = ("accepted_with", "key_ids", "deadlines")
"""What its entries have in common is kept once."""


def _take(connection: Connection, limit: int) -> _Pending:
    """Pending rows in order; a transaction's entries all or none."""
    pending = _Pending([], [], [], [], [], [], [], [])
    shared: dict[Any, Any] = {}
    for rows in connection.execute(_PENDING, {"limit": limit + 1}).partitions(_ROWS_AT_ONCE):
        for name, values in zip(_Pending._fields, zip(*rows, strict=True), strict=True):
            column: list[Any] = getattr(pending, name)
            column += map(shared.setdefault, values, values) if name in _OF_A_TRANSACTION else values
    if len(pending.ids) > limit:
        end = pending.accepted_with.index(pending.accepted_with[limit])
        for column in pending:
            del column[end:]
    return pending


def _replay(connection: Connection, pending: _Pending, keys: ReceiptKeys, seq: int, barred: Collection[bytes]) -> _Batch:
    """What of the rows may be sealed: promised, allowed by the rules, and not of a key in `barred`."""
    # A note's history says nothing about it, and grows for ever: UNIQUE (key, ordinal) is all that it needs.
    rows = zip(pending.keys, pending.ordinals, pending.entries, strict=True)
    later = {key for key, ordinal, data in rows if ordinal > 1 and not _is_of(data, Kind.NOTE)}
    stored = stored_by_key(connection, sorted(later))
    known = {key: History(one for one in stored.get(key, ()) if one.seq is not None) for key in later}
    before = {key: history.state.hash() for key, history in known.items() if history.state is not None}
    receipts = of_columns(pending.key_ids, pending.deadlines, pending.signatures)
    promised = promises.are_kept(connection, pending.accepted_with, pending.entries, receipts, keys)
    batch = _Batch([], [], [], {}, before, [])
    issue, first_state = _BEGINNINGS[Kind.ISSUE], State(Status.VALID, 1, seq, 0, ZERO, ZERO).encode()[:-_INDEX_AND_AFTER]
    together = zip(pending.ids, pending.keys, pending.entries, pending.ordinals, receipts, promised, strict=True)
    for id_, key, data, ordinal, receipt, is_promised in together:
        try:
            if not is_promised or data[_KEY] != key or key in barred:
                raise NotAllowed("not what was promised")
            if ordinal == 1 and data[:10] == issue and key not in known and len(data) == _ENTRY_BYTES:
                # As _replay_one would, of nearly all entries: the first of its number, which nothing can forbid.
                state = first_state + len(batch.entries).to_bytes(4, "big") + data[_COPY_AND_OTHER]
                batch.changes[key] = sha256(state).digest()
            else:
                entry = decode_entry(data)
                if entry.kind is not Kind.NOTE:
                    batch.changes[key] = _replay_one(known.get(key), entry, ordinal, seq, len(batch.entries)).hash()
        except (Malformed, NotAllowed):
            batch.refused.append(id_)
            continue
        batch.ids.append(id_)
        batch.entries.append(data)
        batch.receipts.append(receipt)
    return batch


_KEY, _COPY_AND_OTHER = slice(18, 50), slice(50, 114)
"""Of an entry (protocol.md section 3). A state ends in u32(index) ‖ copy ‖ other (section 4)."""
_INDEX_AND_AFTER = 4 + 32 + 32
_ENTRY_BYTES = 146


def _is_of(data: bytes, kind: Kind) -> bool:
    """Whether the bytes are an entry of this kind; all other bytes of an entry are free."""
    return len(data) == _ENTRY_BYTES and data.startswith(_BEGINNINGS[kind])


_BEGINNINGS = {kind: Entry(kind, 0, Key(ZERO), ZERO, ZERO, ZERO).encode()[:10] for kind in Kind}


def _replay_one(history: History | None, entry: Entry, ordinal: int, seq: int, index: int) -> State:
    """The state that `entry` makes; `history` is None where it is the first and only one of its number."""
    if ordinal != (1 if history is None else history.ordinal + 1):
        raise NotAllowed("not what was promised")
    if history is None:
        return apply(None, entry, seq, index, ())
    history.add(entry, seq, index)
    assert history.state is not None
    return history.state


def _place(connection: Connection, seq: int, ids: Sequence[int]) -> None:
    """Give each entry its place in the batch, a statement for each run of ids that follow one another."""
    is_in_run = entries.c.id.between(bindparam("first", type_=BigInteger), bindparam("last", type_=BigInteger))
    one = update(entries).where(is_in_run).values(seq=seq, index=entries.c.id - bindparam("before", type_=BigInteger))
    starts = [0, *(place for place, (id_, after) in enumerate(pairwise(ids), 1) if after != id_ + 1), len(ids)]
    rows = [
        {"first": ids[start], "last": ids[end - 1], "before": ids[start] - start} for start, end in pairwise(starts) if start < end
    ]
    if rows:
        connection.execute(one, rows)


def unseal_from(connection: Connection, seq: int) -> None:
    """Take batch `seq` and all later ones back to pending; only ever because another anchor took the seq."""
    connection.execute(update(entries).where(entries.c.seq >= seq).values(seq=None, index=None))
    register.discard_from(connection, seq)
    connection.execute(delete(transactions).where(transactions.c.seq >= seq))
    for table in (batch_receipts, tiles_table, outbox_table, batches):
        connection.execute(delete(table).where(table.c.seq >= seq))


def record_foreign(connection: Connection, seq: int, log_root: bytes, register_root: bytes, now_ms: int) -> None:
    """A seq that another anchorer took: in replay it counts as an empty batch."""
    connection.execute(
        insert(batches),
        {"seq": seq, "log_root": log_root, "size": 0, "register_root": register_root, "sealed_at": now_ms, "foreign": 1},
    )


def note_foreign(connection: Connection, keys: ReceiptKeys, now_ms: int, deadline: int) -> None:
    """Log that there are foreign anchors: a note whose copy is the tree hash over all of them, H(0x00 ‖ u64(seq) ‖ both roots).

    Whoever replays the log finds it said; and the batch that holds it makes our register root the newest again, which a heartbeat
    could not, since the contract takes no empty batch that changes the root.
    """
    query = select(batches.c.seq, batches.c.log_root, batches.c.register_root).where(batches.c.foreign == 1).order_by(batches.c.seq)
    leaves = [leaf_hash(seq.to_bytes(8, "big") + log + root) for seq, log, root in connection.execute(query)]
    notes.take_down(connection, FOREIGN_LOG, tree_hash(leaves), keys, now_ms, deadline)
