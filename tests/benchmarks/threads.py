"""How many threads a process for the API should have: the same requests, by 1, 2, 4 and 8 of them, on one core and on all.

The requests are look-ups by an issuer of single invoices, which are handlers like most: two or three small reads, and JSON.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import select

from service.auth.keys import create_key
from service.config import Settings
from service.invoices.tables import invoices
from tests.benchmarks import data
from tests.benchmarks.data import SEED
from tests.benchmarks.ledger import Ledger
from tests.benchmarks.measure import Figure, Scale, at_least
from tests.benchmarks.proofs import two_cores
from tests.benchmarks.serving import HOST, Load, send, service

COUNTS = (1, 2, 4, 8)


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    """Of the default against the best of COUNTS."""
    default = Settings.model_fields["threads"].default
    size = scale.registers[0]
    with Ledger(folder) as ledger:
        ledger.grow(size)
        url = f"sqlite:///{ledger.path}"
        with ledger.database.write() as connection:
            _, key = create_key(connection, "issuer", data.sellers(), "live")
            ids = random.Random(SEED).choices(range(1, size + 1), k=scale.requests)
            numbers = [connection.execute(select(invoices.c.number).where(invoices.c.id == id_)).scalar_one() for id_ in ids]
    head = f"Host: {HOST}\r\nAuthorization: Bearer {key}\r\n\r\n"
    asked = [f"GET /v1/invoices/{number} HTTP/1.1\r\n{head}".encode() for number in numbers]
    loads: dict[int, list[Load]] = {count: [] for count in COUNTS}
    with two_cores() as (core, _):
        for _ in range(scale.rounds):
            for count in COUNTS:
                with service(url, folder, core, threads=str(count)) as server:
                    send(server.port, asked[: len(asked) // 4])
                    loads[count].append(send(server.port, asked))
    seconds = {count: [load.seconds for load in loads[count]] for count in COUNTS}
    best = min(COUNTS, key=lambda count: min(seconds[count]))
    found = at_least("threads of a process: the default / the best", 0.9, seconds[default], seconds[best], len(asked), "request")
    said = [f"{n}: {min(len(asked) / s for s in seconds[n]):.0f}/s, p99 {1e3 * _p99(loads[n]):.0f} ms" for n in COUNTS]
    yield found._replace(note=f"({'; '.join(said)}; {len(os.sched_getaffinity(0))} cores)")


def _p99(loads: list[Load]) -> float:
    return min(load.percentile(99) for load in loads)
