"""A run against an external record (api.md, reconciliations; step 2).

Both sides meet in the order of the register's keys: ours lie so already, theirs are sorted so in a file of their own (spool.py).
Our side is what proves itself: the current copy's content leads to the copy in its entry, the status is replayed from final
entries. A record of ours that does not is the business of step 1 and is compared with nothing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, bindparam, func, select, text, update

from service.db import Database
from service.invoices.registration import STATUS_NAMES
from service.ledger.entries import History
from service.ledger.tables import entries
from service.reconciliation import findings, runs
from service.reconciliation.content import copy_of_stored
from service.reconciliation.external import sources
from service.reconciliation.external.mapping import BadMapping, MappingFile, TheirRecord, ours
from service.reconciliation.external.spool import Spool
from service.reconciliation.findings import Found
from service.reconciliation.runs import Run
from service.reconciliation.tables import runs as table
from verifier.chain import ChainReader
from verifier.entry import Kind, decode_entry
from verifier.errors import ChainUnavailable, Malformed, NotAllowed

RECORD = "record"
ROWS_AT_ONCE = 5_000
KEYS_AT_ONCE = 500

_ENTRIES = text('SELECT key, id, entry, seq, "index" FROM entries WHERE key > :after ORDER BY key, ordinal LIMIT :limit')
_OF_KEY = text('SELECT key, id, entry, seq, "index" FROM entries WHERE key = :key ORDER BY ordinal')
_COPIES = text("SELECT entry_id, invoice_id, salts, provenance FROM copies WHERE entry_id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_INVOICES = text("SELECT id, header, seller, totals, buyer, lines, payment, notes FROM invoices WHERE id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)


class OurRecord(NamedTuple):
    """`fields` None: not proven by its own entry, or not final yet; then it is compared with nothing."""

    key: bytes
    number: str | None
    fields: dict[str, str] | None
    status: str | None


class RecordRun:
    """One run against `source` (a URL or a file), of which `mapping` says how it is to be read. `folder` takes the sorted file."""

    def __init__(
        self,
        database: Database,
        run: int,
        open_reader: Callable[[], ChainReader],
        source: str,
        mapping: MappingFile,
        folder: Path,
        *,
        kept_in: Database | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._kept_in = database, kept_in or database
        self._run = run
        self._open_reader = open_reader
        self._source, self._mapping = source, mapping
        self._spool = Spool(folder / f"reconciliation-{run}.db")
        self._scope = runs.scope_of(RECORD, sources.shown(source))
        self._clock = clock
        self._steps: Iterator[tuple[int, list[Found], bytes]] | None = None
        self._head = 0

    def run(self, on_progress: Callable[[int, int], None] | None = None) -> Run:
        """Go on to the end. Raises BadMapping."""
        while self.step():
            if on_progress is not None:
                with self._kept_in.read() as connection:
                    on_progress(*connection.execute(select(table.c.done, table.c.total).where(table.c.id == self._run)).one())
        with self._kept_in.read() as connection:
            run = runs.get(connection, self._run)
        assert run is not None
        return run

    def step(self) -> bool:
        """Some thousand records; False when the run is over."""
        try:
            if self._steps is None:
                self._steps = self._work(self._begin())
            following = next(self._steps, None)
            if following is None:
                self._finish()
                return False
            self._save(*following)
        except ChainUnavailable as error:
            self._fail({"code": "chain_unavailable", "reason": error.reason, "details": error.details})
            return False
        except BadMapping as error:
            self._fail({"code": "bad_source", "reason": str(error)})
            raise
        return True

    def close(self) -> None:
        """Let go of the sorted file; a run that was not finished goes on with it."""
        self._spool.close()

    def _begin(self) -> bytes:
        reader = self._open_reader()
        block, head, _ = reader.read(())
        with self._database.read() as connection:
            count = connection.scalar(select(func.max(entries.c.id))) or 0
        with self._kept_in.write() as connection:
            progress, seq = connection.execute(select(table.c.progress, table.c.seq).where(table.c.id == self._run)).one()
            self._head = head if seq is None else min(seq, head)
            facts = {"block_number": block.number, "block_hash": block.hash, "block_time": block.time}
            connection.execute(
                update(table)
                .where(table.c.id == self._run, table.c.seq.is_(None))
                .values(state="running", seq=head, total=count, **facts)
            )
        return bytes.fromhex(progress) if progress else b""

    def _work(self, after: bytes) -> Iterator[tuple[int, list[Found], bytes]]:
        """(records done, findings, key behind which to go on) a step."""
        done, is_complete = self._spool.done()
        if not is_complete:
            rows = map(self._mapping.read, sources.rows(self._source, self._mapping, done))
            while some := list(islice(rows, ROWS_AT_ONCE)):
                done = self._spool.add(done, some)
                yield len(some), [], after
            self._spool.complete()
        if not after:
            without = (
                Found("missing_here", "number", detail={"row": n, "number": one.raw_number}) for n, one in self._spool.unreadable()
            )
            while found := list(islice(without, ROWS_AT_ONCE)):
                yield 0, found, after
        yield from self._merge(after)

    def _merge(self, after: bytes) -> Iterator[tuple[int, list[Found], bytes]]:
        theirs = self._spool.sorted_after(after)
        their = next(theirs, None)
        while True:
            with self._database.read() as connection:
                page, last = _page(connection, after, self._head)
            found: list[Found] = []
            for our in page:
                while their is not None and their[0] < our.key:
                    found += _only_theirs(their[1])
                    their = next(theirs, None)
                if their is not None and their[0] == our.key:
                    found += self._compare(our, their[1])
                    their = next(theirs, None)
                elif our.fields is not None and self._mapping.expects(our.fields) and our.status != "released":
                    found.append(Found("missing_there", None, our.number, our.key))
            if last is None:
                while their is not None:
                    found += _only_theirs(their[1])
                    their = next(theirs, None)
                yield len(page), found, after or b"\x00"
                return
            after = last
            yield len(page), found, after

    def _compare(self, our: OurRecord, theirs: Sequence[tuple[int, TheirRecord]]) -> Iterator[Found]:
        if len(theirs) > 1:
            yield Found("duplicate", None, theirs[0][1].number, our.key, detail={"rows": [row for row, _ in theirs][:20]})
        row, their = theirs[-1]
        if our.fields is None:
            return
        pairs = {name: {"ours": our.fields.get(name), "theirs": value} for name, value in their.fields.items()}
        differing = {name: pair for name, pair in pairs.items() if pair["ours"] != pair["theirs"]}
        if differing:
            yield Found("differs", ",".join(sorted(differing))[:64], our.number, our.key, detail={"row": row, "fields": differing})
        if their.status is not None and their.status != our.status:
            detail = {"row": row, "ours": our.status, "theirs": their.status}
            yield Found("status_conflict", "status", our.number, our.key, detail=detail)

    def _save(self, count: int, found: Sequence[Found], after: bytes) -> None:
        with self._kept_in.write() as connection:
            findings.store(connection, self._scope, self._run, found)
            values = {"done": table.c.done + count, "progress": after.hex()}
            connection.execute(update(table).where(table.c.id == self._run).values(values))

    def _finish(self) -> None:
        with self._kept_in.write() as connection:
            now = int(self._clock() * 1000)
            findings.resolve_unseen(connection, self._scope, self._run, now)
            is_this = table.c.id == self._run
            connection.execute(update(table).where(is_this).values(state="done", finished_at=now, total=table.c.done))
        self._spool.close(remove=True)

    def _fail(self, problem: dict[str, Any]) -> None:
        with self._kept_in.write() as connection:
            values = {"state": "failed", "finished_at": int(self._clock() * 1000), "problem": orjson.dumps(problem).decode()}
            connection.execute(update(table).where(table.c.id == self._run).values(values))
        self._spool.close(remove=True)


def _only_theirs(theirs: Sequence[tuple[int, TheirRecord]]) -> Iterator[Found]:
    yield Found("missing_here", None, theirs[0][1].number, detail={"rows": [row for row, _ in theirs][:20]})
    if len(theirs) > 1:
        yield Found("duplicate", None, theirs[0][1].number, detail={"rows": [row for row, _ in theirs][:20]})


def _page(connection: Connection, after: bytes, head: int) -> tuple[list[OurRecord], bytes | None]:
    """The next numbers behind key `after`, and the last one's key; None where these are all."""
    rows = connection.execute(_ENTRIES, {"after": after, "limit": KEYS_AT_ONCE}).all()
    by_key: dict[bytes, list[Any]] = {}
    for row in rows:
        by_key.setdefault(row[0], []).append(row)
    is_last = len(rows) < KEYS_AT_ONCE
    if not is_last and len(by_key) > 1:
        del by_key[rows[-1][0]]  # it may go on behind the page
    elif not is_last:  # one number with more entries than a page: all of them
        [key] = by_key
        by_key[key] = list(connection.execute(_OF_KEY, {"key": key}))
    replayed = {key: _replay(history, head) for key, history in by_key.items()}
    wanted = [one[1] for one in replayed.values() if one is not None]
    copies = {row[0]: row for row in connection.execute(_COPIES, {"ids": wanted})} if wanted else {}
    ids = sorted({row[1] for row in copies.values()})
    invoices = {row[0]: row for row in connection.execute(_INVOICES, {"ids": ids})} if ids else {}
    page = [_our(key, one, copies, invoices) for key, one in replayed.items()]
    return page, None if is_last else page[-1].key


