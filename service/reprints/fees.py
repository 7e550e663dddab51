"""What a reprint costs, by evidence: the diagnosis names the hop that is missing and who owes it.

Free where this registry is at fault, charged where the company is; where the evidence does not tell, the first reviewer decides and
says why. A decision is never taken back: who was told "free" pays nothing.
"""

from decimal import Decimal
from typing import Any, Literal, NamedTuple

from service.diagnosis.rules import Rule
from service.errors import Finding, Refused
from service.reprints.cases import Case

CURRENCY = "CNY"

FeeKind = Literal["free", "charged", "undetermined"]
Decision = Literal["free", "charged"]


class Quote(NamedTuple):
    """`rests_on` is the hop whose evidence decides; `fen` is 0 unless charged."""

    kind: FeeKind
    fen: int
    rests_on: str

    def columns(self) -> dict[str, Any]:
        return {"fee": self.kind, "fee_fen": self.fen, "fee_rests_on": self.rests_on}


def quote(rule: Rule, reprint_fee: Decimal) -> Quote:
    """By the rule that the diagnosis decided with. Never charged where the system owes the missing hop, whatever a rule says."""
    if rule.responsible == "system" or rule.fee == "free":
        return Quote("free", 0, rule.rests_on)
    if rule.fee == "charged":
        return _charged(rule.rests_on, reprint_fee)
    return Quote("undetermined", 0, rule.rests_on)


def decide(case: Case, decision: Decision | None, reason: str, reprint_fee: Decimal) -> Quote | None:
    """What the first reviewer decides where the evidence did not; None where nothing is left to decide.

    Raises Refused: `fee_undecided` where it is and nothing was said; `fee_decided` where something was and it is not; a pointer to
    `reason` where it is missing.
    """
    if case.fee != "undetermined":
        if decision is not None and decision != case.fee:
            raise Refused("fee_decided", {"fee": case.fee})
        return None
    if decision is None:
        raise Refused("fee_undecided")
    if not reason:
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/reason")])
    return Quote("free", 0, case.fee_rests_on) if decision == "free" else _charged(case.fee_rests_on, reprint_fee)


def amount(fen: int) -> str:
    """Of fen, as a decimal string in CNY."""
    return f"{fen // 100}.{fen % 100:02}"


def is_due(case: Case) -> bool:
    """It was found chargeable and is not paid."""
    return case.fee == "charged" and case.fee_fen > 0 and case.paid_at is None


def _charged(rests_on: str, reprint_fee: Decimal) -> Quote:
    fen = int(reprint_fee * 100)
    return Quote("charged", fen, rests_on) if fen else Quote("free", 0, rests_on)
