"""A run against a query node (api.md, reconciliations; step 3): how far it lags, and which keys it has otherwise than we.

Where the root that it serves is the anchored one, its register is right and one request has shown it. Else its pages are compared
with ours, and each key that differs with our entries replayed up to its seq: what it cannot know yet is no difference.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import orjson
from sqlalchemy import Connection, update

from service.db import Database
from service.ledger import outbox, register
from service.ledger.entries import History, stored_by_key
from service.reconciliation import findings, pages, runs
from service.reconciliation.findings import Found
from service.reconciliation.naming import number_of
from service.reconciliation.pages import BadPages, Differing
from service.reconciliation.runs import Run
from service.reconciliation.scope import anchors_of
from service.reconciliation.tables import runs as table
from verifier.chain import ChainReader
from verifier.errors import ChainUnavailable, Malformed, NotAllowed
from verifier.merkle import EMPTY

NODE = "node"


class Node(Protocol):
    """What is asked of a node; central.remote.Remote is one. Raises RemoteFailed."""

    received: int

    def head(self) -> int: ...
    def pages(self, seq: int, paths: Sequence[str]) -> dict[str, bytes]: ...


def compare(
    database: Database,
    run: int,
    reader: ChainReader,
    node: Node,
    source: str,
    grace_s: int,
    failures: tuple[type[Exception], ...],
    clock: Callable[[], float] = time.time,
) -> Run:
    """The whole run. `failures` are what the node raises where it gives no answer. A lag is said when older than `grace_s`."""
    scope = runs.scope_of(NODE, source)
    try:
        block, head, _ = reader.read(())
        facts: dict[str, Any] = {"seq": head, "block_number": block.number, "block_hash": block.hash, "block_time": block.time}
        with database.write() as connection:
            connection.execute(update(table).where(table.c.id == run).values(state="running", **facts))
        with database.read() as connection:
            found = list(_compare(connection, reader, node, head, block.time - grace_s))
    except ChainUnavailable as error:
        return _end(database, run, clock, problem={"code": "chain_unavailable", "reason": error.reason, "details": error.details})
    except failures as error:
        return _end(database, run, clock, problem={"code": "node_unavailable", "reason": str(error)})
    with database.write() as connection:
        findings.store(connection, scope, run, found)
        findings.resolve_unseen(connection, scope, run, int(clock() * 1000))
    return _end(database, run, clock, done=node.received)


def _compare(connection: Connection, reader: ChainReader, node: Node, head: int, since: int) -> Iterator[Found]:
    seq = node.head()
    if seq < head:
        following = anchors_of(reader, [seq + 1]).get(seq + 1)
        if following is None or following.time < since:
            yield Found("lagging", None, detail={"seq": seq, "head": head, "behind": head - seq})
    if seq == 0:
        return
    anchor = anchors_of(reader, [seq]).get(seq) if seq <= head else None
    if anchor is None:
        yield Found("anchor_mismatch", "head", seq=seq, detail={"head": head})
        return
    top = node.pages(seq, [""]).get("")
    try:
        if (EMPTY if top is None else register.hash_page(top, 0).hash) == anchor.register_root:
            return
        yield Found("anchor_mismatch", "register", seq=seq)
        newest = outbox.newest_final(connection)
        if newest is None:
            return
        compared = pages.compare(pages.of_database(connection, newest.seq), lambda paths: node.pages(seq, paths))
    except (BadPages, ValueError, IndexError) as error:
        yield Found("altered", "register_pages", seq=seq, detail={"reason": str(error)[:200]})
        return
    for differing in compared.differing:
        yield from _judge(connection, seq, differing)


def _judge(connection: Connection, seq: int, differing: Differing) -> Iterator[Found]:
    """What the node ought to have at its seq, by our entries."""
    stored = stored_by_key(connection, [differing.key]).get(differing.key, [])
    try:
        history = History(one for one in stored if one.seq is not None and one.seq <= seq)
    except (NotAllowed, Malformed):
        return  # our own entries do not hold: step 1 says so
    expected = history.state.hash() if history.state is not None else None
    if expected == differing.theirs:
        return
    code = "missing_there" if differing.theirs is None else "missing_here" if expected is None else "status_conflict"
    yield Found(code, None, number_of(connection, differing.key), differing.key)  # type: ignore[arg-type]


def _end(database: Database, run: int, clock: Callable[[], float], *, problem: dict[str, Any] | None = None, done: int = 0) -> Run:
    with database.write() as connection:
        values: dict[str, Any] = {"state": "failed" if problem else "done", "finished_at": int(clock() * 1000), "done": done}
        values |= {"total": done, "problem": orjson.dumps(problem).decode() if problem else None}
        connection.execute(update(table).where(table.c.id == run).values(values))
        ended = runs.get(connection, run)
    assert ended is not None
    return ended
