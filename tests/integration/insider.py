"""What an insider may do to a store, and what a reconciliation must find then."""

import time
from collections.abc import Callable

import orjson

from service.ledger import register, tiles
from service.ledger.entries import histories
from service.ledger.receipts import ReceiptKeys
from service.reconciliation import content
from service.reconciliation.findings import Found
from tests.stores import SIMPLE, Store, number_of
from verifier.canonical import canonical_bytes
from verifier.entry import ZERO, Entry, Kind, decode_entry, number_key
from verifier.merkle import leaf_hash

A, B, C = number_of(1010), number_of(1011), number_of(1012)
VOIDED, REPRINTED = number_of(1000), number_of(1002)
COLUMNS = (
    "header, seller, totals, buyer, lines, payment, notes, kind, issued_on, seller_tax_id, buyer_id, amount_fen, profile, issuer"
)


def id_of(store: Store, number: str) -> int:
    return int(store.row("SELECT id FROM invoices WHERE number = :number", number=number)[0])


def place_of(store: Store, id_: int) -> tuple[int, int]:
    row = store.row('SELECT seq, "index" FROM entries WHERE id = :id', id=id_)
    return int(row[0]), int(row[1])


def change(store: Store, invoice: str, section: str, **changes: str) -> None:
    """Write other content into a section, canonical and all."""
    id_ = id_of(store, invoice)
    table = "copies" if section == "provenance" else "invoices"
    key = "entry_id" if section == "provenance" else "id"
    stored = store.row(f"SELECT {section} FROM {table} WHERE {key} = :id", id=id_)[0]
    value = {**orjson.loads(stored), **changes}
    store.sql(f"UPDATE {table} SET {section} = :value WHERE {key} = :id", value=canonical_bytes(value), id=id_)


def change_an_amount_with_its_column(store: Store) -> None:
    change(store, A, "totals", amount_with_tax="1.00")
    store.sql("UPDATE invoices SET amount_fen = 100 WHERE number = :n", n=A)


def change_a_buyer(store: Store) -> None:
    change(store, A, "buyer", name="某某公司")


def change_a_remark(store: Store) -> None:
    change(store, A, "notes", remark="已付清")


def change_a_drawer(store: Store) -> None:
    change(store, A, "provenance", drawer="王某")


def change_a_number(store: Store) -> None:
    change(store, A, "header", number="26112999000099999999")
    store.sql("UPDATE invoices SET number = '26112999000099999999' WHERE number = :n", n=A)


def change_a_search_column(store: Store) -> None:
    store.sql("UPDATE invoices SET amount_fen = amount_fen + 1 WHERE number = :n", n=A)


def re_salt(store: Store) -> None:
    salts = bytearray(store.row("SELECT salts FROM copies WHERE entry_id = :id", id=id_of(store, A))[0])
    salts[5 * 16] ^= 1
    store.sql("UPDATE copies SET salts = :salts WHERE entry_id = :id", salts=bytes(salts), id=id_of(store, A))


def re_salt_a_reprint(store: Store) -> None:
    entry_id = store.row("SELECT max(entry_id) FROM copies WHERE invoice_id = :id", id=id_of(store, REPRINTED))[0]
    salts = bytearray(store.row("SELECT salts FROM copies WHERE entry_id = :id", id=entry_id)[0])
    salts[2 * 16] ^= 1
    store.sql("UPDATE copies SET salts = :salts WHERE entry_id = :id", salts=bytes(salts), id=entry_id)


def lose_a_section(store: Store) -> None:
    store.sql("UPDATE invoices SET lines = NULL WHERE number = :n", n=A)


def delete_a_record(store: Store) -> None:
    id_ = id_of(store, A)
    store.sql(
        "DELETE FROM copies WHERE entry_id = :i", "DELETE FROM invoices WHERE id = :i", "DELETE FROM entries WHERE id = :i", i=id_
    )


def delete_content(store: Store) -> None:
    id_ = id_of(store, A)
    store.sql("DELETE FROM copies WHERE entry_id = :i", "DELETE FROM invoices WHERE id = :i", i=id_)


def delete_a_salts_row(store: Store) -> None:
    store.sql("DELETE FROM copies WHERE entry_id = :i", i=id_of(store, A))


def swap_contents(store: Store) -> None:
    a, b = id_of(store, A), id_of(store, B)
    store.sql(
        "UPDATE invoices SET id = -1 WHERE id = :a",
        "UPDATE invoices SET id = :a WHERE id = :b",
        "UPDATE invoices SET id = :b WHERE id = -1",
        a=a,
        b=b,
    )


