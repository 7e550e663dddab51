"""What an applicant shows: identity paper, company letter, application form. Kept encrypted, looked at in the page, and forgotten.

What is kept of a file are the pictures of its pages (service/formats/previews.py), never the file itself
(docs/decisions/0019-materials-are-pictures.md). Each document has a data key of its own, wrapped by the vault; both are bound to
document and case, so that nothing of one can stand in the place of another.
"""

import secrets
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args

import orjson
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    delete,
    exists,
    func,
    insert,
    select,
)

from service import activity
from service.config import Settings
from service.db import Database, metadata
from service.errors import Refused
from service.formats.previews import FORMATS
from service.invoices import reading
from service.reprints import cases
from service.reprints.cases import SYSTEM, Case
from service.reprints.tables import CASE_ID, reprint_cases
from service.reprints.transitions import CLOSED
from service.vault import DataKey, Vault
from verifier.canonical import canonical_bytes

MaterialType = Literal["identity", "company_letter", "application_form", "other"]
TYPES: tuple[MaterialType, ...] = get_args(MaterialType)

_ALWAYS: tuple[MaterialType, ...] = ("identity", "application_form")
_DAY_MS = 86_400_000
_FORGOTTEN_AT_ONCE = 20
"""Cases of one transaction: others want to write meanwhile."""

