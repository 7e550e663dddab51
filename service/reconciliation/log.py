"""By place in the log: entries, tiles, batch rows, outbox rows and receipts against the anchors.

A log root that our entries lead to proves each of them, in its place, bit for bit (protocol.md section 3). The stored tiles are
compared with the tiles that the entries make, and one signature over a batch's receipts, made when it was sealed, covers those.
Where a root differs, stored tiles that still lead to it say which place is wrong; else a mirror's do; else receipts name records.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Connection, TextClause, text

from service.central import acknowledgements
from service.central.acknowledgements import Delivery
from service.ledger.receipts import batch_message, packed
from service.ledger.tiles import WIDTH, leaves_in, made_of
from service.reconciliation.findings import Found
from service.reconciliation.naming import number_of
from service.reconciliation.scope import Scope, Witness
from verifier.chain import Anchor
from verifier.entry import decode_entry
from verifier.merkle import leaf_hash, tree_hash
from verifier.receipt import is_signed, receipt_message

ROWS_AT_ONCE = 4096

# Plain SQL: no column's type is believed, so that a row of the wrong type is a finding and not the end of the run.
_ENTRIES = text(
    'SELECT seq, "index", entry, key_id, deadline, signature FROM entries WHERE seq BETWEEN :low AND :high ORDER BY seq, "index"'
)
_TILES = text("SELECT seq, level, tile, hashes FROM tiles WHERE seq BETWEEN :low AND :high ORDER BY seq, level, tile")
_BATCHES = text('SELECT seq, log_root, size, register_root, "foreign" FROM batches WHERE seq BETWEEN :low AND :high')
_OUTBOX = text("SELECT seq, state, block_time FROM outbox WHERE seq BETWEEN :low AND :high")
_ACKNOWLEDGED = text(
    "SELECT id, consumer, cursor, at, key_id, signature FROM acknowledgements WHERE cursor BETWEEN :low AND :high ORDER BY id"
)
_SIGNED = text("SELECT seq, key_id, signature FROM batch_receipts WHERE seq BETWEEN :low AND :high")
_OF_BATCH = text('SELECT id, key, "index", entry, key_id, deadline, signature FROM entries WHERE seq = :seq ORDER BY "index"')

_seq = itemgetter(0)
_READABLE = (TypeError, ValueError, OverflowError, AttributeError)
"""What a value of the wrong type raises when it is hashed or packed."""


class _Gathered(NamedTuple):
    """What the entries of a batch make. `leaves` is None where one could not be read."""

    leaves: list[bytes] | None
    in_place: bool
    receipts: bytes
    is_late: bool


class _Rows(NamedTuple):
    batch: Any
    outbox: Any
    signed: Any
    tiles: dict[tuple[int, int], bytes]


def check(connection: Connection, scope: Scope, anchors: Mapping[int, Anchor], witness: Witness | None) -> Iterator[Found]:
    """Compare the batches of `anchors` (a run of seqs without a gap) with what we hold of them."""
    bounds = {"low": min(anchors), "high": max(anchors)}
    batches, outbox, signed = ({row[0]: row for row in connection.execute(query, bounds)} for query in (_BATCHES, _OUTBOX, _SIGNED))
    entries = _Groups(_streamed(connection, _ENTRIES, bounds))
    tiles = _Groups(_streamed(connection, _TILES, bounds))
    yield from _check_acknowledgements(connection, scope, bounds)
    for seq, anchor in sorted(anchors.items()):
        gathered = _gather(entries.of(seq), anchor)
        stored = {(row[1], row[2]): row[3] for row in tiles.of(seq)}
        rows = _Rows(batches.get(seq), outbox.get(seq), signed.get(seq), stored)
        yield from _check_batch(connection, scope, seq, anchor, gathered, rows, witness)


def _check_acknowledgements(connection: Connection, scope: Scope, bounds: Mapping[str, int]) -> Iterator[Found]:
    """That a follower had a batch is our own statement: it carries our signature, or somebody put it there."""
    for id_, consumer, cursor, at, key_id, signature in connection.execute(_ACKNOWLEDGED, bounds):
        try:
            message = acknowledgements.message(scope.chain.chain_id, scope.chain.contract, Delivery(consumer, cursor, at))
            key = scope.service_keys.get(key_id.hex())
            is_ours = key is not None and is_signed(key, signature, message)
        except _READABLE:
            is_ours = False
        if not is_ours:
            yield Found("altered", "acknowledgements", seq=cursor, detail={"id": id_, "consumer": consumer})


def check_unanchored(connection: Connection, scope: Scope) -> Iterator[Found]:
    """Batches that are on their way: nothing vouches for them yet but that they hold together."""
    above = {"low": scope.head + 1, "high": 1 << 62}
    yield from _check_acknowledgements(connection, scope, above)
    outbox = {row[0] for row in connection.execute(_OUTBOX, above)}
    for seq, log_root, size, _, _ in connection.execute(_BATCHES, above).all():
        entries = connection.execute(_OF_BATCH, {"seq": seq}).all()
        leaves = [leaf_hash(row[3]) for row in entries if type(row[3]) is bytes]
        if len(leaves) != size or [row[2] for row in entries] != list(range(size)) or tree_hash(leaves) != log_root:
            yield Found("altered", "batches", seq=seq)
        if seq not in outbox:
            yield Found("missing", "outbox", seq=seq)


def _streamed(connection: Connection, query: TextClause, bounds: Mapping[str, int]) -> Iterator[Any]:
    rows = connection.execute(query, bounds, execution_options={"yield_per": ROWS_AT_ONCE})
    return chain.from_iterable(rows.partitions(ROWS_AT_ONCE))


class _Groups:
    """Rows in ascending order of seq, handed out a seq at a time."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._groups = groupby(rows, _seq)
        self._next = next(self._groups, None)

    def of(self, seq: int) -> Iterable[Any]:
        if self._next is None or self._next[0] != seq:
            return ()
        return self._drain()

    def _drain(self) -> Iterator[Any]:
        assert self._next is not None
        yield from self._next[1]
        self._next = next(self._groups, None)


