"""The table by which a case is decided: the last hop with evidence and the first without say where an invoice got lost.

Rows are tried in order and the first that holds decides; docs/diagnosis.md shows the same rows. A fee is what a reprint of the
invoice would cost if it is applied for now, and rests on the hop that is named with it.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

from service.diagnosis.case import Case, HopName

Verdict = Literal[
    "present",
    "replaced",
    "void",
    "reversed",
    "partly_reversed",
    "released",
    "detail_mismatch",
    "accepted_not_sealed",
    "sealed_not_anchored",
    "anchored_not_final",
    "receipt_breached",
    "not_delivered_to_central",
    "delivered_not_visible",
    "node_lagging",
    "lost_after_anchor",
    "altered",
    "never_submitted",
    "other_region",
    "forged",
    "undecided",
]
VERDICTS: tuple[Verdict, ...] = Verdict.__args__  # type: ignore[attr-defined]

Responsible = Literal["system", "issuer", "applicant", "other_region", "nobody", "undetermined"]
RESPONSIBLE: tuple[Responsible, ...] = Responsible.__args__  # type: ignore[attr-defined]

Action = Literal[
    "nothing",
    "wait",
    "try_again",
    "check_details",
    "ask_issuer",
    "ask_other_region",
    "report_forgery",
    "show_receipt",
    "restore_from_copy",
    "find_copy",
    "apply_for_reprint",
]
ACTIONS: tuple[Action, ...] = Action.__args__  # type: ignore[attr-defined]

Fee = Literal["free", "charged", "none", "undetermined"]
FEES: tuple[Fee, ...] = Fee.__args__  # type: ignore[attr-defined]


class Rule(NamedTuple):
    """`condition` says in words what `holds` asks; `rests_on` is the hop whose evidence decides about the fee."""

    verdict: Verdict
    condition: str
    holds: Callable[[Case], bool]
    responsible: Responsible
    next_action: Action
    fee: Fee
    rests_on: HopName


def _is_lost(case: Case) -> bool:
    """Anchored, by the chain's word or ours, and not here any more."""
    if case.content == "lost":
        return case.reached != "accepted"
    is_gone = case.reached == "nowhere" and case.content is None and not case.is_behind
    return is_gone and (case.is_proven or case.in_register is True)


def _is_altered(case: Case) -> bool:
    """What we have is not what was anchored, or of this number we have other entries than the anchored one that was shown."""
    has_others = case.is_proven and case.is_registered and case.reached == "nowhere" and not case.is_behind
    return case.content == "altered" or not case.is_entry_sound or has_others


def _is_unread(case: Case) -> bool:
    """The answer would rest on the chain, and that cannot be read; or our own register does not lead to it, or not so far."""
    if case.is_behind and not case.is_registered:
        return True
    return case.reached in ("nowhere", "final") and not (case.is_chain_known and case.is_register_sound)


def _is_breached(case: Case) -> bool:
    """Shown to whoever holds the receipt, and to everybody while nothing is anchored."""
    return case.breach is not None and (case.breach.late is None or case.material == "receipt")


def _is_unknown(case: Case) -> bool:
    return case.reached == "nowhere" and not case.is_registered


def _is_dropped(case: Case) -> bool:
    """We signed for it, and have no trace of it: it never came as far as a batch."""
    return case.reached == "nowhere" and case.material in ("receipt", "proof")


def _is_behind(case: Case) -> bool:
    return any(said.state == "behind" for said in case.nodes)


def _is_missing_at_a_node(case: Case) -> bool:
    return any(said.state == "missing" for said in case.nodes)


