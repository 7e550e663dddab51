"""`POST /v1/diagnoses`: where did this invoice get lost, and who owes the next step?"""

from typing import Any

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, examples, problems
from service.api.bodies import media_type, parse, parse_json, read_bytes
from service.api.context import ANONYMOUS, Context, Here
from service.api.files import FILE
from service.api.models import diagnosing as schemas
from service.api.models.diagnosing import Acknowledgement, DiagnosisQuestion
from service.api.operations import JSON, Answered, Operations, Sent
from service.api.proofs import commitment_of
from service.diagnosis import shown
from service.diagnosis.details import Asker
from service.diagnosis.diagnose import Diagnosis
from service.diagnosis.shown import Shown
from service.errors import Finding, Refused
from service.invoices import guessing, lookups
from service.ledger.receipts import Receipt
from service.verification.material import is_picture
from verifier.carried import MAX_FILE_BYTES, Carried, is_pdf
from verifier.entry import Entry, Kind
from verifier.errors import Malformed
from verifier.fields import Chain
from verifier.proof import MAX_BYTES, MEDIA_TYPE
from verifier.question import Question

router = Operations("diagnoses")

_INSIDERS = ("issuer", "approver", "auditor", "central")


SENT = (
    Sent(examples.LOOKUP, schemas.QUESTION_SCHEMA),
    Sent(examples.PROOF, {"type": "object"}, MEDIA_TYPE),
    Sent("%PDF-1.7 …", FILE, "application/pdf"),
    Sent("\x89PNG …", FILE, "image/*"),
)
"""What shows an invoice: to have it diagnosed, or to apply for a reprint of it."""


@router.operation(
    "POST",
    "/v1/diagnoses",
    "Find out where an invoice got lost",
    Answered(schemas.DIAGNOSED, schemas.Diagnosis, description="One verdict, with the evidence of every hop that it rests on."),
    sent=SENT,
    dependencies=[ANONYMOUS],
    description="As JSON: what stands on the invoice (`number`, `issued_on`, `amount_with_tax` or `amount`), its `commitment`, or "
    "an acknowledgement as `POST /v1/invoices` answered it (`entry` and `receipt`). Or a proof file, a PDF that carries one, a "
    "picture of its QR code. Guesses share the count of `/v1/lookups`; which field is wrong is told to who shows the commitment, "
    "or has a key for the invoice's seller or buyer.",
)
async def diagnose(request: Request, here: Here) -> Response:
    data = await read_bytes(request, most_of(request))
    return await run_in_threadpool(_answer, request, here, data)


def _answer(request: Request, here: Context, data: bytes) -> Response:
    found = diagnose_sent(request, here, data)
    return answers.json(found.to_members(problems.language_of(request)))


def most_of(request: Request) -> int:
    """How many bytes what is sent may have."""
    is_file = media_type(request) in ("application/pdf", "application/octet-stream") or media_type(request).startswith("image/")
    return MAX_FILE_BYTES if is_file else MAX_BYTES


def diagnose_sent(request: Request, here: Context, data: bytes) -> Diagnosis:
    """The diagnosis of what was sent, as whoever sent it may see it; that somebody of ours looks is written down."""
    found = _diagnose(request, here, data)
    principal = here.asker(request)
    if principal is not None and found.case.is_holder and found.case.number is not None:
        here.look(principal, "diagnose", found.case.number)
    return found


def _diagnose(request: Request, here: Context, data: bytes) -> Diagnosis:
    asker, now_ms = _asker(request, here), here.now_ms()
    if is_pdf(data) or is_picture(data):
        carried = shown.carried(read_paper(here, data))
        if isinstance(carried, Question):
            return here.diagnostics.diagnose(shown.code(carried), asker, now_ms)
        return here.diagnostics.of_proof(carried, asker, now_ms)
    sent = media_type(request)
    if sent == MEDIA_TYPE:
        return here.diagnostics.of_proof(data, asker, now_ms)
    if sent not in ("", JSON):
        raise Refused("media_type_unsupported", {"expected": f"{JSON}, {MEDIA_TYPE}, application/pdf"})
    return here.diagnostics.diagnose(_shown(here, data), asker, now_ms)


def _asker(request: Request, here: Context) -> Asker:
    network = guessing.network_of(request.client.host if request.client else None)
    principal = here.asker(request)
    if principal is None:
        return Asker(network)
    if principal.role == "recipient":
        return Asker(network, buyers=principal.bound)
    return Asker(network, principal.sellers) if principal.role in _INSIDERS else Asker(network)


def _shown(here: Context, data: bytes) -> Shown:
    """What a JSON body shows."""
    value: Any = parse_json(data)
    if isinstance(value, dict) and ("entry" in value or "receipt" in value):
        return acknowledged(here, parse(Acknowledgement, data))
    asked = parse(DiagnosisQuestion, data)
    commitment = commitment_of(asked.commitment)
    typed = (asked.issued_on, asked.amount_with_tax, asked.amount)
    if commitment is not None and not any(typed):
        number = lookups.read_number(asked.number)
        if number is None:
            raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/number", {"case": "number"})])
        return shown.code(Question(number, commitment))
    if asked.issued_on is None:
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/issued_on")])
    return shown.facts(lookups.read(asked.number, asked.issued_on, asked.amount_with_tax, asked.amount), commitment)


def acknowledged(here: Context, sent: Acknowledgement) -> Shown:
    """An acknowledgement that somebody kept."""
    receipt = Receipt(bytes.fromhex(sent.receipt.key_id), sent.receipt.deadline, bytes.fromhex(sent.receipt.signature))
    chain = None if sent.chain is None else Chain(sent.chain.chain_id, bytes.fromhex(sent.chain.contract[2:]))
    registry = here.diagnostics.registry
    commitment = commitment_of(sent.commitment)
    return shown.acknowledgement(_entry(sent), receipt, chain, sent.number, commitment, ours=registry.chain, keys=registry.keys)


def _entry(sent: Acknowledgement) -> Entry:
    told = sent.entry
    hashes = (bytes.fromhex(part) for part in (told.key, told.copy_, told.other, told.auth))
    return Entry(Kind[told.kind.upper()], told.recorded_at, *hashes)


def read_paper(here: Context, data: bytes) -> Carried:
    """What a PDF or a picture carries. Raises Refused("not_a_proof") where it cannot be read."""
    try:
        return here.sandbox.read(data)
    except Malformed:
        raise Refused("not_a_proof") from None
