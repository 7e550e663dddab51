"""A mirror: a folder with a verified copy of the log, its leaves, the register and, for an auditor, the section leaves.

It is a ledger of its own in one SQLite file, without any content: proofs of presence and absence can be served from it, and a
reconciliation asks it what the service's database no longer can tell. `anchors.json` beside it is what the contract held.
"""

from collections.abc import Callable
from pathlib import Path

import orjson
from sqlalchemy import Connection, select

from service.central.feed import Batch, Kept
from service.central.following import Follower, Source, Standing, proven_seq
from service.central.tables import mirror_metadata, section_leaves
from service.db import Database, metadata
from service.ledger import register_proofs, tiles
from service.ledger.entries import History, stored_by_key
from service.ledger.tables import batch_receipts, batches, entries, outbox, register_pages
from service.ledger.tables import tiles as tiles_table
from service.reconciliation import states
from service.reconciliation.scope import Scope, anchors_of
from verifier.anchors import Anchors
from verifier.chain import ChainReader
from verifier.entry import number_key
from verifier.fields import Chain
from verifier.proof import AbsenceProof, Neighbour, PresenceProof, RegisterPath

FILE, DESCRIPTION, ANCHORS = "mirror.db", "mirror.json", "anchors.json"
_TABLES = (batches, entries, tiles_table, register_pages, outbox, batch_receipts)
ANCHORS_AT_ONCE = 1_000


class OtherMirror(Exception):
    """The folder holds a mirror of something else; the text says of what."""


class Mirror:
    """A mirror that is there already, for reading: a Witness. `chain` is whose it is, by its own description."""

    def __init__(self, folder: Path) -> None:
        if not (folder / FILE).is_file() or not (folder / DESCRIPTION).is_file():
            raise FileNotFoundError(f"{folder} holds no mirror")
        described = orjson.loads((folder / DESCRIPTION).read_bytes())["chain"]
        self.chain = Chain(described["chain_id"], bytes.fromhex(described["contract"][2:]))
        self._database = Database(f"sqlite:///{folder / FILE}", pool_size=2)

    def close(self) -> None:
        self._database.close()

    def leaves(self, seq: int) -> list[bytes]:
        with self._database.read() as connection:
            joined = b"".join(tiles.leaves(connection, seq))
        return [joined[start : start + 32] for start in range(0, len(joined), 32)]

    def entry_at(self, seq: int, index: int) -> bytes | None:
        with self._database.read() as connection:
            found: bytes | None = connection.scalar(select(entries.c.entry).where(entries.c.seq == seq, entries.c.index == index))
        return found

    def section_leaves(self, seq: int, index: int) -> list[bytes] | None:
        is_there = (section_leaves.c.seq == seq, section_leaves.c.index == index)
        with self._database.read() as connection:
            joined = connection.scalar(select(section_leaves.c.leaves).where(*is_there))
        return None if joined is None else [joined[start : start + 32] for start in range(0, 256, 32)]

    def states(self, prefix: str, seq: int) -> list[tuple[bytes, bytes]]:
        scope = Scope(Chain(0, bytes(20)), {}, 0, 1, seq, seq)
        with self._database.read() as connection:
            return states.replay(connection, scope, prefix, [])[1]

    def proof(self, chain: Chain, number: str) -> AbsenceProof | PresenceProof:
        """That the number is registered (by its state's hash), or that it is not, as of the mirror's newest batch."""
        with self._database.read() as connection:
            return prove(connection, chain, number)


def prove(connection: Connection, chain: Chain, number: str) -> AbsenceProof | PresenceProof:
    """From a follower's ledger, as of its newest proven batch."""
    seq, key = proven_seq(connection), number_key(number)
    siblings, end = register_proofs.prove(connection, seq, key)
    path = RegisterPath(seq, siblings)
    if end is not None and end[0] == key:
        history = History(stored_by_key(connection, [key])[key])
        assert history.state is not None
        return PresenceProof(chain, number, path, history.state.hash())
    return AbsenceProof(chain, number, path, Neighbour(*end) if end else None)


def mirror(
    folder: Path,
    source: Source,
    open_reader: Callable[[], ChainReader],
    *,
    sections: bool,
    on_batch: Callable[[Batch], None] | None = None,
) -> Standing:
    """Bring the mirror in `folder` as far as feed and chain go, or begin one; a killed one goes on behind its last whole batch.

    Raises OtherMirror, FeedRefused, ChainUnavailable, and what the source raises.
    """
    reader = open_reader()
    folder.mkdir(parents=True, exist_ok=True)
    _describe(folder, reader, sections)
    database = Database(f"sqlite:///{folder / FILE}", pool_size=2)
    try:
        metadata.create_all(database.engine, tables=_TABLES)
        mirror_metadata.create_all(database.engine)
        kept: Kept = "leaves" if sections else "entries"
        standing = Follower(database, lambda: reader, source, kept).sync(on_batch)
        _write_anchors(folder, database, reader, standing)
    finally:
        database.close()
    return standing


def _describe(folder: Path, reader: ChainReader, sections: bool) -> None:
    described = {"protocol": "zp1", "chain": reader.chain.to_members(), "sections": sections}
    file = folder / DESCRIPTION
    if file.exists():
        before = orjson.loads(file.read_bytes())
        if before != described:
            raise OtherMirror(f"{folder} holds a mirror of {orjson.dumps(before).decode()}")
    else:
        file.write_bytes(orjson.dumps(described))


def _write_anchors(folder: Path, database: Database, reader: ChainReader, standing: Standing) -> None:
    """What the contract held for each batch, with its newest: verification and audit without a network go by it."""
    with database.read() as connection:
        seqs = list(connection.scalars(select(batches.c.seq).order_by(batches.c.seq)))
    if not seqs:
        return
    held = {}
    for start in range(0, len(seqs), ANCHORS_AT_ONCE):
        held.update(anchors_of(reader, seqs[start : start + ANCHORS_AT_ONCE]))
    written = Anchors(reader.chain, dict(reader.service_keys), seqs[-1], held).to_json()
    partial = folder / f"{ANCHORS}.partial"
    partial.write_bytes(written)
    partial.replace(folder / ANCHORS)