def _gather(rows: Iterable[Any], anchor: Anchor) -> _Gathered:
    leaves: list[bytes] = []
    receipts = sha256()
    in_place, readable, is_late = True, True, False
    for expected, (_, index, entry, key_id, deadline, signature) in enumerate(rows):
        try:
            leaves.append(sha256(b"\x00" + entry).digest())
            receipts.update(packed((key_id, deadline, signature)))
            if deadline < anchor.time * 1000 - 999:
                is_late = True
        except _READABLE:
            readable = False
        if index != expected:
            in_place = False
    return _Gathered(leaves if readable else None, in_place, receipts.digest(), is_late)


def _check_batch(
    connection: Connection, scope: Scope, seq: int, anchor: Anchor, gathered: _Gathered, rows: _Rows, witness: Witness | None
) -> Iterator[Found]:
    batch, outbox = rows.batch, rows.outbox
    is_foreign = batch is not None and batch[4] == 1
    yield from _check_rows(seq, anchor, batch, outbox)
    leaves = gathered.leaves
    expected_tiles: dict[tuple[int, int], bytes] = {}
    root = None
    if leaves is not None:
        expected_tiles, root = made_of(leaves)
    if is_foreign and leaves == []:
        held = _authentic(rows.tiles, anchor, witness, seq)
        if held:
            yield Found("altered", "batches.foreign", seq=seq, detail={"entries": len(held)})
        elif rows.tiles:
            yield Found("altered", "tiles", seq=seq)
        else:
            yield Found("foreign_anchor", seq=seq, detail={"size": anchor.size})
        return
    if leaves == [] and anchor.size:
        if batch is not None:
            yield Found("missing", "entries", seq=seq, detail={"size": anchor.size})
        held = _authentic(rows.tiles, anchor, witness, seq)
        yield from (_missing(witness, seq, index, leaf) for index, leaf in enumerate(held or ()))
        return
    if root != anchor.log_root or not gathered.in_place or len(leaves or ()) != anchor.size:
        yield from _name(connection, scope, seq, anchor, rows, witness)
        return
    yield from _check_tiles(seq, rows.tiles, expected_tiles)
    if leaves and not _is_batch_signed(scope, anchor, gathered, rows.signed):
        yield from _name_receipts(connection, scope, seq, rows.signed)
    if gathered.is_late:
        yield from _late(connection, seq, anchor)


def _check_tiles(seq: int, stored: Mapping[tuple[int, int], Any], expected: Mapping[tuple[int, int], bytes]) -> Iterator[Found]:
    if stored == expected:
        return
    for level, tile in sorted(stored.keys() | expected.keys()):
        if stored.get((level, tile)) != expected.get((level, tile)):
            detail = {"level": level, "tile": tile}
            yield Found("altered", "tiles", seq=seq, index=tile * WIDTH if level == 0 else None, detail=detail)


def _check_rows(seq: int, anchor: Anchor, batch: Any, outbox: Any) -> Iterator[Found]:
    if batch is None:
        yield Found("missing", "batches", seq=seq, detail={"size": anchor.size})
        return
    _, log_root, size, register_root, foreign = batch
    expected = {"log_root": anchor.log_root, "register_root": anchor.register_root, "size": 0 if foreign == 1 else anchor.size}
    for column, stored in (("log_root", log_root), ("register_root", register_root), ("size", size)):
        if stored != expected[column]:
            yield Found("anchor_mismatch", f"batches.{column}", seq=seq)
    if foreign not in (0, 1):
        yield Found("altered", "batches.foreign", seq=seq)
    if outbox is None:
        yield Found("missing", "outbox", seq=seq)
        return
    _, state, block_time = outbox
    if state not in ("sealed", "broadcast", "mined", "final"):
        yield Found("altered", "outbox.state", seq=seq)
    elif state == "final" and block_time != anchor.time:
        yield Found("altered", "outbox.block_time", seq=seq, detail={"chain": anchor.time})


