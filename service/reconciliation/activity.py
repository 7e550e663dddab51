"""Does the activity log match the anchors: every head that the chain holds is the hash of a record that follows from all before."""

from itertools import islice
from typing import NamedTuple

from sqlalchemy import Connection, select

from service import activity
from service.db import CHUNK
from service.ledger import notes, tiles
from service.ledger.notes import Note
from service.ledger.tables import batches
from service.reconciliation.scope import anchors_of
from verifier.chain import ChainReader
from verifier.merkle import leaf_hash, root_from_path


class Checked(NamedTuple):
    """`broken_at` is the first record that does not follow from the one before. `missing` are notes whose head no sound record has:
    what was anchored is another history. `foreign` are notes that the chain does not hold. `anchored_to` is the newest record that
    the chain vouches for, 0 where there is none.
    """

    records: int
    broken_at: int | None
    missing: list[Note]
    foreign: list[Note]
    anchored_to: int

    @property
    def is_sound(self) -> bool:
        return self.broken_at is None and not self.missing and not self.foreign


def check(connection: Connection, reader: ChainReader | None) -> Checked:
    """The whole log, and every note that is final; without a reader the batches that we keep are believed.

    Raises ChainUnavailable where the chain cannot be read: then nothing is concluded.
    """
    sealed = [note for note in notes.sealed(connection, activity.LOG_NAME) if note.state == "final"]
    verified = activity.verify(connection, [note.head for note in sealed])
    missing = [note for note in sealed if note.head not in verified.found]
    foreign = [] if reader is None else _foreign(connection, reader, sealed)
    vouched = [note.head for note in sealed if note.head in verified.found and note not in foreign]
    places = activity.places(connection, vouched)
    records = activity.head(connection)[0]
    return Checked(records, verified.broken_at, missing, foreign, max(places.values(), default=0))


def _foreign(connection: Connection, reader: ChainReader, sealed: list[Note]) -> list[Note]:
    """Notes that do not lead to the root that the contract holds for their batch."""
    found = []
    rest = iter(sealed)
    while some := list(islice(rest, CHUNK)):
        held = anchors_of(reader, {note.seq for note in some})
        rows = connection.execute(select(batches.c.seq, batches.c.size).where(batches.c.seq.in_({note.seq for note in some})))
        sizes = {row[0]: row[1] for row in rows}
        for note in some:
            anchor, place = held.get(note.seq), note[2]
            path = tiles.path(connection, note.seq, place, sizes[note.seq])
            if anchor is None or root_from_path(leaf_hash(note.entry), place, sizes[note.seq], path) != anchor.log_root:
                found.append(note)
    return found
