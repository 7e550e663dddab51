"""The contract through all endpoints: one consistent view of it, and signed transactions to `anchor`.

Reads name their block by its hash, so that one view never mixes two forks. What endpoints say must agree; one that is down, behind
or talks nonsense is left out and reported, one that contradicts stops everything. Verifiers read by their own reader
(verifier/chain.py), which leaves out nobody.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from eth_abi.abi import encode
from eth_account import Account
from eth_utils.crypto import keccak

from service.chain.endpoint import TOO_LARGE, Block, ChainTrouble, Endpoint, block_call, revert_data, said
from service.trouble import Trouble
from verifier.entry import MAX_BATCH

T = TypeVar("T")

GAS_LIMIT = 150_000
"""One anchor costs 105,000 at most, whatever its size; an explicit limit spares an estimate."""
BEHIND_S = 60
"""An endpoint whose newest block is that much older than another's is frozen or syncing."""
_USUAL_TIP = 10**9
"""Where no endpoint suggests a tip."""

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
_WRONG_SEQ = "0x" + _selector("WrongSeq(uint64,uint64)").hex()

# What nodes (Geth, Nethermind, Besu, Erigon, Reth, Anvil) say of a transaction that they have, or that is mined already …
_TAKEN = ("already", "known transaction", "nonce too low", "oldnonce")
# … and of one that pays too little for its place or for the next block.
_UNDERPRICED = ("underpriced", "replacementnotallowed", "feetoolow", "less than block base fee", "less than the current basefee")


_CONTRADICTIONS = frozenset((Trouble.WRONG_CHAIN, Trouble.NO_CONTRACT, Trouble.FINAL_VANISHED))
"""An endpoint in one of these is not down: it speaks of another chain than the others."""


class NotSent(Exception):
    """No node took the transaction; the text is the nodes'."""

    def __init__(self, said: str) -> None:
        super().__init__(said)
        self.is_underpriced = any(word in said.lower() for word in _UNDERPRICED)


class Anchored(NamedTuple):
    """What the contract holds for a seq; `time` in seconds."""

    log_root: bytes
    register_root: bytes
    size: int
    time: int
    block_number: int


@dataclass(frozen=True)
class View:
    """The contract at one latest and one final block.

    Of the `seqs` that were asked for, one that is not in `latest` or `final` is not held there. Fees and `balance` are in wei;
    `nonce` is that of the next transaction. `left_out` are endpoints by scheme and host.
    """

    latest_block: Block
    final_block: Block
    first_seq: int
    head: int
    final_head: int
    paused: bool
    may_anchor: bool
    balance: int
    nonce: int
    base_fee: int
    tip: int
    seqs: frozenset[int]
    latest: dict[int, Anchored] = field(default_factory=dict)
    final: dict[int, Anchored] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


