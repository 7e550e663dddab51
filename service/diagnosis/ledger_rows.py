"""Bringing back the row of an entry whose place in the log the chain bears out, or that we promised and never anchored.

Nothing sound is overwritten: where another entry of ours stands in the place, a person has to look (reconciliation names both).
"""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from service.diagnosis.contents import UNREADABLE
from service.diagnosis.proving import Place, Proven
from service.errors import Refused, Unavailable
from service.invoices.tables import copies, invoices
from service.ledger import health, outbox, register_proofs, tiles
from service.ledger.entries import History, Stored, stored_by_key
from service.ledger.receipts import Receipt, ReceiptKeys
from service.ledger.tables import batch_receipts, batches, entries, entry_ids
from service.ledger.tables import tiles as tiles_table
from verifier.chain import ChainReader
from verifier.entry import ZERO, Entry, Kind
from verifier.errors import ChainUnavailable, NotAllowed, VerifierError
from verifier.merkle import leaf_hash, root_from_path, tree_hash
from verifier.register import root_from_absence


def restore(connection: Connection, proven: Proven, place: Place, keys: ReceiptKeys) -> tuple[int, list[str]]:
    """The id of the entry's row, and which tables were put right."""
    batch = connection.execute(select(batches).where(batches.c.seq == place.seq)).one_or_none()
    if batch is None or batch.foreign:
        raise Refused("batch_missing", {"seq": str(place.seq)})
    there = connection.execute(select(entries).where(entries.c.seq == place.seq, entries.c.index == place.index)).one_or_none()
    data = proven.entry.encode()
    if there is not None and there.entry == data:
        done = _repair_row(connection, proven, place, there, keys)
        return there.id, done + _restore_tiles(connection, proven, place, batch)
    if there is not None and keys.are_valid([there.entry], [Receipt(there.key_id, there.deadline, there.signature)])[0]:
        raise Refused("record_in_conflict")
    elsewhere = connection.scalar(select(entries.c.id).where(entries.c.key == proven.entry.key, entries.c.entry == data))
    if elsewhere is not None and there is not None:
        raise Refused("record_in_conflict")
    if elsewhere is not None:
        connection.execute(update(entries).where(entries.c.id == elsewhere).values(seq=place.seq, index=place.index))
        id_ = int(elsewhere)
    else:
        id_ = _write_row(connection, proven, place, there, keys)
    return id_, ["entries", *_restore_tiles(connection, proven, place, batch)]


def is_sound(connection: Connection, proven: Proven, place: Place, keys: ReceiptKeys) -> bool:
    """Whether `restore` would find nothing to do. Needs no write transaction."""
    batch = connection.execute(select(batches).where(batches.c.seq == place.seq)).one_or_none()
    there = connection.execute(select(entries).where(entries.c.seq == place.seq, entries.c.index == place.index)).one_or_none()
    if batch is None or there is None or there.entry != proven.entry.encode():
        return False
    return not _wrong(connection, proven, place, there, keys) and _has_path(connection, proven, place, batch)


def _wrong(connection: Connection, proven: Proven, place: Place, there: Any, keys: ReceiptKeys) -> dict[str, Any]:
    """The columns beside a sound entry that are not what they should be, with what they should be."""
    expected = {"key": proven.entry.key, "ordinal": _ordinal(connection, proven, place, int(there.id))}
    wrong = {name: value for name, value in expected.items() if getattr(there, name) != value}
    if not keys.are_valid([there.entry], [Receipt(there.key_id, there.deadline, there.signature)])[0]:
        wrong |= _receipt(proven, place, keys)
    return wrong


def _repair_row(connection: Connection, proven: Proven, place: Place, there: Any, keys: ReceiptKeys) -> list[str]:
    wrong = _wrong(connection, proven, place, there, keys)
    if not wrong:
        return []
    connection.execute(update(entries).where(entries.c.id == there.id).values(wrong))
    if "signature" in wrong and proven.receipt is None:
        _sign_batch(connection, place.seq, keys)
    return ["entries"]


def _write_row(connection: Connection, proven: Proven, place: Place, there: Any, keys: ReceiptKeys) -> int:
    """Put the entry where it belongs, in the place of what is none there."""
    id_ = int(there.id) if there is not None else _free_id(connection, place)
    ordinal = _ordinal(connection, proven, place, id_)
    row = {"key": proven.entry.key, "ordinal": ordinal, "entry": proven.entry.encode(), **_receipt(proven, place, keys)}
    if there is not None:
        connection.execute(update(entries).where(entries.c.id == id_).values(row))
    else:
        position = {"id": id_, "accepted_with": id_, "seq": place.seq, "index": place.index}
        connection.execute(insert(entries), row | position)
    if proven.receipt is None:
        _sign_batch(connection, place.seq, keys)
    return id_


def _ordinal(connection: Connection, proven: Proven, place: Place, id_: int) -> int:
    """Of this entry among those of its number, by their places in the log; ids have to be in the same order."""
    stored = [one for one in _stored(connection, proven.entry.key) if one.id != id_]
    earlier = [one for one in stored if one.seq is not None and (one.seq, one.index or 0) < (place.seq, place[1])]
    ordinal = 1 + len(earlier)
    taken = select(entries.c.id).where(entries.c.key == proven.entry.key, entries.c.ordinal == ordinal, entries.c.id != id_)
    if any((one.id < id_) != (one in earlier) for one in stored) or connection.scalar(taken) is not None:
        raise Refused("record_in_conflict")
    return ordinal


def _stored(connection: Connection, key: bytes) -> list[Stored]:
    try:
        return stored_by_key(connection, [key]).get(key, [])
    except VerifierError:
        raise Refused("record_in_conflict") from None