def swap_places(store: Store) -> None:
    a, b = id_of(store, A), id_of(store, B)
    (_, first), (_, second) = place_of(store, a), place_of(store, b)
    move = 'UPDATE entries SET "index" = {} WHERE id = {}'
    store.sql(move.format(65_000, a), move.format(first, b), move.format(second, a))


def move_to_another_batch(store: Store) -> None:
    store.sql('UPDATE entries SET seq = 4, "index" = 5 WHERE id = :i', i=id_of(store, A))


def move_a_copy(store: Store) -> None:
    a, b = id_of(store, A), id_of(store, B)
    store.sql("UPDATE copies SET invoice_id = :b WHERE entry_id = :a", a=a, b=b)


def insert_entry(
    store: Store, entry: Entry, ordinal: int, place: tuple[int, int] | None, keys: ReceiptKeys, id_: int = 100_000
) -> None:
    now = int(time.time() * 1000)
    receipt = keys.sign(entry.encode(), now + 60_000)
    store.sql(
        'INSERT INTO entries (id, key, ordinal, entry, accepted_with, key_id, deadline, signature, seq, "index") '
        "VALUES (:id, :key, :ordinal, :data, :id, :by, :until, :signed, :seq, :place)",
        id=id_,
        key=entry.key,
        ordinal=ordinal,
        data=entry.encode(),
        by=store.keys.key_id,
        until=receipt.deadline,
        signed=receipt.signature,
        seq=place and place[0],
        place=place and place[1],
    )


def _foreign_keys(store: Store) -> ReceiptKeys:
    return ReceiptKeys(b"\x07" * 32, store.node.chain_id, bytes.fromhex(store.contract.address[2:]))


def _issue(number: str) -> Entry:
    return Entry(Kind.ISSUE, int(time.time() * 1000), number_key(number), leaf_hash(b"forged"), ZERO, ZERO)


def forge_an_acknowledgement(store: Store) -> None:
    """A pending entry, as if it had been accepted, under another key's signature."""
    insert_entry(store, _issue("26112999000088888888"), 1, None, _foreign_keys(store))


def forge_a_void(store: Store) -> None:
    """A pending void that nobody asked for."""
    entry = decode_entry(store.row("SELECT entry FROM entries WHERE id = :i", i=id_of(store, A))[0])
    insert_entry(store, entry._replace(kind=Kind.VOID), 2, None, _foreign_keys(store))


def insert_into_a_batch(store: Store) -> None:
    insert_entry(store, _issue("26112999000088888888"), 1, (2, len(SIMPLE)), _foreign_keys(store))


def insert_content_without_an_entry(store: Store) -> None:
    select = f"SELECT 900000, '26112999000088888888', {COLUMNS} FROM invoices WHERE number = :n"
    store.sql(f"INSERT INTO invoices (id, number, {COLUMNS}) {select}", n=A)


def duplicate_a_record(store: Store) -> None:
    select = f"SELECT 900000, number, {COLUMNS} FROM invoices WHERE number = :n"
    store.sql(f"INSERT INTO invoices (id, number, {COLUMNS}) {select}", n=A)


def duplicate_an_entry(store: Store) -> None:
    """The same promise twice: its receipt is good."""
    store.sql(
        "INSERT INTO entries (id, key, ordinal, entry, accepted_with, key_id, deadline, signature) "
        "SELECT 900000, key, 2, entry, 900000, key_id, deadline, signature FROM entries WHERE id = :i",
        i=id_of(store, A),
    )


def _void_entry(store: Store) -> int:
    return int(store.row("SELECT id FROM entries WHERE key = :key AND ordinal = 2", key=number_key(VOIDED))[0])


def roll_back_a_void(store: Store) -> None:
    id_ = _void_entry(store)
    store.sql("DELETE FROM acts WHERE entry_id = :i", "DELETE FROM entries WHERE id = :i", i=id_)


def return_a_void_to_pending(store: Store) -> None:
    store.sql('UPDATE entries SET seq = NULL, "index" = NULL WHERE id = :i', i=_void_entry(store))


def alter_a_status_entry(store: Store) -> None:
    id_ = _void_entry(store)
    entry = decode_entry(store.row("SELECT entry FROM entries WHERE id = :i", i=id_)[0])
    store.sql("UPDATE entries SET entry = :e WHERE id = :i", e=entry._replace(kind=Kind.REVERSE_PART).encode(), i=id_)


