"""Offline verification of whole proof files, by one reader of an anchors file, beside the least that reading them takes."""

import random
from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from struct import Struct

import orjson
from sqlalchemy import select

from service.db import Database
from service.invoices import proofs, reading
from service.invoices.tables import invoices
from service.ledger.tables import batches
from tests.benchmarks.data import SEED
from tests.benchmarks.ledger import CONTRACT, Ledger
from tests.benchmarks.measure import Figure, Scale, at_least, timed
from verifier.anchors import Anchors
from verifier.chain import Anchor
from verifier.commitment import SECTIONS
from verifier.entry import Kind
from verifier.fields import Chain
from verifier.register import Status
from verifier.verify import verify

CHAIN = Chain(31337, bytes.fromhex(CONTRACT[2:]))


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    size = scale.registers[0]
    with Ledger(folder) as ledger:
        ledger.grow(size)
        files = proof_files(ledger.database, size, scale.proofs)
        anchors = anchors_of(ledger.database)
    ours, floor = [], []
    for _ in range(scale.rounds):
        ours.append(timed(lambda: deque((verify(file, [anchors]) for file in files), 0)))
        floor.append(timed(lambda: deque((bare(file) for file in files), 0)))
    assert all(verify(file, [anchors]).verdict == "valid" for file in files)
    assert all(_is_anchored(*bare(file), anchors) for file in files)
    yield at_least(f"verifying proof files of {size:,} / parse, canonicalise, hash", 0.5, ours, floor, len(files), "file")


def _is_anchored(log_root: bytes, register_root: bytes, anchors: Anchors) -> bool:
    held = anchors.anchors.values()
    return log_root in {anchor.log_root for anchor in held} and register_root in {anchor.register_root for anchor in held}


def proof_files(database: Database, size: int, count: int) -> list[bytes]:
    """With all eight sections, as an issuer's or an auditor's are."""
    made = []
    with database.read() as connection:
        for id_ in random.Random(SEED).choices(range(1, size + 1), k=count):
            number = connection.execute(select(invoices.c.number).where(invoices.c.id == id_)).scalar_one()
            record = reading.get(connection, number, None)
            made.append(proofs.of_copy(connection, CHAIN, record, record.current(), SECTIONS).to_json())
    return made


def anchors_of(database: Database) -> Anchors:
    """What the contract would hold. No service key is given: signatures are not what is measured."""
    with database.read() as connection:
        rows = connection.execute(select(batches.c.seq, batches.c.log_root, batches.c.register_root, batches.c.size)).all()
    held = {row.seq: Anchor(row.log_root, row.register_root, row.size, 1_795_600_000, True) for row in rows}
    return Anchors(CHAIN, {}, max(held), held)


_PREFIXES = tuple(b"\x00zp1/section" + bytes([n]) for n in range(8))
_ENTRY = Struct(">10sBQ32s32s32s32s")
_STATE = Struct(">9sBIQI32s32s")


def bare(file: bytes) -> tuple[bytes, bytes]:
    """The log root and the register root of an issued and valid invoice: parses, canonicalises and hashes what verification hashes.

    It hashes the very same bytes, so that it ends at the same roots; it checks no form and compares nothing.
    """
    value = orjson.loads(file)
    sections, entry, inclusion, register = value["sections"], value["entry"], value["inclusion"], value["register"]
    level = [
        sha256(prefix + bytes.fromhex(section["salt"]) + orjson.dumps(section["value"], option=orjson.OPT_SORT_KEYS)).digest()
        for prefix, section in zip(_PREFIXES, sections.values(), strict=True)
    ]
    while len(level) > 1:
        level = [sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level), 2)]
    copy = sha256(b"zp1/copy\x00" + level[0]).digest()
    key = sha256(b"zp1/number\x00" + sections["header"]["value"]["number"].encode()).digest()
    other, auth = bytes.fromhex(entry["other"]), bytes.fromhex(entry["auth"])
    node = sha256(_ENTRY.pack(b"\x00zp1/entry", Kind.ISSUE, entry["recorded_at"], key, copy, other, auth)).digest()
    index = inclusion["index"]
    log_root = _climbed(node, index | -1 << (index ^ inclusion["size"] - 1).bit_length(), inclusion["path"])
    state, siblings = register["state"], register["siblings"]
    copy, other = bytes.fromhex(state["copy"]), bytes.fromhex(state["other"])
    encoded = _STATE.pack(b"zp1/state", Status.VALID, state["version"], state["seq"], state["index"], copy, other)
    node = sha256(b"\x00" + key + sha256(encoded).digest()).digest()
    return log_root, _climbed(node, int.from_bytes(key, "big") >> 256 - len(siblings), reversed(siblings))


def _climbed(node: bytes, way: int, siblings: Iterable[str]) -> bytes:
    for written in siblings:
        sibling = bytes.fromhex(written)
        node = sha256(b"\x01" + sibling + node if way & 1 else b"\x01" + node + sibling).digest()
        way >>= 1
    return node