def _authentic(tiles: Mapping[tuple[int, int], Any], anchor: Anchor, witness: Witness | None, seq: int) -> list[bytes] | None:
    """The leaves that the anchor holds, where stored tiles or a mirror's copy still lead to its root."""
    pieces = [hashes for (level, _), hashes in sorted(tiles.items()) if level == 0]
    if all(type(piece) is bytes for piece in pieces):
        joined = b"".join(map(leaves_in, pieces))
        leaves = [joined[start : start + 32] for start in range(0, len(joined), 32)]
        if len(leaves) == anchor.size and tree_hash(leaves) == anchor.log_root:
            return leaves
    if witness is not None:
        leaves = witness.leaves(seq)
        if len(leaves) == anchor.size and tree_hash(leaves) == anchor.log_root:
            return leaves
    return None


def _missing(witness: Witness | None, seq: int, index: int, leaf: bytes | None) -> Found:
    """An entry that is gone; its key is told by a mirror that has the entry of this leaf."""
    entry = witness.entry_at(seq, index) if witness is not None else None
    key = decode_entry(entry).key if entry is not None and leaf_hash(entry) == leaf else None
    return Found("missing", "entries", key=key, seq=seq, index=index)


def _name(connection: Connection, scope: Scope, seq: int, anchor: Anchor, rows: _Rows, witness: Witness | None) -> Iterator[Found]:
    """Say which entries of a batch are not what was anchored."""
    held = _authentic(rows.tiles, anchor, witness, seq)
    stored = connection.execute(_OF_BATCH, {"seq": seq}).all()
    places: dict[int, Any] = {}
    extra: list[Any] = []
    for row in stored:
        if type(row[2]) is int and 0 <= row[2] < anchor.size and row[2] not in places:
            places[row[2]] = row
        else:
            extra.append(row)
    if held is None:
        yield Found("anchor_mismatch", "entries", seq=seq, detail={"size": anchor.size})
        for index, row in sorted(places.items()):
            if not is_promised(scope, row[3], row[4:7]):
                yield _altered(connection, row, "entries.entry", seq, index)
    else:
        elsewhere = {leaf: index for index, leaf in enumerate(held)}
        for index, row in sorted(places.items()):
            leaf = leaf_hash(row[3]) if type(row[3]) is bytes else None
            if leaf != held[index]:
                at = elsewhere.get(leaf) if leaf else None
                yield _altered(connection, row, "entries.entry" if at is None else "entries.index", seq, index)
    for index in sorted(set(range(anchor.size)) - places.keys()):
        yield _missing(witness, seq, index, held[index] if held else None)
    for row in extra:
        yield _unanchored(connection, scope, row, seq)
    if rows.tiles and held is not None:
        joined = made_of(held)[0]
        if rows.tiles != joined:
            yield Found("altered", "tiles", seq=seq)


def _altered(connection: Connection, row: Any, place: str, seq: int, index: int) -> Found:
    key = row[1] if type(row[1]) is bytes else None
    return Found("altered", place, number_of(connection, key), key, seq, index, {"entry_id": row[0]})


def _unanchored(connection: Connection, scope: Scope, row: Any, seq: int) -> Found:
    key = row[1] if type(row[1]) is bytes else None
    index = row[2] if type(row[2]) is int else None
    detail = {"entry_id": row[0], "promised": is_promised(scope, row[3], row[4:7])}
    return Found("unanchored", "entries", number_of(connection, key), key, seq, index, detail)


def is_promised(scope: Scope, entry: object, receipt: Any) -> bool:
    """Whether one of the service's keys signed this entry's receipt."""
    key_id, deadline, signature = receipt
    try:
        key = scope.service_keys.get(key_id.hex())
        if key is None or not 0 <= deadline < 1 << 63:
            return False
        message = receipt_message(scope.chain.chain_id, scope.chain.contract, entry, deadline)  # type: ignore[arg-type]
        return is_signed(key, signature, message)
    except _READABLE:
        return False


def _is_batch_signed(scope: Scope, anchor: Anchor, gathered: _Gathered, signed: Any) -> bool:
    if signed is None:
        return False
    _, key_id, signature = signed
    try:
        key = scope.service_keys.get(key_id.hex())
        message = batch_message(scope.chain.chain_id, scope.chain.contract, anchor.log_root, gathered.receipts)
        return key is not None and is_signed(key, signature, message)
    except _READABLE:
        return False


def _name_receipts(connection: Connection, scope: Scope, seq: int, signed: Any) -> Iterator[Found]:
    """The signature over a batch's receipts is not good: either that, or receipts were changed."""
    wrong = False
    for row in connection.execute(_OF_BATCH, {"seq": seq}):
        if not is_promised(scope, row[3], row[4:7]):
            wrong = True
            yield _altered(connection, row, "entries.signature", seq, row[2])
    if not wrong:
        yield Found("missing" if signed is None else "altered", "batch_receipts", seq=seq)


def _late(connection: Connection, seq: int, anchor: Anchor) -> Iterator[Found]:
    """Promises that were not kept: anchored, but after their deadline (protocol.md section 6)."""
    for row in connection.execute(_OF_BATCH, {"seq": seq}):
        if -(-row[5] // 1000) < anchor.time:
            detail = {"deadline": row[5], "anchored_at": anchor.time}
            yield Found("overdue", None, number_of(connection, row[1]), row[1], seq, row[2], detail)
