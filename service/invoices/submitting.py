"""Registering what issuers send, one or many: the transaction, its repetition, and what a taken number is answered with."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection

from service.db import Database
from service.errors import Finding, Refused
from service.invoices import issued, reading, registration
from service.invoices.idempotency import Attempt, done_before, write_once
from service.invoices.issued import Issued
from service.invoices.preparer import PREPARER, Plain
from service.invoices.preparing import Prepared, Submission, fresh_salts, prepare
from service.invoices.registration import Registered, decide, findings_from_json, findings_to_json, sign, store
from service.invoices.rules import BEIJING
from service.ledger.entries import stored_by_key
from service.ledger.receipts import Receipt, ReceiptKeys
from verifier.entry import Kind

Result = Issued | Refused

Promise = Callable[[int], int]
"""From now (ms) to the deadline (ms) of the receipts that are signed now. Raises Unavailable where nothing can be accepted."""


class Issuer(NamedTuple):
    """Who registers: id of the API key, and the seller tax ids that it is bound to (None: any)."""

    id: str
    sellers: frozenset[str] | None


def prepare_all(submissions: Iterable[Submission | Refused], issuer: Issuer, now_ms: int) -> list[Prepared | Refused]:
    """Apply to each the rules that need nothing else; one that is refused stands so in its place.

    Each is let go as soon as it is prepared: give them one by one where they are many.
    """
    today = today_at(now_ms)
    salts = fresh_salts()
    return [_prepare(one, issuer.sellers, today, salts) for one in submissions]


class Asked(NamedTuple):
    """Lines of a batch, and what the process beside this one makes of the plain ones."""

    lines: Sequence[bytes]
    now_ms: int
    plain: Plain


def ask(lines: Sequence[bytes], issuer: Issuer, now_ms: int) -> Asked:
    """Have many lines prepared beside this process: the first half of `prepare_lines`, which waits for nothing."""
    return Asked(lines, now_ms, PREPARER.prepare(lines, issuer.sellers, today_at(now_ms)))


def prepare_lines(asked: Asked, read: Callable[[bytes], Submission | Refused], issuer: Issuer) -> list[Prepared | Refused]:
    """As `prepare_all` would, of lines of which `read` makes submissions."""
    today = today_at(asked.now_ms)
    salts = fresh_salts()
    both = zip(asked.lines, asked.plain(), strict=True)
    return [made or _prepare(read(line), issuer.sellers, today, salts) for line, made in both]


class Signed(NamedTuple):
    """Invoices whose turn in the database may come: with their receipts, by entry, or with what the attempt `made` before."""

    prepared: Sequence[Prepared | Refused]
    attempt: Attempt | None
    now_ms: int
    deadline: int
    receipts: Mapping[bytes, Receipt]
    made: Any | None = None

    @property
    def size(self) -> int:
        return len(self.prepared)


def sign_ahead(
    database: Database,
    keys: ReceiptKeys,
    prepared: Sequence[Prepared | Refused],
    attempt: Attempt | None,
    now_ms: int,
    promise: Promise,
) -> Signed:
    """All of `submit` that can be done before its turn in the database. Nothing is promised yet."""
    made = done_before(database, attempt)
    if made is not None:
        return Signed(prepared, attempt, now_ms, 0, {}, made)
    deadline = promise(now_ms)
    return Signed(prepared, attempt, now_ms, deadline, registration.sign_ahead(_good(prepared), keys, now_ms, deadline))


def submit(database: Database, keys: ReceiptKeys, signed: Signed, issuer: Issuer) -> list[Result]:
    """Register in order, in one transaction; what stands refused in `signed` already stays so in its place.

    A repeated attempt gets what it made the first time, refusals included.
    """
    prepared, attempt, now_ms, deadline, receipts, made = signed
    if made is not None:
        with database.read() as connection:
            return _read(connection, made)
    good = _good(prepared)
    results: list[Result] = []

    def work(connection: Connection) -> tuple[Any, bool]:
        decided = decide(connection, good, now_ms)
        registering = sign(connection, decided, issuer.id, keys, deadline, receipts)
        _mark_same_content(connection, good, registering.results)
        left = iter(registering.results)
        results[:] = [one if isinstance(one, Refused) else _result(next(left)) for one in prepared]
        kept = [_kept(result) for result in results] if attempt else None
        store(connection, registering)
        return kept, any(isinstance(result, Issued) for result in results)

    if not good:
        return [one for one in prepared if isinstance(one, Refused)]
    made, was_before = write_once(database, attempt, now_ms, work)
    if was_before:
        with database.read() as connection:
            return _read(connection, made)
    return results


def _good(prepared: Sequence[Prepared | Refused]) -> list[Prepared]:
    return [one for one in prepared if isinstance(one, Prepared)]


class Checked(NamedTuple):
    """What registering would do: the code of what would refuse it (None: nothing), all findings, the sections it would change."""

    code: str | None
    findings: Sequence[Finding]
    changed: dict[str, Any]


def check(connection: Connection, submission: Submission, issuer: Issuer, now_ms: int) -> Checked:
    """Try it against everything registered by now, and register nothing."""
    try:
        prepared = prepare(submission, issuer.sellers, today_at(now_ms), fresh_salts())
    except Refused as refused:
        return Checked(refused.code, refused.findings, {})
    own = prepared.findings
    try:
        findings = registration.check(connection, prepared, now_ms)
    except Refused as refused:
        return Checked(refused.code, [*own, *(finding for finding in refused.findings if finding not in own)], {})
    return Checked(None, findings, {name: prepared.sections[name] for name in prepared.changed})


def today_at(now_ms: int) -> date:
    """The date in Beijing."""
    return datetime.fromtimestamp(now_ms / 1000, BEIJING).date()


def _prepare(
    submission: Submission | Refused, sellers: frozenset[str] | None, today: date, salts: Iterator[bytes]
) -> Prepared | Refused:
    if isinstance(submission, Refused):
        return submission
    try:
        return prepare(submission, sellers, today, salts)
    except Refused as refused:
        return refused


def _result(outcome: Registered | Refused) -> Result:
    return outcome if isinstance(outcome, Refused) else issued.of(outcome)


def _mark_same_content(connection: Connection, good: Sequence[Prepared], outcomes: Sequence[Registered | Refused]) -> None:
    """A taken number: where the same seller registered the same content under it, `same_content` says so."""
    taken: dict[bytes, list[tuple[Prepared, Refused]]] = {}
    for one, outcome in zip(good, outcomes, strict=True):
        if isinstance(outcome, Refused) and outcome.code == "number_taken":
            taken.setdefault(one.key, []).append((one, outcome))
    if not taken:
        return
    stored = stored_by_key(connection, sorted(taken))
    issues = {s.id: key for key, some in stored.items() for s in some if s.entry.kind is Kind.ISSUE}
    for held in reading.read_copies(connection, sorted(issues)):
        for one, refused in taken[issues[held.entry_id]]:
            # The same content is the same seller's: its tax id is part of it, and a key registers for its own sellers only.
            if held.canonical == one.canonical:
                refused.extra["same_content"] = True


def _kept(result: Result) -> Any:
    if isinstance(result, Issued):
        return result.kept()
    return {
        "code": result.code,
        "params": result.params,
        "extra": result.extra,
        "findings": findings_to_json(result.findings),
    }


def _read(connection: Connection, made: Sequence[Any]) -> list[Result]:
    again = iter(issued.read(connection, [one for one in made if isinstance(one, list)]))
    return [next(again) if isinstance(one, list) else _refused(one) for one in made]


def _refused(kept: dict[str, Any]) -> Refused:
    return Refused(kept["code"], kept["params"], extra=kept["extra"], findings=findings_from_json(kept["findings"]))