def _receipt(proven: Proven, place: Place, keys: ReceiptKeys) -> dict[str, Any]:
    """The one that the copy brings; else a new one whose promise has been kept."""
    receipt = proven.receipt or keys.sign(proven.entry.encode(), place.time * 1000)
    return receipt._asdict()


def _sign_batch(connection: Connection, seq: int, keys: ReceiptKeys) -> None:
    """The receipts of a batch are others now: that each of them was checked is signed again."""
    rows = connection.execute(select(entries).where(entries.c.seq == seq).order_by(entries.c.index)).all()
    receipts = [Receipt(row.key_id, row.deadline, row.signature) for row in rows]
    if not all(keys.are_valid([row.entry for row in rows], receipts)):
        return  # more was changed in it: reconciliation names what
    log_root = connection.execute(select(batches.c.log_root).where(batches.c.seq == seq)).scalar_one()
    connection.execute(delete(batch_receipts).where(batch_receipts.c.seq == seq))
    row = {"seq": seq, "key_id": keys.key_id, "signature": keys.sign_batch(log_root, receipts)}
    connection.execute(insert(batch_receipts), row)


def _free_id(connection: Connection, place: Place) -> int:
    """Ids grow with the place in the log: one between the neighbours', that of content that lost its entry if there is such."""
    same_batch = select(entries.c.id, entries.c.index).where(entries.c.seq == place.seq, entries.c.index < place.index)
    before = connection.execute(same_batch.order_by(entries.c.index.desc()).limit(1)).one_or_none()
    if before is not None:
        low, distance = int(before[0]), place[1] - int(before[1])
    else:
        low = connection.scalar(select(func.max(entries.c.id)).where(entries.c.seq < place.seq)) or 0
        distance = place[1] + 1
    high = connection.scalar(select(func.min(entries.c.id)).where(entries.c.id > low)) or low + distance + 1
    if high - low <= 1:
        if connection.dialect.name == "sqlite":
            raise Refused("record_in_conflict")
        return int(connection.execute(select(entry_ids.next_value())).scalar_one())
    for column in (copies.c.entry_id, invoices.c.id):
        orphans = connection.scalars(select(column).where(column > low, column < high).limit(2)).all()
        if len(orphans) == 1:
            return int(orphans[0])
    return min(low + distance, high - 1)


def _has_path(connection: Connection, proven: Proven, place: Place, batch: Any) -> bool:
    """Whether the stored tiles lead from the entry to the root."""
    try:
        path = tiles.path(connection, place.seq, place[1], batch.size)
        return root_from_path(leaf_hash(proven.entry.encode()), place[1], batch.size, path) == bytes(batch.log_root)
    except (LookupError, *UNREADABLE):
        return False


def _restore_tiles(connection: Connection, proven: Proven, place: Place, batch: Any) -> list[str]:
    """Where the batch's entries lead to its root, and the stored tiles do not any more."""
    if _has_path(connection, proven, place, batch):
        return []
    in_order = select(entries.c.entry).where(entries.c.seq == place.seq).order_by(entries.c.index)
    leaves = [leaf_hash(data) for data in connection.scalars(in_order)]
    if tree_hash(leaves) != batch.log_root:
        return []
    connection.execute(delete(tiles_table).where(tiles_table.c.seq == place.seq))
    tiles.write(connection, place.seq, leaves)
    return ["tiles"]


# Promised, and dropped before it was anchored.


def accept_again(connection: Connection, proven: Proven, reader: ChainReader) -> tuple[int, list[str]]:
    """Queue what we promised and have no trace of: it will be sealed as if nothing had happened.

    Only where it certainly is not on chain: everything that we sealed is final, the contract has nothing newer, and our register,
    which leads to the contract's root, does not have the number. An entry that went in twice would break the log for ever.
    """
    entry, receipt = proven.entry, proven.receipt
    assert receipt is not None
    stored = _stored(connection, entry.key)
    known = next((one.id for one in stored if one.entry == entry), None)
    if known is not None:
        return known, []
    if entry.kind is not Kind.ISSUE or entry.other != ZERO or stored:
        raise Refused("record_in_conflict")
    _check_not_on_chain(connection, entry, reader)
    history = History()
    try:
        history.add(entry)
    except NotAllowed:
        raise Refused("record_in_conflict") from None
    if connection.dialect.name == "sqlite":
        id_ = (connection.scalar(select(func.max(entries.c.id))) or 0) + 1
    else:
        id_ = connection.execute(select(entry_ids.next_value())).scalar_one()
    row = {"id": id_, "key": entry.key, "ordinal": 1, "entry": entry.encode(), "accepted_with": id_}
    connection.execute(insert(entries), row | receipt._asdict())
    return int(id_), ["entries"]


def _check_not_on_chain(connection: Connection, entry: Entry, reader: ChainReader) -> None:
    last = health.read(connection)
    newest = outbox.newest_final(connection)
    if newest is None or outbox.open_items(connection) or (last is not None and last.trouble in health.NOTHING_PROVEN):
        raise Unavailable("not_yet_known", 5)
    try:
        head = reader.read(()).head
        held = reader.anchor(head)
    except ChainUnavailable:
        raise Unavailable("chain_unread", 10) from None
    newest_batch = connection.scalar(select(func.max(batches.c.seq)))
    if head != newest.seq or newest_batch != newest.seq:
        raise Unavailable("not_yet_known", 5)
    siblings, end = register_proofs.prove(connection, newest.seq, entry.key)
    if held is None or (end is not None and end[0] == entry.key):
        raise Refused("record_in_conflict")
    if root_from_absence(entry.key, end, siblings) != held.register_root:
        raise Refused("record_in_conflict")