RULES: tuple[Rule, ...] = (
    Rule(
        "forged",
        "what was shown contradicts the chain, or claims a signature of ours that is none",
        lambda case: case.is_forged,
        "undetermined",
        "report_forgery",
        "none",
        "shown",
    ),
    Rule(
        "undecided",
        "what was shown is of another registry, of another protocol, or signed by a key that this registry does not know",
        lambda case: case.is_foreign,
        "undetermined",
        "ask_issuer",
        "undetermined",
        "shown",
    ),
    Rule(
        "lost_after_anchor",
        "anchored, and our record of it is gone; the copy that was shown holds content",
        lambda case: _is_lost(case) and case.has_content,
        "system",
        "restore_from_copy",
        "free",
        "content",
    ),
    Rule(
        "lost_after_anchor",
        "anchored, and our record of it is gone; no copy was shown",
        _is_lost,
        "system",
        "find_copy",
        "free",
        "content",
    ),
    Rule(
        "altered",
        "our record is not what was anchored; the copy that was shown holds content",
        lambda case: _is_altered(case) and case.has_content,
        "system",
        "restore_from_copy",
        "free",
        "content",
    ),
    Rule(
        "altered", "our record is not what was anchored; no copy was shown", _is_altered, "system", "find_copy", "free", "content"
    ),
    Rule(
        "undecided",
        "the answer would rest on the chain, which cannot be read now; or our register is not what was anchored, or behind it",
        _is_unread,
        "system",
        "try_again",
        "undetermined",
        "final",
    ),
    Rule(
        "detail_mismatch",
        "the number is registered, and date or amount (or the commitment) is not what was registered",
        lambda case: case.is_registered and bool(case.typing_errors),
        "applicant",
        "check_details",
        "none",
        "shown",
    ),
    Rule(
        "receipt_breached",
        "we signed a receipt, its deadline is past by the chain's time, and no anchor in time holds the entry",
        _is_breached,
        "system",
        "show_receipt",
        "free",
        "promise",
    ),
    Rule(
        "accepted_not_sealed",
        "we signed a receipt, and have no record of the entry; the copy that was shown holds content",
        lambda case: _is_dropped(case) and case.has_content,
        "system",
        "restore_from_copy",
        "none",
        "accepted",
    ),
    Rule(
        "accepted_not_sealed",
        "we signed a receipt, and have no record of the entry; no copy was shown",
        _is_dropped,
        "system",
        "find_copy",
        "none",
        "accepted",
    ),
    Rule(
        "other_region",
        "nothing of this number is registered, and the region in it is one that this registry is not for",
        lambda case: _is_unknown(case) and case.is_other_region,
        "other_region",
        "ask_other_region",
        "none",
        "registered",
    ),
    Rule(
        "detail_mismatch",
        "nothing of this number is registered, and a typing error in it was recognised",
        lambda case: _is_unknown(case) and bool(case.typing_errors),
        "applicant",
        "check_details",
        "none",
        "shown",
    ),
    Rule(
        "never_submitted",
        "nothing of this number is registered; it was read from a code",
        lambda case: _is_unknown(case) and case.material != "facts",
        "issuer",
        "ask_issuer",
        "none",
        "registered",
    ),
    Rule(
        "never_submitted",
        "nothing of this number is registered; it was typed, so it may be mistyped",
        _is_unknown,
        "undetermined",
        "check_details",
        "none",
        "registered",
    ),
    Rule(
        "accepted_not_sealed",
        "accepted, not sealed; the deadline is not past",
        lambda case: case.reached == "accepted",
        "system",
        "wait",
        "none",
        "accepted",
    ),
    Rule(
        "sealed_not_anchored",
        "sealed or broadcast, not mined; the deadline is not past",
        lambda case: case.reached in ("sealed", "broadcast"),
        "system",
        "wait",
        "none",
        "sealed",
    ),
    Rule("anchored_not_final", "mined, not final", lambda case: case.reached == "mined", "system", "wait", "none", "mined"),
    Rule(
        "replaced",
        "final, and another copy of the number is current",
        lambda case: case.is_replaced,
        "nobody",
        "ask_issuer",
        "none",
        "status",
    ),
    Rule(
        "void",
        "final, and void in this registry or accepted to be",
        lambda case: case.status == "void",
        "issuer",
        "ask_issuer",
        "none",
        "status",
    ),
    Rule(
        "reversed",
        "final, and reversed by a red-letter invoice or accepted to be",
        lambda case: case.status == "reversed",
        "issuer",
        "ask_issuer",
        "none",
        "status",
    ),
    Rule(
        "released",
        "the registration was withdrawn, and the number is free again",
        lambda case: case.status == "released",
        "issuer",
        "ask_issuer",
        "none",
        "status",
    ),
    Rule(
        "not_delivered_to_central",
        "final, and the central record has not acknowledged the batch",
        lambda case: case.is_delivered is False,
        "system",
        "wait",
        "free",
        "delivered",
    ),
    Rule(
        "delivered_not_visible",
        "a query node has come as far as the batch, and does not show the invoice",
        _is_missing_at_a_node,
        "system",
        "apply_for_reprint",
        "free",
        "visible",
    ),
    Rule("node_lagging", "a query node has not come as far as the batch", _is_behind, "system", "wait", "free", "visible"),
    Rule(
        "partly_reversed",
        "at every hop, and reversed in part",
        lambda case: case.status == "partly_reversed",
        "nobody",
        "nothing",
        "charged",
        "status",
    ),
    Rule("present", "at every hop", lambda case: case.reached == "final", "nobody", "nothing", "charged", "final"),
    Rule("undecided", "anything else", lambda _: True, "system", "try_again", "undetermined", "final"),
)


def decide(case: Case) -> Rule:
    """The first rule that holds."""
    return next(rule for rule in RULES if rule.holds(case))
