"""The chain as the worker uses it: one consistent view over all endpoints, and signed transactions to `anchor`.

Reads name their block by its hash, so that one view never mixes two forks. Endpoints that answer must agree; one that is down or
frozen is left out and reported. Verifiers read by their own reader (verifier/chain.py), which leaves out nobody.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import requests
from eth_abi.abi import decode, encode
from eth_account import Account
from eth_utils.crypto import keccak
from web3 import HTTPProvider

GAS_LIMIT = 150_000
"""One anchor costs 105,000 at most, whatever its size; an explicit limit spares an estimate."""

_ANCHORER_ROLE = keccak(text="ANCHORER_ROLE")


def _selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


_HEAD = _selector("head()")
_ANCHOR_AT = _selector("anchorAt(uint64)")
_FIRST_SEQ = _selector("firstSeq()")
_PAUSED = _selector("paused()")
_HAS_ROLE = _selector("hasRole(bytes32,address)")
_ANCHOR = _selector("anchor(uint64,bytes32,uint32,bytes32)")
_UNKNOWN_SEQ = "0x" + _selector("UnknownSeq(uint64)").hex()


class ChainTrouble(Exception):
    """What keeps anchors from being read or mined. `code` is fixed: it shows in /status, metrics and alarms."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class NotSent(Exception):
    """The node did not take the transaction; the text is the node's."""


class Block(NamedTuple):
    number: int
    hash: bytes
    time: int


class Anchored(NamedTuple):
    """What the contract holds for a seq; `time` in seconds."""

    log_root: bytes
    register_root: bytes
    size: int
    time: int
    block_number: int


@dataclass(frozen=True)
class View:
    """The contract at one latest and one final block. An anchor that is not in `latest` or `final` is not held there."""

    latest_block: Block
    final_block: Block
    head: int
    final_head: int
    paused: bool
    may_anchor: bool
    balance: int
    nonce: int
    base_fee: int
    tip: int
    latest: dict[int, Anchored] = field(default_factory=dict)
    final: dict[int, Anchored] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


