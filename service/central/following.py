"""Following a feed: each batch is rebuilt, checked against the contract, and only then kept, in one transaction.

What is kept is a ledger of its own, in the very tables of the service: a mirror has it without content, a query node with.
A feed can leave out or delay, and then the roots or the lag tell; it cannot make anything up.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import orjson
from sqlalchemy import Connection, func, insert, select

from service.central.feed import Batch, Carried, Kept, Piece
from service.central.tables import section_leaves
from service.db import Database
from service.errors import Refused
from service.invoices.facts import derive, of_content
from service.invoices.tables import acts, copies, invoices
from service.ledger import outbox, register, tiles
from service.ledger.entries import History, Stored, stored_by_key
from service.ledger.tables import batch_receipts, batches, entries
from verifier.chain import Anchor, ChainReader
from verifier.commitment import SECTIONS, commitment_of, copy_of, section_leaf
from verifier.entry import Entry, Kind, decode_entry
from verifier.errors import Malformed, NotAllowed
from verifier.merkle import EMPTY, leaf_hash

_ACTOR = "feed"


class Source(Protocol):
    """Where batches come from: a database (feed.pieces) or another machine (sources.py)."""

    def pieces(self, after: int) -> Iterator[Piece]: ...


class FeedRefused(Exception):
    """What the feed gave is not what was anchored. Nothing of that batch was kept."""

    def __init__(self, seq: int, reason: str) -> None:
        super().__init__(f"batch {seq}: {reason}")
        self.seq = seq
        self.reason = reason


class Standing(NamedTuple):
    """How far a follower is. `seq`: its newest batch that the contract proved; `head`: the contract's newest final one, as of a
    block of `time` (s since 1970 UTC).
    """

    seq: int
    head: int
    block_number: int | None
    time: int

    @property
    def behind(self) -> int:
        """In batches."""
        return max(0, self.head - self.seq)


class Follower:
    """Keeps a database as far as the feed and the chain go. `open_reader` gives a reader of the chain as of now."""

    def __init__(
        self,
        database: Database,
        open_reader: Callable[[], ChainReader],
        source: Source,
        kept: Kept,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._open_reader = open_reader
        self._source = source
        self._kept = kept
        self._clock = clock

    def sync(self, on_batch: Callable[[Batch], None] | None = None, limit: int | None = None) -> Standing:
        """Take what the feed has, `limit` batches at most. Raises FeedRefused, ChainUnavailable, and what the source raises."""
        reader = self._open_reader()
        block, head, _ = reader.read(())
        with self._database.read() as connection:
            newest = connection.scalar(select(func.max(batches.c.seq))) or 0
        taken = 0
        pieces = iter(self._source.pieces(newest))
        while taken != limit and (first := next(pieces, None)) is not None:
            seq = first.batch.seq
            if seq > head:
                break
            self._check_follows(reader, newest, seq)
            anchor = reader.anchor(seq)
            if anchor is None:
                raise FeedRefused(seq, "the contract holds no such anchor")
            batch = self._take(first, pieces, anchor)
            newest, taken = seq, taken + 1
            if on_batch is not None:
                on_batch(batch)
        with self._database.read() as connection:
            return Standing(proven_seq(connection), head, block.number, block.time)

    def _check_follows(self, reader: ChainReader, newest: int, seq: int) -> None:
        if newest == 0:
            if seq > 1 and reader.anchor(seq - 1) is not None:
                raise FeedRefused(seq, "the feed leaves out batches before it")
        elif seq != newest + 1:
            raise FeedRefused(seq, f"the feed leaves out what follows batch {newest}")

    def _take(self, piece: Piece, following: Iterator[Piece], anchor: Anchor) -> Batch:
        with self._database.write() as connection:
            work = _Work(connection, anchor, self._kept, int(self._clock() * 1000))
            work.add(piece)
            while not piece.is_last:
                further = next(following, None)
                if further is None:
                    raise FeedRefused(piece.batch.seq, "it ends in the middle")
                piece = further
                work.add(piece)
            return work.finish(piece.batch.seq)


class _Work:
    """One batch in one transaction, piece by piece: what is held in memory is a leaf and a state an entry."""

    def __init__(self, connection: Connection, anchor: Anchor, kept: Kept, now_ms: int) -> None:
        self._connection, self._anchor, self._kept, self._now_ms = connection, anchor, kept, now_ms
        self._batch: Batch | None = None
        self._leaves: list[bytes] = []
        self._changes: dict[bytes, bytes] = {}
        self._next_id = (connection.scalar(select(func.max(entries.c.id))) or 0) + 1

    def add(self, piece: Piece) -> None:
        if self._batch is None:
            self._begin(piece.batch)
        elif piece.batch != self._batch:
            raise FeedRefused(piece.batch.seq, "its pieces contradict each other")
        if piece.first != len(self._leaves):
            raise FeedRefused(piece.batch.seq, "its pieces are not in order")
        if not piece.entries and piece.batch.size:
            raise FeedRefused(piece.batch.seq, "a piece without entries")
        if piece.entries:
            self._add_entries(piece.batch.seq, piece.entries)

    def _begin(self, batch: Batch) -> None:
        self._batch = batch
        row = {"seq": batch.seq, "sealed_at": batch.sealed_at, "foreign": int(batch.foreign), "size": batch.size}
        roots = {"log_root": self._anchor.log_root, "register_root": self._anchor.register_root}
        self._connection.execute(insert(batches), row | roots)

    def _add_entries(self, seq: int, carried: Sequence[Carried]) -> None:
        try:
            decoded = [decode_entry(one.entry) for one in carried]
        except Malformed as error:
            raise FeedRefused(seq, str(error)) from None
        known = stored_by_key(self._connection, sorted({entry.key for entry in decoded}))
        histories = {key: History(some) for key, some in known.items()}
        issues = {key: _last_issue(some) for key, some in known.items()}
        rows: list[dict[str, Any]] = []
        contents = _Contents(self._connection, seq)
        for one, entry in zip(carried, decoded, strict=True):
            history = histories.setdefault(entry.key, History())
            index, id_ = len(self._leaves), self._next_id
            try:
                history.add(entry, seq, index)
            except NotAllowed as error:
                raise FeedRefused(seq, f"entry {index}: {error}") from None
            self._leaves.append(leaf_hash(one.entry))
            if entry.kind is not Kind.NOTE and history.state is not None:
                self._changes[entry.key] = history.state.hash()
            if entry.kind is Kind.ISSUE:
                issues[entry.key] = id_
            rows.append(_entry_row(id_, one, entry, history.ordinal, seq, index))
            contents.add(self._kept, id_, issues.get(entry.key), entry, one, index)
            self._next_id += 1
        self._connection.execute(insert(entries), rows)
        contents.store()

    def finish(self, seq: int) -> Batch:
        batch, anchor = self._batch, self._anchor
        assert batch is not None
        if batch.foreign:
            # Nobody can prove that it is: the register root of the next batch tells, and until then `proven_seq` stays behind.
            if self._leaves or batch.size:
                raise FeedRefused(seq, "a foreign batch with entries")
        else:
            if len(self._leaves) != anchor.size or batch.size != anchor.size:
                raise FeedRefused(seq, f"{len(self._leaves)} entries of {anchor.size}")
            if (tiles.write(self._connection, seq, self._leaves) if self._leaves else EMPTY) != anchor.log_root:
                raise FeedRefused(seq, "the entries do not lead to the log root that the contract holds")
            if register.update(self._connection, seq, self._changes) != anchor.register_root:
                raise FeedRefused(seq, "the states do not lead to the register root that the contract holds")
        if batch.signed is not None:
            self._connection.execute(insert(batch_receipts), {"seq": seq, "key_id": batch.signed[0], "signature": batch.signed[1]})
        placed = {"block_number": batch.block_number, "block_time": anchor.time, "final_at": self._now_ms}
        outbox.add_final(self._connection, seq, **placed)
        return batch


def _last_issue(stored: Sequence[Stored]) -> int | None:
    return next((one.id for one in reversed(stored) if one.entry.kind is Kind.ISSUE), None)


def _entry_row(id_: int, one: Carried, entry: Entry, ordinal: int, seq: int, index: int) -> dict[str, Any]:
    return {
        "id": id_,
        "key": entry.key,
        "ordinal": ordinal,
        "entry": one.entry,
        "accepted_with": id_,
        "key_id": one.receipt.key_id,
        "deadline": one.receipt.deadline,
        "signature": one.receipt.signature,
        "seq": seq,
        "index": index,
    }


class _Contents:
    """What goes with some entries, each checked against its entry: what does not lead to its copy is left out, not kept."""

    def __init__(self, connection: Connection, seq: int) -> None:
        self._connection = connection
        self._seq = seq
        self._rows: dict[Any, list[dict[str, Any]]] = {invoices: [], copies: [], acts: [], section_leaves: []}

    def add(self, kept: Kept, id_: int, invoice_id: int | None, entry: Entry, one: Carried, index: int) -> None:
        makes_copy = entry.kind in (Kind.ISSUE, Kind.REPRINT)
        if kept == "leaves" and makes_copy and one.leaves is not None:
            if copy_of(commitment_of(one.leaves)) != entry.copy:
                raise FeedRefused(self._seq, f"entry {index}: the section leaves do not lead to its copy")
            self._rows[section_leaves].append({"seq": self._seq, "index": index, "leaves": b"".join(one.leaves)})
        if kept != "copies":
            return
        if one.act is not None:
            self._rows[acts].append({"entry_id": id_, **one.act._asdict(), "actor": _ACTOR})
        if makes_copy and invoice_id is not None and one.sections is not None and _leads_to(one, entry.copy):
            self._add_copy(id_, invoice_id, one)

    def _has_invoice(self, id_: int) -> bool:
        if any(row["id"] == id_ for row in self._rows[invoices]):
            return True
        return self._connection.scalar(select(invoices.c.id).where(invoices.c.id == id_)) is not None

    def _add_copy(self, id_: int, invoice_id: int, one: Carried) -> None:
        assert one.sections is not None
        # Of a reprint too: what was lost when the invoice was issued may have been restored since.
        if id_ == invoice_id or not self._has_invoice(invoice_id):
            content = {name: orjson.loads(section or b"{}") for name, section in one.sections.items()}
            try:
                derived = derive(content, of_content(content))._asdict()
            except (Refused, KeyError, TypeError, AttributeError):
                return
            row: dict[str, Any] = {name: one.sections[name] for name in SECTIONS if name != "provenance"}
            said = {"id": invoice_id, "profile": one.profile or "as_issued", "issuer": _ACTOR, "findings": one.findings}
            self._rows[invoices].append({**row, **derived, **said})
        self._rows[copies].append(
            {"entry_id": id_, "invoice_id": invoice_id, "salts": one.salts, "provenance": one.sections["provenance"]}
        )

    def store(self) -> None:
        for table in (invoices, copies, acts, section_leaves):
            if self._rows[table]:
                self._connection.execute(insert(table), self._rows[table])


def _leads_to(one: Carried, copy: bytes) -> bool:
    """Whether sections and salts lead to the copy that the anchored entry names."""
    if one.salts is None or one.sections is None or None in one.sections.values():
        return False
    values = [one.sections[name] or b"" for name in SECTIONS]
    leaves = [section_leaf(i, one.salts[16 * i : 16 * i + 16], value) for i, value in enumerate(values)]
    return copy_of(commitment_of(leaves)) == copy


def proven_seq(connection: Connection) -> int:
    """The newest batch whose roots were rebuilt and found on chain; 0 before the first."""
    return connection.scalar(select(func.max(batches.c.seq)).where(batches.c.foreign == 0)) or 0