def alter_an_entrys_time(store: Store) -> None:
    id_ = id_of(store, A)
    entry = decode_entry(store.row("SELECT entry FROM entries WHERE id = :i", i=id_)[0])
    store.sql("UPDATE entries SET entry = :e WHERE id = :i", e=entry._replace(recorded_at=1).encode(), i=id_)


def alter_a_key(store: Store) -> None:
    store.sql("UPDATE entries SET key = :k WHERE id = :i", k=number_key("26112999000088888888"), i=id_of(store, A))


def alter_an_ordinal(store: Store) -> None:
    store.sql("UPDATE entries SET ordinal = 7 WHERE id = :i", i=id_of(store, A))


def alter_a_promise(store: Store) -> None:
    store.sql("UPDATE entries SET deadline = deadline + 1 WHERE id = :i", i=id_of(store, A))


def alter_the_signature_over_receipts(store: Store) -> None:
    store.sql("UPDATE batch_receipts SET signature = :s WHERE seq = 2", s=bytes(64))


def alter_a_tile(store: Store) -> None:
    hashes = bytearray(store.row("SELECT hashes FROM tiles WHERE seq = 2 AND level = 0 AND tile = 1")[0])
    hashes[0] ^= 1
    store.sql("UPDATE tiles SET hashes = :h WHERE seq = 2 AND level = 0 AND tile = 1", h=bytes(hashes))


def _newest_page(store: Store, key: bytes) -> tuple[str, int, bytes]:
    with store.database.read() as connection:
        pages = register.read_pages(connection, [key.hex()[:n] for n in range(6)], 4)
    path = max(pages, key=len)
    return path, int(store.row("SELECT max(seq) FROM register_pages WHERE path = :p", p=path)[0]), pages[path]


def alter_a_register_page(store: Store) -> None:
    path, seq, page = _newest_page(store, number_key(A))
    changed = page.replace(register.leaves_of(page)[0][1], bytes(32))
    store.sql("UPDATE register_pages SET page = :page WHERE path = :p AND seq = :s", page=changed, p=path, s=seq)


def drop_a_register_page(store: Store) -> None:
    path, _, _ = _newest_page(store, number_key(A))
    store.sql("DELETE FROM register_pages WHERE path = :p", p=path)


def alter_a_batch_root(store: Store) -> None:
    store.sql("UPDATE batches SET log_root = :r WHERE seq = 2", r=bytes(32))


def alter_an_anchors_time(store: Store) -> None:
    store.sql("UPDATE outbox SET block_time = block_time - 1 WHERE seq = 2")


def alter_what_a_void_names(store: Store) -> None:
    store.sql("UPDATE acts SET other_number = '26112999000088888888' WHERE entry_id = :i", i=_void_entry(store))


def forge_a_delivery(store: Store) -> None:
    store.sql(
        "INSERT INTO acknowledgements (id, consumer, cursor, at, key_id, signature) VALUES (1, 'central', 4, 1, :by, :signed)",
        by=store.keys.key_id,
        signed=bytes(64),
    )


def hide_a_batch_as_foreign(store: Store) -> None:
    _empty_batch(store, 4)
    store.sql('UPDATE batches SET size = 0, "foreign" = 1 WHERE seq = 4', "DELETE FROM tiles WHERE seq = 4")


def _empty_batch(store: Store, seq: int) -> None:
    ids = "(SELECT id FROM entries WHERE seq = :seq)"
    store.sql(
        f"DELETE FROM acts WHERE entry_id IN {ids}",
        f"DELETE FROM copies WHERE entry_id IN {ids}",
        f"DELETE FROM invoices WHERE id IN {ids}",
        "DELETE FROM entries WHERE seq = :seq",
        seq=seq,
    )


def truncate(store: Store) -> None:
    """Back to what was three batches long, as an old backup would be."""
    _empty_batch(store, 4)
    store.sql(
        *(
            f"DELETE FROM {table} WHERE seq = 4"
            for table in ("transactions", "tiles", "outbox", "batch_receipts", "register_pages", "batches")
        )
    )


def truncate_the_middle(store: Store) -> None:
    _empty_batch(store, 3)
    store.sql("DELETE FROM tiles WHERE seq = 3", "DELETE FROM batch_receipts WHERE seq = 3")