class Chain:
    """The contract at `contract` through all endpoints; `key` (32 bytes) signs, where there is one.

    `confirmations` blocks make a block final on a chain that does not say so itself.
    """

    def __init__(
        self,
        urls: Sequence[str],
        contract: str,
        chain_id: int,
        *,
        key: bytes | None = None,
        confirmations: int | None = None,
        timeout_s: float = 5.0,
    ) -> None:
        self._endpoints = [Endpoint(url, timeout_s) for url in urls]
        self._pool = ThreadPoolExecutor(len(urls)) if len(urls) > 1 else None
        self.contract = contract
        self.chain_id = chain_id
        self._account = Account.from_key(key) if key else None
        self._confirmations = confirmations
        self._last: tuple[object, View] | None = None

    def view(self, seqs: Sequence[int], known: Block | None = None) -> View:
        """The contract now, with what it holds for `seqs`. Raises ChainTrouble.

        `known` is a block that was final already: final it stays, and an endpoint that has another one in its place, or none, is
        not read. The final block is the lowest of what the endpoints call final, so that one of them alone can hurry nothing.
        """
        if not self._endpoints:
            raise ChainTrouble(Trouble.UNREACHABLE, "no endpoint is set")
        failures: list[tuple[Endpoint, ChainTrouble]] = []
        found = self._each(self._endpoints, lambda endpoint: self._blocks(endpoint, known), failures)
        newest = max((latest.time for _, (latest, _) in found), default=0)
        up = [(endpoint, latest, final) for endpoint, (latest, final) in found if newest - latest.time <= BEHIND_S]
        for endpoint, (latest, _) in found:
            if newest - latest.time > BEHIND_S:
                failures.append((endpoint, ChainTrouble(Trouble.BEHIND, f"{endpoint.origin} stands at block {latest.number}")))
        view = None
        if up:
            latest = min((one[1] for one in up), key=lambda block: block.number)
            final = min((one[2] for one in up), key=lambda block: block.number)
            # Also of those that are behind: their past is the others' too.
            finals = frozenset(one for _, (_, one) in found if one.number <= latest.number)
            key = (latest, final, finals, tuple(seqs), [endpoint.origin for endpoint, _, _ in up])
            if self._last is not None and self._last[0] == key:
                view = self._last[1]  # everything is read by the hash of a block, so nothing can have changed
            else:
                view = self._agreed([one[0] for one in up], latest, final, finals, seqs, failures)
                self._last = None if view is None else (key, view)
        _judge(failures, has_view=view is not None)
        assert view is not None
        return replace(view, left_out=tuple(sorted(endpoint.origin for endpoint, _ in failures)))

    def _each(
        self, endpoints: Sequence[Endpoint], ask: Callable[[Endpoint], T], failures: list[tuple[Endpoint, ChainTrouble]]
    ) -> list[tuple[Endpoint, T]]:
        """Ask all at once; who failed, and how, is added to `failures`."""

        def outcome(endpoint: Endpoint) -> T | ChainTrouble:
            try:
                return ask(endpoint)
            except ChainTrouble as trouble:
                return trouble

        outcomes = list((self._pool.map if self._pool else map)(outcome, endpoints))
        pairs = list(zip(endpoints, outcomes, strict=True))
        failures += [(endpoint, answer) for endpoint, answer in pairs if isinstance(answer, ChainTrouble)]
        return [(endpoint, answer) for endpoint, answer in pairs if not isinstance(answer, ChainTrouble)]

    def _blocks(self, endpoint: Endpoint, known: Block | None) -> tuple[Block, Block]:
        """Its latest and its final block."""
        tag = "latest" if self._confirmations else "finalized"
        calls = [("eth_chainId", []), block_call("latest"), block_call(tag)]
        answers = endpoint.batch([*calls, block_call(known.number)] if known else calls)
        chain_id = endpoint.number(endpoint.value(answers[0]))
        if chain_id != self.chain_id:
            raise ChainTrouble(Trouble.WRONG_CHAIN, f"{endpoint.origin} is on chain {chain_id} instead of {self.chain_id}")
        latest, final = (endpoint.block(endpoint.value(answer)) for answer in answers[1:3])
        if self._confirmations:
            wanted = max(0, latest.number - self._confirmations)
            final = endpoint.block(endpoint.value(endpoint.batch([block_call(wanted)])[0]))
        if known is None:
            return latest, final
        if answers[3].get("result") is None:
            raise ChainTrouble(Trouble.BEHIND, f"{endpoint.origin} does not have block {known.number}")
        if endpoint.block(answers[3]["result"]).hash != known.hash:
            raise ChainTrouble(Trouble.FINAL_VANISHED, f"{endpoint.origin} has another block {known.number} than the final one")
        return latest, final if final.number >= known.number else known

    def _agreed(
        self,
        endpoints: Sequence[Endpoint],
        latest: Block,
        final: Block,
        finals: frozenset[Block],
        seqs: Sequence[int],
        failures: list[tuple[Endpoint, ChainTrouble]],
    ) -> View | None:
        """What all of them say of the contract at these blocks; None where none of them says anything."""
        views = self._each(endpoints, lambda endpoint: self._read(endpoint, latest, final, finals, seqs), failures)
        if not views:
            return None
        tip = min(view.tip for _, view in views)
        (_, first), *others = [(endpoint, replace(view, tip=tip)) for endpoint, view in views]
        for endpoint, other in others:
            if other != first:
                raise ChainTrouble(Trouble.ENDPOINTS_DISAGREE, f"{endpoint.origin} about the contract at block {latest.number}")
        return first

    def _read(self, endpoint: Endpoint, latest: Block, final: Block, finals: frozenset[Block], seqs: Sequence[int]) -> View:
        here, there = ({"blockHash": "0x" + block.hash.hex()} for block in (latest, final))
        address = self._account.address if self._account else "0x" + "00" * 20
        calls: list[tuple[str, list[Any]]] = [
            block_call(latest.number),
            ("eth_getCode", [self.contract, here]),
            ("eth_getCode", [self.contract, there]),
            ("eth_getBalance", [address, here]),
            ("eth_getTransactionCount", [address, here]),
            ("eth_maxPriorityFeePerGas", []),
            self._call(_FIRST_SEQ, here),
            self._call(_HEAD, here),
            self._call(_PAUSED, here),
            self._call(_HAS_ROLE + encode(["bytes32", "address"], [_ANCHORER_ROLE, address]), here),
            self._call(_HEAD, there),
        ]
        calls += [block_call(block.number) for block in finals]
        fixed = len(calls)
        for at in (here, there):
            calls += [self._call(_ANCHOR_AT + encode(["uint64"], [seq]), at) for seq in seqs]
        answers = endpoint.batch(calls)
        newest = endpoint.value(answers[0])
        if endpoint.block(newest).hash != latest.hash:
            raise ChainTrouble(
                Trouble.UNSETTLED, f"{endpoint.origin} has another block {latest.number}, or a reorganisation goes on"
            )
        for block, answer in zip(finals, answers[fixed - len(finals) : fixed], strict=True):
            if endpoint.block(endpoint.value(answer)).hash != block.hash:
                raise ChainTrouble(Trouble.ENDPOINTS_DISAGREE, f"{endpoint.origin} about final block {block.number}")
        code, final_code = (endpoint.value(answer) for answer in answers[1:3])
        if code == "0x":
            raise ChainTrouble(Trouble.NO_CONTRACT, f"{endpoint.origin} has no code at the contract's address")
        is_final = final_code != "0x"  # else deployed after the final block: nothing is held there yet
        balance, nonce = (endpoint.number(endpoint.value(answer)) for answer in answers[3:5])
        if nonce >= TOO_LARGE:
            raise endpoint.bad_answer("a nonce that nobody comes to")
        first_seq, head, paused, may_anchor = (endpoint.word(answer) for answer in answers[6:10])
        if not 0 < first_seq <= head + 1 < TOO_LARGE:
            raise endpoint.bad_answer("sequence numbers that no contract of ours has")
        held = [_anchored(endpoint, answer) for answer in answers[fixed : fixed + len(seqs)]]
        held_final = [_anchored(endpoint, answer) if is_final else None for answer in answers[fixed + len(seqs) :]]
        return View(
            latest_block=latest,
            final_block=final,
            first_seq=first_seq,
            head=head,
            final_head=endpoint.word(answers[10]) if is_final else 0,
            paused=bool(paused),
            may_anchor=bool(may_anchor),
            balance=balance,
            nonce=nonce,
            base_fee=endpoint.number(newest.get("baseFeePerGas", "0x0")),
            tip=endpoint.number(answers[5]["result"]) if answers[5].get("result") else _USUAL_TIP,
            seqs=frozenset(seqs),
            latest={seq: a for seq, a in zip(seqs, held, strict=True) if a is not None},
            final={seq: a for seq, a in zip(seqs, held_final, strict=True) if a is not None},
        )

    def refusal(self, block: Block, seq: int, log_root: bytes, size: int, register_root: bytes) -> str | None:
        """Why the contract would refuse this anchor at `block`: what it reverts with; None where it would take it.

        `seq` follows the head of that block. An endpoint that calls it wrong answers about another block than it was asked, as
        some do while one is being added: that is no answer. Raises ChainTrouble.
        """
        assert self._account is not None
        call = {
            "from": self._account.address,
            "to": self.contract,
            "gas": hex(GAS_LIMIT),
            "data": "0x" + _anchor_data(seq, log_root, size, register_root).hex(),
        }
        failures: list[tuple[Endpoint, ChainTrouble]] = []
        found = self._each(
            self._endpoints,
            lambda endpoint: endpoint.batch([("eth_call", [call, {"blockHash": "0x" + block.hash.hex()}])])[0],
            failures,
        )
        for _, answer in found:
            if answer.get("error") is None:
                return None
        for endpoint, answer in found:
            data = revert_data(answer)
            if data and not data.startswith(_WRONG_SEQ):
                return data
            failures.append((endpoint, endpoint.bad_answer(said(answer))))
        raise failures[0][1]

    def sign_anchor(
        self, nonce: int, seq: int, log_root: bytes, size: int, register_root: bytes, *, max_fee: int, tip: int
    ) -> tuple[bytes, bytes]:
        """(hash, signed bytes) of a transaction that anchors; fees in wei for one unit of gas. Nothing is sent."""
        assert self._account is not None
        signed = self._account.sign_transaction(
            {
                "type": 2,
                "chainId": self.chain_id,
                "nonce": nonce,
                "to": bytes.fromhex(self.contract[2:]),
                "value": 0,
                "data": _anchor_data(seq, log_root, size, register_root),
                "gas": GAS_LIMIT,
                "maxFeePerGas": max_fee,
                "maxPriorityFeePerGas": tip,
            }
        )
        return bytes(signed.hash), bytes(signed.raw_transaction)

    def send(self, raw: bytes) -> None:
        """Hand a signed transaction to every endpoint: one alone may swallow it. Raises NotSent where none took it.

        That a node has it, or that its nonce is used up, is as good as taken: what the contract holds shows in the next view.
        """
        failures: list[tuple[Endpoint, ChainTrouble]] = []
        call = ("eth_sendRawTransaction", ["0x" + raw.hex()])
        answers = self._each(self._endpoints, lambda endpoint: endpoint.batch([call])[0], failures)
        messages = [said(answer) for _, answer in answers if answer.get("error") is not None]
        refused = [message for message in messages if not any(word in message.lower() for word in _TAKEN)]
        if len(refused) == len(answers):
            raise NotSent("; ".join([*refused, *(failure.detail for _, failure in failures)]))

    def knows(self, transaction: bytes) -> bool:
        """Whether some endpoint has the transaction, in its pool or mined. Raises ChainTrouble where none answers."""
        failures: list[tuple[Endpoint, ChainTrouble]] = []
        call = ("eth_getTransactionByHash", ["0x" + transaction.hex()])
        answers = self._each(self._endpoints, lambda endpoint: endpoint.batch([call])[0], failures)
        if not answers:
            raise failures[0][1]
        return any(answer.get("result") for _, answer in answers)

    def _call(self, data: bytes, block: object) -> tuple[str, list[Any]]:
        return "eth_call", [{"to": self.contract, "data": "0x" + data.hex()}, block]


