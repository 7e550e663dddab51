"""Registering invoices: content, commitment, entries and rows, many in one transaction.

What needs no database was done for each invoice before (preparing.py); `register` decides the rest against everything accepted
before, in the caller's transaction: the same path for one invoice and for ten thousand.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from service.db import Rows, insert_rows
from service.errors import Finding, Refused
from service.invoices import neighbours, originals
from service.invoices.facts import Derived, Facts
from service.invoices.preparing import Prepared
from service.invoices.tables import acts, copies, invoices
from service.ledger.entries import Accepted, History, histories
from service.ledger.entries import sign as sign_entries
from service.ledger.receipts import Receipt, ReceiptKeys
from verifier.commitment import SECTIONS
from verifier.entry import ZERO, Entry, Kind
from verifier.register import Status

_PROVENANCE = SECTIONS.index("provenance")
_STORED_SECTIONS = SECTIONS[:_PROVENANCE] + SECTIONS[_PROVENANCE + 1 :]
_INVOICE_COLUMNS = ("id", *_STORED_SECTIONS, *Derived._fields, "profile", "external_id", "issuer", "findings")
_ACT_COLUMNS = ("entry_id", "other_number", "actor")
_COPY_COLUMNS = ("entry_id", "invoice_id", "salts", "provenance")
_REVERSALS = (Kind.REVERSE, Kind.REVERSE_PART)
_ACT_KINDS = {"reverse": Kind.REVERSE, "reverse_part": Kind.REVERSE_PART, "void": Kind.VOID}


class Registered(NamedTuple):
    """What became of a Prepared one: all findings, and in `acts` the entries that its registration logged for other invoices."""

    prepared: Prepared
    findings: list[Finding]
    issued: Accepted
    acts: list[Accepted]


class _Decision(NamedTuple):
    """All findings about one invoice, and the indexes of the entries to log for it: its issue, then acts."""

    findings: list[Finding]
    logged: list[int]


def register(
    connection: Connection,
    prepared: Sequence[Prepared],
    issuer: str,
    keys: ReceiptKeys,
    now_ms: int,
    deadline: int,
    auth: bytes = ZERO,
) -> list[Registered | Refused]:
    """Register in order, in the caller's write transaction; a refused one leaves no trace and harms no other.

    `issuer` is the id of the API key, `auth` H of the approvals behind it, if there are any. A UNIQUE violation means that another
    process was faster with one of the numbers: run the transaction again.
    """
    registering = sign(connection, decide(connection, prepared, now_ms, auth), issuer, keys, deadline)
    store(connection, registering)
    return registering.results


class Decided(NamedTuple):
    """What is to become of each of `prepared`, and the entries that it takes, each with its ordinal."""

    prepared: Sequence[Prepared]
    decisions: list[_Decision | Refused]
    entries: list[tuple[Entry, int]]
    act_numbers: dict[int, str]
    """Index in `entries` -> number of the invoice that is the entry's other."""


class Registering(NamedTuple):
    """What became of each invoice, and the rows that make it so."""

    results: list[Registered | Refused]
    rows: list[Rows]


def decide(connection: Connection, prepared: Sequence[Prepared], now_ms: int, auth: bytes = ZERO) -> Decided:
    """The first step of `register`: everything is read and decided, nothing promised yet."""
    work = _Work(connection, prepared, now_ms, auth)
    decisions: list[_Decision | Refused] = []
    for one in prepared:
        try:
            decisions.append(work.decide(one))
        except Refused as refused:
            decisions.append(refused)
    return Decided(prepared, decisions, work.entries, work.act_numbers)


def sign_ahead(prepared: Sequence[Prepared], keys: ReceiptKeys, now_ms: int, deadline: int) -> dict[bytes, Receipt]:
    """Receipts for the issues that `decide` will log if it refuses none, by entry: no lock of the database is held for them.

    One is a promise when its entry is stored, and is shown to nobody before. That of an invoice which is refused is forgotten.
    """
    issues = [_issue(one, now_ms, ZERO).encode() for one in prepared]
    return dict(zip(issues, keys.sign_all(issues, deadline), strict=True))


