"""Encryption at rest: versions, keys of single documents, and that nothing of one thing can stand in the place of another."""

import pytest
from sqlalchemy import LargeBinary

from service.migrations.schema import metadata
from service.rotation import SEALED
from service.vault import DataKey, NotDecrypted, Vault

OLD = Vault({1: b"\x01" * 32})
BOTH = Vault({1: b"\x01" * 32, 2: b"\x02" * 32})
NEW = Vault({2: b"\x02" * 32})


def test_a_wrapped_key_opens_what_it_encrypted_and_nothing_else() -> None:
    key, wrapped = OLD.new_data_key("case/a/material/1")
    other, _ = OLD.new_data_key("case/a/material/2")
    sealed = key.encrypt(b"picture", "case/a/material/1/1")
    assert b"picture" not in sealed
    again = OLD.unwrap(wrapped, "case/a/material/1")
    assert again.decrypt(sealed, "case/a/material/1/1") == b"picture"
    for wrong in ("case/a/material/1/2", "case/b/material/1/1", "case/a/material/2/1", ""):
        with pytest.raises(NotDecrypted):
            again.decrypt(sealed, wrong)
    with pytest.raises(NotDecrypted):
        other.decrypt(sealed, "case/a/material/1/1")
    with pytest.raises(NotDecrypted):
        OLD.unwrap(wrapped, "case/b/material/1")


def test_two_documents_of_the_same_bytes_have_nothing_in_common() -> None:
    (first, one), (second, two) = OLD.new_data_key("x"), OLD.new_data_key("x")
    assert one != two
    assert first.encrypt(b"same", "x") != second.encrypt(b"same", "x")
    assert first.encrypt(b"same", "x") != first.encrypt(b"same", "x")
    assert first.mac(b"same") != second.mac(b"same")


def test_the_mac_is_of_the_key_and_of_the_bytes() -> None:
    key, wrapped = OLD.new_data_key("x")
    assert key.mac(b"a") == OLD.unwrap(wrapped, "x").mac(b"a") != key.mac(b"b")
    assert DataKey(b"\x07" * 32).mac(b"a") == DataKey(b"\x07" * 32).mac(b"a")


def test_whatever_is_changed_is_not_decrypted() -> None:
    key, wrapped = OLD.new_data_key("x")
    sealed = key.encrypt(b"picture", "x")
    for n in range(len(sealed)):
        with pytest.raises(NotDecrypted):
            key.decrypt(sealed[:n] + bytes([sealed[n] ^ 1]) + sealed[n + 1 :], "x")
    for cut in (b"", wrapped[:1], wrapped[:12], wrapped[:-1]):
        with pytest.raises(NotDecrypted):
            OLD.unwrap(cut, "x")


def test_keys_are_rotated_and_the_old_one_can_go() -> None:
    key, wrapped = OLD.new_data_key("x")
    sealed = key.encrypt(b"picture", "x")
    assert OLD.is_current(wrapped)
    assert not BOTH.is_current(wrapped)
    renewed = BOTH.encrypt_again(wrapped, "x")
    assert BOTH.is_current(renewed)
    assert NEW.unwrap(renewed, "x").decrypt(sealed, "x") == b"picture"
    with pytest.raises(NotDecrypted):
        NEW.unwrap(wrapped, "x")
    with pytest.raises(NotDecrypted):
        BOTH.encrypt_again(wrapped, "y")


def test_every_encrypted_column_is_rotated() -> None:
    """Every one says so in its comment; what a document's own key encrypts stays as it is."""
    listed = {(sealed.table.name, sealed.column) for sealed in SEALED}
    said = {
        (table.name, column.name)
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary) and (column.comment or "").startswith("encrypted")
    }
    assert listed == said
    assert len(said) >= 15
