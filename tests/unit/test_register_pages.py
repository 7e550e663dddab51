"""Register pages give the roots and proofs of the naive tree, at every seq that is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from service.db import Database, metadata
from service.ledger import register, register_proofs
from service.ledger.tables import register_pages
from verifier.register import register_leaf, register_root, root_from_absence, root_from_presence

# Keys that share long prefixes are what random keys never show: leaves that rise, pages with one leaf, deep splits.
_KEYS = st.one_of(
    st.binary(min_size=32, max_size=32),
    st.builds(
        lambda head, tail: bytes(head) + bytes(30) + bytes([tail]), st.tuples(st.sampled_from([0, 1, 16, 255])), st.integers(0, 255)
    ),
    st.builds(
        lambda nibble, tail: bytes([nibble << 4]) + tail * 31, st.integers(0, 15), st.sampled_from([b"\x00", b"\x01", b"\xff"])
    ),
)
_BATCHES = st.lists(st.dictionaries(_KEYS, st.binary(min_size=32, max_size=32), max_size=40), min_size=1, max_size=5)


@contextmanager
def _ledger() -> Iterator[Connection]:
    with TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/test.db")
        metadata.create_all(database.engine)
        with database.write() as connection:
            yield connection
        database.close()


@pytest.fixture
def connection() -> Iterator[Connection]:
    with _ledger() as opened:
        yield opened


def _root(content: dict[bytes, bytes]) -> bytes:
    return register_root((key, register_leaf(key, state)) for key, state in sorted(content.items()))


def _check(connection: Connection, seq: int, content: dict[bytes, bytes], keys: list[bytes]) -> None:
    root = _root(content)
    assert register.root_at(connection, seq) == root
    for key in keys:
        proof = register_proofs.prove(connection, seq, key)
        if key in content:
            assert proof.end == (key, content[key])
            assert root_from_presence(key, content[key], proof.siblings) == root
        else:
            assert proof.end is None or proof.end[0] != key
            assert root_from_absence(key, proof.end, proof.siblings) == root


@given(_BATCHES, st.lists(_KEYS, max_size=10), st.sampled_from([1, 7, 4096]))
@settings(max_examples=80, deadline=None)
def test_every_seq_has_its_root_and_proofs(batches: list[dict[bytes, bytes]], others: list[bytes], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch, _ledger() as connection:
        patch.setattr(register, "_AT_ONCE", at_once)
        history: list[dict[bytes, bytes]] = [{}]
        for seq, changes in enumerate(batches, 1):
            history.append(history[-1] | changes)
            assert register.update(connection, seq, changes) == _root(history[-1])
        keys = [*list(history[-1])[:25], *others]
        for seq, content in enumerate(history):
            _check(connection, seq, content, keys)
        newest = len(batches)
        kept = sorted({1, newest})
        register.prune(connection, 0, newest, kept)
        for seq in kept:
            _check(connection, seq, history[seq], keys)


def test_pruning_leaves_one_version_a_page_when_one_seq_is_kept(connection: Connection) -> None:
    content: dict[bytes, bytes] = {}
    for seq in range(1, 6):
        changes = {bytes([n]) * 32: bytes([seq]) * 32 for n in range(0, 200, seq)}
        content |= changes
        register.update(connection, seq, changes)
    assert register.prune(connection, 0, 5, [5]) > 0
    rows, paths = connection.execute(select(func.count(), func.count(register_pages.c.path.distinct()))).one()
    assert rows == paths
    _check(connection, 5, content, list(content))


def test_where_the_register_has_something_else_nothing_is_written(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [bytes([n]) * 32 for n in range(250)]
    register.update(connection, 1, dict.fromkeys(keys, bytes(32)))
    before = dict.fromkeys(keys, bytes(32))
    monkeypatch.setattr(register, "_AT_ONCE", 20)
    with pytest.raises(register.NotAsBefore) as raised:
        register.update(connection, 2, dict.fromkeys(keys, b"\x02" * 32), before | {keys[200]: bytes([7]) * 32})
    assert raised.value.keys == {keys[200]}
    assert connection.scalar(select(func.count()).where(register_pages.c.seq == 2)) == 0
    changes = dict.fromkeys(keys, b"\x02" * 32)
    assert register.update(connection, 2, changes, before) == _root(changes)


def test_discarded_batches_can_be_sealed_again(connection: Connection) -> None:
    register.update(connection, 1, {bytes([n]) * 32: bytes(32) for n in range(50)})
    before = register.root_at(connection, 1)
    register.update(connection, 2, {bytes([n]) * 32: b"\x02" * 32 for n in range(20, 90)})
    register.discard_from(connection, 2)
    assert register.root_at(connection, 2) == before
