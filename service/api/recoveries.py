"""`POST /v1/recoveries`: whoever still holds a copy brings a lost record back."""

from hashlib import sha256

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, examples
from service.api.bodies import media_type, parse, read_bytes
from service.api.context import ANONYMOUS, Context, Here
from service.api.diagnoses import read_paper
from service.api.files import FILE
from service.api.models import diagnosing as schemas
from service.api.models.diagnosing import RecoveryFromSections
from service.api.operations import JSON, Answered, Operations, Sent
from service.diagnosis import proving
from service.diagnosis.recovery import By, Recovered, Source, recover_once
from service.errors import Refused
from verifier.carried import MAX_FILE_BYTES, is_pdf
from verifier.proof import MAX_BYTES, MEDIA_TYPE

router = Operations("recoveries")

ANYONE = "anyone"
MAX_SECTIONS = 8 * 1024 * 1024
"""Sections as they were sent, and once more those that were changed, in the answer."""


@router.operation(
    "POST",
    "/v1/recoveries",
    "Restore a lost record from a copy",
    Answered(schemas.RECOVERED, schemas.Recovery, description="What was restored; nothing where the record was sound."),
    sent=(
        Sent(schemas.SECTIONS_KEPT, schemas.SECTIONS_SCHEMA),
        Sent(examples.PROOF, {"type": "object"}, MEDIA_TYPE),
        Sent("%PDF-1.7 …", FILE, "application/pdf"),
    ),
    dependencies=[ANONYMOUS],
    description="A proof file, a PDF that carries one, or an issuer's own sections with the acknowledgement that it got. The copy "
    "proves itself against the chain first; one that proves nothing is 422 `copy_proves_nothing` and changes nothing. Only what is "
    "gone or wrong is written; a copy that withholds sections restores those that it opens. Repeating it is harmless.",
)
async def recover(request: Request, here: Here) -> Response:
    data = await read_bytes(request, MAX_SECTIONS if media_type(request) in ("", JSON) else MAX_FILE_BYTES)
    made = await run_in_threadpool(_recover, request, here, data)
    state = "sound" if not made.restored else "restored_in_part" if made.lost or made.altered else "restored"
    members = {**made._asdict(), "state": state, "links": answers.invoice_links(made.number)}
    return answers.json(members)


def _recover(request: Request, here: Context, data: bytes) -> Recovered:
    principal = here.asker(request)
    file, source = _proof_file(request, here, data)
    by = By(ANYONE if principal is None else principal.id, source, sha256(data).digest(), here.now_ms())
    return recover_once(here.database, file, here.diagnostics.reader(), here.keys, by)


def _proof_file(request: Request, here: Context, data: bytes) -> tuple[bytes, Source]:
    if is_pdf(data):
        proofs = read_paper(here, data).proofs
        if len(proofs) != 1:
            raise Refused("not_a_proof")
        return proofs[0], "pdf"
    sent = media_type(request)
    if sent in ("", JSON):
        kept = parse(RecoveryFromSections, data)
        acknowledgement = kept.acknowledgement.model_dump(by_alias=True, exclude_none=True)
        return proving.of_issuer(kept.sections, acknowledgement, here.chain), "sections"
    if sent != MEDIA_TYPE:
        raise Refused("media_type_unsupported", {"expected": f"{JSON}, {MEDIA_TYPE}, application/pdf"})
    if len(data) > MAX_BYTES:
        raise Refused("not_a_proof")
    return data, "proof"