def _replay(history: Sequence[Any], head: int) -> tuple[History, int] | None:
    """As of the newest final anchor, with the entry that made the current copy; None where nothing is final, or nothing holds."""
    until = History()
    made_by: dict[bytes, int] = {}
    try:
        for _, id_, data, seq, index in history:
            if seq is not None and seq <= head:
                entry = decode_entry(data)
                until.add(entry, seq, index)
                if entry.kind in (Kind.ISSUE, Kind.REPRINT):
                    made_by[entry.copy] = id_
    except (Malformed, NotAllowed):
        return None
    return (until, made_by[until.state.copy]) if until.state is not None else None


def _our(key: bytes, replayed: tuple[History, int] | None, copies: dict[int, Any], invoices: dict[int, Any]) -> OurRecord:
    if replayed is None:
        return OurRecord(key, None, None, None)
    history, made_by = replayed
    copy = copies.get(made_by)
    invoice = invoices.get(copy[1]) if copy is not None else None
    assert history.state is not None
    if invoice is None or copy_of_stored(copy, invoice) != history.state.copy:
        return OurRecord(key, None, None, None)
    content = {"header": orjson.loads(invoice[1]), "seller": orjson.loads(invoice[2]), "totals": orjson.loads(invoice[3])}
    content["buyer"] = orjson.loads(invoice[4])
    return OurRecord(key, content["header"]["number"], ours(content), STATUS_NAMES[history.state.status])
