"""The mapping file (TOML): which of their columns is which of our fields, and how they write what they write.

[source]
table = "T_FP_ZB"                 # or a view; for XLSX: sheet = "…"
[fields]                          # ours = theirs
number = ["FPDM", "FPHM"]         # several columns are joined by "-"; an empty one is left out
issued_on = "KPRQ"
amount_with_tax = "JSHJ"
status = "ZFBZ"
[status]                          # theirs = ours
"0" = "valid"
"1" = "void"
[formats]
issued_on = "%Y%m%d"              # else 2026-09-01, or a date of the database
amounts = "fen"                   # else yuan
[only]                            # what they are expected to have; all may be left out
sellers = ["91110108MAXXXX015B"]
issued_from = "2026-01-01"
issued_to = "2026-12-31"
"""

import tomllib
import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NamedTuple

from service.invoices.registration import STATUS_NAMES
from verifier.entry import NUMBER

STATUSES = frozenset(STATUS_NAMES.values())
TEXTS = {
    "kind": ("header", "kind"),
    "seller_name": ("seller", "name"),
    "seller_tax_id": ("seller", "tax_id"),
    "buyer_name": ("buyer", "name"),
    "buyer_tax_id": ("buyer", "tax_id"),
    "currency": ("totals", "currency"),
}
AMOUNTS = {name: ("totals", name) for name in ("amount", "tax", "amount_with_tax")}
DATES = {"issued_on": ("header", "issued_on")}
FIELDS = {**TEXTS, **AMOUNTS, **DATES}
"""Our fields that can be compared, and where they stand in content. Beside them: `number`, which finds the record, and `status`."""


class BadMapping(Exception):
    """What is wrong with a mapping file or with the source that it is for; the text is a sentence."""


class TheirRecord(NamedTuple):
    """A row of theirs as ours would be written. `fields` holds what they have, `status` None where they have none."""

    number: str | None
    fields: dict[str, str]
    status: str | None
    raw_number: str


class MappingFile(NamedTuple):
    """A mapping file that was read. `only` are limits of what they are expected to have."""

    table: str | None
    sheet: str | None
    number: tuple[str, ...]
    fields: dict[str, str]
    status_column: str | None
    statuses: dict[str, str]
    date_formats: dict[str, str]
    in_fen: bool
    sellers: frozenset[str] | None
    issued_from: str | None
    issued_to: str | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Theirs, each once."""
        status = (self.status_column,) if self.status_column else ()
        return tuple(dict.fromkeys((*self.number, *self.fields.values(), *status)))

    def read(self, row: Mapping[str, Any]) -> TheirRecord:
        """A row by their column names. What cannot be read as its kind stays as it is written, and then differs."""
        raw = "-".join(part for part in (_text(row[column]) for column in self.number) if part)
        number = unicodedata.normalize("NFKC", raw).upper().replace(" ", "")
        fields = {name: self._field(name, row[column]) for name, column in self.fields.items() if row[column] is not None}
        status = None
        if self.status_column is not None:
            written = _text(row[self.status_column])
            status = self.statuses.get(written, written)
        return TheirRecord(number if NUMBER.fullmatch(number) else None, fields, status, raw)

    def _field(self, name: str, value: Any) -> str:
        if name in DATES:
            return _date(value, self.date_formats.get(name))
        if name in AMOUNTS:
            return _amount(value, self.in_fen)
        return comparable(name, _text(value))

    def expects(self, fields: Mapping[str, str]) -> bool:
        """Whether they ought to have a record of ours."""
        issued_on = fields.get("issued_on", "")
        return (
            (self.sellers is None or fields.get("seller_tax_id") in self.sellers)
            and (self.issued_from is None or issued_on >= self.issued_from)
            and (self.issued_to is None or issued_on <= self.issued_to)
        )


def ours(content: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Our fields of one invoice in the form in which they are compared."""
    found = {}
    for name, (section, member) in FIELDS.items():
        value = content.get(section, {}).get(member)
        if isinstance(value, str):
            found[name] = _amount(value, in_fen=False) if name in AMOUNTS else comparable(name, value)
    return found


def comparable(name: str, text: str) -> str:
    """Shown names are compared after NFKC (domain.md); space around and between is no difference, nor is case in a tax id."""
    plain = "".join(unicodedata.normalize("NFKC", text).split())
    return plain.upper() if name.endswith("tax_id") else plain


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _date(value: Any, form: str | None) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    if isinstance(value, date):
        return value.isoformat()
    written = _text(value)
    try:
        return datetime.strptime(written, form).date().isoformat() if form else date.fromisoformat(written[:10]).isoformat()  # noqa: DTZ007
    except ValueError:
        return written


def _amount(value: Any, in_fen: bool) -> str:
    try:
        amount = Decimal(_text(value).replace(",", "").removeprefix("¥"))
        return format((amount / 100 if in_fen else amount).normalize(), "f") if amount.is_finite() else str(value)
    except InvalidOperation:
        return _text(value)


_SECTIONS = {"source": {"table", "sheet"}, "fields": {"number", "status", *FIELDS}, "status": None, "formats": None, "only": None}


def read_mapping(path: Path) -> MappingFile:
    """Raises BadMapping, with a sentence that names the place."""
    try:
        value = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadMapping(f"{path}: {error.strerror}") from None
    except (ValueError, tomllib.TOMLDecodeError) as error:
        raise BadMapping(f"{path}: {error}") from None
    for section, known in _SECTIONS.items():
        if not isinstance(value.get(section, {}), dict):
            raise BadMapping(f"{path}: [{section}] is no table")
        unknown = set(value.get(section, {})) - known if known is not None else set()
        if unknown:
            raise BadMapping(f"{path}: [{section}] knows no {', '.join(sorted(unknown))}")
    if unknown := set(value) - set(_SECTIONS):
        raise BadMapping(f"{path}: there is no section [{min(unknown)}]")
    return _checked(path, value)


def _checked(path: Path, value: dict[str, Any]) -> MappingFile:
    source, fields, formats, only = (value.get(name, {}) for name in ("source", "fields", "formats", "only"))
    number = fields.get("number")
    columns = (number,) if isinstance(number, str) else tuple(number or ())
    if not columns or not all(isinstance(column, str) and column for column in columns):
        raise BadMapping(f"{path}: [fields] number names no column")
    named = {name: column for name, column in fields.items() if name not in ("number", "status")}
    texts = {**named, **value.get("status", {}), **source, **({"status": fields["status"]} if "status" in fields else {})}
    for name, text in texts.items():
        if not isinstance(text, str) or not text:
            raise BadMapping(f"{path}: {name} is no text")
    if wrong := set(value.get("status", {}).values()) - STATUSES:
        raise BadMapping(f"{path}: [status] {min(wrong)} is no status of ours; these are: {', '.join(sorted(STATUSES))}")
    amounts = formats.get("amounts", "yuan")
    if amounts not in ("yuan", "fen"):
        raise BadMapping(f"{path}: [formats] amounts is yuan or fen")
    sellers = only.get("sellers")
    if sellers is not None and not (isinstance(sellers, list) and all(isinstance(seller, str) for seller in sellers)):
        raise BadMapping(f"{path}: [only] sellers is a list of tax ids")
    return MappingFile(
        source.get("table"),
        source.get("sheet"),
        columns,
        named,
        fields.get("status"),
        dict(value.get("status", {})),
        {name: form for name, form in formats.items() if name in DATES},
        amounts == "fen",
        None if sellers is None else frozenset(comparable("seller_tax_id", seller) for seller in sellers),
        *(str(only[name]) if name in only else None for name in ("issued_from", "issued_to")),
    )
