"""Reading what the contract holds, by plain JSON-RPC pinned to a block hash (protocol.md section 8, "Reading the chain").

Everything is read as of F, the lowest finalized block among the endpoints. All of them must name the same block and give the same
answers at it: it is never a vote, and whatever else happens is ChainUnavailable.
"""

import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

import orjson

from verifier.entry import MAX_BATCH
from verifier.errors import ChainUnavailable, Unreachable
from verifier.fields import Chain
from verifier.transport import HttpClient, Post, origin
from verifier.trust import Trust

T = TypeVar("T")

MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_CALLS = 100
"""In one request; more are sent in several."""

# The first four bytes of keccak256 of each signature; a test compares them with abi/InvoiceAnchor.json.
HEAD = bytes.fromhex("8f7dcfa3")  # head()
ANCHOR_AT = bytes.fromhex("e4942e5e")  # anchorAt(uint64)
UNKNOWN_SEQ = bytes.fromhex("c28bb05d")  # error UnknownSeq(uint64)

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,16}")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class Block(NamedTuple):
    """`hash` is 32 bytes, `time` in seconds since 1970 UTC. An anchors file knows the time alone."""

    number: int | None
    hash: bytes | None
    time: int


class Anchor(NamedTuple):
    """What the contract holds for a seq: roots of 32 bytes, the number of entries, the block's time in seconds since 1970 UTC."""

    log_root: bytes
    register_root: bytes
    size: int
    time: int
    final: bool
    """Held at F, too."""


class Reading(NamedTuple):
    """F, the newest final seq at F, and its anchor."""

    block: Block
    head: int
    newest: Anchor


class Origin(NamedTuple):
    """Where anchors came from: the endpoints, or the names of the files."""

    kind: Literal["rpc", "anchors_file"]
    endpoints: tuple[str, ...]


class ChainReader(Protocol):
    """What one contract holds as of one moment, however often it is asked. Each method raises ChainUnavailable."""

    @property
    def chain(self) -> Chain: ...
    @property
    def service_keys(self) -> Mapping[str, bytes]: ...
    @property
    def origin(self) -> Origin: ...
    @property
    def grace_s(self) -> int:
        """How long before F's time a register root may have been replaced and still count as the newest."""

    def block(self) -> Block:
        """F. Needs no contract."""

    def read(self, seqs: Iterable[int]) -> Reading:
        """Head, with the anchors of `seqs` in as few requests as can be."""

    def anchor(self, seq: int) -> Anchor | None:
        """What the contract holds for `seq`, after read(): at F, and for one above head at the lowest latest block.

        None: the contract passed `seq` without it, and never will hold it.
        """


