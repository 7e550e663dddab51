"""The rules that need to know what is registered already. Pure: the caller looks the facts up, in its own transaction.

reversal_exceeds_original, reversal_of_reversal, original_not_open, original_not_registered, number_taken, possible_duplicate.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, NamedTuple

from service.errors import Finding

Status = Literal["awaiting_approval", "valid", "void", "reversed", "partly_reversed", "released"]
Act = Literal["reverse", "reverse_part", "void"]
"""The entry to log for the original, in the same transaction as the new invoice's `issue`."""

DUPLICATE_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reference:
    """What an invoice that names an original says, from its own sections. `amount_with_tax` is None where it is no number."""

    number: str
    relation: str
    seller_tax_id: str
    amount_with_tax: Decimal | None


@dataclass(frozen=True, slots=True)
class Original:
    """What the ledger knows of the original."""

    status: Status
    seller_tax_id: str
    amount_with_tax: Decimal | None
    reverses: bool
    """It is a red-letter invoice itself."""
    reversed_so_far: Decimal = Decimal(0)
    """The sum of amount_with_tax over the reversals of it that were logged: 0 or negative."""


class Judgement(NamedTuple):
    """`act` is None where the new invoice is registered by `issue` alone, and the original stays as it is."""

    act: Act | None
    findings: list[Finding]


def reference_of(sections: dict[str, Any], amount_with_tax: Decimal | None) -> Reference | None:
    """The original that an invoice names, None if none. The sections have passed `rules.examine`."""
    original = sections["provenance"].get("original")
    if original is None:
        return None
    seller_tax_id = sections["seller"].get("tax_id", "")
    return Reference(original["number"], original.get("relation", ""), seller_tax_id, amount_with_tax)


def check_original(reference: Reference, original: Original | None) -> Judgement:
    """May this invoice act on its original, and how? Every error here refuses it in `new`; `as_issued` registers by `issue` alone.

    `original` is None, or awaits approval or was released, where no invoice of that number is registered: a warning, and the
    same question again once it is.
    """
    if original is None or original.status in ("awaiting_approval", "released"):
        return Judgement(None, [Finding("original_not_registered", "warning", "/provenance/original/number")])
    if reference.seller_tax_id != original.seller_tax_id:
        return _refused("original_not_open", case="seller")
    if reference.relation == "reissues":
        return _check_reissue(original)
    if reference.relation == "reverses":
        return _check_reversal(reference, original)
    return Judgement(None, [])  # rules.check has its finding: no such relation


def _check_reissue(original: Original) -> Judgement:
    if original.reverses:
        return _refused("original_not_open", case="red_letter")
    if original.status != "valid":
        return _refused("original_not_open", status=original.status)
    return Judgement("void", [])


def _check_reversal(reference: Reference, original: Original) -> Judgement:
    if original.reverses:
        return _refused("reversal_of_reversal")
    if original.status not in ("valid", "partly_reversed"):
        return _refused("original_not_open", status=original.status)
    if reference.amount_with_tax is None or original.amount_with_tax is None:
        return _refused("reversal_exceeds_original", "/totals/amount_with_tax", case="unknown")
    left = original.amount_with_tax + original.reversed_so_far
    if reference.amount_with_tax >= 0:
        return _refused("reversal_exceeds_original", "/totals/amount_with_tax", case="not_negative")
    if -reference.amount_with_tax > left:
        return _refused("reversal_exceeds_original", "/totals/amount_with_tax", left=str(left))
    return Judgement("reverse" if -reference.amount_with_tax == left else "reverse_part", [])


def _refused(code: str, pointer: str = "/provenance/original/number", **params: str) -> Judgement:
    return Judgement(None, [Finding(code, "error", pointer, params)])


def check_number_free(status: Status | None) -> list[Finding]:
    """number_taken, unless nothing of that number was registered (None) or it was released. An error in both profiles: 409."""
    return [] if status in (None, "released") else [Finding("number_taken", "error", "/header/number")]


def check_duplicate(alike: Iterable[tuple[str, datetime]], now: datetime) -> list[Finding]:
    """possible_duplicate, for the latest within 24 hours of those `alike` in parties, total and day: (number, registered at)."""
    recent = [(at, number) for number, at in alike if timedelta(0) <= now - at <= DUPLICATE_WINDOW]
    return [Finding("possible_duplicate", "warning", "/header/number", {"number": max(recent)[1]})] if recent else []