reprint_materials = Table(
    "reprint_materials",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), nullable=False, index=True),
    Column("type", String(24), nullable=False),
    Column("pages", SmallInteger, nullable=False),
    Column("size", Integer, nullable=False, comment="bytes of the file that was sent"),
    Column("wrapped", LargeBinary, nullable=False, comment="encrypted: the document's data key"),
    Column("uploaded_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)

reprint_material_pages = Table(
    "reprint_material_pages",
    metadata,
    Column("material_id", String(16), ForeignKey("reprint_materials.id"), primary_key=True),
    Column("page", SmallInteger, primary_key=True, autoincrement=False, comment="1, 2, 3 …"),
    Column("picture", LargeBinary, nullable=False, comment="PNG, under the document's data key"),
)

material_retentions = Table(
    "material_retentions",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False, comment="days since 1970 UTC: one run a day"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("cases", Integer, nullable=False, comment="whose materials were deleted"),
    Column("documents", Integer, nullable=False),
)


class Item(NamedTuple):
    """One document, without what it shows."""

    id: str
    type: MaterialType
    pages: int
    size: int
    uploaded_at: int


_items = select(*(reprint_materials.c[name] for name in Item._fields)).order_by(
    reprint_materials.c.uploaded_at, reprint_materials.c.id
)


def items(connection: Connection, case_id: str) -> list[Item]:
    """The case's documents, oldest first."""
    return [Item(*row) for row in connection.execute(_items.where(reprint_materials.c.case_id == case_id))]


def find(connection: Connection, case_id: str, material_id: str) -> Item:
    """Raises Refused("material_not_found"), also for a document of another case."""
    of_case = (reprint_materials.c.id == material_id, reprint_materials.c.case_id == case_id)
    row = connection.execute(_items.where(*of_case)).one_or_none()
    if row is None:
        raise Refused("material_not_found")
    return Item(*row)


def required(connection: Connection, case: Case) -> tuple[MaterialType, ...]:
    """What the case cannot be handed in without; a company letter where the buyer has a tax id, so is no private person."""
    return (*_ALWAYS, "company_letter") if _buyer_has_tax_id(connection, case) else _ALWAYS


def missing(connection: Connection, case: Case) -> list[MaterialType]:
    """What is required and not there."""
    there = {item.type for item in items(connection, case.id)}
    return [type_ for type_ in TYPES if type_ in required(connection, case) and type_ not in there]


def needed(connection: Connection, case: Case, settings: Settings) -> list[dict[str, Any]]:
    """Every type of document with its limits, as a case's answer has it."""
    musts = required(connection, case)
    limits = {"formats": list(FORMATS), "max_bytes": settings.material_max_bytes, "max_pages": settings.material_max_pages}
    return [{"type": type_, "required": type_ in musts, **limits} for type_ in TYPES]


def check_open(case: Case) -> None:
    """Raises Refused("materials_closed") unless the case waits for its materials."""
    if case.state != "materials_pending":
        raise Refused("materials_closed", {"state": case.state})


def add(
    connection: Connection, case: Case, type_: MaterialType, size: int, pictures: list[bytes], vault: Vault, most: int, now_ms: int
) -> Item:
    """Keep a document: the PNGs of its pages. The caller has locked the case. Raises Refused: materials_closed, materials_full."""
    check_open(case)
    of_case = select(func.count()).select_from(reprint_materials).where(reprint_materials.c.case_id == case.id)
    if (connection.scalar(of_case) or 0) >= most:
        raise Refused("materials_full", {"limit": str(most)})
    item = Item(secrets.token_hex(8), type_, len(pictures), size, now_ms)
    key, wrapped = vault.new_data_key(key_context(case.id, item.id))
    connection.execute(insert(reprint_materials), {**item._asdict(), "case_id": case.id, "wrapped": wrapped})
    rows = [
        {"material_id": item.id, "page": page, "picture": key.encrypt(picture, _page_context(case.id, item.id, page))}
        for page, picture in enumerate(pictures, 1)
    ]
    connection.execute(insert(reprint_material_pages), rows)
    return item


def remove(connection: Connection, case: Case, material_id: str) -> Item:
    """Take a document out again, with its key. Raises Refused: materials_closed, material_not_found."""
    check_open(case)
    item = find(connection, case.id, material_id)
    connection.execute(delete(reprint_material_pages).where(reprint_material_pages.c.material_id == material_id))
    connection.execute(delete(reprint_materials).where(reprint_materials.c.id == material_id))
    return item


def picture(connection: Connection, case_id: str, material_id: str, page: int, vault: Vault) -> bytes:
    """One page as PNG. Raises Refused("material_not_found")."""
    table, pages = reprint_materials, reprint_material_pages
    is_this = (table.c.id == material_id, table.c.case_id == case_id, pages.c.page == page)
    query = select(table.c.wrapped, pages.c.picture).join(pages, pages.c.material_id == table.c.id).where(*is_this)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise Refused("material_not_found")
    key = vault.unwrap(row.wrapped, key_context(case_id, material_id))
    return key.decrypt(row.picture, _page_context(case_id, material_id, page))


def digest(connection: Connection, case_id: str, vault: Vault) -> str:
    """What binds an approval to exactly these documents, in hex: computed from what is stored, each time.

    SHA-256 of the canonical JSON of id, type and MAC of each; the MAC is under the document's own key, so that once that is deleted
    nobody can tell of what it was, even from the document itself.
    """
    wrapped = select(reprint_materials.c.wrapped).where(reprint_materials.c.case_id == case_id)
    said = []
    for item in items(connection, case_id):
        sealed = connection.execute(wrapped.where(reprint_materials.c.id == item.id)).scalar_one()
        key = vault.unwrap(sealed, key_context(case_id, item.id))
        said.append({"id": item.id, "type": item.type, "mac": _mac(connection, key, item.id).hex()})
    return sha256(b"zhengpiao/materials\x00" + canonical_bytes({"case": case_id, "materials": said})).hexdigest()


def _mac(connection: Connection, key: DataKey, material_id: str) -> bytes:
    """Over the pages as they are stored: a rotation leaves those as they are."""
    query = select(reprint_material_pages.c.picture).where(reprint_material_pages.c.material_id == material_id)
    hashes = [sha256(sealed).digest() for sealed in connection.scalars(query.order_by(reprint_material_pages.c.page))]
    return key.mac(b"".join(hashes))


def forget_due(database: Database, settings: Settings, now_ms: int) -> bool:
    """Delete the materials of cases that closed `materials_keep_days` ago, some at a time; True while there may be more.

    Once a day the run itself is written down, in the activity log too, whether or not there was anything to delete.
    """
    day, closed_by = now_ms // _DAY_MS, now_ms - settings.materials_keep_days * _DAY_MS
    with database.read() as connection:
        if not _due(connection, closed_by) and _has_run(connection, day):
            return False
    with database.write() as connection:
        due = _due(connection, closed_by)
        documents = sum(_forget(connection, case_id, now_ms) for case_id in due)
        if not _has_run(connection, day):
            row = {"day": day, "at": now_ms, "cases": len(due), "documents": documents}
            connection.execute(insert(material_retentions), row)
            said = {"cases": str(len(due)), "documents": str(documents), "keep_days": str(settings.materials_keep_days)}
            activity.append(connection, now_ms, SYSTEM, "ran_retention", "materials", said)
    return len(due) == _FORGOTTEN_AT_ONCE


def _due(connection: Connection, closed_by: int) -> list[str]:
    has_some = exists().where(reprint_materials.c.case_id == reprint_cases.c.id)
    over = (reprint_cases.c.state.in_(CLOSED), reprint_cases.c.changed_at <= closed_by, has_some)
    query = select(reprint_cases.c.id).where(*over).order_by(reprint_cases.c.changed_at).limit(_FORGOTTEN_AT_ONCE)
    return list(connection.scalars(query))


def _has_run(connection: Connection, day: int) -> bool:
    return connection.scalar(select(material_retentions.c.day).where(material_retentions.c.day == day)) is not None


def _forget(connection: Connection, case_id: str, now_ms: int) -> int:
    """How many documents the case had."""
    cases.lock(connection, case_id)
    ids = select(reprint_materials.c.id).where(reprint_materials.c.case_id == case_id)
    connection.execute(delete(reprint_material_pages).where(reprint_material_pages.c.material_id.in_(ids)))
    count = connection.execute(delete(reprint_materials).where(reprint_materials.c.case_id == case_id)).rowcount
    if count:
        activity.append(connection, now_ms, SYSTEM, "forgot_materials", case_id, {"documents": str(count)})
    return count


def _buyer_has_tax_id(connection: Connection, case: Case) -> bool:
    record = reading.find(connection, case.number)
    if record is None or record.invoice is None or record.invoice.buyer is None:  # lost: a reviewer can still ask for a letter
        return False
    return bool(orjson.loads(record.invoice.buyer).get("tax_id"))


def key_context(case_id: str, material_id: str) -> str:
    """What a wrapped data key is bound to."""
    return f"reprint/{case_id}/material/{material_id}"


def _page_context(case_id: str, material_id: str, page: int) -> str:
    return f"{key_context(case_id, material_id)}/{page}"
