"""A copy proves itself: its sections lead to the copy in an entry, and the entry to what the contract holds, or to our own promise.

What somebody kept is believed as far as that, and no further.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, func, select

from service.diagnosis import by_time
from service.diagnosis.contents import UNREADABLE
from service.errors import Refused, Unavailable
from service.ledger import tiles
from service.ledger.entries import stored_by_key
from service.ledger.receipts import Receipt
from service.ledger.tables import batches
from service.ledger.tables import tiles as tiles_table
from verifier.chain import Anchor, ChainReader
from verifier.commitment import SECTIONS, section_leaf
from verifier.entry import Entry, Kind
from verifier.errors import ChainUnavailable, Malformed, OtherProtocol
from verifier.fields import Chain
from verifier.merkle import leaf_hash, root_from_path
from verifier.proof import PROTOCOL, AnchoredProof, Opened, PendingProof, Section, parse_proof
from verifier.verify import verify_proof

MAX_BATCHES_LOOKED_AT = 64
"""Behind the time at which an entry was recorded: so many batches are searched for it where only the tiles are left."""
SLACK_MS = 60_000
"""Of the clocks of several processes."""


class Place(NamedTuple):
    """Where in the log an entry is, borne out by the contract; `time` is its anchor's, in seconds since 1970 UTC."""

    seq: int
    index: int  # type: ignore[assignment]  # as in the protocol
    time: int


class Proven(NamedTuple):
    """`sections` and `leaves` are eight. `receipt` is one that we signed. `place` None: accepted by us, and not anchored."""

    number: str
    entry: Entry
    sections: Sequence[Section]
    leaves: Sequence[bytes]
    receipt: Receipt | None
    place: Place | None


def parse(data: bytes) -> AnchoredProof | PendingProof:
    """A proof file that holds content. Raises Refused("not_a_proof"), Refused("copy_proves_nothing")."""
    try:
        proof = parse_proof(data)
    except Malformed:
        raise Refused("not_a_proof") from None
    except OtherProtocol:
        raise Refused("copy_proves_nothing", {"check": "form"}) from None
    if not isinstance(proof, AnchoredProof | PendingProof):
        raise Refused("copy_proves_nothing", {"check": "content"})
    return proof


def of_issuer(sections: Any, acknowledgement: Any, chain: Chain) -> bytes:
    """The proof file that an issuer's own sections make, with the answer that it got for them. Raises Refused("not_a_proof")."""
    try:
        registered = {**sections, **(acknowledgement.get("sections") or {})}
        file = {
            "protocol": PROTOCOL,
            "chain": acknowledgement.get("chain") or chain.to_members(),
            "sections": {name: {"salt": acknowledgement["salts"][name], "value": registered.pop(name)} for name in SECTIONS},
            "entry": acknowledgement["entry"],
            "receipt": acknowledgement["receipt"],
        }
    except (TypeError, KeyError, AttributeError):
        raise Refused("not_a_proof") from None
    if registered:
        raise Refused("not_a_proof")
    return orjson.dumps(file)


def prove(connection: Connection, proof: AnchoredProof | PendingProof, reader: ChainReader) -> Proven:
    """Check it like any paper, and find its place in the log.

    Raises Refused("copy_proves_nothing") with the check that failed, Unavailable("chain_unread").
    """
    report = verify_proof(proof, [reader])
    for name in ("trust", "content", "entry", "receipt"):
        if report.check(name).result == "fail":
            raise Refused("copy_proves_nothing", {"check": name})
    try:
        if isinstance(proof, AnchoredProof):
            seq, index, size, path = proof.inclusion
            place = _at(reader, seq, index, size, root_from_path(leaf_hash(proof.entry.encode()), index, size, path))
            if place is None:
                raise Refused("copy_proves_nothing", {"check": "inclusion"})
        else:
            place = _in_our_log(connection, proof.entry, reader)
    except ChainUnavailable:
        raise Unavailable("chain_unread", 10) from None
    receipt = None
    if proof.receipt is not None and report.check("receipt").result == "pass":
        receipt = Receipt(bytes.fromhex(proof.receipt.key_id), proof.receipt.deadline, proof.receipt.signature)
    if place is None and receipt is None:
        raise Refused("copy_proves_nothing", {"check": "inclusion"})
    leaves = [section_leaf(i, s.salt, s.canonical) if isinstance(s, Opened) else s.leaf for i, s in enumerate(proof.sections)]
    return Proven(proof.number, proof.entry, proof.sections, leaves, receipt, place)


def _at(reader: ChainReader, seq: int, index: int, size: int, root: bytes | None) -> Place | None:
    """None where the contract holds another root. Raises ChainUnavailable, also for an anchor that is not final yet."""
    held: Anchor | None = reader.anchor(seq)
    if held is not None and not held.final:
        raise ChainUnavailable("chain.unknown_seq", seq=seq)
    return Place(seq, index, held.time) if held is not None and (held.log_root, held.size) == (root, size) else None


def _in_our_log(connection: Connection, entry: Entry, reader: ChainReader) -> Place | None:
    """By the entry's own row, or where that is gone by the leaves of the batches that were sealed after it was recorded."""
    for seq, index in _places(connection, entry):
        try:
            size = connection.execute(select(batches.c.size).where(batches.c.seq == seq)).scalar_one()
            path = tiles.path(connection, seq, index, size)
            root = root_from_path(leaf_hash(entry.encode()), index, size, path)
        except (LookupError, *UNREADABLE):
            continue
        place = _at(reader, seq, index, size, root)
        if place is not None:
            return place
    return None


def _places(connection: Connection, entry: Entry) -> list[tuple[int, int]]:
    stored = stored_by_key(connection, [entry.key]).get(entry.key, [])
    rows = [(one.seq, one.index) for one in stored if one.entry == entry and one.seq is not None and one.index is not None]
    if rows or entry.kind is Kind.NOTE:
        return rows
    leaf = leaf_hash(entry.encode())
    low, high = connection.execute(select(func.min(batches.c.seq), func.max(batches.c.seq))).one()
    if low is None:
        return []
    first = by_time.first_after(connection, batches.c.seq, batches.c.sealed_at, low, high, entry.recorded_at - SLACK_MS)
    for seq in range(first, min(first + MAX_BATCHES_LOOKED_AT, high + 1)):
        query = select(tiles_table.c.tile, tiles_table.c.hashes).where(tiles_table.c.seq == seq, tiles_table.c.level == 0)
        for tile, hashes in connection.execute(query).all():
            at = _find(hashes, leaf)
            if at is not None:
                return [(seq, tile * tiles.WIDTH + at)]
    return []


def _find(hashes: Any, leaf: bytes) -> int | None:
    """The place of a leaf in a tile."""
    at = hashes.find(leaf)
    while at >= 0 and at % 32:
        at = hashes.find(leaf, at + 1)
    return at // 32 if at >= 0 else None
