"""The fifth step: what two reviewers approved is done by the worker, each case in one transaction.

`copy` logs a `reprint` entry; `reissue` the `issue` of what the original's issuer sent, and the `void` of the original that names
it. Rows, the case's move, the activity record and the notice go with it: a worker that is killed leaves all of it or nothing, and
of two workers the second finds the case completed. Where the register's rules forbid it meanwhile, the case is given up and its fee
is due back. Where content is lost it waits, with an incident: what is restored completes by itself.
"""

import secrets
from collections.abc import Sequence
from typing import Any, NamedTuple

import orjson
from sqlalchemy import Connection, select, update

from service.config import Settings
from service.db import Database
from service.errors import Refused, Unavailable
from service.invoices import documents, reading
from service.invoices.documents import Printable
from service.invoices.idempotency import write_once
from service.invoices.preparing import Submission, fresh_salts, prepare
from service.invoices.registration import Registered, register
from service.invoices.reprinting import reprint
from service.invoices.submitting import today_at
from service.ledger import health, incidents
from service.ledger.entries import Stored
from service.ledger.receipts import ReceiptKeys
from service.ledger.tables import entries, outbox
from service.ledger.tables import incidents as incidents_table
from service.reprints import cases, notices
from service.reprints.applying import application_of
from service.reprints.cases import Case
from service.reprints.reviewing import auth_of
from service.reprints.steps import advance
from service.reprints.tables import reprint_cases
from service.vault import Vault
from verifier.commitment import SALT_BYTES
from verifier.entry import Kind
from verifier.fields import Chain
from verifier.question import Question

_STUCK = "reprint_stuck"
"""Code of the incident: an approved case that waits for content to be restored."""
_RETRY_MS = 600_000
_TOLD_AT_ONCE = 20
NOT_READY_S = 5
_NOT_COMPLETED_S = 60

_PICKUP_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_PICKUP_LENGTH = 8

_GIVEN_UP: dict[str, tuple[str, str]] = {
    "void": ("发票在办理期间已作废，不能再补打。", "The invoice was voided meanwhile, so it cannot be reprinted any more."),
    "reversed": ("发票在办理期间已红冲，不能再补打。", "The invoice was reversed meanwhile, so it cannot be reprinted any more."),
    "partly_reversed": (
        "发票在办理期间已部分红冲，不能再重开，只能补打副本。",
        "The invoice was partly reversed meanwhile: it cannot be reissued any more, only copied.",
    ),
    "released": (
        "登记簿在办理期间撤回了这个号码的登记，不能再补打。",
        "The registration of this number was withdrawn meanwhile, so it cannot be reprinted any more.",
    ),
    "copy_changed": (
        "这个号码的现行一份在办理期间已换成另一份，请重新申请。",
        "Another copy of this number has become the current one meanwhile: apply anew.",
    ),
    "number_taken": (
        "重开发票的新号码在办理期间已被登记，请销方换一个号码后重新申请。",
        "The number of the reissue was registered meanwhile: apply anew, with another number from the seller.",
    ),
    "replacement_refused": (
        "销方给出的重开发票不再符合登记规则，请重新申请。",
        "The reissue that the seller sent no longer meets the rules of the registry: apply anew.",
    ),
}
"""What the applicant is told, by what has become impossible."""