class RpcReader:
    """The chain as of one block F, fixed by the first question. What failed then fails for good: a new reading is a new reader.

    `clock` gives seconds since 1970 UTC. Raises ChainUnavailable if `trust` names no endpoint.
    """

    def __init__(self, trust: Trust, post: Post | None = None, clock: Callable[[], float] = time.time) -> None:
        if not trust.rpc_urls:
            raise ChainUnavailable("chain.no_endpoint")
        self._trust = trust
        self._urls = tuple(dict.fromkeys(trust.rpc_urls))  # one endpoint named twice is one
        self._post = post or HttpClient()
        self._clock = clock
        self._contract = "0x" + trust.chain.contract.hex()
        self._block: Block | ChainUnavailable | None = None
        self._reading: Reading | ChainUnavailable | None = None
        self._held: dict[int, Anchor | None] = {}  # at F
        self._latest: Block | None = None
        self._above: dict[int, Anchor | None] = {}  # at the lowest latest block

    @property
    def chain(self) -> Chain:
        return self._trust.chain

    @property
    def service_keys(self) -> Mapping[str, bytes]:
        return self._trust.service_keys

    @property
    def origin(self) -> Origin:
        return Origin("rpc", tuple(map(origin, self._urls)))

    @property
    def grace_s(self) -> int:
        return self._trust.grace_s

    def block(self) -> Block:
        if self._block is None:
            self._block = _outcome(self._read_block)
        return _result(self._block)

    def read(self, seqs: Iterable[int]) -> Reading:
        block = self.block()
        missing = sorted(set(seqs) - self._held.keys())
        if self._reading is None:
            self._reading = _outcome(lambda: self._read_head(block, missing))
            return _result(self._reading)
        reading = _result(self._reading)
        if missing:
            self._held.update(self._anchors(block, missing, final=True))
        return reading

    def anchor(self, seq: int) -> Anchor | None:
        if seq <= self.read((seq,)).head:
            return self._held[seq]
        if seq not in self._above:
            self._latest = self._latest or self._agree_on_block("latest", 0)
            self._above.update(self._anchors(self._latest, [seq], final=False))
        anchor = self._above[seq]
        if anchor is None:
            raise ChainUnavailable("chain.unknown_seq", seq=seq)
        return anchor

    def _read_block(self) -> Block:
        confirmations = self._trust.confirmations
        block = self._agree_on_block("finalized" if confirmations is None else "latest", confirmations or 0)
        age = int(self._clock()) - block.time
        if age > self._trust.max_lag_s:
            raise ChainUnavailable("chain.lag", block=block.number, age=age)
        return block

    def _agree_on_block(self, tag: str, depth: int) -> Block:
        """The block `depth` below the lowest one that an endpoint has under `tag`; the same for all of them."""
        answers = self._ask_all([_Call("eth_chainId", [], _quantity), _block_call(tag)])
        for url, (chain_id, _) in zip(self._urls, answers, strict=True):
            if chain_id != self.chain.chain_id:
                raise ChainUnavailable("chain.other_chain", endpoint=origin(url), chain_id=chain_id)
        blocks: set[Block] = {block for _, block in answers}
        number = min(block.number or 0 for block in blocks) - depth
        if number < 0:
            raise ChainUnavailable("chain.too_short")
        if len(blocks) > 1 or depth:
            blocks = set(self._agreed([_block_call(hex(number))]))
        (block,) = blocks
        if block.number != number:
            raise ChainUnavailable("chain.disagree")
        return block

    def _read_head(self, block: Block, seqs: Sequence[int]) -> Reading:
        at = {"blockHash": _hex(block.hash)}
        calls = [_Call("eth_getCode", [self._contract, at], self._code), self._contract_call(HEAD, at, _uint64)]
        _, head, *anchors = self._agreed([*calls, *(self._anchor_call(seq, at, final=True) for seq in seqs)])
        self._held.update(zip(seqs, anchors, strict=True))
        if head not in self._held:
            self._held.update(self._anchors(block, [head], final=True))
        newest = self._held[head]
        if newest is None:
            raise ChainUnavailable("chain.no_head", seq=head)
        silence = block.time - newest.time
        if silence > 2 * self._trust.heartbeat_s:
            raise ChainUnavailable("chain.heartbeat", seq=head, silence=silence)
        return Reading(block, head, newest)

    def _anchors(self, block: Block, seqs: Sequence[int], *, final: bool) -> dict[int, Anchor | None]:
        at = {"blockHash": _hex(block.hash)}
        return dict(zip(seqs, self._agreed([self._anchor_call(seq, at, final=final) for seq in seqs]), strict=True))

    def _code(self, result: object) -> bytes:
        code = _data(result)
        if not code:
            raise ChainUnavailable("chain.no_code", contract=self._contract)
        return code

    def _anchor_call(self, seq: int, at: object, *, final: bool) -> "_Call":
        argument = seq.to_bytes(32, "big")
        call = self._contract_call(ANCHOR_AT + argument, at, lambda result: _anchor(result, final=final))
        return call._replace(none=_hex(UNKNOWN_SEQ + argument))

    def _contract_call(self, data: bytes, at: object, decode: Callable[[object], Any]) -> "_Call":
        return _Call("eth_call", [{"to": self._contract, "data": _hex(data)}, at], decode)

    def _agreed(self, calls: Sequence["_Call"]) -> list[Any]:
        """What every endpoint answers alike."""
        answers: list[Any] = []
        for start in range(0, len(calls), MAX_CALLS):
            first, *others = self._ask_all(calls[start : start + MAX_CALLS])
            if any(other != first for other in others):
                raise ChainUnavailable("chain.disagree")
            answers += first
        return answers

    def _ask_all(self, calls: Sequence["_Call"]) -> list[list[Any]]:
        """The answers of each endpoint, in the order of the trust file."""
        if len(self._urls) == 1:
            return [self._ask(self._urls[0], calls)]
        with ThreadPoolExecutor(len(self._urls)) as pool:
            return list(pool.map(lambda url: self._ask(url, calls), self._urls))

    def _ask(self, url: str, calls: Sequence["_Call"]) -> list[Any]:
        body = [{"jsonrpc": "2.0", "id": i, "method": call.method, "params": call.params} for i, call in enumerate(calls)]
        endpoint = origin(url)
        try:
            status, answer = self._post(url, orjson.dumps(body), MAX_ANSWER_BYTES)
        except Unreachable as error:
            raise ChainUnavailable("chain.timeout" if error.timed_out else "chain.unreachable", endpoint=endpoint) from None
        if status != 200:
            raise ChainUnavailable("chain.http", endpoint=endpoint, status_code=status)
        try:
            results = _results(orjson.loads(answer), len(calls))
            return [_decoded(call, result) for call, result in zip(calls, results, strict=True)]
        except _RpcError as error:
            raise ChainUnavailable("chain.rpc_error", endpoint=endpoint, code=error.code) from None
        except ValueError:
            raise ChainUnavailable("chain.bad_answer", endpoint=endpoint) from None


