"""A reissue's new invoice: its sections come from the issuer of the original, who alone may say what it is to be.

The rules of a new invoice are applied at once, so that the issuer learns of an error and not the reviewers; they are applied again
when it is registered (completing.py). What a reviewer has approved with is not changed any more.
"""

from typing import Any, NamedTuple

from sqlalchemy import Connection, select, update

from service.errors import Finding, Refused
from service.invoices import reading, registration
from service.invoices.preparing import Submission, fresh_salts, prepare
from service.invoices.submitting import Issuer, today_at
from service.invoices.tables import invoices
from service.ledger.tables import entries
from service.reprints import cases
from service.reprints.cases import Case
from service.reprints.tables import reprint_cases
from service.reprints.transitions import State
from verifier.canonical import canonical_bytes

RELATION = "reissues"
SENT_IN: tuple[State, ...] = ("submitted", "materials_pending", "materials_submitted", "fee_due", "review_1", "review_2")


class Replacement(NamedTuple):
    """What the case is to be completed with: the new number, that of the original, and what the rules found."""

    number: str
    original: str
    findings: list[Finding]


class Wanted(NamedTuple):
    """A reissue that waits for its new invoice, or has one that may still be changed. Times in ms since 1970 UTC."""

    case_id: str
    number: str
    state: State
    opened_at: int
    is_sent: bool


def send(connection: Connection, case_id: str, sections: Any, sender: Issuer, now_ms: int) -> Replacement:
    """Keep the new invoice, in the caller's write transaction; sent again it takes the place of the one before.

    Raises Refused: case_not_found (also for whoever is not the original's issuer), not_a_reissue, case_state, replacement_bound,
    invoice_refused, seller_not_bound, number_taken.
    """
    case = cases.lock(connection, case_id)
    _check_issuer(connection, case, sender)
    if case.kind != "reissue":
        raise Refused("not_a_reissue")
    if case.state not in SENT_IN:
        raise Refused("case_state", {"state": case.state, "event": "replacement"})
    if case.replacement is not None and case.first_approval is not None:
        raise Refused("replacement_bound")
    prepared = prepare(Submission(_naming(sections, case.number), "new"), sender.sellers, today_at(now_ms), fresh_salts())
    findings = registration.check(connection, prepared, now_ms)
    values = {"replacement": canonical_bytes(prepared.sections), "replacement_by": sender.id}
    connection.execute(update(reprint_cases).where(reprint_cases.c.id == case.id).values(values))
    return Replacement(prepared.number, case.number, findings)


def _check_issuer(connection: Connection, case: Case, sender: Issuer) -> None:
    """To others the case does not exist."""
    record = reading.find(connection, case.number)
    if record is None or record.invoice is None or record.invoice.seller_tax_id not in (sender.sellers or ()):
        raise Refused("case_not_found")


def _naming(sections: Any, number: str) -> Any:
    """The sections with their original, which is the case's invoice; a wrong one is refused, the rest is for the rules to say."""
    provenance = sections.get("provenance") if isinstance(sections, dict) else None
    if not isinstance(provenance, dict):
        return sections
    original = provenance.get("original")
    if original is None:
        return {**sections, "provenance": {**provenance, "original": {"number": number, "relation": RELATION}}}
    if not isinstance(original, dict) or (original.get("number"), original.get("relation")) != (number, RELATION):
        finding = Finding("replacement_original", "error", "/provenance/original", {"number": number})
        raise Refused("invoice_refused", findings=[finding])
    return sections


def wanted(connection: Connection, sellers: frozenset[str], limit: int, below: str | None) -> list[Wanted]:
    """Reissues of these sellers' invoices whose new invoice may be sent, newest first, with ids below `below`."""
    query = (
        select(
            reprint_cases.c.id,
            reprint_cases.c.number,
            reprint_cases.c.state,
            reprint_cases.c.opened_at,
            reprint_cases.c.replacement.is_not(None),
        )
        .join(entries, (entries.c.key == reprint_cases.c.key))
        .join(invoices, invoices.c.id == entries.c.id)
        .where(
            reprint_cases.c.kind == "reissue",
            reprint_cases.c.state.in_(SENT_IN),
            reprint_cases.c.replacement.is_(None) | reprint_cases.c.first_approval.is_(None),
            invoices.c.seller_tax_id.in_(sorted(sellers)),
        )
        .distinct()
        .order_by(reprint_cases.c.id.desc())
        .limit(limit)
    )
    if below is not None:
        query = query.where(reprint_cases.c.id < below)
    return [Wanted(*row) for row in connection.execute(query)]
