"""A case as it is answered: to its applicant, to a reviewer, to an auditor, or to the issuer of the original."""

from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection

from service.auth import people
from service.auth.principals import Principal
from service.config import Settings
from service.invoices.reading import at, at_or_none
from service.messages import Language
from service.reprints import applying, cases, completing, confirming, fees, materials, payments, reviewing
from service.reprints.applying import Application
from service.reprints.cases import Case, Moved
from service.reprints.replacement import SENT_IN
from service.reprints.reviewing import Reviewer
from service.reprints.transitions import STEPS, find, owed_by
from service.vault import Vault

Eyes = Literal["applicant", "reviewer", "auditor", "issuer"]
"""Whose eyes a case is shown to. An auditor sees no materials, an issuer nothing of the applicant."""

_ISSUER_ROLES = ("issuer", "approver")


class Viewer(NamedTuple):
    """Who looks, in which language. `reviewer` where it is one."""

    eyes: Eyes
    language: Language
    reviewer: Reviewer | None = None


def viewer(principal: Principal | None, language: Language) -> Viewer:
    """None is the applicant."""
    if principal is None:
        return Viewer("applicant", language)
    if principal.role == "reviewer" and principal.session is not None:
        return Viewer("reviewer", language, Reviewer(principal.id, principal.session.person.login))
    return Viewer("issuer" if principal.role in _ISSUER_ROLES else "auditor", language)


def members(connection: Connection, case: Case, vault: Vault, settings: Settings, whose: Viewer) -> dict[str, Any]:
    """The whole answer."""
    application = applying.application_of(case, vault)
    moves = cases.history(connection, case.id, vault)
    is_insider = whose.eyes in ("applicant", "reviewer")
    return {
        "id": case.id,
        "state": case.state,
        "step": STEPS[case.state],
        "owed_by": owed(case),
        "due_at": at_or_none(case.due_at),
        "number": case.number,
        "opened_at": at(case.opened_at),
        "changed_at": at(case.changed_at),
        "kind": case.kind,
        "delivery": case.delivery,
        "contact_hint": None if application is None else applying.hint(application.channel, application.address),
        "application": _application(application) if is_insider else None,
        "diagnosis": None if whose.eyes == "issuer" else confirming.diagnosis_of(case, vault)[whose.language],
        "fee": _fee(connection, case, moves),
        "materials": _materials(connection, case, settings) if is_insider else None,
        "history": _history(connection, moves, whose),
        "result": completing.result_of(connection, case, vault if whose.eyes == "applicant" else None),
        "actions": _actions(connection, case, vault, whose),
    }


def owed(case: Case) -> str:
    """Who owes the next step: as the state has it, or the original's issuer where a reissue waits for the new sections."""
    if case.state == "review_2" and case.kind == "reissue" and case.replacement is None:
        return "issuer"
    return owed_by(case.state)


def _application(application: Application | None) -> dict[str, Any] | None:
    if application is None:
        return None
    said = {name: getattr(application, name) for name in ("kind", "reason", "delivery", "name", "company", "language")}
    return {**said, "contact": {"channel": application.channel, "address": application.address}}


def _fee(connection: Connection, case: Case, moves: list[Moved]) -> dict[str, Any]:
    decided = "reviewer" if case.fee_decided_by is not None else None if case.fee == "undetermined" else "evidence"
    reasons = [
        one.reason for one in moves if one.event in ("approve_first", "charge_after_review") and one.actor == case.fee_decided_by
    ]
    return {
        "kind": case.fee,
        "amount": fees.amount(case.fee_fen) if case.fee == "charged" else None,
        "currency": fees.CURRENCY,
        "rests_on": case.fee_rests_on,
        "decided_by": decided,
        "reason": reasons[0] if reasons else None,
        "state": payments.state_of(connection, case),
    }


def _materials(connection: Connection, case: Case, settings: Settings) -> dict[str, Any]:
    kept = materials.items(connection, case.id)
    return {
        "needed": materials.needed(connection, case, settings),
        "items": [{**item._asdict(), "uploaded_at": at(item.uploaded_at)} for item in kept],
    }


def _history(connection: Connection, moves: list[Moved], whose: Viewer) -> list[dict[str, Any]]:
    is_desk = whose.eyes in ("reviewer", "auditor")
    names = people.names(connection, sorted({one.actor for one in moves})) if is_desk else {}
    shown = []
    for one in moves:
        transition = find(one.event, one.source)
        by = "system" if transition is None else transition.by
        named = {"by_name": names[one.actor]} if is_desk and by == "reviewer" and one.actor in names else {}
        told = None if whose.eyes == "issuer" else one.reason
        happened = {"at": at(one.at), "event": one.event, "source": one.source, "target": one.target}
        shown.append({**happened, "by": by, **named, "reason": told})
    return shown


def _actions(connection: Connection, case: Case, vault: Vault, whose: Viewer) -> list[str]:
    """Names of the calls that whoever looks may make now."""
    if whose.eyes == "applicant":
        return _of_applicant(case)
    if whose.reviewer is not None:
        return _of_reviewer(case, whose.reviewer, vault)
    if whose.eyes == "issuer" and may_replace(case):
        return ["replacement"]
    return []


def may_replace(case: Case) -> bool:
    """Whether the original's issuer may send the new sections of a reissue: until the second approval binds them."""
    return case.kind == "reissue" and case.state in SENT_IN and (case.replacement is None or case.first_approval is None)


def _of_applicant(case: Case) -> list[str]:
    of_state = {
        "started": ["application"],
        "submitted": ["application", "codes", "session"],
        "materials_pending": ["materials", "submit"],
        "fee_due": ["payment"],
        "completed": ["document"],
    }
    actions = of_state.get(case.state, [])
    return [*actions, "cancel"] if find("cancel", case.state) else actions


def _of_reviewer(case: Case, reviewer: Reviewer, vault: Vault) -> list[str]:
    if reviewing.is_applicant(case, reviewer, vault):
        return []
    actions = []
    if case.state == "review_1" or (case.state == "review_2" and case.first_reviewer != reviewer.id and owed(case) == "reviewer"):
        actions.append("approve")
    actions += [event for event in ("return", "reject") if find(event, case.state)]
    if case.state == "review_1" and case.fee == "undetermined":
        actions.append("decide_fee")
    if case.state == "completed" and case.delivery == "collect" and case.handed_over_at is None:
        actions.append("handover")
    return actions
