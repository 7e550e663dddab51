"""Both trees against definitions written down as they stand in the protocol, and the codecs of entry and state."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.entry import Entry, Kind, decode_entry, log_key, number_key
from verifier.errors import Malformed
from verifier.merkle import EMPTY, inclusion_path, leaf_hash, node_hash, root_from_path, tree_hash
from verifier.register import (
    State,
    Status,
    bit,
    decode_state,
    register_leaf,
    register_root,
    root_from_absence,
    root_from_presence,
    shared_bits,
)

hashes = st.binary(min_size=32, max_size=32)
# Few bits, so that keys share long prefixes.
keys = (
    st.builds(
        lambda head, tail: head + bytes(30) + tail,
        st.sampled_from([b"\0", b"\1", b"\x80", b"\xc0"]),
        st.sampled_from([b"\0", b"\1", b"\2", b"\xff"]),
    )
    | hashes
)


def rfc_9162(leaves: list[bytes]) -> bytes:
    """Section 2.1.1, as a recursion."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else EMPTY
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + rfc_9162(leaves[:split]) + rfc_9162(leaves[split:])).digest()


@given(st.lists(hashes, max_size=70))
def test_tree_hash_is_the_recursion(leaves: list[bytes]) -> None:
    assert tree_hash(leaves) == rfc_9162(leaves)


