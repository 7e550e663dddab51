"""`GET /v1/evidence/{number}`: everything that proves an invoice, for a machine that has nothing of ours."""

from hashlib import sha256

from fastapi import Request
from starlette.responses import Response

from service.api.context import Here
from service.api.operations import Answered, Operations
from service.auth.principals import record as write_down
from service.diagnosis import custody
from service.errors import Refused
from service.invoices import evidence, reading

router = Operations("evidence")


@router.operation(
    "GET",
    "/v1/evidence/{number}",
    "Take the evidence about an invoice",
    Answered(
        "a zip file",
        {"type": "string", "contentMediaType": "application/zip"},
        media_type="application/zip",
        description="Proof files of every copy, timeline, receipt, anchors file, the verifier as one HTML file, and how to use it.",
    ),
    roles=("auditor",),
    description="It verifies offline, by its own README. Confidential: it holds the whole content. Taking it is in the activity "
    "log, with the zip's SHA-256.",
)
def take(request: Request, here: Here, number: str) -> Response:
    principal = here.allow(request, "auditor")
    if principal.session is not None and principal.session.purpose is None:
        raise Refused("purpose_missing")
    now_ms = here.now_ms()
    with here.database.read() as connection:
        record = reading.get(connection, number, principal.sellers)
        story = custody.of_record(connection, record, here.diagnostics.registry)
        made = evidence.make(connection, here.chain, here.keys.public, record, here.settings.public_url, now_ms, story)
    with here.database.write() as connection:
        details = {"sha256": sha256(made.data).hexdigest(), "verdict": made.verdict}
        write_down(connection, principal, now_ms, "took_evidence", number, details)
    headers = {"Content-Disposition": f'attachment; filename="{made.file_name}"'}
    return Response(made.data, headers=headers, media_type="application/zip")
