"""The rules of domain.md that need nothing but the invoice. Each finding's code stands where it is found: search for it.

| codes | where |
|---|---|
| field_missing, field_unknown, buyer_title_missing, item_missing | content.py, from the field table |
| text_not_allowed | content.py (types), `_canonical` (protocol.md section 1), below (spelling) |
| number_format, number_year, region_unknown | numbers.py |
| tax_id_check_digit, tax_id_format | tax_ids.py |
| rate_not_allowed | rates.py |
| kind_unknown, issued_in_the_future, check_code_format | `_Check.header` |
| amount_scale and everything about lines and sums | `_Check.lines`, `_Check.totals` |
| reversal_without_original; original_not_open, reversal_exceeds_original as far as they can be told here | `_Check.original` |
| what needs the register | originals.py |
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any, NamedTuple

from service.errors import Finding, Severity
from service.formats import capitals
from service.invoices import numbers, rates
from service.invoices.content import (
    DIGITAL,
    KINDS,
    LEGACY,
    LEGACY_ELECTRONIC,
    NATURES,
    RELATIONS,
    SCHEMA,
    Normalised,
    Profile,
    check_form,
    normalise,
)
from service.invoices.findings import Findings, joined
from service.invoices.tax_ids import check_tax_id
from verifier.canonical import MAX_SECTIONS_BYTES, canonical_bytes, check_assigned
from verifier.commitment import SECTIONS
from verifier.errors import NotCanonical

__all__ = ["Examined", "Normalised", "Profile", "check", "examine", "normalise", "refuses"]

ERRORS_IN_BOTH_PROFILES = frozenset(
    {"field_missing", "field_unknown", "kind_unknown", "text_not_allowed", "number_format", "number_taken"}
)
"""Where these are errors (in as_issued: header and canonical form; elsewhere they are warnings), as_issued refuses too."""

LINE_AMOUNT_TOLERANCE = Decimal("0.01")
LINE_TAX_TOLERANCE = Decimal("0.06")
TAX_TOLERANCE = Decimal("1.27")

BEIJING = timezone(timedelta(hours=8))

# str.isprintable knows the interpreter's version of Unicode; protocol.md asks for 14.
_PRINTABLE_IS_ASSIGNED = unicodedata.unidata_version == "14.0.0"

# Sums and products of what _MONEY and _NUMBER let through are exact in this many digits.
_EXACT = Context(prec=120, traps=[])
_MONEY = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{2}")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})(?:\.[0-9]{1,20})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?(?:Z|[+-][0-9]{2}:[0-9]{2})")
_CURRENCY = re.compile(r"[A-Z]{3}")
_CLASSIFICATION_CODE = re.compile(r"[0-9]{19}")
_CHECK_CODE = re.compile(r"[0-9]{20}")
_CATEGORY = re.compile(r"\*[^*]+\*")
_WITH_CATEGORY = DIGITAL | LEGACY | {"toll"}


class Examined(NamedTuple):
    """`sections` as they are to be registered, `changed` those that differ from what was sent, `canonical` the bytes to hash.

    `canonical` lacks the sections that have none; there is a finding for each, and it refuses.
    """

    sections: dict[str, Any]
    changed: tuple[str, ...]
    canonical: dict[str, bytes]
    findings: list[Finding]


def examine(sections: Any, profile: Profile, *, today: date, found: Iterable[Finding] = ()) -> Examined:
    """Everything that registering needs to know of content, in one pass. Never raises, whatever JSON `sections` is.

    `today` is the date in Beijing; `found` are an importer's own findings about these sections.
    """
    normalised = normalise(sections, profile)
    findings = Findings()
    if check_form(normalised.sections, profile, findings):
        with localcontext(_EXACT):
            _Check(normalised.sections, profile, today, findings).run()
    canonical = _canonical(sections, normalised, findings)
    listed = findings.listed()
    if normalised.findings:
        listed = normalised.findings + listed
    return Examined(normalised.sections, normalised.changed, canonical, joined(found, listed) if found else listed)


def check(sections: Any, profile: Profile, *, today: date) -> list[Finding]:
    """The findings alone: nothing is refused here, see `refuses`."""
    return examine(sections, profile, today=today).findings


def refuses(findings: Iterable[Finding], profile: Profile) -> bool:
    """`new` refuses on any error, `as_issued` only on one that is an error in both profiles. Warnings never refuse."""
    errors = (finding for finding in findings if finding.severity == "error")
    if profile == "new":
        return any(True for _ in errors)
    return any(finding.code in ERRORS_IN_BOTH_PROFILES for finding in errors)


def _canonical(sent: Any, normalised: Normalised, findings: Findings) -> dict[str, bytes]:
    """The bytes of every section. A pointer leads into what was sent, so what was moved is looked at in its old place first."""
    canonical: dict[str, bytes] = {}
    if type(sent) is not dict:
        return canonical
    size = 0
    skipped = normalised.changed if None in [_section_bytes(name, sent[name], findings) for name in normalised.changed] else ()
    for name in SECTIONS:
        if name in normalised.sections and name not in skipped:
            written = _section_bytes(name, normalised.sections[name], findings)
            if written is not None:
                canonical[name] = written
                size += len(written)
    if size > MAX_SECTIONS_BYTES:
        findings.add("text_not_allowed", "error", "", case="size")
    return canonical


def _section_bytes(name: str, value: Any, findings: Findings) -> bytes | None:
    try:
        written = canonical_bytes(value)
        if not (_PRINTABLE_IS_ASSIGNED and written.decode().isprintable()):
            check_assigned(value)
    except NotCanonical as refused:
        pointer = f"/{name}{refused.pointer}".encode(errors="replace").decode()
        # A value of the wrong type in a known field has its finding from the field table; here it would come again.
        if refused.reason != "type" or not findings.has("text_not_allowed", pointer):
            findings.add("text_not_allowed", "error", pointer, case=refused.reason)
        return None
    return written


class _Check:
    """One invoice whose form is right: every known field is of its type. Values may still be any text."""

    __slots__ = ("_add", "_elsewhere", "_findings", "_issued_on", "_reversal", "_sections", "_today", "_totals")

    def __init__(self, sections: dict[str, Any], profile: Profile, today: date, findings: Findings) -> None:
        self._sections = sections
        self._today = today
        self._findings = findings
        self._add = findings.add
        self._elsewhere: Severity = "error" if profile == "new" else "warning"
        self._issued_on: date | None = None
        self._totals: dict[str, Decimal | None] = {}
        self._reversal = False

    def run(self) -> None:
        self._header(self._sections["header"])
        for party in ("seller", "buyer"):
            tax_id = self._sections[party].get("tax_id")
            if tax_id:
                check_tax_id(tax_id, f"/{party}/tax_id", self._findings)
        self._sums(self._sections["totals"])
        self._original(self._sections["provenance"].get("original"))
        self._lines(self._sections["lines"])

    def _header(self, header: dict[str, str]) -> None:
        kind = header.get("kind", "")
        if kind and kind not in KINDS:
            self._add("kind_unknown", "error", "/header/kind")
        if header.get("schema", SCHEMA) != SCHEMA:
            self._add("text_not_allowed", "error", "/header/schema", case="schema")
        self._issued(header)
        if number := header.get("number"):
            issued_on = header["issued_on"] if self._issued_on else ""
            numbers.check_number(kind, number, issued_on, self._sections["seller"].get("tax_id", ""), self._findings)
        if region := header.get("region"):
            numbers.check_region(region, self._findings)
        if kind in DIGITAL:
            for name in header.keys() & {"check_code", "machine_number"}:
                self._add("field_unknown", "error", f"/header/{name}", case="kind")
        elif kind in LEGACY_ELECTRONIC and not _CHECK_CODE.fullmatch(header.get("check_code", "0" * 20)):
            self._add("check_code_format", "error", "/header/check_code")

    def _issued(self, header: dict[str, str]) -> None:
        if written := header.get("issued_on"):
            self._issued_on = _date(written)
            if self._issued_on is None:
                self._add("text_not_allowed", "error", "/header/issued_on", case="date")
            elif self._issued_on > self._today:
                self._add("issued_in_the_future", "error", "/header/issued_on")
        if written := header.get("issued_at"):
            issued_at = _day_of(written)
            if issued_at is None:
                self._add("text_not_allowed", "error", "/header/issued_at", case="time")
            elif issued_at > self._today and (self._issued_on is None or self._issued_on <= self._today):
                self._add("issued_in_the_future", "error", "/header/issued_at")

    def _sums(self, totals: dict[str, str]) -> None:
        currency = totals.get("currency")
        if currency and not _CURRENCY.fullmatch(currency):
            self._add("text_not_allowed", self._elsewhere, "/totals/currency", case="currency")
        for name in ("amount", "tax", "amount_with_tax"):
            self._totals[name] = self._money(totals, name, "/totals")
        amount, tax, with_tax = self._totals.values()
        if amount is not None and tax is not None and with_tax is not None and amount + tax != with_tax:
            self._add("totals_do_not_add_up", "error", "/totals/amount_with_tax", expected=str(amount + tax))
        in_capitals = totals.get("amount_in_capitals")
        if in_capitals and with_tax is not None:
            read = capitals.parse(in_capitals)
            if read is None:
                self._add("capitals_mismatch", "error", "/totals/amount_in_capitals", case="unreadable")
            elif read != with_tax:
                self._add("capitals_mismatch", "error", "/totals/amount_in_capitals", read=str(read))
        self._reversal = (with_tax is not None and with_tax < 0) or (amount is not None and amount < 0)

    def _original(self, original: dict[str, str] | None) -> None:
        relation = None
        if original is not None:
            relation = original.get("relation", "")
            if relation and relation not in RELATIONS:
                allowed = ", ".join(sorted(RELATIONS))
                self._add("text_not_allowed", self._elsewhere, "/provenance/original/relation", case="choice", allowed=allowed)
            number = original.get("number", "")
            # An error in both profiles: a verifier calls a proof forged whose original has no well-formed number.
            if not numbers.WELL_FORMED.fullmatch(number):
                self._add("number_format", "error", "/provenance/original/number", case="original")
            elif number == self._sections["header"].get("number"):
                self._add("original_not_open", "error", "/provenance/original/number", case="itself")
        if self._reversal and relation != "reverses":
            self._add("reversal_without_original", "error", "/provenance/original")
        elif relation == "reverses" and self._totals["amount_with_tax"] is not None and not self._reversal:
            self._add("reversal_exceeds_original", "error", "/totals/amount_with_tax", case="not_negative")

    def _lines(self, lines: list[dict[str, str]]) -> None:
        amounts: list[Decimal | None] = []
        taxes: list[Decimal | None] = []
        with_taxes: list[Decimal | None] = []
        due: Decimal | None = Decimal(0)  # amount × rate over all lines, None once a line cannot say
        # A reversal or a reissue keeps the rate of its original, whenever that was.
        rates_of = None if "original" in self._sections["provenance"] else self._issued_on
        any_category = self._sections["header"].get("kind") not in _WITH_CATEGORY
        for index, line in enumerate(lines):
            place = f"/lines/{index}"
            amount = self._money(line, "amount", place)
            tax = self._money(line, "tax", place)
            with_tax = self._money(line, "amount_with_tax", place)
            amounts.append(amount)
            taxes.append(tax)
            with_taxes.append(with_tax)
            rate = self._rate(line, place, rates_of)
            expected = None if amount is None or rate is None else amount * rate
            due = None if due is None or expected is None else due + expected
            if expected is not None and tax is not None and abs(expected - tax) > LINE_TAX_TOLERANCE:
                self._add("line_tax_tolerance", "error", f"{place}/tax", expected=_shown(expected))
            if amount is not None and tax is not None and with_tax is not None and amount + tax != with_tax:
                self._add("totals_do_not_add_up", "error", f"{place}/amount_with_tax", expected=str(amount + tax))
            self._quantity(line, place, amount)
            item = line.get("item")
            if item and not any_category and not _CATEGORY.match(item):
                self._add("item_without_category", "warning", f"{place}/item")
            code = line.get("classification_code")
            if code and not _CLASSIFICATION_CODE.fullmatch(code):
                self._add("text_not_allowed", self._elsewhere, f"{place}/classification_code", case="classification_code")
            if line.get("nature", "normal") != "normal":
                self._nature(lines, index, amount)
        self._add_up("amount", amounts)
        self._add_up("tax", taxes)
        self._add_up("amount_with_tax", with_taxes)
        tax = self._totals["tax"]
        if due is not None and tax is not None and abs(due - tax) > TAX_TOLERANCE:
            self._add("tax_tolerance", "error", "/totals/tax", expected=_shown(due))

    def _rate(self, line: dict[str, str], place: str, issued_on: date | None) -> Decimal | None:
        rate = None
        written = line.get("rate")
        if written:
            rate, severity, case = rates.judge(written, issued_on)
            if severity:
                params = {"case": case} if case else {}
                self._add("rate_not_allowed", severity, f"{place}/rate", rate=written[:32], **params)
        label = line.get("rate_label")
        if label and (wrong := rates.judge_label(label, rate)):
            self._add("rate_not_allowed", "error", f"{place}/rate_label", case=wrong)
        return rate

    def _quantity(self, line: dict[str, str], place: str, amount: Decimal | None) -> None:
        quantity = self._number(line, "quantity", place)
        price = self._number(line, "unit_price", place)
        if quantity is None or price is None or amount is None:
            return
        expected = quantity * price
        if abs(expected - amount) > LINE_AMOUNT_TOLERANCE:
            self._add("line_amount_tolerance", "error", f"{place}/amount", expected=_shown(expected))

    def _nature(self, lines: list[dict[str, str]], index: int, amount: Decimal | None) -> None:
        line, place = lines[index], f"/lines/{index}"
        nature = line["nature"]
        if nature == "discounted":
            if index + 1 == len(lines) or lines[index + 1].get("nature") != "discount":
                self._add("discount_line", "error", place, case="undiscounted")
        elif nature == "discount":
            before = lines[index - 1] if index else {}
            if before.get("nature") != "discounted":
                self._add("discount_line", "error", place)
            elif line.get("item") != before.get("item") or not _same_rate(line, before):
                self._add("discount_line", "error", place, case="differs")
            if line.get("quantity") or line.get("unit_price"):
                self._add("discount_line", "error", place, case="priced")
            if amount is not None and (amount <= 0 if self._reversal else amount >= 0):
                self._add("discount_line", "error", f"{place}/amount", case="sign")
        elif nature not in NATURES:
            allowed = ", ".join(sorted(NATURES))
            self._add("text_not_allowed", self._elsewhere, f"{place}/nature", case="choice", allowed=allowed)

    def _add_up(self, name: str, values: list[Decimal | None]) -> None:
        """Where every line has this amount, their sum is the total's, exactly."""
        total = self._totals[name]
        if total is None:
            return
        expected = Decimal(0)
        for value in values:
            if value is None:
                return
            expected += value
        if expected != total:
            self._add("lines_do_not_add_up", "error", f"/totals/{name}", expected=str(expected))

    def _money(self, amounts: dict[str, str], name: str, place: str) -> Decimal | None:
        """Two decimals; else amount_scale, in `new` an error. None where it is no number, an error in as_issued too."""
        written = amounts.get(name)
        if written and _MONEY.fullmatch(written):
            return Decimal(written)
        amount = self._number(amounts, name, place)
        if amount is not None:
            self._add("amount_scale", self._elsewhere, f"{place}/{name}")
        return amount

    def _number(self, amounts: dict[str, str], name: str, place: str) -> Decimal | None:
        written = amounts.get(name)
        if not written:
            return None
        number = decimal_of(written)
        if number is None:
            self._add("amount_scale", "error", f"{place}/{name}", case="number")
        return number


def decimal_of(written: str) -> Decimal | None:
    """The number that an amount, quantity or price says; None where the rules say that it is none."""
    return Decimal(written) if _NUMBER.fullmatch(written) else None


def _date(written: str) -> date | None:
    if not _DATE.fullmatch(written):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _day_of(written: str) -> date | None:
    """The day in Beijing of an RFC 3339 time."""
    if not _TIME.fullmatch(written):
        return None
    try:
        return datetime.fromisoformat(written).astimezone(BEIJING).date()
    except (ValueError, OverflowError):
        return None


def _same_rate(one: dict[str, str], other: dict[str, str]) -> bool:
    first, second = one.get("rate", ""), other.get("rate", "")
    return first == second or (rates.judge(first, None).value == rates.judge(second, None).value is not None)


def _shown(value: Decimal) -> str:
    """An expected amount for a sentence: two decimals, or up to six where two would not be exact."""
    rounded = value.quantize(Decimal("0.01"))
    return f"{rounded if rounded == value else value.quantize(Decimal('0.000001')).normalize():f}"