def replaced_at(reader: ChainReader, seq: int) -> int | None:
    """When the register root of anchor `seq` was replaced by another, in seconds since 1970 UTC; None while it is that of head.

    A root never comes back, since every state names the entry that made it: so the first anchor that differs can be searched for.
    Raises ChainUnavailable.
    """
    low, high = seq, reader.read((seq, seq + 1)).head

    def root(at: int) -> bytes | None:
        anchor = reader.anchor(at)
        return anchor and anchor.register_root

    while root(low) != root(high):
        if high - low == 1:
            replacing = reader.anchor(high)
            return replacing and replacing.time
        # Sixteen at once, since what costs is the request, and the very next one first, since that is the usual case.
        probes = sorted({low + 1, *range(low + 1, high, (high - low) // 16 + 1)})
        reader.read(probes)
        high = next((probe for probe in probes if root(probe) != root(low)), high)
        low = max((probe for probe in probes if probe < high), default=low)
    return None


class _RpcError(Exception):
    """A call was answered with an error; `data` is what the contract reverted with, if it did."""

    def __init__(self, error: object) -> None:
        details = error if isinstance(error, dict) else {}
        code, data = details.get("code"), details.get("data")
        self.code = code if type(code) is int else 0
        # Nodes give the data as it is (Geth, Anvil), or one level down (Hardhat).
        self.data = data.get("data") if isinstance(data, dict) else data


class _Call(NamedTuple):
    """`decode` makes something of the result, or raises ValueError; a revert with the data `none` is the answer None."""

    method: str
    params: list[object]
    decode: Callable[[object], Any]
    none: str | None = None


def _block_call(tag: str) -> _Call:
    return _Call("eth_getBlockByNumber", [tag, False], _block)


def _results(answer: object, count: int) -> list[object]:
    """The results of a batch, or the error in place of one, in the order of the requests (JSON-RPC 2.0 section 6: any)."""
    if isinstance(answer, dict) and answer.get("error") is not None:
        raise _RpcError(answer["error"])
    if not isinstance(answer, list) or len(answer) != count:
        raise ValueError
    by_id = {item["id"]: item for item in answer if isinstance(item, dict) and type(item.get("id")) is int}
    if by_id.keys() != set(range(count)):
        raise ValueError
    return [item.get("result") if item.get("error") is None else _RpcError(item["error"]) for _, item in sorted(by_id.items())]


def _decoded(call: _Call, result: object) -> Any:
    if not isinstance(result, _RpcError):
        return call.decode(result)
    if call.none is not None and result.data == call.none:
        return None
    raise result


def _block(result: object) -> Block:
    if not isinstance(result, dict):
        raise ValueError
    block_hash = _data(result.get("hash"))
    if len(block_hash) != 32:
        raise ValueError
    return Block(_quantity(result.get("number")), block_hash, _quantity(result.get("timestamp")))


def _anchor(result: object, *, final: bool) -> Anchor:
    """(bytes32 logRoot, bytes32 registerRoot, uint32 size, uint64 time, uint64 blockNumber), five words."""
    words = _data(result)
    size, at = int.from_bytes(words[64:96], "big"), int.from_bytes(words[96:128], "big")
    if len(words) != 160 or size > MAX_BATCH or not 0 < at < 2**64:
        raise ValueError
    return Anchor(words[:32], words[32:64], size, at, final)


def _uint64(result: object) -> int:
    word = _data(result)
    number = int.from_bytes(word, "big")
    if len(word) != 32 or number >= 2**64:
        raise ValueError
    return number


def _quantity(result: object) -> int:
    if not isinstance(result, str) or not _QUANTITY.fullmatch(result):
        raise ValueError
    return int(result, 16)


def _data(result: object) -> bytes:
    if not isinstance(result, str) or not _DATA.fullmatch(result):
        raise ValueError
    return bytes.fromhex(result[2:])


def _hex(data: bytes | None) -> str:
    return "0x" + (data or b"").hex()


def _outcome(read: Callable[[], T]) -> T | ChainUnavailable:
    try:
        return read()
    except ChainUnavailable as failure:
        return failure


def _result(outcome: T | ChainUnavailable) -> T:
    if isinstance(outcome, ChainUnavailable):
        raise outcome
    return outcome
