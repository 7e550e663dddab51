"""The judge of a service under trouble. It stands outside: it has the answers that clients kept, and the chain.

What the service says about itself counts for nothing until the chain, or a receipt in a client's hands, bears it out.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Any, NamedTuple

from tests.chain import RegistryContract
from verifier.chain import RpcReader
from verifier.commitment import SECTIONS
from verifier.entry import Entry, Kind
from verifier.merkle import leaf_hash, tree_hash
from verifier.proof import AnchoredProof, parse_proof
from verifier.question import Question
from verifier.report import Report
from verifier.transport import HttpClient
from verifier.trust import Trust
from verifier.verify import verify

Ask = Callable[..., tuple[int, bytes]]
"""ask(method, path, body=None): status and body of the service's answer."""

UNKNOWN_NUMBER = "26112999999999999999"


class Kept(NamedTuple):
    """An invoice that a client sent, and the answer that acknowledged it."""

    sections: dict[str, Any]
    answer: dict[str, Any]

    @property
    def number(self) -> str:
        return str(self.answer["number"])

    @property
    def entry(self) -> Entry:
        return entry_of(self.answer)

    def question(self) -> Question:
        return Question(self.number, bytes.fromhex(self.answer["commitment"]))

    def pending_file(self) -> bytes:
        """The proof file that the issuer can make from the first moment."""
        shown = {**self.sections, **self.answer["sections"]}
        salts = self.answer["salts"]
        return json.dumps(
            {
                "protocol": "zp1",
                "chain": self.answer["chain"],
                "sections": {name: {"salt": salts[name], "value": shown[name]} for name in SECTIONS},
                "entry": self.answer["entry"],
                "receipt": self.answer["receipt"],
            }
        ).encode()


class Anchored(NamedTuple):
    """What the contract's event says of a seq; `time` in seconds."""

    log_root: bytes
    size: int
    register_root: bytes
    time: int
    transaction: str


def entry_of(answer: dict[str, Any]) -> Entry:
    """The entry in an answer that acknowledged an issue or a void."""
    told = answer["entry"]
    parts = (bytes.fromhex(told[name]) for name in ("key", "copy", "other", "auth"))
    return Entry(Kind[told["kind"].upper()], told["recorded_at"], *parts)