def _judge(failures: Sequence[tuple[Endpoint, ChainTrouble]], *, has_view: bool) -> None:
    """Raise what must not be passed over: everything where there is no view, and else a contradiction."""
    by_code = {failure.code: failure for _, failure in reversed(failures)}
    contradicting = [by_code[code] for code in by_code if code in _CONTRADICTIONS]
    for code in (Trouble.ENDPOINTS_DISAGREE, Trouble.UNSETTLED):
        if code in by_code:
            raise by_code[code]
    if has_view and contradicting:
        raise ChainTrouble(Trouble.ENDPOINTS_DISAGREE, contradicting[0].detail)
    if not has_view:
        raise contradicting[0] if contradicting else failures[0][1]


def _anchor_data(seq: int, log_root: bytes, size: int, register_root: bytes) -> bytes:
    return _ANCHOR + encode(["uint64", "bytes32", "uint32", "bytes32"], [seq, log_root, size, register_root])


def _anchored(endpoint: Endpoint, answer: dict[str, Any]) -> Anchored | None:
    """None only where the contract itself says that it does not hold the seq: any other failure is no answer."""
    if (revert_data(answer) or "").startswith(_UNKNOWN_SEQ):
        return None
    data = endpoint.data(answer, 160)
    size, time, block_number = (int.from_bytes(data[start : start + 32], "big") for start in (64, 96, 128))
    if size > MAX_BATCH or not 0 < time < TOO_LARGE or block_number >= TOO_LARGE:
        raise endpoint.bad_answer("an anchor that the contract would not store")
    return Anchored(data[:32], data[32:64], size, time, block_number)
