"""What registering an invoice takes before the database is asked: its own rules, fresh salts, its commitment."""

import os
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, NamedTuple

import orjson

from service.errors import Finding, Refused
from service.invoices import facts
from service.invoices.content import Profile
from service.invoices.facts import Derived, Facts
from service.invoices.plain import recognise
from service.invoices.rules import examine, refuses
from verifier.commitment import SALT_BYTES, SECTIONS, Commitment, commitment_of, copy_of, section_leaves
from verifier.entry import number_key

_SALTS_BYTES = SALT_BYTES * len(SECTIONS)
_SALTS_AT_ONCE = 64


class Submission(NamedTuple):
    """An invoice as it was sent; `found` are an importer's own findings."""

    sections: Any
    profile: Profile
    external_id: str | None = None
    found: tuple[Finding, ...] = ()


class Prepared(NamedTuple):
    """An invoice that its own rules allow, with its salts and commitment: everything but its place in the ledger.

    `canonical` is in the order of SECTIONS. What was parsed is not kept: ten thousand of these wait for their transaction at once.
    """

    canonical: Sequence[bytes]
    changed: tuple[str, ...]
    findings: list[Finding]
    profile: Profile
    external_id: str | None
    key: bytes
    salts: bytes
    commitment: Commitment
    copy: bytes
    facts: Facts
    derived: Derived

    @property
    def number(self) -> str:
        return self.derived.number

    @property
    def sections(self) -> dict[str, Any]:
        return dict(zip(SECTIONS, map(orjson.loads, self.canonical), strict=True))


def fresh_salts() -> Iterator[bytes]:
    """Salts (128 bytes) for one invoice after another, drawn for many at once: each draw gives the interpreter's lock away."""
    while True:
        drawn = os.urandom(_SALTS_BYTES * _SALTS_AT_ONCE)
        yield from (drawn[at : at + _SALTS_BYTES] for at in range(0, len(drawn), _SALTS_BYTES))


def prepare(submission: Submission, sellers: frozenset[str] | None, today: date, salts: Iterator[bytes]) -> Prepared:
    """Apply the rules that need nothing but the invoice, and commit to it with fresh salts.

    `sellers` are the tax ids that the issuer's key is bound to, None: any; `today` is the date in Beijing. Raises Refused.
    """
    plain = prepare_plain(submission, sellers, today, salts)
    if plain is not None:
        return plain
    sections, changed, written, findings = examine(submission.sections, submission.profile, today=today, found=submission.found)
    if refuses(findings, submission.profile):
        raise Refused("invoice_refused", findings=findings)
    if not _is_bound(sections, sellers):
        raise Refused("seller_not_bound", findings=[Finding("seller_not_bound", "error", "/seller/tax_id")])
    return _commit(submission, sections, [written[name] for name in SECTIONS], changed, findings, next(salts))


def prepare_plain(submission: Submission, sellers: frozenset[str] | None, today: date, salts: Iterator[bytes]) -> Prepared | None:
    """The same of an invoice about which nothing is to be said; None where something may be."""
    canonical = None if submission.found else recognise(submission.sections, today)
    if canonical is None or not _is_bound(submission.sections, sellers):
        return None
    return _commit(submission, submission.sections, canonical, (), [], next(salts))


def _is_bound(sections: Any, sellers: frozenset[str] | None) -> bool:
    return sellers is None or sections["seller"].get("tax_id") in sellers


def _commit(
    submission: Submission,
    sections: Any,
    canonical: Sequence[bytes],
    changed: tuple[str, ...],
    findings: list[Finding],
    salts: bytes,
) -> Prepared:
    commitment = commitment_of(section_leaves(salts, canonical))
    own = facts.of_content(sections)
    return Prepared(
        canonical,
        changed,
        findings,
        submission.profile,
        submission.external_id,
        number_key(own.number),
        salts,
        commitment,
        copy_of(commitment),
        own,
        facts.derive(sections, own),
    )
