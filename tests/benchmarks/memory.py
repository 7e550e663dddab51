"""Peak memory of the API and of the worker as they run, on a chain, while the ledger grows through the API itself."""

import itertools
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from service.api.context import STATUS_S
from service.auth.keys import create_key
from service.db import Database
from service.migrations import migrate
from tests.benchmarks import data
from tests.benchmarks.ledger import RECEIPT_KEY, lines
from tests.benchmarks.measure import Figure, Scale
from tests.benchmarks.registration import send_batch
from tests.benchmarks.serving import HOST, Server, post, send, service, worker
from tests.chain import RegistryContract, anvil

_AT_ONCE = 5_000
_PATIENCE_S = 120


def figures(scale: Scale, folder: Path) -> Iterator[Figure]:
    url = f"sqlite:///{folder / 'memory.db'}"
    database = Database(url)
    migrate(database)
    with database.write() as connection:
        _, key = create_key(connection, "issuer", data.sellers(), "live")
    database.close()
    with anvil() as node:
        contract = RegistryContract.deploy(node)
        settings = {
            "contract": contract.address,
            "chain_id": str(node.chain_id),
            "rpc_urls": node.url,
            "receipt_key": RECEIPT_KEY.hex(),
            "anchor_key": node.accounts[2].private_key,
            "reconcile_s": "0",
        }
        with service(url, folder, None, **settings) as api, worker(url, folder, **settings) as working:
            _wait(api, lambda told: told["worker_seen_at"] is not None)
            peaks = [_grown(api, working, key, before, size) for before, size in itertools.pairwise((0, *scale.memory))]
    for name, values in zip(("API", "worker"), zip(*peaks, strict=True), strict=True):
        said = ", ".join(f"{peak:.0f} MiB at {size:,}" for peak, size in zip(values, scale.memory, strict=True))
        yield Figure(f"peak memory of the {name}, largest / smallest ledger", said, "", values[-1] / values[0], 1.1, True, values)


def _grown(api: Server, working: Server, key: str, before: int, size: int) -> tuple[float, float]:
    """Peaks of both after the ledger has grown from `before` to `size`, all of it is final, and proofs were asked for."""
    headers = {"Authorization": f"Bearer {key}"}
    for first in range(before, size, _AT_ONCE):
        some = lines(first, min(_AT_ONCE, size - first))
        send_batch(api.port, headers, some)
    time.sleep(2 * STATUS_S)  # so old may be what it says
    _wait(api, lambda told: told["backlog"] == 0 and told["sealed_head"] == told["final_head"])
    numbers = [sections["header"]["number"] for sections in data.invoices(before, min(500, size - before))]
    send(api.port, [post("/v1/proofs", json.dumps({"number": number}).encode()) for number in numbers])
    return api.peak_mib(), working.peak_mib()


def _wait(api: Server, is_reached: Callable[[dict[str, Any]], bool]) -> None:
    """Until /status says so."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        with urllib.request.urlopen(f"http://{HOST}:{api.port}/status", timeout=10) as answer:
            told = json.load(answer)
        if is_reached(told):
            return
        assert time.monotonic() < until, told
        time.sleep(0.2)