class Endpoint:
    """One JSON-RPC endpoint."""

    def __init__(self, url: str, timeout_s: float) -> None:
        self.url = url
        self._provider = HTTPProvider(url, request_kwargs={"timeout": timeout_s}, exception_retry_configuration=None)

    def batch(self, calls: Sequence[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
        """The answers (each with `result` or `error`) of several calls in one request. Raises ChainTrouble("unreachable")."""
        try:
            answers = self._provider.make_batch_request([(method, params) for method, params in calls])  # type: ignore[misc]
        except (requests.RequestException, OSError, ValueError, TypeError, KeyError) as error:
            raise ChainTrouble("unreachable", f"{type(error).__name__}") from error
        if not isinstance(answers, list) or len(answers) != len(calls) or not all(isinstance(a, dict) for a in answers):
            raise ChainTrouble("unreachable", "an answer that is no answer to what was asked")
        return [dict(answer) for answer in answers]


class Chain:
    """The contract at `contract` through all endpoints; `key` (32 bytes) signs, where there is one."""

    def __init__(
        self,
        urls: Sequence[str],
        contract: str,
        chain_id: int,
        *,
        key: bytes | None = None,
        confirmations: int | None = None,
        max_lag_s: int = 3600,
        timeout_s: float = 5.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._endpoints = [Endpoint(url, timeout_s) for url in urls]
        self.contract = contract
        self.chain_id = chain_id
        self._account = Account.from_key(key) if key else None
        self._confirmations = confirmations
        self._max_lag_s = max_lag_s
        self._clock = clock

    def first_seq(self) -> int:
        """The first sequence number of the contract, given to its constructor."""
        answer = self._endpoints[0].batch([self._call(_FIRST_SEQ, "latest")])[0]
        return int.from_bytes(_result(answer), "big")

    def view(self, seqs: Sequence[int]) -> View:
        """The contract now, with what it holds for `seqs`. Raises ChainTrouble."""
        answering: list[tuple[Endpoint, Block, Block]] = []
        left_out: list[str] = []
        trouble: ChainTrouble | None = None
        for endpoint in self._endpoints:
            try:
                latest, final = self._blocks(endpoint)
            except ChainTrouble as error:
                if error.code == "wrong_chain":
                    raise
                trouble = error
                left_out.append(endpoint.url)
                continue
            answering.append((endpoint, latest, final))
        fresh = [one for one in answering if self._clock() - one[2].time <= self._max_lag_s]
        if fresh:
            left_out += [endpoint.url for endpoint, _, final in answering if self._clock() - final.time > self._max_lag_s]
            answering = fresh
        if not answering:
            raise trouble or ChainTrouble("unreachable", "no endpoint is set")
        final = min((one[2] for one in answering), key=lambda block: block.number)
        latest = min((one[1] for one in answering), key=lambda block: block.number)
        views = [self._read(endpoint, latest, final, seqs) for endpoint, _, _ in answering]
        first = views[0]
        for other in views[1:]:
            if (other.final_head, other.final) != (first.final_head, first.final):
                raise ChainTrouble("endpoints_disagree", f"about final block {final.number}")
        return View(**{**first.__dict__, "left_out": tuple(left_out)})

    def _blocks(self, endpoint: Endpoint) -> tuple[Block, Block]:
        tag = "latest" if self._confirmations else "finalized"
        chain_id, latest, final = (
            _result_of(answer)
            for answer in endpoint.batch(
                [
                    ("eth_chainId", []),
                    ("eth_getBlockByNumber", ["latest", False]),
                    ("eth_getBlockByNumber", [tag, False]),
                ]
            )
        )
        if _number(chain_id) != self.chain_id:
            raise ChainTrouble("wrong_chain", f"chain {_number(chain_id)} instead of {self.chain_id}")
        if self._confirmations:
            wanted = max(0, _block(latest).number - self._confirmations)
            final = _result_of(endpoint.batch([("eth_getBlockByNumber", [hex(wanted), False])])[0])
        return _block(latest), _block(final)

    def _read(self, endpoint: Endpoint, latest: Block, final: Block, seqs: Sequence[int]) -> View:
        here, there = ({"blockHash": "0x" + block.hash.hex()} for block in (latest, final))
        address = self._account.address if self._account else "0x" + "00" * 20
        calls: list[tuple[str, list[Any]]] = [
            ("eth_getBlockByNumber", [hex(latest.number), False]),
            ("eth_getBlockByNumber", [hex(final.number), False]),
            ("eth_getCode", [self.contract, hex(final.number)]),
            ("eth_getCode", [self.contract, hex(latest.number)]),
            self._call(_HEAD, here),
            self._call(_HEAD, there),
            self._call(_PAUSED, here),
            self._call(_HAS_ROLE + encode(["bytes32", "address"], [_ANCHORER_ROLE, address]), here),
            ("eth_getBalance", [address, "latest"]),
            ("eth_getTransactionCount", [address, "latest"]),
            ("eth_maxPriorityFeePerGas", []),
        ]
        fixed = len(calls)
        calls += [self._call(_ANCHOR_AT + encode(["uint64"], [seq]), here) for seq in seqs]
        calls += [self._call(_ANCHOR_AT + encode(["uint64"], [seq]), there) for seq in seqs]
        answers = endpoint.batch(calls)
        latest_again, final_again, code, code_now = (_result_of(answer) for answer in answers[:4])
        if _block(final_again).hash != final.hash:
            raise ChainTrouble("endpoints_disagree", f"about the hash of final block {final.number}")
        if _block(latest_again).hash != latest.hash:
            raise ChainTrouble("unsettled", "a reorganisation went on while reading")
        if code_now in ("0x", ""):
            raise ChainTrouble("no_contract", "no code at the contract's address")
        is_final = code not in ("0x", "")  # else deployed after the final block: nothing is held there yet
        head, paused, may_anchor = (_word(_result(answers[n])) for n in (4, 6, 7))
        final_head = _word(_result(answers[5])) if is_final else 0
        balance, nonce = (_number(_result_of(answer)) for answer in answers[8:10])
        tip = _number(answers[10]["result"]) if "result" in answers[10] else 10**9
        held = [_anchored(answer) for answer in answers[fixed : fixed + len(seqs)]]
        held_final = [_anchored(answer) if is_final else None for answer in answers[fixed + len(seqs) :]]
        return View(
            latest_block=latest,
            final_block=final,
            head=head,
            final_head=final_head,
            paused=bool(paused),
            may_anchor=bool(may_anchor),
            balance=balance,
            nonce=nonce,
            base_fee=_number(latest_again.get("baseFeePerGas", "0x0")),
            tip=tip,
            latest={seq: a for seq, a in zip(seqs, held, strict=True) if a is not None},
            final={seq: a for seq, a in zip(seqs, held_final, strict=True) if a is not None},
        )

    def sign_anchor(
        self, nonce: int, seq: int, log_root: bytes, size: int, register_root: bytes, *, max_fee: int, tip: int
    ) -> tuple[bytes, bytes]:
        """(hash, signed bytes) of a transaction that anchors; fees in wei for one unit of gas. Nothing is sent."""
        assert self._account is not None
        data = _ANCHOR + encode(["uint64", "bytes32", "uint32", "bytes32"], [seq, log_root, size, register_root])
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": nonce,
                "to": bytes.fromhex(self.contract[2:]),
                "value": 0,
                "data": data,
                "gas": GAS_LIMIT,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": min(tip, max_fee),
            }
        )
        return bytes(signed.hash), bytes(signed.raw_transaction)

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to every endpoint. Raises NotSent, with what the nodes said, where none took it.

        That a node has it already is as good as taken.
        """
        said = []
        for endpoint in self._endpoints:
            try:
                answer = endpoint.batch([("eth_sendRawTransaction", ["0x" + raw.hex()])])[0]
            except ChainTrouble as error:
                said.append(error.detail)
                continue
            message = str(answer.get("error", {}).get("message", "")) if "result" not in answer else ""
            if not message or "already known" in message or "already imported" in message:
                return
            said.append(message[:200])
        raise NotSent("; ".join(said))

    def outcome(self, transaction: bytes) -> tuple[bool, bool | None]:
        """(known to some endpoint, True mined and succeeded, False mined and reverted, None not mined)."""
        known = False
        for endpoint in self._endpoints:
            try:
                by_hash, receipt = endpoint.batch(
                    [
                        ("eth_getTransactionByHash", ["0x" + transaction.hex()]),
                        ("eth_getTransactionReceipt", ["0x" + transaction.hex()]),
                    ]
                )
            except ChainTrouble:
                continue
            if receipt.get("result"):
                return True, receipt["result"].get("status") == "0x1"
            known = known or bool(by_hash.get("result"))
        return known, None

    def _call(self, data: bytes, block: object) -> tuple[str, list[Any]]:
        return "eth_call", [{"to": self.contract, "data": "0x" + data.hex()}, block]


def _result_of(answer: dict[str, Any]) -> Any:
    if answer.get("result") is None:
        raise ChainTrouble("unreachable", str(answer.get("error", "an empty answer"))[:200])
    return answer["result"]


def _result(answer: dict[str, Any]) -> bytes:
    result = _result_of(answer)
    try:
        data = bytes.fromhex(result[2:])
    except (TypeError, ValueError):
        data = b""
    if not data:
        raise ChainTrouble("unreachable", "an empty answer of the contract")
    return data


def _word(data: bytes) -> int:
    if len(data) != 32:
        raise ChainTrouble("unreachable", "an answer of the wrong length")
    return int.from_bytes(data, "big")


def _number(value: Any) -> int:
    try:
        return int(value, 16)
    except (TypeError, ValueError):
        raise ChainTrouble("unreachable", "an answer that is no number") from None


def _block(value: Any) -> Block:
    try:
        return Block(_number(value["number"]), bytes.fromhex(value["hash"][2:]), _number(value["timestamp"]))
    except (TypeError, KeyError, ValueError):
        raise ChainTrouble("unreachable", "an answer that is no block") from None


def _anchored(answer: dict[str, Any]) -> Anchored | None:
    """None only where the contract itself says that it does not hold the seq: any other failure is no answer."""
    error = answer.get("error")
    if error is not None:
        if _UNKNOWN_SEQ in str(error.get("data", "")):
            return None
        raise ChainTrouble("unreachable", str(error.get("message", error))[:200])
    data = _result(answer)
    if len(data) != 160:
        raise ChainTrouble("unreachable", "an answer of the wrong length")
    anchored = Anchored(*decode(["bytes32", "bytes32", "uint32", "uint64", "uint64"], data))
    if anchored.time == 0:
        raise ChainTrouble("unreachable", "an anchor without a time")
    return anchored
