"""What was accepted together is believed by one signature, and no row of it that was not promised is ever sealed by that."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from service.db import Database, metadata
from service.ledger import promises, sealing
from service.ledger.entries import append
from service.ledger.receipts import Receipt, ReceiptKeys
from service.ledger.tables import entries, pending_receipts
from verifier.entry import ZERO, Entry, Kind

COUNT = 40
KEYS = ReceiptKeys(b"\x01" * 32, 31337, b"\x42" * 20)
FOREIGN = ReceiptKeys(b"\x07" * 32, 31337, b"\x42" * 20)
NOW = 1_795_600_000_000
DEADLINE = NOW + 60_000


def _issue() -> Entry:
    return Entry(Kind.ISSUE, NOW, os.urandom(32), os.urandom(32), ZERO, ZERO)


@contextmanager
def _pending(url: str) -> Iterator[Connection]:
    """Two transactions of COUNT entries each, and one by itself: ids 1 to COUNT, to 2 * COUNT, and one more."""
    database = Database(url)
    metadata.create_all(database.engine)
    with database.write() as connection:
        for count in (COUNT, COUNT, 1):
            append(connection, [(_issue(), 1) for _ in range(count)], KEYS, DEADLINE)
    with database.write() as connection:
        yield connection
    database.close()


def _seal(connection: Connection, keys: ReceiptKeys = KEYS) -> sealing.Sealed:
    sealed = sealing.seal(connection, keys, NOW, first_seq=1)
    assert sealed is not None
    assert list(connection.scalars(select(entries.c.id).where(entries.c.seq.is_(None)).order_by(entries.c.id))) == sealed.refused
    return sealed


def _alter(id_: int, **columns: object) -> Callable[[Connection], None]:
    return lambda connection: _run(connection, update(entries).where(entries.c.id == id_).values(**columns))


def _run(connection: Connection, *statements: object) -> None:
    for statement in statements:
        connection.execute(statement)  # type: ignore[call-overload]


def _add(connection: Connection, keys: ReceiptKeys = FOREIGN) -> None:
    """One more of the first transaction, promised by `keys`."""
    entry = _issue()
    row = {"id": 900, "key": entry.key, "ordinal": 1, "entry": entry.encode(), "accepted_with": 1}
    _run(connection, insert(entries).values(**row, **keys.sign(entry.encode(), DEADLINE)._asdict()))


def _add_and_sign(connection: Connection) -> None:
    """The same with a signature over all of the transaction, by whoever has no key of ours."""
    _add(connection)
    query = select(entries.c.entry, entries.c.key_id, entries.c.deadline, entries.c.signature)
    rows = connection.execute(query.where(entries.c.accepted_with == 1).order_by(entries.c.id)).all()
    signature = FOREIGN.sign_accepted([row[0] for row in rows], [row[1:] for row in rows])  # type: ignore[misc]
    for key_id in (FOREIGN.key_id, KEYS.key_id):
        signed = {"key_id": key_id, "signature": signature}
        _run(connection, update(pending_receipts).where(pending_receipts.c.accepted_with == 1).values(**signed))


def _move_between_rows(connection: Connection) -> None:
    """What is hashed in a row stays the same; the receipts of two do not."""
    query = select(entries.c.signature, entries.c.key_id)
    first = connection.execute(query.where(entries.c.id == 3)).one()
    second = connection.execute(query.where(entries.c.id == 4)).one()
    _alter(3, signature=first.signature[:-1])(connection)
    _alter(4, key_id=first.signature[-1:] + second.key_id)(connection)


TAMPERED: dict[str, tuple[Callable[[Connection], None], list[int]]] = {
    "nothing": (lambda _: None, []),
    "a signature": (_alter(3, signature=bytes(64)), [3]),
    "a deadline": (_alter(4, deadline=DEADLINE + 1), [4]),
    "a deadline that none can be": (_alter(4, deadline=-1), [4]),
    "a key id": (_alter(COUNT + 2, key_id=FOREIGN.key_id), [COUNT + 2]),
    "an entry": (_alter(5, entry=_issue().encode()), [5]),
    "a key": (_alter(6, key=bytes(32)), [6]),
    "an ordinal": (_alter(7, ordinal=2), [7]),
    "the one by itself": (_alter(2 * COUNT + 1, signature=bytes(64)), [2 * COUNT + 1]),
    "a row too many": (_add, [900]),
    "a row too many, and signed together": (_add_and_sign, [900]),
    "a row too many that we promised": (lambda connection: _add(connection, KEYS), []),
    "a row gone": (lambda connection: _run(connection, delete(entries).where(entries.c.id == 8)), []),
    "bytes moved between rows": (_move_between_rows, [3, 4]),
    "the signature over all": (lambda connection: _run(connection, update(pending_receipts).values(signature=bytes(64))), []),
    "no signature over all": (lambda connection: _run(connection, delete(pending_receipts)), []),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_only_what_was_promised_is_sealed(database_url: str, name: str) -> None:
    tamper, refused = TAMPERED[name]
    with _pending(database_url) as connection:
        tamper(connection)
        assert _seal(connection).refused == refused


def test_a_transaction_is_checked_once(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[int] = []
    true = ReceiptKeys.are_valid

    def are_valid(self: ReceiptKeys, some: Sequence[bytes], receipts: Sequence[Receipt]) -> list[bool]:
        checked.append(len(some))
        return true(self, some, receipts)

    monkeypatch.setattr(ReceiptKeys, "are_valid", are_valid)
    with _pending(database_url) as connection:
        assert connection.scalar(select(func.count()).select_from(pending_receipts)) == 2
        assert _seal(connection).size == 2 * COUNT + 1
        assert connection.scalar(select(func.count()).select_from(pending_receipts)) == 0
    assert checked == [1]


def test_a_retired_key_is_believed(database_url: str) -> None:
    with _pending(database_url) as connection:
        new = ReceiptKeys(b"\x02" * 32, 31337, b"\x42" * 20, tuple(KEYS.public.values()))
        assert _seal(connection, new).refused == []
    with _pending(database_url) as connection:
        unknown = ReceiptKeys(b"\x02" * 32, 31337, b"\x42" * 20)
        assert sealing.seal(connection, unknown, NOW, first_seq=1) is None


@pytest.mark.parametrize("name", ["a signature", "a deadline", "a row too many", "bytes moved between rows"])
def test_the_check_is_what_refuses(database_url: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """The control: without it, what was tampered with is sealed."""
    monkeypatch.setattr(ReceiptKeys, "has_accepted", lambda *_: True)
    tamper, refused = TAMPERED[name]
    with _pending(database_url) as connection:
        tamper(connection)
        assert refused
        assert _seal(connection).refused == []


def test_few_have_none(database_url: str) -> None:
    database = Database(database_url)
    metadata.create_all(database.engine)
    with database.write() as connection:
        append(connection, [(_issue(), 1) for _ in range(promises._TOGETHER_FROM - 1)], KEYS, DEADLINE)
        assert connection.scalar(select(func.count()).select_from(pending_receipts)) == 0
    database.close()
