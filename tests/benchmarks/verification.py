"""Offline verification of whole proof files, by one reader of an anchors file, beside the least that reading them takes."""

import random
from collections import deque
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

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
from verifier.fields import Chain
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
    yield at_least(f"verifying proof files of {size:,} / parse, canonicalise, hash", 0.5, ours, floor, len(files), "file")


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


def bare(file: bytes) -> bytes:
    """Parses, canonicalises and hashes what verification hashes; checks no form, compares nothing."""
    value = orjson.loads(file)
    sections, entry, inclusion, register = value["sections"], value["entry"], value["inclusion"], value["register"]
    level = [
        sha256(prefix + bytes.fromhex(section["salt"]) + orjson.dumps(section["value"], option=orjson.OPT_SORT_KEYS)).digest()
        for prefix, section in zip(_PREFIXES, sections.values(), strict=True)
    ]
    while len(level) > 1:
        level = [sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level), 2)]
    node = sha256(b"zp1/copy\x00" + level[0]).digest()
    key = sha256(b"zp1/number\x00" + sections["header"]["value"]["number"].encode()).digest()
    node = sha256(b"\x00" + key + node + bytes.fromhex(entry["other"] + entry["auth"])).digest()
    for sibling in inclusion["path"]:
        node = sha256(b"\x01" + node + bytes.fromhex(sibling)).digest()
    state = register["state"]
    node = sha256(b"zp1/state" + bytes.fromhex(state["copy"] + state["other"])).digest()
    node = sha256(b"\x00" + key + node).digest()
    for sibling in register["siblings"]:
        node = sha256(b"\x01" + node + bytes.fromhex(sibling)).digest()
    return node
