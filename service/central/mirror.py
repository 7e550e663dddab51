"""A mirror: a folder with a verified copy of the log, its leaves, the register and, for an auditor, the section leaves.

It is a ledger of its own in one SQLite file, without any content: proofs of presence and absence can be served from it, and a
reconciliation asks it what the service's database no longer can tell.
"""

from pathlib import Path

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, select

from service.db import Database
from service.ledger import tiles
from service.ledger.tables import entries
from service.reconciliation import states
from service.reconciliation.scope import Scope
from verifier.fields import Chain

FILE = "mirror.db"
own_tables = MetaData()
section_leaves = Table(
    "section_leaves",
    own_tables,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("index", Integer, primary_key=True, autoincrement=False),
    Column("leaves", LargeBinary(256), nullable=False, comment="the eight section leaves of the copy that the entry made"),
    sqlite_with_rowid=False,
)


class Mirror:
    """A mirror that is there already, for reading: a Witness."""

    def __init__(self, folder: Path) -> None:
        if not (folder / FILE).is_file():
            raise FileNotFoundError(f"{folder} holds no mirror")
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
