"""A store in which numbers have several copies, anchored: made by approved cases, beside voids, reversals and a release."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from service import migrations
from service.config import Settings
from service.invoices import reading
from service.ledger.entries import Stored, append
from service.reprints import completing
from service.vault import Vault
from tests.chain import Chain, RegistryContract
from tests.reprints import case_of, reissued
from tests.stores import RECEIPT_KEY, Store, simple_invoices
from tests.unit.samples import INVOICE_IDS, sections_of
from verifier.entry import ZERO, Entry, Kind, number_key

VAULT = Vault({1: bytes(32)})
TWICE = "26112999000000000010"
"""Reprinted twice, in two batches. S10."""
PARTLY = "26112999000000000001"
"""Partly reversed, reprinted before and after in one batch. S01."""
REISSUED, NEW = "26317999000000000002", "26317999000000000777"
"""S02, and what took its place; NEW was reprinted itself."""
VOIDED, ANEW, ONCE = "26112999000000000501", "26112999000000000601", "26112999000000000701"
"""Reprinted and voided; reprinted, released, issued again and reprinted; reprinted a moment ago."""

VERDICTS: dict[str, tuple[str, ...]] = {
    TWICE: ("replaced", "replaced", "valid"),
    PARTLY: ("replaced", "replaced", "partly_reversed"),
    REISSUED: ("void",),
    NEW: ("replaced", "valid"),
    VOIDED: ("replaced", "void"),
    ANEW: ("replaced", "replaced", "replaced", "valid"),
    ONCE: ("replaced", "valid"),
}
"""What a verifier says of each copy, in the order in which they were made."""


def complete(store: Store, number: str, **options: Any) -> None:
    """A case about it, approved and completed."""
    now = int(time.time() * 1000)
    settings = Settings(_env_file=None, contract=store.contract.address, receipt_key=RECEIPT_KEY.hex())  # type: ignore[call-arg, arg-type]
    case = case_of(store.database, VAULT, number, now, **options)
    assert completing.complete(store.database, case.id, store.keys, VAULT, settings, now)


def release(store: Store, number: str) -> None:
    """As two operators have it done."""
    now = int(time.time() * 1000)
    with store.database.write() as connection:
        record = reading.get(connection, number, None)
        entry = Entry(Kind.RELEASE, now, number_key(number), record.current().entry.copy, ZERO, ZERO)
        record.history.add(entry)
        append(connection, [(entry, record.history.ordinal)], store.keys, now + 60_000)


def simple(number: str) -> dict[str, Any]:
    """An invoice of that number that names no other."""
    sections = next(simple_invoices([2]))
    sections["header"]["number"] = number
    return sections


def build(store: Store) -> None:
    """Three batches."""
    migrations.migrate(store.database)
    store.register(*(sections_of(name) for name in INVOICE_IDS if name not in ("S06", "S11")))
    store.register(*map(simple, (VOIDED, ANEW, ONCE)))
    store.anchor()
    complete(store, TWICE)
    complete(store, PARTLY)
    complete(store, VOIDED)
    complete(store, ANEW)
    release(store, ANEW)
    store.register(sections_of("S06"))
    complete(store, PARTLY)
    store.anchor()
    complete(store, TWICE, delivery="collect")
    complete(store, REISSUED, kind="reissue", replacement=reissued(sections_of("S02"), NEW))
    store.void(VOIDED)
    store.register(simple(ANEW))
    complete(store, ANEW)
    complete(store, NEW)
    complete(store, ONCE)
    store.anchor()


class CopyOf(NamedTuple):
    number: str
    made_by: Stored
    commitment: bytes
    verdict: str


def copies_in(store: Store) -> list[CopyOf]:
    """Every copy of the numbers above."""
    found = []
    with store.database.read() as connection:
        for number, verdicts in VERDICTS.items():
            record = reading.get(connection, number, None)
            makers = [one for one in record.stored if one.entry.kind in (Kind.ISSUE, Kind.REPRINT)]
            for made_by, verdict in zip(makers, verdicts, strict=True):
                found.append(CopyOf(number, made_by, reading.read_copy(connection, made_by.id).commitment(), verdict))
    return found


@contextmanager
def built(chain: Chain, folder: Path) -> Iterator[tuple[str, RegistryContract]]:
    """URL of the store on SQLite, and its own contract; nobody is connected."""
    contract = RegistryContract.deploy(chain)
    store = Store(f"sqlite:///{folder / 'copies.db'}", chain, contract)
    build(store)
    store.close()
    yield store.url, contract
