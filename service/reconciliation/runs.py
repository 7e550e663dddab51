"""A run over our own store against the chain (api.md, reconciliations; step 1).

Why this is everything. What matters of a record is in one of three passes, each in the order that the records lie in:

- **log** (by place): the bytes of every entry, and its place, against the anchored log roots; tiles, batch rows, outbox rows;
  receipts by the signature that sealing made over them.
- **content** (by order of acceptance): sections and salts against the copy in the entry; the search columns against the sections;
  rows that belong to no entry; entries that are not anchored yet against their receipts and deadlines.
- **states** (by number): key and ordinal of every entry, the order of what happened to a number, and from it each state, each
  register page and the register root, against the anchored one.

An entry is proven by the log root, content by the entry, columns by content, receipts by the service's signature, states and pages
by the register root: every bit that a proof or a look-up is made of. Not covered, since nothing outside vouches for them: an
invoice's profile, external_id, issuer and findings, an act's reason and actor, the block number in the outbox, jobs and keys.
On SQLite the file's own structure is checked first, so that an index cannot hide a row.

Nothing is held but the unit at hand; what is done is committed with what was found, so that a killed run goes on where it was.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, func, insert, select, text, update

from service.central.mirror import Mirror
from service.db import Database
from service.ledger import register
from service.ledger.tables import batches, entries, register_pruning
from service.reconciliation import findings, log, repair, states
from service.reconciliation.findings import Found
from service.reconciliation.progress import Progress
from service.reconciliation.scope import anchors_of, open_scope
from service.reconciliation.tables import runs as table
from service.reconciliation.units import PASSES, Outcome, Unit, in_order
from verifier.chain import ChainReader
from verifier.errors import ChainUnavailable
from verifier.merkle import EMPTY

STORE = "store"
Runner = Literal["worker", "cli"]
ENTRIES_AT_ONCE = 20_000
BATCHES_AT_ONCE = 100
IDS_AT_ONCE = 5_000
KEYS_AT_ONCE = 8_192
COMMIT_S = 0.5
FINDINGS_AT_ONCE = 2_000
ANCHORS_A_READER = 5_000
"""A reader remembers what it read; after that many another one is asked to go on."""

_SIXTEENTH = 16
_NEXT_ID = text(
    "SELECT min(id) FROM (SELECT min(id) AS id FROM entries WHERE id > :low UNION ALL SELECT min(id) FROM invoices WHERE id > :low "
    "UNION ALL SELECT min(entry_id) FROM copies WHERE entry_id > :low "
    "UNION ALL SELECT min(entry_id) FROM acts WHERE entry_id > :low) AS ids"
)


class Run(NamedTuple):
    """A run as the API shows it; `counts` are those of its findings by code."""

    id: int
    kind: str
    source: str
    state: str
    created_at: int
    finished_at: int | None
    seq: int | None
    block_number: int | None
    block_hash: bytes | None
    block_time: int | None
    total: int
    done: int
    problem: dict[str, Any] | None
    counts: dict[str, int]

    @property
    def matches(self) -> bool | None:
        """Whether everything is as anchored; None where that is not known."""
        return not self.counts if self.state == "done" else None


def create(
    connection: Connection, kind: str, source: str, parameters: dict[str, Any], now_ms: int, runner: Runner = "worker"
) -> int:
    """Queue a run and return its id."""
    row = {
        "kind": kind,
        "source": source[:200],
        "state": "queued",
        "runner": runner,
        "parameters": orjson.dumps(parameters).decode(),
        "created_at": now_ms,
        "total": 0,
        "done": 0,
    }
    return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())


def get(connection: Connection, id_: int) -> Run | None:
    row = connection.execute(select(table).where(table.c.id == id_)).one_or_none()
    return None if row is None else _to_run(connection, row)


def listed(connection: Connection, limit: int, below: int | None = None) -> list[Run]:
    """Newest first."""
    query = select(table).order_by(table.c.id.desc()).limit(limit)
    rows = connection.execute(query if below is None else query.where(table.c.id < below)).all()
    return [_to_run(connection, row) for row in rows]


def open_ones(connection: Connection, kind: str, source: str, runner: Runner) -> list[int]:
    """Queued and running ones, oldest first: what a killed process left is gone on with."""
    is_open = (table.c.finished_at.is_(None), table.c.kind == kind, table.c.source == source[:200], table.c.runner == runner)
    return list(connection.scalars(select(table.c.id).where(*is_open).order_by(table.c.id)))


def give_up(connection: Connection, older_than_ms: int, now_ms: int) -> None:
    """A run that nobody went on with holds back pruning: after a while it is over."""
    is_stale = (table.c.finished_at.is_(None), table.c.runner == "cli", table.c.created_at < older_than_ms)
    problem = orjson.dumps({"code": "abandoned"}).decode()
    connection.execute(update(table).where(*is_stale).values(state="failed", finished_at=now_ms, problem=problem))


def pinned(connection: Connection) -> list[int] | None:
    """The anchors whose register pages runs still need; None: one is about to choose, and nothing may be pruned."""
    seqs = list(connection.scalars(select(table.c.seq).where(table.c.finished_at.is_(None), table.c.kind == STORE)))
    return None if None in seqs else seqs


class StoreRun:
    """One run over our own store. `open_reader` gives a reader of the chain as of now; `mirror` is a folder that mirror wrote.

    Runs and findings are kept in `kept_in` where that is given: an auditor who may only read keeps them in a database of their own.
    """

    def __init__(
        self,
        database: Database,
        run: int,
        open_reader: Callable[[], ChainReader],
        *,
        url: str | None = None,
        mirror: Path | None = None,
        processes: int = 1,
        kept_in: Database | None = None,
        repairs: bool = True,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._kept_in = kept_in or database
        self._run = run
        self._open_reader = open_reader
        self._reader = open_reader()
        self._anchors_read = 0
        self._url, self._mirror, self._processes = url, mirror, processes
        self._repairs = repairs
        self._clock = clock
        self._units: Iterator[tuple[Unit, Outcome]] | None = None
        self._buffer: list[Found] = []
        self._candidates: list[Found] = []
        self._records = 0
        self._committed_at = 0.0

    def run(self, on_progress: Callable[[int, int], None] | None = None) -> Run:
        """Go on to the end; `on_progress` is told (done, total) now and then."""
        while self.step():
            if on_progress is not None:
                with self._kept_in.read() as connection:
                    on_progress(*connection.execute(select(table.c.done, table.c.total).where(table.c.id == self._run)).one())
        with self._kept_in.read() as connection:
            run = get(connection, self._run)
        assert run is not None
        return run

    def step(self) -> bool:
        """One unit, about a second; False when the run is over. What keeps the chain from being read makes it fail."""
        try:
            if self._units is None:
                self._begin()
            assert self._units is not None
            following = next(self._units, None)
            if following is not None:
                self._take(*following)
                return True
            self._finish()
        except ChainUnavailable as error:
            self._fail({"code": "chain_unavailable", "reason": error.reason, "details": error.details})
        return False

    # begin

    def _begin(self) -> None:
        with self._kept_in.write() as connection:
            row = connection.execute(select(table.c.progress, table.c.seq, table.c.total).where(table.c.id == self._run)).one()
        scope = open_scope(self._reader)
        if row.progress is not None:
            self._progress = Progress.from_json(row.progress)
            if scope.head < row.seq:
                raise ChainUnavailable("chain.no_head", seq=row.seq)
            scope = scope._replace(head=row.seq)
        total = row.total
        with self._database.read() as connection:
            newest = select(func.max(batches.c.seq)).where(batches.c.seq <= scope.head, batches.c.foreign == 0)
            self._scope = scope._replace(newest=connection.scalar(newest) or 0)
            if row.progress is None:
                total = connection.scalar(select(func.max(entries.c.id))) or 0
                self._progress = Progress(PASSES[0], 0, _digits(total), self._are_pages_kept(connection), [], [])
        block = self._reader.block()
        with self._kept_in.write() as connection:
            values = {
                "state": "running",
                "seq": scope.head,
                "block_number": block.number,
                "block_hash": block.hash,
                "block_time": block.time,
                "total": total * (len(PASSES) - 1),
            }
            connection.execute(update(table).where(table.c.id == self._run, table.c.seq.is_(None)).values(values))
            self._save(connection)
        self._units = in_order(self._plan(), self._database, self._mirror, self._processes, self._url)

    def _are_pages_kept(self, connection: Connection) -> bool:
        pruned = connection.execute(select(*(register_pruning.c[n] for n in ("pruned_to", "kept", "next_kept")))).one_or_none()
        newest = self._scope.newest
        return pruned is None or newest >= pruned.pruned_to or newest in (pruned.kept, pruned.next_kept)

    # plan

    def _plan(self) -> Iterator[Unit]:
        """What is left to do, in order; it runs ahead of what is done by a few units."""
        at, cursor = self._progress.at, self._progress.cursor
        if at is None:
            return
        for number, of in enumerate(PASSES[PASSES.index(at) :]):
            yield from {"file": self._plan_file, "log": self._plan_log, "content": self._plan_content, "states": self._plan_states}[
                of
            ](cursor if number == 0 else 0)

    def _plan_file(self, done: int) -> Iterator[Unit]:
        if not done:
            yield Unit("file", self._scope, 1)

    def _plan_log(self, done: int) -> Iterator[Unit]:
        seq = max(done + 1, self._scope.first)
        ready: dict[int, Any] = {}
        entries_ready = 0
        while seq <= self._scope.head:
            if self._anchors_read > ANCHORS_A_READER:
                self._reader, self._anchors_read = self._open_reader(), 0
            some = anchors_of(self._reader, range(seq, min(seq + BATCHES_AT_ONCE, self._scope.head + 1)))
            self._anchors_read += len(some)
            for held, anchor in sorted(some.items()):
                if ready and (entries_ready + anchor.size > ENTRIES_AT_ONCE or len(ready) == BATCHES_AT_ONCE):
                    yield Unit("log", self._scope, held - 1, min(ready), ready)
                    ready, entries_ready = {}, 0
                ready[held] = anchor
                entries_ready += anchor.size
            seq = min(seq + BATCHES_AT_ONCE, self._scope.head + 1)
        if ready:
            yield Unit("log", self._scope, self._scope.head, min(ready), ready)

    def _plan_content(self, low: int) -> Iterator[Unit]:
        if low == 0:
            low = -(1 << 62)  # an insider may count from below nothing
        while True:
            with self._database.read() as connection:
                following = connection.scalar(_NEXT_ID, {"low": low})
            if following is None:
                return
            low = int(following) - 1
            high = min(low + IDS_AT_ONCE, (1 << 63) - 1)
            yield Unit("content", self._scope, high, low)
            low = high

    def _plan_states(self, done: int) -> Iterator[Unit]:
        digits = self._progress.digits
        for number in range(done, _SIXTEENTH**digits):
            yield Unit("states", self._scope, number + 1, prefix=f"{number:0{digits}x}" if digits else "")

    # take

    def _take(self, unit: Unit, outcome: Outcome) -> None:
        self._buffer += outcome.found
        self._candidates += filter(repair.is_candidate, outcome.found)
        self._records += outcome.records
        self._progress = self._progress._replace(at=unit.of, cursor=unit.cursor)
        if outcome.part is not None:
            self._add(outcome.part)
        if self._clock() - self._committed_at >= COMMIT_S or len(self._buffer) >= FINDINGS_AT_ONCE:
            self._commit()

    def _add(self, part: states.Part) -> None:
        """Put a part to its neighbours; sixteen of them are one."""
        if not part.is_equal:
            self._progress.differing.append(part.prefix)
        levels = self._progress.levels
        if not levels:
            levels.extend([] for _ in range(self._progress.digits + 1))
        levels[len(part.prefix)].append(part)
        for depth in range(len(levels) - 1, 0, -1):
            if len(levels[depth]) < _SIXTEENTH:
                return
            with self._database.read() as connection:
                joined = states.join(connection, self._scope, levels[depth])
            if self._progress.pages_kept:
                self._buffer += joined.found
            levels[depth].clear()
            levels[depth - 1].append(joined.part)

    def _commit(self) -> None:
        with self._kept_in.write() as connection:
            self._save(connection)

    def _save(self, connection: Connection) -> None:
        findings.store(connection, self._scope_name(), self._run, self._buffer)
        connection.execute(
            update(table)
            .where(table.c.id == self._run)
            .values(progress=self._progress.to_json(), done=table.c.done + self._records)
        )
        self._buffer, self._records = [], 0
        self._committed_at = self._clock()

    def _scope_name(self) -> str:
        return STORE

    # finish

    def _finish(self) -> None:
        if self._progress.at is not None:
            with self._database.read() as connection:
                beyond = list(log.check_unanchored(connection, self._scope))
            self._candidates += filter(repair.is_candidate, beyond)
            self._buffer += [*beyond, *self._compare_roots()]
            self._progress = self._progress._replace(at=None)
        with self._kept_in.write() as connection:
            self._save(connection)
        repaired = self._repair() if self._repairs and self._candidates else []
        with self._kept_in.write() as connection:
            findings.mark_repaired(connection, self._scope_name(), repaired)
            now = int(self._clock() * 1000)
            findings.resolve_unseen(connection, self._scope_name(), self._run, now)
            is_this = table.c.id == self._run
            connection.execute(update(table).where(is_this).values(state="done", finished_at=now, total=table.c.done))

    def _repair(self) -> list[Found]:
        """Candidates of a run that was killed in between are found again by the next one."""
        newest = self._scope.newest
        register_root = anchors_of(self._reader, [newest])[newest].register_root if newest else EMPTY
        with self._database.write() as connection:
            return repair.queue_again(connection, self._scope, register_root, self._candidates)

    def _compare_roots(self) -> Iterator[Found]:
        scope, [root] = self._scope, self._progress.levels[0]
        if not self._progress.pages_kept:
            yield Found("lagging", "register_pages", seq=scope.newest)
        if scope.newest == 0:
            return
        anchor = anchors_of(self._reader, [scope.newest])[scope.newest]
        differing = self._progress.differing
        with self._database.read() as connection:
            if root.replayed.hash == anchor.register_root:
                for prefix in differing if self._progress.pages_kept else ():
                    yield from states.differing_pages(connection, scope, prefix)
                return
            yield Found("anchor_mismatch", "register", seq=scope.newest)
            if root.stored.hash == anchor.register_root and self._progress.pages_kept:
                for prefix in differing:
                    yield from states.descend(connection, scope, prefix, states.stored_leaves(connection, prefix, scope.newest))
                return
            for prefix in differing if self._progress.pages_kept else ():
                yield from states.differing_pages(connection, scope, prefix)
            if self._mirror is not None:
                yield from self._ask_mirror(connection, self._mirror, anchor.register_root)

    def _ask_mirror(self, connection: Connection, folder: Path, register_root: bytes) -> Iterator[Found]:
        """A mirror replays to the anchored root: what its states and ours differ in is named by it."""
        prefixes = [
            f"{n:0{self._progress.digits}x}" if self._progress.digits else "" for n in range(_SIXTEENTH**self._progress.digits)
        ]
        mirror = Mirror(folder)
        try:
            children = [states.child_of(prefix, mirror.states(prefix, self._scope.newest)) for prefix in prefixes]
            while len(children) > 1:
                groups = [children[n : n + _SIXTEENTH] for n in range(0, len(children), _SIXTEENTH)]
                children = [register.hash_children(group) for group in groups]
            if children[0].hash != register_root:
                return
            for prefix in prefixes:
                yield from states.descend(connection, self._scope, prefix, mirror.states(prefix, self._scope.newest))
        finally:
            mirror.close()

    def _fail(self, problem: dict[str, Any]) -> None:
        with self._kept_in.write() as connection:
            values = {"state": "failed", "finished_at": int(self._clock() * 1000), "problem": orjson.dumps(problem).decode()}
            connection.execute(update(table).where(table.c.id == self._run).values(values))


def _digits(total: int) -> int:
    digits = 0
    while total > KEYS_AT_ONCE * _SIXTEENTH**digits:
        digits += 1
    return digits


def _to_run(connection: Connection, row: Any) -> Run:
    problem = orjson.loads(row.problem) if row.problem else None
    values = {name: getattr(row, name) for name in Run._fields if name not in ("problem", "counts")}
    return Run(
        **values,
        problem=problem,
        counts=findings.count(connection, findings.Filter(run=row.id, scope=scope_of(row.kind, row.source))),
    )


def scope_of(kind: str, source: str) -> str:
    """Which findings a run looks for: those of one kind about one source."""
    return f"{kind}:{source}"[:200] if source else kind
