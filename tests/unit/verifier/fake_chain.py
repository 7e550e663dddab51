"""Endpoints of a chain that answer as nodes do, without a socket, and lie where a test says so."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import orjson

from tests.vector_files import anchors
from verifier.chain import ANCHOR_AT, HEAD, UNKNOWN_SEQ, Anchor, RpcReader
from verifier.errors import Unreachable
from verifier.transport import Answer
from verifier.trust import Trust

ONE, TWO, THREE = "http://one.example", "http://two.example", "http://three.example"
BLOCK_S = 12
VECTORS = anchors()
NOW = VECTORS.anchors[9].time + 20 * BLOCK_S
"""F is about 10 blocks old."""


@dataclass
class Node:
    """A node that knows the anchors of the vectors, one in each block from `first_block` on.

    `latest` and `finalized` are block numbers; `fork` makes other hashes from that block on. `lie` may answer a call instead.
    """

    anchors: dict[int, Anchor] = field(default_factory=lambda: dict(VECTORS.anchors))
    chain_id: int = 31337
    first_block: int = 100
    latest: int = 128
    finalized: int = 118
    fork: int = 10**9
    code: str = "0x60"
    now: int = NOW
    lie: Callable[[str, list[Any]], Any] = lambda method, params: None

    def block(self, number: int) -> dict[str, str] | None:
        if not 0 <= number <= self.latest:
            return None
        name = f"{number}" if number < self.fork else f"{number} of another fork"
        time = self.now - (self.latest - number) * BLOCK_S
        return {"number": hex(number), "hash": "0x" + sha256(name.encode()).hexdigest(), "timestamp": hex(time)}

    def answer(self, method: str, params: list[Any]) -> dict[str, Any]:
        """`result` or `error`."""
        lie = self.lie(method, params)
        if lie is not None:
            return {"error": lie["error"]} if isinstance(lie, dict) and "error" in lie else {"result": lie}
        if method == "eth_chainId":
            return {"result": hex(self.chain_id)}
        if method == "eth_getBlockByNumber":
            tags = {"latest": self.latest, "finalized": self.finalized}
            return {"result": self.block(tags[params[0]] if params[0] in tags else int(params[0], 16))}
        number = next((n for n in range(self.latest + 1) if (self.block(n) or {})["hash"] == params[1]["blockHash"]), None)
        if number is None:
            return {"error": {"code": -32001, "message": "header not found"}}
        return {"result": self.code} if method == "eth_getCode" else self.call(bytes.fromhex(params[0]["data"][2:]), number)

    def call(self, data: bytes, number: int) -> dict[str, Any]:
        if self.code == "0x":
            return {"result": "0x"}
        held = {seq: anchor for seq, anchor in self.anchors.items() if self.first_block + seq <= number}
        if data == HEAD:
            return {"result": "0x" + max(held, default=0).to_bytes(32, "big").hex()}
        assert data[:4] == ANCHOR_AT
        anchor = held.get(int.from_bytes(data[4:], "big"))
        if anchor is None:
            revert = "0x" + (UNKNOWN_SEQ + data[4:]).hex()
            return {"error": {"code": 3, "message": "execution reverted", "data": revert}}
        return {"result": "0x" + encoded(anchor).hex()}


def encoded(anchor: Anchor) -> bytes:
    words = [anchor.log_root, anchor.register_root, *(n.to_bytes(32, "big") for n in (anchor.size, anchor.time, 100))]
    return b"".join(words)


class Endpoints:
    """The nodes by URL, as RpcReader posts to them; `requests` are (url, methods)."""

    def __init__(self, nodes: dict[str, Node]) -> None:
        self.nodes = nodes
        self.requests: list[tuple[str, list[str]]] = []

    def __call__(self, url: str, body: bytes, max_bytes: int) -> Answer:
        calls = orjson.loads(body)
        self.requests.append((url, [call["method"] for call in calls]))
        if url not in self.nodes:
            raise Unreachable("no connection")
        answers = [{"jsonrpc": "2.0", "id": call["id"], **self.nodes[url].answer(call["method"], call["params"])} for call in calls]
        return Answer(200, orjson.dumps(answers[::-1]))  # in any order


def reader(*nodes: Node, endpoints: Endpoints | None = None, now: int = NOW, **trust: Any) -> RpcReader:
    """A reader of one to three nodes, with what else the trust file says."""
    urls = (ONE, TWO, THREE)[: len(nodes)]
    posted = endpoints or Endpoints(dict(zip(urls, nodes, strict=True)))
    given = Trust(VECTORS.chain, VECTORS.service_keys, trust.pop("rpc_urls", urls), **trust)
    return RpcReader(given, posted, clock=lambda: now)
