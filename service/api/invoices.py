"""`/v1/invoices`: register, check, search, read, prove and void."""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, examples, problems
from service.api.bodies import InvoiceBody, SmallBody, parse
from service.api.context import Context, Here
from service.api.models import answers as schemas
from service.api.models.requests import InvoiceSubmission, SearchQuestion, VoidOrder
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import parameter_error
from service.api.waiting import preferred_wait
from service.api.writes import attempt_of
from service.auth import keys as api_keys
from service.auth.principals import Role
from service.errors import Refused
from service.formats import qr
from service.invoices import acting, indexing, issued, proofs, reading, registration, search, submitting
from service.invoices.issued import Issued, entry_members, receipt_members
from service.invoices.preparing import Submission
from service.messages import Language
from verifier.commitment import SECTIONS
from verifier.proof import MEDIA_TYPE, SUFFIX

router = Operations("invoices")
READERS: tuple[Role, ...] = ("issuer", "auditor", "central", "approver")


def registered_members(context: Context, made: Issued, language: Language) -> dict[str, Any]:
    """A registered invoice as it is answered; also a line of a batch."""
    members = made.to_members(context.chain)
    members["findings"] = problems.findings_members(made.findings, language)
    verify = qr.link(context.settings.public_url, made.number, made.commitment)
    members["links"] = {**answers.invoice_links(made.number), "verify": verify}
    return members


def with_links(refused: Refused) -> Refused:
    """A number that the same seller registered with the same content: where that is to be had."""
    if refused.extra.get("same_content"):
        refused.extra["links"] = answers.invoice_links(refused.params["number"])
    return refused


@router.operation(
    "POST",
    "/v1/invoices",
    "Register an invoice",
    Answered(
        examples.REGISTERED, schemas.Registered, 201, description="Accepted. With what was sent it makes a pending proof file."
    ),
    roles=("issuer",),
    sent=(Sent(examples.SUBMISSION, InvoiceSubmission),),
    is_write=True,
    description="`Prefer: wait=N` holds the answer, N seconds at most (up to 60), until the anchor is mined. A number that is "
    "taken is 409 `number_taken` with `registered_at`; to the same seller with equal content also with `same_content` and `links`.",
)
async def register(request: Request, here: Here, body: InvoiceBody) -> Response:
    made = await run_in_threadpool(_register, request, here, body)
    headers = {"Location": answers.invoice_links(made.number)["self"]}
    seconds = preferred_wait(request)
    if seconds and made.state not in ("mined", "final") and await here.waiting.until_mined(made.id, seconds):
        made = await run_in_threadpool(_read_again, here, made)
        headers["Preference-Applied"] = f"wait={seconds}"
    return answers.json(registered_members(here, made, problems.language_of(request)), 201, headers)


def _register(request: Request, here: Context, body: bytes) -> Issued:
    issuer = here.issuer(request)
    sent = parse(InvoiceSubmission, body)
    attempt = attempt_of(request, issuer.id, body)
    now_ms = here.now_ms()
    prepared = submitting.prepare_all([Submission(sent.sections, sent.profile, sent.external_id)], issuer, now_ms)
    with here.running.hold(attempt):
        signed = submitting.sign_ahead(here.database, here.keys, prepared, attempt, now_ms, here.deadline)
        (result,) = submitting.submit(here.database, here.keys, signed, issuer)
    if isinstance(result, Refused):
        raise with_links(result)
    return result


def _read_again(here: Context, made: Issued) -> Issued:
    with here.database.read() as connection:
        return issued.read(connection, [made.kept()])[0]


@router.operation(
    "POST",
    "/v1/invoices/check",
    "Check an invoice without registering it",
    Answered(examples.CHECKED, schemas.Checked, description="What registering would find now."),
    roles=("issuer",),
    sent=(Sent(examples.SUBMISSION, InvoiceSubmission),),
)
def check(request: Request, here: Here, body: InvoiceBody) -> Response:
    issuer = here.issuer(request)
    sent = parse(InvoiceSubmission, body)
    submission = Submission(sent.sections, sent.profile, sent.external_id)
    with here.database.read() as connection:
        found = submitting.check(connection, submission, issuer, here.now_ms())
    findings = problems.findings_members(found.findings, problems.language_of(request))
    return answers.json({"accepted": found.code is None, "code": found.code, "findings": findings, "sections": found.changed})