def rewrite_a_whole_batch(store: Store, *, receipts: bool = True) -> None:
    """Another content for A and all that follows from it: entry, leaves, tiles, roots, pages, in this very code."""
    change(store, A, "totals", amount_with_tax="1.00")
    id_ = id_of(store, A)
    store.sql("UPDATE invoices SET amount_fen = 100 WHERE id = :i", i=id_)
    copy = store.row("SELECT entry_id, invoice_id, salts, provenance FROM copies WHERE entry_id = :i", i=id_)
    invoice = store.row("SELECT id, header, seller, totals, buyer, lines, payment, notes FROM invoices WHERE id = :i", i=id_)
    made = content.copy_of_stored(copy, invoice)
    entry = decode_entry(store.row("SELECT entry FROM entries WHERE id = :i", i=id_)[0])
    store.sql("UPDATE entries SET entry = :e WHERE id = :i", e=entry._replace(copy=made or b"").encode(), i=id_)
    if not receipts:
        store.sql("UPDATE entries SET signature = :s WHERE seq = 2", "DELETE FROM batch_receipts WHERE seq = 2", s=bytes(64))
    with store.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM tiles WHERE seq = 2")
        rows = connection.exec_driver_sql('SELECT entry FROM entries WHERE seq = 2 ORDER BY "index"').all()
        root = tiles.write(connection, 2, [leaf_hash(row[0]) for row in rows])
        connection.exec_driver_sql("DELETE FROM register_pages")
        keys = sorted({row[0] for row in connection.exec_driver_sql("SELECT key FROM entries")})
        changes = {key: history.state.hash() for key, history in histories(connection, keys).items() if history.state}
        register_root = register.update(connection, 4, changes)
    store.sql("UPDATE batches SET log_root = :r WHERE seq = 2", r=root)
    store.sql("UPDATE batches SET register_root = :r WHERE seq = 4", r=register_root)


STRATEGIES: dict[Callable[[Store], None], tuple[str, str | None, str | None]] = {
    change_an_amount_with_its_column: ("altered", None, A),
    change_a_buyer: ("altered", None, A),
    change_a_remark: ("altered", None, A),
    change_a_drawer: ("altered", None, A),
    change_a_number: ("altered", None, None),
    change_a_search_column: ("altered", "invoices.amount_fen", A),
    re_salt: ("altered", None, A),
    re_salt_a_reprint: ("altered", "totals", REPRINTED),
    lose_a_section: ("missing", "lines", A),
    delete_a_record: ("missing", "entries", None),
    delete_content: ("missing", None, None),
    delete_a_salts_row: ("missing", "copies", A),
    swap_contents: ("altered", None, None),
    swap_places: ("altered", "entries.index", A),
    move_to_another_batch: ("unanchored", "entries", A),
    move_a_copy: ("altered", "copies.invoice_id", A),
    forge_an_acknowledgement: ("unanchored", "entries", None),
    forge_a_void: ("unanchored", "entries", A),
    insert_into_a_batch: ("unanchored", "entries", None),
    insert_content_without_an_entry: ("unanchored", "invoices", "26112999000088888888"),
    duplicate_a_record: ("duplicate", "invoices", A),
    duplicate_an_entry: ("duplicate", "entries", A),
    roll_back_a_void: ("missing", "entries", None),
    return_a_void_to_pending: ("missing", "entries", None),
    alter_a_status_entry: ("altered", "entries.entry", VOIDED),
    alter_an_entrys_time: ("altered", "entries.entry", A),
    alter_a_key: ("altered", "entries.key", None),
    alter_an_ordinal: ("altered", "entries.ordinal", A),
    alter_a_promise: ("altered", "entries.signature", A),
    alter_the_signature_over_receipts: ("altered", "batch_receipts", None),
    alter_a_tile: ("altered", "tiles", None),
    alter_a_register_page: ("altered", "register_pages", None),
    drop_a_register_page: ("missing", "register_pages", None),
    alter_a_batch_root: ("anchor_mismatch", "batches.log_root", None),
    alter_an_anchors_time: ("altered", "outbox.block_time", None),
    alter_what_a_void_names: ("altered", "acts.other_number", VOIDED),
    forge_a_delivery: ("altered", "acknowledgements", None),
    hide_a_batch_as_foreign: ("foreign_anchor", None, None),
    truncate: ("missing", "batches", None),
    truncate_the_middle: ("missing", "entries", None),
    rewrite_a_whole_batch: ("altered", "entries.entry", A),
}


def has(found: list[Found], code: str, place: str | None, number: str | None) -> bool:
    return any(
        one.code == code and (place is None or one.place == place) and (number is None or one.number == number) for one in found
    )
