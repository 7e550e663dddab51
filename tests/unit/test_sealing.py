"""A batch has the roots that protocol.md's replay of its entries gives, however short the way to them."""

import os
from pathlib import Path

from sqlalchemy import select

from service.db import Database, metadata
from service.ledger import register_proofs, sealing
from service.ledger.entries import append
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries
from verifier.entry import ZERO, Entry, Kind
from verifier.merkle import leaf_hash, tree_hash
from verifier.register import State, apply, register_leaf, register_root

_KEYS = ReceiptKeys(b"\x01" * 32, 31337, b"\x42" * 20)
_NOW = 1_795_600_000_000


def _of(kind: Kind, key: bytes, copy: bytes) -> Entry:
    return Entry(kind, _NOW, key, copy, os.urandom(32), os.urandom(32))


def test_roots_are_those_of_the_replay(tmp_path: Path) -> None:
    numbers = [(os.urandom(32), os.urandom(32)) for _ in range(60)]
    note = Entry(Kind.NOTE, _NOW, os.urandom(32), os.urandom(32), ZERO, ZERO)
    issues = [(_of(Kind.ISSUE, key, copy), 1) for key, copy in numbers]
    voids = [(_of(Kind.VOID, key, copy), 2) for key, copy in numbers]
    batches = [
        [*issues[:40], (note, 1), *voids[:5]],  # of numbers that are new, and of some that are voided at once
        [*voids[5:9], (note, 2), *issues[40:]],
        voids[9:50:7],
    ]
    states: dict[bytes, State] = {}
    database = Database(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(database.engine)
    for seq, batch in enumerate(batches, 1):
        with database.write() as connection:
            append(connection, batch, _KEYS, _NOW)
            sealed = sealing.seal(connection, _KEYS, _NOW, first_seq=1)
            placed = connection.scalars(select(entries.c.entry).where(entries.c.seq == seq).order_by(entries.c.index)).all()
        for index, (entry, _) in enumerate(batch):
            if entry.kind is not Kind.NOTE:
                states[entry.key] = apply(states.get(entry.key), entry, seq, index, ())
        leaves = [(key, register_leaf(key, state.hash())) for key, state in sorted(states.items())]
        assert sealed == sealing.Sealed(
            seq, len(batch), tree_hash([leaf_hash(entry.encode()) for entry, _ in batch]), register_root(leaves), []
        )
        assert placed == [entry.encode() for entry, _ in batch]
    with database.read() as connection:
        for key, state in states.items():
            assert register_proofs.prove(connection, len(batches), key).end == (key, state.hash())
    database.close()


def test_entries_that_do_not_follow_one_another_are_placed(tmp_path: Path) -> None:
    """As on PostgreSQL, where several transactions take ids in turn."""
    database = Database(f"sqlite:///{tmp_path}/test.db")
    metadata.create_all(database.engine)
    with database.write() as connection:
        append(connection, [(_of(Kind.ISSUE, os.urandom(32), os.urandom(32)), 1) for _ in range(9)], _KEYS, _NOW)
        for id_, accepted_with in ((2, 2), (3, 2), (5, 2), (7, 7)):
            connection.execute(entries.update().where(entries.c.id == id_).values(accepted_with=accepted_with))
        sealing.seal(connection, _KEYS, _NOW, first_seq=1)
        order = connection.scalars(select(entries.c.id).order_by(entries.c.index)).all()
    assert order == [1, 4, 6, 8, 9, 2, 3, 5, 7]
    database.close()