@router.operation(
    "POST",
    "/v1/invoices/search",
    "Search invoices",
    Answered(
        examples.FOUND, schemas.FoundPage, description="Newest first. A page may be short, or empty, and still have a next one."
    ),
    roles=("issuer", "auditor", "approver"),
    sent=(Sent(examples.SEARCH, SearchQuestion),),
)
def find(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, "issuer", "auditor", "approver")
    asked = parse(SearchQuestion, body)
    criteria = search.Criteria(**asked.model_dump(exclude={"limit", "cursor"}))
    cursor = None if asked.cursor is None else int(asked.cursor)
    # What was searched for may be personal: which members were given is not.
    here.look(principal, "searched_invoices", "invoices", {"by": ", ".join(sorted(asked.model_fields_set - {"limit", "cursor"}))})
    with here.database.read() as connection:
        items, following = search.search(connection, criteria, principal.sellers, asked.limit, cursor)
        indexed = indexing.progress(connection)._asdict() if criteria.by_index else None
    return answers.json({"items": items, "next_cursor": None if following is None else str(following), "indexed": indexed})


@router.operation(
    "GET",
    "/v1/invoices/{number}",
    "Read an invoice",
    Answered(examples.INVOICE, schemas.Invoice, description="Its content, as it was hashed."),
    roles=READERS,
)
def read(request: Request, here: Here, number: str) -> Response:
    principal = here.allow(request, *READERS)
    with here.database.read() as connection:
        record = reading.get(connection, number, principal.sellers)
        copy = reading.read_copy(connection, record.current().id)
        state = reading.state_of(connection, record.newest())
    here.look(principal, "looked_at_invoice", number)
    row = record.invoice
    issue = next(stored for stored in record.stored if stored.id == row.id)
    return answers.json(
        {
            "number": number,
            "status": record.status,
            "state": state,
            "chain": here.chain.to_members(),
            "commitment": copy.commitment().hex(),
            "sections": copy.sections(),
            "findings": problems.findings_members(registration.findings_from_json(row.findings), problems.language_of(request)),
            "profile": row.profile,
            "external_id": row.external_id,
            "registered_at": reading.at(issue.entry.recorded_at),
            "links": answers.invoice_links(number),
        }
    )


@router.operation(
    "GET",
    "/v1/invoices/{number}/timeline",
    "Where an invoice has been",
    Answered(
        examples.TIMELINE, schemas.Timeline, description="Every entry about it in order, each with its hops and their evidence."
    ),
    roles=READERS,
    description="Beyond the chain: `delivered` for each central record that acknowledged the batch, and `visible` with what every "
    "query node shows of the current copy now. Hops that it has not come to are left out.",
)
def timeline(request: Request, here: Here, number: str) -> Response:
    principal = here.allow(request, *READERS)
    entries = here.diagnostics.custody(number, principal.sellers, here.now_ms())
    with here.database.read() as connection:
        central = {hop["consumer"] for entry in entries for hop in entry["hops"] if hop["hop"] == "delivered"}
        labels = api_keys.labels(connection, list(central))
    for hop in (hop for entry in entries for hop in entry["hops"] if hop["hop"] == "delivered"):
        hop["label"] = labels.get(hop["consumer"])
    return answers.json({"number": number, "entries": entries})


@router.operation(
    "GET",
    "/v1/invoices/{number}/proof",
    "Get the proof file",
    Answered(examples.PROOF, {"type": "object"}, media_type=MEDIA_TYPE, description="A proof file (protocol.md section 7)."),
    roles=READERS,
    description="Of the current copy, as of the newest final anchor. `disclose` names the sections to open, separated by commas; "
    "the header always is, and without `disclose` all are.",
)
def proof(request: Request, here: Here, number: str, disclose: str | None = None) -> Response:
    principal = here.allow(request, *READERS)
    shown = SECTIONS if disclose is None else tuple(filter(None, disclose.split(",")))
    if not set(shown) <= set(SECTIONS):
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", "disclose")])
    with here.database.read() as connection:
        record = reading.get(connection, number, principal.sellers)
        made = proofs.of_copy(connection, here.chain, record, record.current(), shown)
    here.look(principal, "took_proof", number)
    file_name = number.replace(":", "_") + SUFFIX
    return Response(made.to_json(), headers={"Content-Disposition": f'attachment; filename="{file_name}"'}, media_type=MEDIA_TYPE)


@router.operation(
    "POST",
    "/v1/invoices/{number}/void",
    "Void an invoice",
    Answered(examples.VOIDED, schemas.Voided, description="Accepted: void in this registry. The tax platform is not told."),
    roles=("issuer",),
    sent=(Sent(examples.VOID, VoidOrder),),
    is_write=True,
)
def void(request: Request, here: Here, number: str, body: SmallBody) -> Response:
    issuer = here.issuer(request)
    order = parse(VoidOrder, body)
    attempt = attempt_of(request, issuer.id, body)
    with here.running.hold(attempt):
        record, stored, state = acting.void_once(
            here.database, number, issuer, order.reason, order.replaced_by, here.keys, attempt, here.now_ms(), here.deadline
        )
    return answers.json(
        {
            "number": number,
            "status": record.status,
            "state": state,
            "entry": entry_members(stored.entry),
            "receipt": receipt_members(stored.receipt),
            "links": answers.invoice_links(number),
        }
    )