def sign(
    connection: Connection,
    decided: Decided,
    issuer: str,
    keys: ReceiptKeys,
    deadline: int,
    ahead: Mapping[bytes, Receipt] | None = None,
) -> Registering:
    """The second step: everything is signed that was not signed `ahead`, nothing written yet."""
    accepted, entry_rows = sign_entries(connection, decided.entries, keys, deadline, ahead)
    results = [
        made if isinstance(made, Refused) else _registered(one, made, accepted)
        for one, made in zip(decided.prepared, decided.decisions, strict=True)
    ]
    registered = [result for result in results if isinstance(result, Registered)]
    act_rows = [(accepted[at].id, number, issuer) for at, number in decided.act_numbers.items()]
    return Registering(results, [*entry_rows, *_content_rows(registered, issuer), Rows(acts, _ACT_COLUMNS, act_rows)])


def store(connection: Connection, registering: Registering) -> None:
    """The last step, in the same transaction."""
    for rows in registering.rows:
        insert_rows(connection, rows)


def _registered(one: Prepared, made: _Decision, accepted: Sequence[Accepted]) -> Registered:
    issue, *acts = made.logged
    return Registered(one, made.findings, accepted[issue], [accepted[at] for at in acts])


def check(connection: Connection, one: Prepared, now_ms: int) -> list[Finding]:
    """All findings that registering it now would have. Raises Refused as `register` would return it; nothing is logged."""
    return _Work(connection, [one], now_ms).decide(one).findings


class _Work:
    """One transaction's decisions: everything is read first, then entries gather in memory (see entries.append)."""

    def __init__(self, connection: Connection, prepared: Sequence[Prepared], now_ms: int, auth: bytes = ZERO) -> None:
        self._now_ms, self._auth = now_ms, auth
        self._now = datetime.fromtimestamp(now_ms / 1000, UTC)
        own = [one.key for one in prepared]
        self._waiting = neighbours.waiting_for(connection, own)
        named = {key for one in prepared if (key := one.derived.original_key) is not None}
        involved = {*own, *named, *(key for some in self._waiting.values() for key in some)}
        self._histories = histories(connection, list(involved))
        self._first: dict[bytes, Entry] = {}
        """Of numbers that were new: nearly none is asked for again, so no history is made for them yet."""
        reversers = {entry.other for key in named for entry in self._history(key).entries if entry.kind in _REVERSALS}
        self._facts = neighbours.of_numbers(connection, sorted(named | reversers))
        self._alike = neighbours.alike(connection, [one.derived for one in prepared])
        self.entries: list[tuple[Entry, int]] = []
        self.act_numbers: dict[int, str] = {}

    def decide(self, one: Prepared) -> _Decision:
        """What registering `one` finds and logs. Raises Refused and logs nothing."""
        self._check_free(one)
        original_key = one.derived.original_key
        act, found = self._judge_original(one.facts, original_key)
        if found and one.profile == "new" and any(finding.severity == "error" for finding in found):
            raise Refused("invoice_refused", findings=[*one.findings, *found])
        if original_key is not None and any(finding.code == "original_not_registered" for finding in found):
            self._waiting.setdefault(original_key, {})[one.key] = one.facts
        found += self._duplicates(one.derived)
        self._facts[one.key] = one.facts
        # A copy is a commitment under fresh salts: it cannot have been one of this number before.
        logged = [self._log(_issue(one, self._now_ms, self._auth))]
        if act is not None and original_key is not None:
            logged.append(self._log_act(act, original_key, one.key, one.number))
        for key, waiting in self._waiting.get(one.key, {}).items():
            if key != one.key:
                logged += self._complete(one.key, key, waiting)
        return _Decision([*one.findings, *found] if found else one.findings, logged)

    def _history(self, key: bytes) -> History:
        history = self._histories.get(key)
        if history is None:
            history = self._histories[key] = History()
            if key in self._first:
                history.add(self._first[key])
        return history

    def _check_free(self, one: Prepared) -> None:
        if one.key in self._histories or one.key in self._first:
            history = self._history(one.key)
            taken = originals.check_number_free(_status_name(history))
            if taken:
                raise self._taken(one, history, taken)

    def _taken(self, one: Prepared, history: History, findings: list[Finding]) -> Refused:
        issued = [entry for entry in history.entries if entry.kind is Kind.ISSUE][-1]
        at = datetime.fromtimestamp(issued.recorded_at / 1000, UTC).isoformat(timespec="milliseconds")
        return Refused("number_taken", {"number": one.number}, findings=findings, extra={"registered_at": at})

    def _judge_original(self, own: Facts, original_key: bytes | None) -> tuple[originals.Act | None, list[Finding]]:
        if original_key is None:
            return None, []
        judgement = originals.check_original(_reference(own), self._original(original_key))
        return judgement.act, list(judgement.findings)

    def _original(self, key: bytes) -> originals.Original | None:
        history, known = self._history(key), self._facts.get(key)
        status = _status_name(history)
        if status is None or known is None:
            return None
        reversers = [self._facts.get(entry.other) for entry in history.entries if entry.kind in _REVERSALS]
        so_far = sum((r.amount_with_tax for r in reversers if r and r.amount_with_tax is not None), Decimal(0))
        return originals.Original(status, known.seller_tax_id, known.amount_with_tax, known.relation == "reverses", so_far)

    def _complete(self, original_key: bytes, key: bytes, waiting: Facts) -> list[int]:
        """An invoice that named this one as its original was here first: its act is logged now."""
        history = self._history(key)
        issued = [entry for entry in history.entries if entry.kind is Kind.ISSUE][-1]
        if _status_name(history) != "valid" or issued.other != original_key:  # released meanwhile, perhaps issued again
            return []
        act = originals.check_original(_reference(waiting), self._original(original_key)).act
        self._facts[key] = waiting
        return [] if act is None else [self._log_act(act, original_key, key, waiting.number)]

    def _log_act(self, act: originals.Act, key: bytes, other: bytes, other_number: str) -> int:
        state = self._history(key).state
        assert state is not None
        at = self._log(Entry(_ACT_KINDS[act], self._now_ms, key, state.copy, other, self._auth))
        self.act_numbers[at] = other_number
        return at

    def _log(self, entry: Entry) -> int:
        if entry.key in self._histories or entry.key in self._first:
            history = self._history(entry.key)
            history.add(entry)
            self.entries.append((entry, history.ordinal))
        else:
            self._first[entry.key] = entry
            self.entries.append((entry, 1))
        return len(self.entries) - 1

    def _duplicates(self, derived: Derived) -> list[Finding]:
        if derived.amount_fen is None:
            return []
        seen = self._alike.setdefault(derived.alike, [])
        found = originals.check_duplicate(seen, self._now) if seen else []
        seen.append((derived.number, self._now))
        return found


