"""The log tree against bare hashing, its proofs against pymerkle 7, and the register root in constant memory."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from pymerkle import InmemoryTree, verify_inclusion

from tests.benchmarks.data import SEED
from tests.benchmarks.measure import Figure, Scale, at_least, timed
from verifier.merkle import leaf_hash, path_in, root_from_path, tree_hash, tree_levels

_ROOT = Path(__file__).parents[2]


def figures(scale: Scale, _: Path) -> Iterator[Figure]:
    yield _log_tree(scale)
    yield _inclusion(scale)
    yield _register_root(scale)


def _log_tree(scale: Scale) -> Figure:
    leaves = [os.urandom(32) for _ in range(scale.leaves)]
    ours, floor = [], []
    for _ in range(scale.rounds):
        ours.append(timed(lambda: tree_hash(leaves)))
        floor.append(timed(lambda: _bare_loop(leaves)))
    assert tree_hash(leaves) == _bare_loop(leaves)
    return at_least(f"log tree of {scale.leaves:,} leaves / bare hashlib loop", 0.6, ours, floor, scale.leaves, "leaf")


def _bare_loop(leaves: list[bytes]) -> bytes:
    level = leaves
    while len(level) > 1:
        above = [sha256(b"\x01" + level[n] + level[n + 1]).digest() for n in range(0, len(level) - 1, 2)]
        level = above + level[len(level) & ~1 :]
    return level[0]


def _inclusion(scale: Scale) -> Figure:
    """Paths of random leaves and their verification; both keep what they keep of a tree in memory, and have answered before."""
    entries = [os.urandom(146) for _ in range(scale.leaves)]
    peer = InmemoryTree(algorithm="sha256")
    peer.append_entries(entries)
    leaves = [leaf_hash(entry) for entry in entries]
    levels = tree_levels(leaves)
    root = tree_hash(leaves)
    assert peer.get_root() == root
    ours, theirs = [], []
    for turn in range(scale.rounds + 1):  # the first only warms pymerkle's cache
        wanted = random.Random(SEED + turn).choices(range(scale.leaves), k=scale.proofs)
        mine = timed(lambda wanted=wanted: _prove_and_verify(levels, leaves, root, wanted))  # type: ignore[misc]
        other = timed(lambda wanted=wanted: _peer_proves_and_verifies(peer, leaves, root, wanted))  # type: ignore[misc]
        if turn:
            ours.append(mine)
            theirs.append(other)
    return at_least("inclusion path and verification / pymerkle 7", 8, ours, theirs, scale.proofs, "proof")


def _prove_and_verify(levels: list[Sequence[bytes]], leaves: list[bytes], root: bytes, wanted: list[int]) -> None:
    size = len(leaves)
    for index in wanted:
        assert root_from_path(leaves[index], index, size, path_in(levels, index)) == root


def _peer_proves_and_verifies(peer: InmemoryTree, leaves: list[bytes], root: bytes, wanted: list[int]) -> None:
    for index in wanted:
        verify_inclusion(leaves[index], root, peer.prove_inclusion(index + 1))


def _register_root(scale: Scale) -> Figure:
    """Peak memory of a process that streams a tenth of the keys, and of one that streams all of them."""
    small, large = (_streamed(keys) for keys in (scale.leaves // 10, scale.leaves))
    name = f"register root of {scale.leaves:,} keys streamed: peak memory / with a tenth of them"
    return Figure(name, f"{large / 1024:.1f} MiB", f"{small / 1024:.1f} MiB", large / small, 1.05, True, (large / small,))


def _streamed(keys: int) -> int:
    """Peak resident memory in KiB. The keys ascend, one after another, as SELECT … ORDER BY key would give them."""
    code = (
        "import sys\n"
        "from hashlib import sha256\n"
        "from verifier.register import register_leaf, register_root\n"
        "n = int(sys.argv[1])\n"
        "keys = ((i * (2**256 // n)).to_bytes(32, 'big')[:8] + sha256(b'%d' % i).digest()[8:] for i in range(n))\n"
        "register_root((key, register_leaf(key, key)) for key in keys)\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(keys)], cwd=_ROOT, check=True, capture_output=True, text=True)
    return int(ran.stdout)
