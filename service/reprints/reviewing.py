"""Step 4: two reviewers, neither of them the applicant, each bound to exactly what they were shown.

    shown = SHA-256("zhengpiao/shown" ‖ 0x00 ‖ canonical JSON of the facts below, all texts)
    approval = canonical JSON {"act": "reprint", "at", "by", "shown", "blind"}, of the second one also "after": H(first)

`blind` is 32 random bytes: what stands on the chain (service/invoices/approvals.py) tells nobody what was approved, not even who
tries every name and contact there is. What the issuer sends for a reissue is part of the facts that the second reviewer approves.
"""

import secrets
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection

from service.config import Settings
from service.errors import Finding, Refused
from service.invoices import approvals, reading, releasing
from service.reprints import confirming, fees, materials, payments
from service.reprints.applying import Application, application_of
from service.reprints.cases import Case
from service.reprints.fees import Decision as FeeDecision
from service.reprints.steps import advance
from service.reprints.transitions import follow
from service.vault import Vault
from verifier.canonical import canonical_bytes
from verifier.commitment import copy_of
from verifier.errors import NotCanonical

Decision = Literal["approve", "return", "reject"]
ACT = "reprint"


class Reviewer(NamedTuple):
    """A person with that role: id and login of the account."""

    id: str
    login: str


class Said(NamedTuple):
    """A reviewer's decision. `shown` is the hash of what they were shown, for an approval; `fee` where evidence left it open."""

    decision: Decision
    reason: str
    shown: bytes | None
    fee: FeeDecision | None


def facts(connection: Connection, case: Case, vault: Vault) -> dict[str, str]:
    """Everything that a reviewer decides on, as texts, so that it has one canonical form to be hashed.

    Raises Refused: case_state before there is an application; content_lost where the invoice is not here as it was anchored.
    """
    application = application_of(case, vault)
    if application is None:
        raise Refused("case_state", {"state": case.state, "event": "review"})
    record = reading.get(connection, case.number, None)
    held = reading.read_copy(connection, record.current().id)
    if copy_of(held.commitment()) != record.current().entry.copy:
        raise Refused("content_lost")
    return {
        "act": ACT,
        "case": case.id,
        **releasing.summary(connection, record),
        **_applied(application),
        "diagnosis": sha256(confirming.diagnosis_bytes(case, vault)).hexdigest(),
        "verdict": case.verdict,
        "responsible": case.responsible,
        "fee": case.fee,
        "fee_amount": fees.amount(case.fee_fen),
        "fee_rests_on": case.fee_rests_on,
        "fee_decided_by": case.fee_decided_by or "evidence",
        "materials": materials.digest(connection, case.id, vault),
        "replacement": "" if case.replacement is None else sha256(case.replacement).hexdigest(),
    }


def hash_of_shown(shown: dict[str, str]) -> bytes:
    """Raises Refused for an application that could not be hashed; applying.py lets none in."""
    try:
        return sha256(b"zhengpiao/shown\x00" + canonical_bytes(shown)).digest()
    except NotCanonical:
        raise Refused("invalid_request") from None


def check_reviewer(case: Case, reviewer: Reviewer, vault: Vault) -> None:
    """Raises Refused("reviewer_is_applicant") where they are."""
    if is_applicant(case, reviewer, vault):
        raise Refused("reviewer_is_applicant")


def is_applicant(case: Case, reviewer: Reviewer, vault: Vault) -> bool:
    """Whether they opened the case, or are reached by its contact."""
    application = application_of(case, vault)
    is_contact = application is not None and application.address == reviewer.login.strip().lower()
    return case.opened_by == reviewer.id or is_contact


def obstacle(connection: Connection, case: Case, reviewer: Reviewer, vault: Vault) -> str | None:
    """The code of what forbids an approval by this reviewer now, whatever they say; None where nothing does."""
    try:
        check_reviewer(case, reviewer, vault)
        _check_approvable(connection, case, reviewer)
        facts(connection, case, vault)
    except Refused as refused:
        return refused.code
    return None