def _issue(one: Prepared, now_ms: int, auth: bytes) -> Entry:
    return Entry(Kind.ISSUE, now_ms, one.key, one.copy, one.derived.original_key or ZERO, auth)


def _reference(facts: Facts) -> originals.Reference:
    return originals.Reference(facts.number, facts.relation or "", facts.seller_tax_id, facts.amount_with_tax)


def _content_rows(registered: Sequence[Registered], issuer: str) -> tuple[Rows, Rows]:
    """The rows of invoices and of their copies."""
    invoice_rows, copy_rows = [], []
    for one, findings, (id_, _, _), _ in registered:
        before, provenance, after = one.canonical[:_PROVENANCE], one.canonical[_PROVENANCE], one.canonical[_PROVENANCE + 1 :]
        said = findings_to_json(findings) if findings else None
        invoice_rows.append((id_, *before, *after, *one.derived, one.profile, one.external_id, issuer, said))
        copy_rows.append((id_, id_, one.salts, provenance))
    return Rows(invoices, _INVOICE_COLUMNS, invoice_rows), Rows(copies, _COPY_COLUMNS, copy_rows)


def findings_to_json(findings: Sequence[Finding]) -> str | None:
    """As they are kept beside the invoice; None where there are none."""
    if not findings:
        return None
    return orjson.dumps([[f.code, f.severity, f.pointer, f.params] for f in findings]).decode()


def findings_from_json(text: str | None) -> list[Finding]:
    """The reverse of `findings_to_json`."""
    return [Finding(*item) for item in orjson.loads(text)] if text else []


def _status_name(history: History) -> originals.Status | None:
    return None if history.state is None else STATUS_NAMES[history.state.status]


STATUS_NAMES: dict[Status, originals.Status] = {
    Status.VALID: "valid",
    Status.VOID: "void",
    Status.REVERSED: "reversed",
    Status.PARTLY_REVERSED: "partly_reversed",
    Status.RELEASED: "released",
}
