"""Every vector, each as its own test."""

from typing import Any

import pytest

from tests.vector_files import PROOFS, ProofCase, proof_cases, vector
from verifier.canonical import canonical_bytes
from verifier.commitment import SECTIONS, commitment_of, copy_of, section_leaf
from verifier.entry import ZERO, Kind, decode_entry, number_key
from verifier.errors import NotAllowed, NotCanonical
from verifier.merkle import inclusion_path, leaf_hash, root_from_path, tree_hash
from verifier.register import (
    State,
    apply,
    decode_state,
    register_leaf,
    register_root,
    root_from_absence,
    root_from_presence,
)
from verifier.verify import verify

CANONICAL = vector("canonical")
REPLAY = vector("replay")


@pytest.mark.parametrize("case", CANONICAL["valid"], ids=lambda case: case["canonical_hex"][:24])
def test_canonical(case: Any) -> None:
    assert canonical_bytes(case["value"]).hex() == case["canonical_hex"]


@pytest.mark.parametrize("case", CANONICAL["invalid"], ids=lambda case: case["why"])
def test_not_canonical(case: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical_bytes(case["value"])


@pytest.mark.parametrize("case", vector("commitment"), ids=lambda case: case["sections"]["header"]["number"])
def test_commitment(case: Any) -> None:
    leaves = [
        section_leaf(index, bytes.fromhex(case["salts"][name]), canonical_bytes(case["sections"][name]))
        for index, name in enumerate(SECTIONS)
    ]
    assert [leaf.hex() for leaf in leaves] == case["section_leaves"]
    assert commitment_of(leaves).hex() == case["commitment"]
    assert copy_of(commitment_of(leaves)).hex() == case["copy"]


@pytest.mark.parametrize("case", vector("keys"), ids=lambda case: case["number"])
def test_key(case: Any) -> None:
    assert number_key(case["number"]).hex() == case["key"]


@pytest.mark.parametrize("case", vector("log_tree"), ids=lambda case: f"{len(case['leaves'])} leaves")
def test_log_tree(case: Any) -> None:
    leaves = [bytes.fromhex(leaf) for leaf in case["leaves"]]
    root = bytes.fromhex(case["root"])
    assert tree_hash(leaves) == root
    for written, path_in_hex in case["paths"].items():
        index, path = int(written), [bytes.fromhex(node) for node in path_in_hex]
        assert inclusion_path(leaves, index) == path
        assert root_from_path(leaves[index], index, len(leaves), path) == root
        # A proof of the wrong length fails, whatever it adds or leaves out.
        for wrong in ([*path, ZERO], [ZERO, *path], [*path, *path] if path else [ZERO] * 2, path[:-1] if path else [leaves[0]]):
            assert root_from_path(leaves[index], index, len(leaves), wrong) != root


@pytest.mark.parametrize("case", vector("register_tree"), ids=lambda case: f"{len(case['items'])} leaves")
def test_register_tree(case: Any) -> None:
    states = {bytes.fromhex(key): decode_state(bytes.fromhex(state)) for key, state in case["items"].items()}
    root = bytes.fromhex(case["root"])
    assert register_root((key, register_leaf(key, states[key].hash())) for key in sorted(states)) == root
    for proof in case["proofs"]:
        key, siblings = bytes.fromhex(proof["key"]), [bytes.fromhex(node) for node in proof["siblings"]]
        if proof["present"]:
            assert root_from_presence(key, states[key].hash(), siblings) == root
            assert root_from_absence(key, None, siblings) != root
        else:
            neighbour = proof["neighbour"] and (
                bytes.fromhex(proof["neighbour"]["key"]),
                bytes.fromhex(proof["neighbour"]["state_hash"]),
            )
            assert root_from_absence(key, neighbour, siblings) == root


class Replay:
    """The batches of the vector, applied in order."""

    def __init__(self) -> None:
        self.states: dict[bytes, State] = {}
        self.copies: dict[bytes, set[bytes]] = {}
        self.roots: dict[int, tuple[bytes, bytes]] = {}
        for written, batch in REPLAY["batches"].items():
            seq = int(written)
            entries = [decode_entry(bytes.fromhex(entry)) for entry in batch]
            assert [entry.encode().hex() for entry in entries] == batch
            for index, entry in enumerate(entries):
                if entry.kind is not Kind.NOTE:
                    copies = self.copies.setdefault(entry.key, set())
                    self.states[entry.key] = apply(self.states.get(entry.key), entry, seq, index, copies)
                    copies.add(entry.copy)
            leaves = ((key, register_leaf(key, self.states[key].hash())) for key in sorted(self.states))
            self.roots[seq] = tree_hash([leaf_hash(entry.encode()) for entry in entries]), register_root(leaves)


@pytest.fixture(scope="module")
def replay() -> Replay:
    return Replay()


@pytest.mark.parametrize("seq", sorted(map(int, REPLAY["anchors"])))
def test_replay_makes_the_anchors(replay: Replay, seq: int) -> None:
    anchor = REPLAY["anchors"][str(seq)]
    assert [root.hex() for root in replay.roots[seq]] == [anchor["log_root"], anchor["register_root"]]
    assert len(REPLAY["batches"][str(seq)]) == anchor["size"]


def test_replay_makes_the_states(replay: Replay) -> None:
    assert {key.hex(): state.encode().hex() for key, state in replay.states.items()} == REPLAY["states"]


@pytest.mark.parametrize("case", REPLAY["refused_after"], ids=lambda case: case["why"])
def test_replay_refuses(replay: Replay, case: Any) -> None:
    entry = decode_entry(bytes.fromhex(case["entry"]))
    with pytest.raises(NotAllowed):
        apply(replay.states.get(entry.key), entry, 10, 0, replay.copies.get(entry.key, ()))


@pytest.mark.parametrize("case", proof_cases(), ids=lambda case: case.file.removesuffix(".proof.json"))
def test_proof(case: ProofCase) -> None:
    report = verify(case.data, [case.anchors], case.question, file=case.file)
    assert report.verdict == case.verdict, report.to_dict("en")


def test_every_proof_file_is_a_case() -> None:
    assert {path.name for path in PROOFS.glob("*.proof.json")} == {case.file for case in proof_cases()}
