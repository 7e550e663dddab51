"""One JSON-RPC endpoint, and what its answers may look like: whatever they are, nothing but ChainTrouble comes of it."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson

from service.trouble import Trouble
from verifier.errors import Unreachable
from verifier.transport import HttpClient, origin

MAX_CALLS = 100
"""In one request; more are sent in several."""
MAX_ANSWER_BYTES = 16 * 1024 * 1024
TOO_LARGE = 2**63
"""No block, time, seq or nonce comes that far, and no database would store it."""


class ChainTrouble(Exception):
    """What keeps anchors from being read or mined. `code` is one of Trouble's, or of the caller's own."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Block(NamedTuple):
    """`hash` is 32 bytes, `time` in seconds since 1970 UTC."""

    number: int
    hash: bytes
    time: int


class Endpoint:
    """One JSON-RPC endpoint. `timeout_s` is for a request with its whole answer."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self._url = url
        self._post = HttpClient(timeout_s)
        self.origin = origin(url)

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        """The answers (each with `result` or `error`) of several calls. Raises ChainTrouble."""
        answers: list[dict[str, Any]] = []
        for start in range(0, len(calls), MAX_CALLS):
            answers += self._ask(calls[start : start + MAX_CALLS])
        return answers

    def _ask(self, calls: Sequence[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        body = [{"jsonrpc": "2.0", "id": i, "method": method, "params": params} for i, (method, params) in enumerate(calls)]
        try:
            status, answer = self._post(self._url, orjson.dumps(body), MAX_ANSWER_BYTES)
        except Unreachable as error:
            raise ChainTrouble(Trouble.UNREACHABLE, f"{self.origin}: {error}") from None
        if status != 200:
            raise ChainTrouble(Trouble.UNREACHABLE, f"{self.origin}: HTTP status {status}")
        try:
            by_id = {item["id"]: item for item in orjson.loads(answer)}  # in any order, JSON-RPC 2.0 section 6
            return [dict(by_id[i]) for i in range(len(calls))]
        except (ValueError, TypeError, KeyError):
            raise self.bad_answer("not what was asked for") from None

    def bad_answer(self, what: str) -> ChainTrouble:
        return ChainTrouble(Trouble.BAD_ANSWER, f"{self.origin}: {what}")

    def value(self, answer: dict[str, Any]) -> Any:
        """The result. Raises ChainTrouble where there is none."""
        if answer.get("result") is None:
            raise self.bad_answer(said(answer) if answer.get("error") is not None else "an empty answer")
        return answer["result"]

    def data(self, answer: dict[str, Any], length: int) -> bytes:
        """So many bytes, what a call of a contract returns."""
        try:
            found = bytes.fromhex(self.value(answer)[2:])
        except (TypeError, ValueError, KeyError):
            found = b""
        if len(found) != length:
            raise self.bad_answer("an answer of the wrong length, as if from another contract")
        return found

    def word(self, answer: dict[str, Any]) -> int:
        """A uint of 32 bytes."""
        return int.from_bytes(self.data(answer, 32), "big")

    def number(self, value: Any) -> int:
        """A quantity, "0x…"."""
        try:
            found = int(value, 16)
        except (TypeError, ValueError):
            found = -1
        if found < 0:
            raise self.bad_answer("an answer that is no number")
        return found

    def block(self, value: Any) -> Block:
        """What eth_getBlockByNumber tells of a block."""
        try:
            found = Block(int(value["number"], 16), bytes.fromhex(value["hash"][2:]), int(value["timestamp"], 16))
        except (TypeError, KeyError, ValueError):
            raise self.bad_answer("an answer that is no block") from None
        if len(found.hash) != 32 or not any(found.hash) or not 0 <= found.number < TOO_LARGE or not 0 < found.time < TOO_LARGE:
            raise self.bad_answer("a block that no chain has")
        return found


def block_call(block: int | str) -> tuple[str, list[Any]]:
    return "eth_getBlockByNumber", [hex(block) if isinstance(block, int) else block, False]


def said(answer: dict[str, Any]) -> str:
    """The node's own words, but for what no text may hold: some put a revert's bytes into them, and PostgreSQL takes no NUL."""
    error = answer.get("error")
    text = str(error.get("message", error) if isinstance(error, dict) else error)
    return "".join(filter(str.isprintable, text[:200]))


def revert_data(answer: dict[str, Any]) -> str | None:
    """What the contract reverted with, "0x…"; nodes give it as it is, or one level down."""
    error = answer.get("error")
    data = error.get("data") if isinstance(error, dict) else None
    data = data.get("data") if isinstance(data, dict) else data
    return data if isinstance(data, str) and data.startswith("0x") and len(data) > 2 else None