class _Impossible(Exception):
    """The register's rules forbid what was approved; `why` is a key of _GIVEN_UP. Nothing was written."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Result(NamedTuple):
    """What a case came to: the number that was reprinted, or that of the reissue; its entry, and how far that has come."""

    number: str
    stored: Stored
    state: str
    document_ready: bool


def complete_next(database: Database, keys: ReceiptKeys, vault: Vault, settings: Settings, now_ms: int) -> bool:
    """A step of the worker: complete one approved case, or give it up; False where none could be."""
    with database.read() as connection:
        waiting = _waiting(connection, now_ms)
        last = health.read(connection)
    if not waiting or (last is not None and last.trouble in health.NOTHING_PROVEN):
        return False  # as everywhere: nothing is signed that could mean nothing
    return any(complete(database, case_id, keys, vault, settings, now_ms) for case_id in waiting)


def complete(database: Database, case_id: str, keys: ReceiptKeys, vault: Vault, settings: Settings, now_ms: int) -> bool:
    """The same for one case. Twice harms nothing: False where it is not approved (any more), or has to wait."""

    def work(connection: Connection) -> tuple[bool, bool]:
        case = cases.lock(connection, case_id)
        if case.state != "approved":
            return False, False
        promised = health.promise_s(health.read(connection), now_ms / 1000, settings)
        try:
            done = _do(connection, case, keys, now_ms, now_ms + 1000 * promised)
        except _Impossible as impossible:
            _give_up(connection, case, impossible.why, vault, settings, now_ms)
        else:
            _close(connection, case, done, vault, settings, now_ms)
        return True, False

    try:
        done, _ = write_once(database, None, now_ms, work)
    except Unavailable:
        return False  # others were faster again and again: its next turn comes
    except Refused as refused:
        if refused.code != "content_lost":
            raise
        with database.write() as connection:
            incidents.record(connection, now_ms, "reprint_stuck", None, case_id, quiet_ms=_RETRY_MS)
        return False
    return bool(done)


def _waiting(connection: Connection, now_ms: int) -> Sequence[str]:
    """Approved cases, oldest first; of one that is stuck only every ten minutes."""
    stuck = select(incidents_table.c.detail).where(incidents_table.c.code == _STUCK, incidents_table.c.at > now_ms - _RETRY_MS)
    query = select(reprint_cases.c.id).where(reprint_cases.c.state == "approved", reprint_cases.c.id.not_in(stuck))
    return connection.scalars(query.order_by(reprint_cases.c.changed_at, reprint_cases.c.id)).all()


class _Done(NamedTuple):
    """`number` and entry of what was made; `act` is the entry of the original's void, of a reissue."""

    number: str
    entry_id: int
    auth: bytes
    act: int | None


def _do(connection: Connection, case: Case, keys: ReceiptKeys, now_ms: int, deadline: int) -> _Done:
    """Log what was approved. Raises _Impossible and Refused, with nothing written."""
    record = reading.find(connection, case.number)
    if record is None or record.history.state is None:
        raise Refused("content_lost")  # its entries are gone: a rebuild brings them back
    if record.status not in _open_statuses(case):
        raise _Impossible(record.status)
    if record.history.state.copy != case.copy:
        raise _Impossible("copy_changed")
    auth = auth_of(case)
    if case.kind == "reissue":
        return _reissue(connection, case, auth, keys, now_ms, deadline)
    fresh, reason = secrets.token_bytes(SALT_BYTES), f"补打 {case.id}"
    made = reprint(connection, record, auth, reason, cases.SYSTEM, keys, now_ms, deadline, fresh)
    return _Done(case.number, made.id, auth, None)


def _open_statuses(case: Case) -> tuple[str, ...]:
    return ("valid",) if case.kind == "reissue" else ("valid", "partly_reversed")


def _reissue(connection: Connection, case: Case, auth: bytes, keys: ReceiptKeys, now_ms: int, deadline: int) -> _Done:
    """The rules are applied again: since they were when it was sent, the number may have been taken."""
    try:
        prepared = prepare(Submission(orjson.loads(case.replacement), "new"), None, today_at(now_ms), fresh_salts())
        made = register(connection, [prepared], case.replacement_by, keys, now_ms, deadline, auth)[0]
        if isinstance(made, Refused):
            raise made
    except Refused as refused:
        raise _Impossible("number_taken" if refused.code == "number_taken" else "replacement_refused") from None
    return _Done(made.prepared.number, made.issued.id, auth, _void_of(made))


def _void_of(made: Registered) -> int:
    """The void of the original. Raises Unavailable where it was released a moment ago: all is looked at again."""
    for accepted in made.acts:
        if accepted.entry.kind is Kind.VOID:
            return accepted.id
    raise Unavailable("busy", 1)


def _close(connection: Connection, case: Case, done: _Done, vault: Vault, settings: Settings, now_ms: int) -> None:
    values: dict[str, Any] = {"entry_id": done.entry_id}
    if case.delivery == "collect":
        code = "".join(secrets.choice(_PICKUP_ALPHABET) for _ in range(_PICKUP_LENGTH))
        values["pickup"] = vault.encrypt(code.encode(), _context(case))
    details = {"kind": case.kind, "number": done.number, "entry": str(done.entry_id), "auth": done.auth.hex()}
    if done.act is not None:
        details |= {"voided": case.number, "void_entry": str(done.act)}
    advance(connection, case, "complete", cases.SYSTEM, now_ms, vault, settings, details=details, **values)