class Oracle:
    """`clock` gives the verifier's seconds since 1970 UTC."""

    def __init__(self, ask: Ask, contract: RegistryContract, trust: Trust, clock: Callable[[], float]) -> None:
        self._ask = ask
        self._contract = contract
        self._trust = trust._replace(rpc_urls=(contract.chain.url,))
        self._clock = clock
        self._reader = self._new_reader()

    def check(
        self,
        kept: Sequence[Kept],
        voided: Sequence[dict[str, Any]] = (),
        *,
        foreign: Collection[int] = (),
        by_others: Collection[int] = (),
        notes: int = 0,
        broken: Collection[str] = (),
    ) -> int:
        """Nothing acknowledged is lost, no seq is anchored twice, everything verifies, promises are kept but those of `broken`.

        `voided` are the answers that acknowledged voids, `foreign` the seqs that are not ours, `by_others` those that
        others anchored with our roots, `notes` how many notes there are. Everything has to be final.
        Returns how many anchors there are.
        """
        self._reader = self._new_reader()
        anchors = self.anchors()
        places = self._places(anchors, foreign)
        answers = [*(one.answer for one in kept), *voided]
        for answer in answers:
            self._check_place(answer, places, anchors, broken)
        assert places.total() == len(answers) + notes, "entries on the chain that nobody was told of"
        gone = {answer["number"] for answer in voided}
        for one in kept:
            self._check_proof(one, places, "void" if one.number in gone else "valid")
        assert self.verdict(self._get("POST", "/v1/proofs", {"number": UNKNOWN_NUMBER}), Question(UNKNOWN_NUMBER, None)) == "absent"
        for seq in anchors.keys() - set(foreign) - set(by_others):
            told = json.loads(self._get("GET", f"/v1/anchors/{seq}"))
            assert anchors[seq].transaction in told["transactions"], f"seq {seq} was anchored by a transaction that nobody kept"
        self._check_words(anchors)
        return len(anchors)

    def anchors(self) -> dict[int, Anchored]:
        """Every anchor at the final block, from the contract's events. No seq is there twice, and none is left out."""
        asked = {"address": self._contract.address, "fromBlock": "0x0", "toBlock": "finalized"}
        events = self._contract.chain.rpc("eth_getLogs", {**asked, "topics": [_ANCHORED]})
        found: dict[int, Anchored] = {}
        for event in events:
            data = bytes.fromhex(event["data"][2:])
            log_root, size, register_root, time = (data[start : start + 32] for start in (0, 32, 64, 96))
            seq = int(event["topics"][1], 16)
            assert seq not in found, f"seq {seq} is anchored twice"
            facts = log_root, int.from_bytes(size, "big"), register_root, int.from_bytes(time, "big")
            found[seq] = Anchored(*facts, event["transactionHash"])
        assert sorted(found) == list(range(1, len(found) + 1))
        return found

    def verdict(self, file: bytes, question: Question) -> str:
        return self.report(file, question).verdict

    def report(self, file: bytes, question: Question) -> Report:
        return verify(file, [self._reader], question)

    def _new_reader(self) -> RpcReader:
        return RpcReader(self._trust, HttpClient(timeout_s=30), self._clock)

    def _places(self, anchors: dict[int, Anchored], foreign: Collection[int]) -> "Counter[tuple[bytes, int]]":
        """How often each leaf stands in each batch, after the batch was held against the chain."""
        places: Counter[tuple[bytes, int]] = Counter()
        for seq, anchor in anchors.items():
            if seq in foreign:
                assert json.loads(self._get("GET", f"/v1/anchors/{seq}"))["foreign"]
                continue
            data = self._get("GET", f"/v1/anchors/{seq}/leaves")
            leaves = [data[start : start + 32] for start in range(0, len(data), 32)]
            assert (tree_hash(leaves), len(leaves)) == (anchor.log_root, anchor.size), f"batch {seq} is not what was anchored"
            places.update((leaf, seq) for leaf in leaves)
        return places

    def _check_place(
        self,
        answer: dict[str, Any],
        places: "Counter[tuple[bytes, int]]",
        anchors: dict[int, Anchored],
        broken: Collection[str],
    ) -> None:
        leaf = leaf_hash(entry_of(answer).encode())
        seqs = [seq for (other, seq), count in places.items() if other == leaf for _ in range(count)]
        assert seqs, f"{answer['number']} was acknowledged and is lost"
        assert len(seqs) == 1, f"{answer['number']} stands in batches {seqs}"
        in_time = anchors[seqs[0]].time * 1000 < answer["receipt"]["deadline"] + 1000
        assert in_time == (answer["number"] not in broken), f"the promise for {answer['number']}: anchored in time is {in_time}"

    def _check_proof(self, one: Kept, places: "Counter[tuple[bytes, int]]", expected: str) -> None:
        file = self._get("POST", "/v1/proofs", {"number": one.number, "commitment": one.answer["commitment"]})
        report = self.report(file, one.question())
        assert report.verdict == expected, [(check.name, check.detail("en")) for check in report.checks]
        proof = parse_proof(file)
        assert isinstance(proof, AnchoredProof)
        assert proof.entry == one.entry
        assert (leaf_hash(one.entry.encode()), proof.inclusion.seq) in places
        own = self.report(one.pending_file(), one.question())
        assert [check.result for check in own.checks[:4]] == ["pass"] * 4, own.checks

    def _check_words(self, anchors: dict[int, Anchored]) -> None:
        """At rest the service says what the chain says."""
        status = json.loads(self._get("GET", "/status"))
        expected = {"trouble": None, "backlog": 0, "final_head": len(anchors), "head": self._contract.head()}
        told = {name: status[name] for name in expected}
        assert told == expected, f"the service says {told}, and the truth is {expected}"
        assert "zhengpiao_trouble{" not in self._get("GET", "/metrics").decode()

    def _get(self, method: str, path: str, body: Any = None) -> bytes:
        status, answer = self._ask(method, path, body)
        assert status == 200, f"{method} {path}: {status} {answer[:500]!r}"
        return answer


_ANCHORED = RegistryContract.topic("Anchored(uint64,bytes32,uint32,bytes32,uint64)")
