"""API keys: how they are written, and what is refused before anything is looked up."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.auth import keys
from service.auth.keys import Keyring, authenticate, create_key, revoke_key
from service.auth.principals import Principal
from service.auth.tables import api_keys
from service.db import Database
from service.deliveries.tables import deliveries, webhook_endpoints
from service.errors import Refused


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'x.db'}")
    for table in (api_keys, webhook_endpoints, deliveries):
        table.create(opened.engine)
    yield opened
    opened.close()


def test_a_key_opens_what_it_is_bound_to_and_its_secret_is_stored_nowhere(database: Database) -> None:
    with database.write() as connection:
        key, written = create_key(connection, "issuer", ["91110108MAXXXX015B", "91110108MAXXXX015B"], "test", label="收银")
        row = connection.execute(api_keys.select()).one()
        principal = authenticate(connection, f"Bearer {written}")
    assert written.startswith(f"zp_test_{key.id}_")
    assert principal == Principal(key.id, "issuer", frozenset({"91110108MAXXXX015B"}))
    assert principal.sellers == principal.bound
    secret = written.split("_")[3]
    assert len(secret) == 52 + 7
    assert not any(secret[:52].encode() in (value if isinstance(value, bytes) else str(value).encode()) for value in row)
    assert key.bound == ("91110108MAXXXX015B",)


@pytest.mark.parametrize(("role", "sellers"), [("auditor", None), ("central", None), ("operator", None), ("node", None)])
def test_other_roles_see_everybodys(database: Database, role: keys.Role, sellers: None) -> None:
    with database.write() as connection:
        _, written = create_key(connection, role, [], "live")
        assert authenticate(connection, f"Bearer {written}").sellers is sellers


def test_a_recipient_sees_no_sellers_invoices(database: Database) -> None:
    with database.write() as connection:
        _, written = create_key(connection, "recipient", ["91310115MAXXXX031J"], "test")
        assert authenticate(connection, f"Bearer {written}").sellers == frozenset()


def test_check_characters_refuse_any_single_change(database: Database) -> None:
    with database.write() as connection:
        _, written = create_key(connection, "auditor", [], "test")
    closed = Keyring(database)
    database.close()
    for at in range(8, len(written)):
        for other in "a2z":
            if written[at] in ("_", other):
                continue
            with pytest.raises(Refused, match="key_invalid"):
                closed.principal(f"Bearer {written[:at]}{other}{written[at + 1 :]}")


@given(st.text(max_size=120))
def test_no_header_is_more_than_refused(header: str) -> None:
    with pytest.raises(Refused, match=r"key_invalid|not_authenticated"):
        keys._parts(header)


def test_a_process_forgets_a_key_within_seconds(database: Database) -> None:
    now = [0.0]
    keyring = Keyring(database, lambda: now[0])
    with database.write() as connection:
        key, written = create_key(connection, "auditor", [], "test")
    header = f"Bearer {written}"
    assert keyring.principal(header).id == key.id
    with database.write() as connection:
        revoke_key(connection, key.id)
    now[0] = keys.CACHE_S - 0.01
    assert keyring.principal(header).id == key.id
    now[0] = keys.CACHE_S
    with pytest.raises(Refused, match="key_invalid"):
        keyring.principal(header)


@pytest.mark.parametrize(
    ("role", "bound", "label", "pointer"),
    [
        ("issuer", [], "", "/bound"),
        ("recipient", [], "", "/bound"),
        ("auditor", ["x"], "", "/bound"),
        ("king", [], "", "/role"),
        ("issuer", ["a b"], "", "/bound/0"),
        ("issuer", ["x"], "l" * 101, "/label"),
    ],
)
def test_what_cannot_be_a_key_is_refused(database: Database, role: keys.Role, bound: list[str], label: str, pointer: str) -> None:
    with pytest.raises(Refused) as refused, database.write() as connection:
        create_key(connection, role, bound, "test", label=label)
    assert pointer in [finding.pointer for finding in refused.value.findings]
