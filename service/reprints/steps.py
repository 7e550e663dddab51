"""How a case goes on: each step moves it by events of the transition table, in the caller's transaction, and has everybody told.

A state has the deadline of whoever owes the next step: the applicant loses the case when it is past, a reviewer is only late.
"""

from typing import Any

from sqlalchemy import Connection

from service import activity
from service.config import Settings
from service.errors import Refused, Unavailable
from service.invoices import reading
from service.reprints import applying, cases, fees, materials, notices, payments, tokens
from service.reprints.applying import Application
from service.reprints.cases import APPLICANT, SYSTEM, Case
from service.reprints.confirming import STARTED_MS
from service.reprints.transitions import CLOSED, Event, State, follow
from service.vault import Vault

UNCONFIRMED_MS = 24 * 3_600_000
"""So long the contact may stay unconfirmed: nobody may keep a number occupied with an address that is not theirs."""
_DAY_MS = 86_400_000


def deadline(state: State, now_ms: int, settings: Settings) -> int | None:
    """When what is owed in a state is due, in ms since 1970 UTC; None where nobody is waited for, or only we are."""
    if state == "started":
        return now_ms + STARTED_MS
    if state == "submitted":
        return now_ms + UNCONFIRMED_MS
    if state in ("materials_pending", "fee_due"):
        return now_ms + settings.reprint_case_days * _DAY_MS
    if state in ("review_1", "review_2"):
        return now_ms + settings.reprint_review_days * _DAY_MS
    return None


def advance(
    connection: Connection,
    case: Case,
    event: Event,
    actor: str,
    now_ms: int,
    vault: Vault,
    settings: Settings,
    *,
    reason: str | None = None,
    details: dict[str, str] | None = None,
    **values: Any,
) -> Case:
    """`cases.move` with the deadline of the new state; with this transaction the notices of it are sent, and what staff or the
    system did is in the activity log (`details`: nothing personal).

    Where the case ends without a reprint, what was paid is owed back.
    """
    due_at = deadline(follow(event, case.state), now_ms, settings)
    moved = cases.move(connection, case, event, actor, now_ms, vault, due_at=due_at, reason=reason, **values)
    if moved.state in CLOSED and moved.state != "completed":
        payments.refund_due(connection, moved, now_ms)
    if actor not in (APPLICANT, case.opened_by):
        activity.append(connection, now_ms, actor, f"reprint_{event}", case.id, {"state": moved.state, **(details or {})})
    notices.announce(connection, moved, event, vault, now_ms, public_url=settings.public_url)
    return moved


def apply(
    connection: Connection,
    case: Case,
    application: Application,
    vault: Vault,
    settings: Settings,
    now_ms: int,
) -> Case:
    """Step 2; again while the contact is not confirmed. A code goes to the contact.

    Raises Refused: case_state, reprint_copy_only; Unavailable("too_many_codes").
    """
    record = reading.get(connection, case.number, None)
    if application.kind == "reissue" and (record.status != "valid" or _is_red(connection, record)):
        raise Refused("reprint_copy_only")
    given: dict[str, Any] = {
        "application": applying.seal(case.id, application, vault),
        "kind": application.kind,
        "delivery": application.delivery,
    }
    moved = advance(connection, case, "apply", APPLICANT, now_ms, vault, settings, **given)
    if not send_code(connection, moved, vault, settings, now_ms):
        raise Unavailable("too_many_codes", tokens.seconds_to_next_day(now_ms))
    return moved


def send_code(connection: Connection, case: Case, vault: Vault, settings: Settings, now_ms: int) -> bool:
    """A new code to the contact, if the case has one and the day's codes are not used up. The case's row is locked."""
    if case.application is None:
        return False
    code = tokens.new_code(connection, case.id, now_ms)
    if code is not None:
        notices.announce(connection, case, "code", vault, now_ms, public_url=settings.public_url, code=code)
    return code is not None


def sign_in(connection: Connection, case_id: str, code: str, vault: Vault, settings: Settings, now_ms: int) -> str | None:
    """A token of the case for its code; None where it is wrong, and the try is counted: the transaction is to be kept.

    The first right code confirms the contact, and ends every token that was given before.
    """
    case = cases.find_locked(connection, case_id)
    if case is None or not tokens.use_code(connection, case_id, code, now_ms):
        return None
    is_first = case.state == "submitted"
    if is_first:
        advance(connection, case, "confirm_contact", APPLICANT, now_ms, vault, settings)
    return tokens.new_token(connection, case_id, now_ms, is_only=is_first)


def submit(connection: Connection, case: Case, vault: Vault, settings: Settings, now_ms: int) -> Case:
    """Step 3 is done: on to the fee where one is due, else to review. Raises Refused: case_state, materials_missing."""
    follow("submit", case.state)
    missing = materials.missing(connection, case)
    if missing:
        raise Refused("materials_missing", {"types": ", ".join(missing)}, extra={"missing": list(missing)})
    handed_in = advance(connection, case, "submit", APPLICANT, now_ms, vault, settings)
    event: Event = "charge" if fees.is_due(handed_in) else "begin_review"
    return advance(connection, handed_in, event, SYSTEM, now_ms, vault, settings)


def cancel(connection: Connection, case: Case, reason: str | None, vault: Vault, settings: Settings, now_ms: int) -> Case:
    """Raises Refused("case_state") where it is over already."""
    return advance(connection, case, "cancel", APPLICANT, now_ms, vault, settings, reason=reason)


def _is_red(connection: Connection, record: reading.Record) -> bool:
    """A red-letter invoice reverses another: its number is what that one's books name, so it gets no new one."""
    provenance = reading.read_copy(connection, record.current().id).sections().get("provenance", {})
    return (provenance.get("original") or {}).get("relation") == "reverses"
