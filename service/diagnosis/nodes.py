"""What the query nodes show of an invoice. None of them is believed: a proof of theirs counts as far as the chain bears it out.

They are asked side by side, each for as long as TIMEOUT_S. One that does not answer is unknown, never missing.
"""

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime

import orjson

from service.diagnosis.case import NodeSaid
from verifier.chain import ChainReader
from verifier.errors import Malformed, OtherProtocol, Unreachable
from verifier.proof import MAX_BYTES, AnchoredProof, PendingProof, parse_proof
from verifier.question import Question
from verifier.transport import Answer, HttpClient, Post, origin
from verifier.verify import verify_proof

TIMEOUT_S = 1.5
MAX_AT_ONCE = 8
"""Questions of one process that are under way."""

_SHOWS_NOTHING = (404, 410)
_NOT_SO_FAR = ("not_yet_known", "lagging", "node_lagging", "behind")


class Nodes:
    """For the threads of one process. `urls` are the nodes' own, none of them secret."""

    def __init__(self, urls: Sequence[str], post: Post | None = None, timeout_s: float = TIMEOUT_S) -> None:
        self._urls = tuple(urls)
        self._timeout_s = timeout_s
        self._http = HttpClient(timeout_s)
        self._post = post or self._http
        self._pool = ThreadPoolExecutor(MAX_AT_ONCE, "nodes") if urls else None

    @property
    def are_any(self) -> bool:
        return self._pool is not None

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._http.close()

    def ask(self, question: Question, seq: int, reader: ChainReader) -> list[NodeSaid]:
        """Whether each node shows the copy that was anchored in batch `seq`."""
        if self._pool is None:
            return []
        asked = {"number": question.number}
        if question.commitment is not None:
            asked["commitment"] = question.commitment.hex()
        body = orjson.dumps(asked)
        until = time.monotonic() + self._timeout_s
        waiting = [self._pool.submit(self._fetch, url, body) for url in self._urls]
        return [
            _said(origin(url), _answer(future, until), question, seq, reader)
            for url, future in zip(self._urls, waiting, strict=True)
        ]

    def _fetch(self, url: str, body: bytes) -> Answer | None:
        try:
            return self._post(url.rstrip("/") + "/v1/proofs", body, MAX_BYTES)
        except Unreachable:
            return None


def _answer(future: "Future[Answer | None]", until: float) -> Answer | None:
    try:
        return future.result(max(0.0, until - time.monotonic()))
    except NotInTime:
        future.cancel()
        return None


def _said(node: str, answer: Answer | None, question: Question, seq: int, reader: ChainReader) -> NodeSaid:
    if answer is None:
        return NodeSaid(node, "unknown")
    if answer.status != 200:
        if answer.status in _SHOWS_NOTHING:
            return NodeSaid(node, "missing")
        return NodeSaid(node, "behind" if _code(answer.body) in _NOT_SO_FAR else "unknown")
    try:
        proof = parse_proof(answer.body)
    except (Malformed, OtherProtocol):
        return NodeSaid(node, "unknown")
    if isinstance(proof, PendingProof):
        return NodeSaid(node, "behind")
    if proof.register.seq < seq:
        return NodeSaid(node, "behind", proof.register.seq)
    report = verify_proof(proof, [reader], question)
    if report.verdict == "undecided":
        return NodeSaid(node, "unknown", proof.register.seq)
    shows = isinstance(proof, AnchoredProof) and report.verdict != "forged"
    return NodeSaid(node, "visible" if shows else "missing", proof.register.seq)


def _code(body: bytes) -> object:
    try:
        said = orjson.loads(body)
    except ValueError:
        return None
    return said.get("code") if isinstance(said, dict) else None