@given(st.lists(hashes, min_size=1, max_size=40, unique=True), st.data())
def test_a_path_proves_one_leaf_at_one_place_of_one_size(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_path(leaves, index)
    root = tree_hash(leaves)
    assert root_from_path(leaves[index], index, len(leaves), path) == root
    other = data.draw(st.integers(-1, len(leaves) + 1).filter(lambda other: other != index))
    assert root_from_path(leaves[index], other, len(leaves), path) != root
    assert root_from_path(sha256(leaves[index]).digest(), index, len(leaves), path) != root
    for wrong in (path[:-1], [*path, EMPTY], [EMPTY, *path], path[::-1]):
        if wrong != path:
            assert root_from_path(leaves[index], index, len(leaves), wrong) != root


@pytest.mark.parametrize("index", [-1, 3])
def test_no_path_outside_the_tree(index: int) -> None:
    with pytest.raises(IndexError):
        inclusion_path([EMPTY] * 3, index)
    assert root_from_path(EMPTY, index, 3, [EMPTY] * 2) is None


Leaves = dict[bytes, bytes]


def naive_root(leaves: Leaves, depth: int = 0) -> bytes:
    """Protocol section 4: a subtree with one leaf is that leaf, a subtree with none is empty."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        [(key, state_hash)] = leaves.items()
        return register_leaf(key, state_hash)
    left, right = halves(leaves, depth)
    return node_hash(naive_root(left, depth + 1), naive_root(right, depth + 1))


def halves(leaves: Leaves, depth: int) -> tuple[Leaves, Leaves]:
    way = {key: int(f"{int.from_bytes(key, 'big'):0256b}"[depth]) for key in leaves}
    return {key: leaves[key] for key in leaves if not way[key]}, {key: leaves[key] for key in leaves if way[key]}


def naive_proof(leaves: Leaves, key: bytes, depth: int = 0) -> tuple[list[bytes], Leaves]:
    """The siblings from the root down, and what stands at the end of the way of `key`."""
    if len(leaves) <= 1:
        return [], leaves
    sides = halves(leaves, depth)
    way = int(f"{int.from_bytes(key, 'big'):0256b}"[depth])
    below, end = naive_proof(sides[way], key, depth + 1)
    return [naive_root(sides[1 - way], depth + 1), *below], end


@given(st.dictionaries(keys, hashes, max_size=20))
def test_streamed_root_is_the_recursion(leaves: Leaves) -> None:
    assert register_root((key, register_leaf(key, leaves[key])) for key in sorted(leaves)) == naive_root(leaves)


@given(st.dictionaries(keys, hashes, min_size=2, max_size=20))
def test_keys_must_ascend(leaves: Leaves) -> None:
    ordered = sorted((key, register_leaf(key, leaves[key])) for key in leaves)
    for wrong in (ordered[::-1], [ordered[0], *ordered]):
        with pytest.raises(ValueError, match="ascend"):
            register_root(wrong)


@given(st.dictionaries(keys, hashes, max_size=20), keys, hashes)
def test_a_number_is_present_or_absent_and_never_both(leaves: Leaves, key: bytes, state_hash: bytes) -> None:
    root = naive_root(leaves)
    siblings, end = naive_proof(leaves, key)
    neighbour = next(iter(end.items()), None)
    if key in leaves:
        assert root_from_presence(key, leaves[key], siblings) == root
        assert root_from_absence(key, None, siblings) != root
        # Of a present key nothing else passes for absence: not its own leaf, not another leaf of the tree.
        for other in leaves.items():
            assert root_from_absence(key, other, siblings) != root
        if leaves[key] != state_hash:
            assert root_from_presence(key, state_hash, siblings) != root
    else:
        assert root_from_absence(key, neighbour, siblings) == root
        assert root_from_presence(key, state_hash, siblings) != root


def test_a_neighbour_must_stand_on_the_way() -> None:
    """A leaf elsewhere in the tree, with its own siblings, says nothing about this key."""
    near, far = bytes([0b1000_0000]) + bytes(31), bytes([0b0100_0000]) + bytes(31)
    leaves = {near: EMPTY, far: EMPTY}
    siblings, _ = naive_proof(leaves, far)
    key = bytes([0b1100_0000]) + bytes(31)
    assert root_from_absence(key, (far, EMPTY), siblings) is None
    assert root_from_absence(key, (near, EMPTY), naive_proof(leaves, key)[0]) == naive_root(leaves)
    assert root_from_absence(near, (near, EMPTY), naive_proof(leaves, near)[0]) is None


@given(keys, keys)
def test_shared_bits(a: bytes, b: bytes) -> None:
    shared = shared_bits(a, b)
    assert all(bit(a, depth) == bit(b, depth) for depth in range(shared))
    assert shared == 256 or bit(a, shared) != bit(b, shared)


entries = st.builds(Entry, st.sampled_from(Kind), st.integers(0, 2**64 - 1), hashes, hashes, hashes, hashes)
states = st.builds(
    State, st.sampled_from(Status), st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**32 - 1), hashes, hashes
)


@given(entries)
def test_entry_round_trip(entry: Entry) -> None:
    assert decode_entry(entry.encode()) == entry
    assert leaf_hash(entry.encode()) == sha256(b"\0" + entry.encode()).digest()


@given(states)
def test_state_round_trip(state: State) -> None:
    assert decode_state(state.encode()) == state
    assert state.hash() == sha256(state.encode()).digest()


@given(st.binary(max_size=200))
def test_other_bytes_are_neither(data: bytes) -> None:
    for decode in (decode_entry, decode_state):
        with pytest.raises(Malformed):
            decode(data)


@given(entries, states)
def test_an_unknown_kind_or_status_is_malformed(entry: Entry, state: State) -> None:
    at = len("zp1/entry")
    for code in (0, 8, 255):
        with pytest.raises(Malformed):
            decode_entry(entry.encode()[:at] + bytes([code]) + entry.encode()[at + 1 :])
        with pytest.raises(Malformed):
            decode_state(state.encode()[:at] + bytes([code]) + state.encode()[at + 1 :])


@pytest.mark.parametrize("number", ["", "a", "１", "1\n", "-1", "1/2", "1 2", "A" * 65, "1é"])
def test_no_invoice_number(number: str) -> None:
    with pytest.raises(Malformed):
        number_key(number)


def test_a_log_and_a_number_of_the_same_name_have_different_keys() -> None:
    assert log_key("A") == sha256(b"zp1/log\0A").digest()
    assert number_key("A") == sha256(b"zp1/number\0A").digest()