def review(connection: Connection, case: Case, said: Said, by: Reviewer, vault: Vault, settings: Settings, now_ms: int) -> Case:
    """One decision. The case's row is locked.

    Raises Refused: case_state, reviewer_is_applicant, reviewer_took_payment, second_person_needed, shown_differs, reprint_not_open,
    fee_undecided, fee_decided, replacement_missing, content_lost; a pointer to `reason` where a return or rejection says none.
    """
    check_reviewer(case, by, vault)
    if said.decision == "approve":
        return _approve(connection, case, said, by, vault, settings, now_ms)
    if not said.reason:
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/reason")])
    nothing: dict[str, Any] = {}
    if said.decision == "return":  # what was approved was bound to what was shown, and that is about to change
        nothing = dict.fromkeys(("first_reviewer", "first_approval", "second_reviewer", "second_approval"))
    return advance(connection, case, said.decision, by.id, now_ms, vault, settings, reason=said.reason, **nothing)


def auth_of(case: Case) -> bytes:
    """`auth` of the reprint's entry, or of the void of a reissue: the hash of both approvals. The case is approved."""
    return approvals.auth_of(case.first_approval, case.second_approval)


def _approve(connection: Connection, case: Case, said: Said, by: Reviewer, vault: Vault, settings: Settings, now_ms: int) -> Case:
    _check_approvable(connection, case, by)
    shown = facts(connection, case, vault)
    if said.shown is None or hash_of_shown(shown) != said.shown:
        raise Refused("shown_differs", {"case": "reprint"})
    if case.state == "review_1":
        return _approve_first(connection, case, said, by, vault, settings, now_ms)
    if said.fee is not None and said.fee != case.fee:
        raise Refused("fee_decided", {"fee": case.fee})
    approval = _approval(said.shown, by.id, now_ms, approvals.hash_of_approval(case.first_approval))
    values = {"second_reviewer": by.id, "second_approval": approval}
    return _advance(connection, case, "approve_second", said, by, approval, values, vault, settings, now_ms)


def _check_approvable(connection: Connection, case: Case, by: Reviewer) -> None:
    """What an approval needs beside the right hash."""
    if by.id in payments.confirmers(connection, case.id):
        raise Refused("reviewer_took_payment")
    is_second = case.state == "review_2"
    follow("approve_second" if is_second else "approve_first", case.state)
    if is_second and by.id == case.first_reviewer:
        raise Refused("second_person_needed", {"case": "reprint"})
    confirming.check_open(reading.get(connection, case.number, None))
    if is_second and case.kind == "reissue" and case.replacement is None:
        raise Refused("replacement_missing")


def _approve_first(
    connection: Connection, case: Case, said: Said, by: Reviewer, vault: Vault, settings: Settings, now_ms: int
) -> Case:
    assert said.shown is not None
    decided = fees.decide(case, said.fee, said.reason, settings.reprint_fee)
    approval = _approval(said.shown, by.id, now_ms)
    values: dict[str, Any] = {"first_reviewer": by.id, "first_approval": approval}
    is_due = fees.is_due(case)
    if decided is not None:
        values |= {**decided.columns(), "fee_decided_by": by.id}
        is_due = decided.kind == "charged" and case.paid_at is None
    event: Literal["charge_after_review", "approve_first"] = "charge_after_review" if is_due else "approve_first"
    return _advance(connection, case, event, said, by, approval, values, vault, settings, now_ms)


def _advance(
    connection: Connection,
    case: Case,
    event: Literal["charge_after_review", "approve_first", "approve_second"],
    said: Said,
    by: Reviewer,
    approval: str,
    values: dict[str, Any],
    vault: Vault,
    settings: Settings,
    now_ms: int,
) -> Case:
    details = {"approval": approvals.hash_of_approval(approval).hex()}
    reason = said.reason or None
    return advance(connection, case, event, by.id, now_ms, vault, settings, reason=reason, details=details, **values)


def _applied(application: Application) -> dict[str, str]:
    return {
        "reprint": application.kind,
        "reason": application.reason,
        "delivery": application.delivery,
        "applicant": application.name,
        "company": application.company,
        "contact": f"{application.channel}:{application.address}",
        "language": application.language,
    }


def _approval(shown: bytes, by: str, now_ms: int, after: bytes | None = None) -> str:
    said = {"act": ACT, "at": str(now_ms), "by": by, "shown": shown.hex(), "blind": secrets.token_hex(32)}
    if after is not None:
        said["after"] = after.hex()
    return canonical_bytes(said).decode()