def _give_up(connection: Connection, case: Case, why: str, vault: Vault, settings: Settings, now_ms: int) -> None:
    application = application_of(case, vault)
    told = _GIVEN_UP[why][application is not None and application.language == "en"]
    advance(connection, case, "give_up", cases.SYSTEM, now_ms, vault, settings, reason=told, details={"why": why})


def announce_ready(database: Database, vault: Vault, settings: Settings, now_ms: int) -> bool:
    """A step of the worker: tell those whose document can be had now. Each is told once, whoever dies between."""
    is_final = (
        select(reprint_cases.c.id)
        .join(entries, entries.c.id == reprint_cases.c.entry_id)
        .join(outbox, outbox.c.seq == entries.c.seq)
        .where(reprint_cases.c.state == "completed", reprint_cases.c.ready_at.is_(None), outbox.c.state == "final")
        .order_by(reprint_cases.c.id)
        .limit(_TOLD_AT_ONCE)
    )
    with database.read() as connection:
        found = connection.scalars(is_final).all()
    for case_id in found:
        with database.write() as connection:
            is_untold = (reprint_cases.c.id == case_id, reprint_cases.c.ready_at.is_(None))
            if connection.execute(update(reprint_cases).where(*is_untold).values(ready_at=now_ms)).rowcount != 1:
                continue  # another worker was faster
            case = cases.get(connection, case_id)
            said = {"new_number": _number_of(case)} if case.kind == "reissue" else {}
            notices.announce(connection, case, "document_ready", vault, now_ms, public_url=settings.public_url, **said)
    return bool(found)


# What became of it


def pickup_code(case: Case, vault: Vault) -> str | None:
    """What whoever collects the paper says; None where nothing is, or not yet."""
    return None if case.pickup is None else vault.decrypt(case.pickup, _context(case)).decode()


def _context(case: Case) -> str:
    return f"reprint/{case.id}/pickup"


def result(connection: Connection, case: Case) -> Result | None:
    """What a completed case made; None of any other, and where it is lost."""
    if case.entry_id is None:
        return None
    record = reading.find(connection, _number_of(case))
    stored = next((one for one in record.stored if one.id == case.entry_id), None) if record is not None else None
    if record is None or stored is None:
        return None
    newest = reading.state_of(connection, record.newest())
    return Result(record.number, stored, reading.state_of(connection, stored), newest == "final")


def result_of(connection: Connection, case: Case, vault: Vault | None = None) -> dict[str, Any] | None:
    """As a case shows it. With a vault it is for the applicant: with where the new copy's code leads (behind a # that no server is
    sent), and the pick-up code while there is something to be picked up.
    """
    made = result(connection, case)
    if made is None:
        return None
    said: dict[str, Any] = {"number": made.number, "state": made.state, "document_ready": made.document_ready}
    if vault is not None and (kept := reading.read_copies(connection, [made.stored.id])):
        said["verify"] = f"/v#{Question(made.number, kept[0].commitment()).to_text()}"
    if vault is not None and case.handed_over_at is None and (code := pickup_code(case, vault)) is not None:
        said["pickup_code"] = code
    return said


def document(connection: Connection, chain: Chain, public_url: str, case: Case) -> Printable:
    """The copy that the case made, to be printed. What was replaced since says so itself.

    Raises Unavailable("document_not_ready") until the anchor is final, Refused("no_document") of a case that will never have one,
    and as documents.gather.
    """
    if case.entry_id is None:
        if case.state in _ENDED:
            raise Refused("no_document", {"state": case.state})
        raise Unavailable("document_not_ready", _NOT_COMPLETED_S, {"case": "not_completed"})
    record = reading.find(connection, _number_of(case))
    made_by = next((one for one in record.stored if one.id == case.entry_id), None) if record is not None else None
    if record is None or made_by is None:
        raise Refused("content_lost")
    gathered = documents.gather(connection, chain, public_url, record, made_by)
    if gathered.registration is None:
        raise Unavailable("document_not_ready", NOT_READY_S)
    return gathered


_ENDED = ("rejected", "cancelled", "expired")


def _number_of(case: Case) -> str:
    """Of what is made: the case's own number, or that which the issuer gave the reissue."""
    number: str = orjson.loads(case.replacement)["header"]["number"] if case.kind == "reissue" else case.number
    return number
