"""The proof endpoint as anybody asks it, beside a hello-world JSON of the same server on the same core."""

import os
import random
import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
from sqlalchemy import select

from service.db import Database
from service.invoices import reading
from service.invoices.tables import invoices
from tests.benchmarks.data import SEED
from tests.benchmarks.ledger import Ledger
from tests.benchmarks.measure import Figure, Scale, at_least
from tests.benchmarks.serving import Load, get, hello_world, post, send, service


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    with Ledger(folder) as ledger:
        size = scale.registers[-1]
        ledger.grow(size)
        url = f"sqlite:///{ledger.path}"
        asked = questions(ledger.database, size, scale)
    yield from _compare(scale, url, folder, size, asked)


def questions(database: Database, size: int, scale: Scale) -> list[list[bytes]]:
    """Requests for the two phases of each round, each about another invoice, as long as there are enough."""
    count = 2 * (scale.rounds + 1) * scale.requests
    rng = random.Random(SEED)
    ids = rng.sample(range(1, size + 1), count) if count <= size else rng.choices(range(1, size + 1), k=count)
    made = []
    with database.read() as connection:
        for id_ in ids:
            number = connection.execute(select(invoices.c.number).where(invoices.c.id == id_)).scalar_one()
            commitment = reading.read_copy(connection, id_).commitment().hex()
            made.append(post("/v1/proofs", orjson.dumps({"number": number, "commitment": commitment})))
    return [made[at : at + scale.requests] for at in range(0, count, scale.requests)]


def _compare(scale: Scale, url: str, folder: Path, size: int, asked: list[list[bytes]]) -> Iterator[Figure]:
    hellos = [get("/livez")] * scale.requests
    coroutines = [get("/coroutine")] * scale.requests
    ours, other = [], []
    beside_coroutine: list[float] = []
    full, half, other_half = [], [], []
    with two_cores() as (core, _), hello_world(folder, core) as hello, service(url, folder, core) as server:
        phases = iter(asked)
        for turn in range(scale.rounds + 1):  # the first one warms both
            theirs = send(hello.port, hellos)
            mine = send(server.port, next(phases))
            coroutine = send(hello.port, coroutines)
            theirs_at_half = send(hello.port, hellos, rate=theirs.rate / 2)
            mine_at_half = send(server.port, next(phases), rate=mine.rate / 2)
            if turn:
                ours.append(mine.seconds)
                other.append(theirs.seconds)
                beside_coroutine.append(coroutine.seconds / mine.seconds)
                full.append(mine)
                half.append(mine_at_half)
                other_half.append(theirs_at_half)
    found = at_least(f"proof endpoint at {size:,} / hello-world JSON", 0.4, ours, other, scale.requests, "request")
    yield found._replace(note=f"({statistics.median(beside_coroutine):.2f} of a coroutine's)")
    yield _p99(f"proof endpoint at {size:,}, p99 at half of saturation / hello-world JSON's", half, other_half)
    yield _p99(f"proof endpoint at {size:,}, p99 at saturation / at half of it", full, half)


def _p99(name: str, ours: list[Load], other: list[Load]) -> Figure:
    mine, theirs = ([load.percentile(99) for load in loads] for loads in (ours, other))
    rounds = tuple(a / b for a, b in zip(mine, theirs, strict=True))
    one, two = (f"{1e3 * statistics.median(values):.1f} ms" for values in (mine, theirs))
    return Figure(name, one, two, statistics.median(rounds), 3, True, rounds)


@contextmanager
def two_cores() -> Iterator[tuple[int | None, int | None]]:
    """One for the server, one for who asks, which is this process while the block runs; no choice where there is only one."""
    allowed = sorted(os.sched_getaffinity(0))
    if len(allowed) < 2:
        yield None, None
        return
    os.sched_setaffinity(0, {allowed[1]})
    try:
        yield allowed[0], allowed[1]
    finally:
        os.sched_setaffinity(0, allowed)
