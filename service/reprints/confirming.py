"""Step 1: is there an invoice of which a reprint can be given, to whom, and at whose cost? The diagnosis decides most of it.

Whoever opens a case has shown what stands on the invoice (wrong guesses are counted as for a look-up), or a copy of it. A case that
nobody goes on with is over soon, since a number has one open case at most.
"""

from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from service.config import Settings
from service.db import is_unique_violation
from service.diagnosis.diagnose import Diagnosis
from service.diagnosis.rules import Verdict
from service.errors import Finding, Refused, Unavailable
from service.invoices import reading
from service.invoices.lookups import read_date
from service.invoices.reading import Record
from service.invoices.submitting import today_at
from service.reprints import cases, fees, notices
from service.reprints.cases import Case
from service.reprints.tables import reprint_cases
from service.reprints.transitions import CLOSED
from service.vault import Vault
from verifier.entry import number_key

STARTED_MS = 2 * 3_600_000
"""So long a new case waits to be applied for: until then nobody can be reminded of it, and it keeps others away from the number."""

_NOT_YET: tuple[Verdict, ...] = ("accepted_not_sealed", "sealed_not_anchored", "anchored_not_final")
_NOT_REGISTERED: tuple[Verdict, ...] = ("never_submitted", "other_region")
_NOT_OPEN: tuple[Verdict, ...] = ("void", "reversed", "released")
RETRY_S = 10
OPEN_STATUSES = ("valid", "partly_reversed")


def open_case(
    connection: Connection, diagnosis: Diagnosis, opened_by: str | None, vault: Vault, settings: Settings, now_ms: int
) -> Case:
    """A case of the invoice that was diagnosed. `opened_by` is the id of who was signed in, None for anybody.

    Raises Refused: details_wrong, reprint_not_registered, reprint_not_yet, reprint_not_open, reprint_period_over, reprint_unproven,
    case_open; ("content_lost") where not even the entries are here; Unavailable("chain_unread").
    """
    _check_verdict(diagnosis)
    number = diagnosis.case.number
    record = None if number is None else reading.find(connection, number)
    if record is None or number is None:
        raise Refused("content_lost")
    check_open(record)
    if reading.state_of(connection, record.newest()) != "final":
        raise Refused("reprint_not_yet")
    _check_period(record, settings.reprint_days, today_at(now_ms))
    key = number_key(number)
    _check_alone(connection, key)
    id_ = cases.new_id(now_ms)
    quote = fees.quote(diagnosis.rule, settings.reprint_fee)
    values: dict[str, Any] = {
        "id": id_,
        "number": number,
        "key": key,
        "copy": record.current().entry.copy,
        "opened_by": opened_by,
        "diagnosis": vault.encrypt(_told(diagnosis), _context(id_)),
        "verdict": diagnosis.rule.verdict,
        "responsible": diagnosis.rule.responsible,
        **quote.columns(),
    }
    try:
        case = cases.open_case(
            connection, values, cases.APPLICANT if opened_by is None else opened_by, now_ms, vault, now_ms + STARTED_MS
        )
    except IntegrityError as error:
        if not is_unique_violation(error):
            raise
        raise Refused("case_open") from None
    notices.announce(connection, case, "open", vault, now_ms, public_url=settings.public_url)  # to webhooks: no contact is known
    return case


def diagnosis_of(case: Case, vault: Vault) -> dict[str, Any]:
    """What was diagnosed when the case was opened, as its asker was told it: {"zh": members, "en": members}."""
    found: dict[str, Any] = orjson.loads(diagnosis_bytes(case, vault))
    return found


def diagnosis_bytes(case: Case, vault: Vault) -> bytes:
    """The same as it is kept."""
    return vault.decrypt(case.diagnosis, _context(case.id))


def check_open(record: Record) -> None:
    """Raises Refused("reprint_not_open") where the invoice's status, of all that was accepted, forbids a reprint."""
    if record.status not in OPEN_STATUSES:
        raise Refused("reprint_not_open", {"status": record.status})


def _check_verdict(diagnosis: Diagnosis) -> None:
    case, rule = diagnosis.case, diagnosis.rule
    if rule.verdict == "forged" or case.is_foreign:
        raise Refused("reprint_unproven")
    if rule.verdict == "undecided":
        raise Unavailable("chain_unread", RETRY_S)
    if rule.verdict == "detail_mismatch":
        raise Refused("details_wrong")
    if rule.verdict in _NOT_REGISTERED:
        raise Refused("reprint_not_registered")
    if not case.is_holder and case.material != "facts":
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/issued_on")])
    if rule.verdict in _NOT_OPEN:
        raise Refused("reprint_not_open", {"status": rule.verdict})
    if rule.verdict in _NOT_YET or case.reached not in ("final", "nowhere"):
        raise Refused("reprint_not_yet")


def _check_period(record: Record, days: int, today: date) -> None:
    issued_on = issued_on_of(record)
    if today - issued_on > timedelta(days=days):
        raise Refused("reprint_period_over", {"days": str(days)})


def issued_on_of(record: Record) -> date:
    """The date that stands on it; where that is lost, the day of its registration."""
    kept = None if record.invoice is None else record.invoice.issued_on
    return (kept and read_date(kept)) or today_at(record.stored[0].entry.recorded_at)


def _check_alone(connection: Connection, key: bytes) -> None:
    is_open = (reprint_cases.c.key == key, reprint_cases.c.state.not_in(CLOSED))
    if connection.scalar(select(reprint_cases.c.id).where(*is_open)) is not None:
        raise Refused("case_open")


def _told(diagnosis: Diagnosis) -> bytes:
    return orjson.dumps({"zh": diagnosis.to_members("zh"), "en": diagnosis.to_members("en")})


def _context(case_id: str) -> str:
    return f"reprint/{case_id}/diagnosis"
