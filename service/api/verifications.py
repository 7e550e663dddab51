"""`POST /v1/verifications`: the service checks what somebody holds, for whoever has no verifier."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, examples, problems
from service.api.context import ANONYMOUS, Here
from service.api.files import FILE, FORM, read_file
from service.api.models import answers as schemas
from service.api.operations import Answered, Operations, Sent
from verifier.carried import MAX_FILE_BYTES
from verifier.proof import MEDIA_TYPE

router = Operations("verifications")


@router.operation(
    "POST",
    "/v1/verifications",
    "Verify a proof file, a PDF or a picture of a QR code",
    Answered(examples.REPORT, schemas.Report, description="The report (protocol.md section 8), whatever the verdict."),
    sent=(
        Sent(examples.PROOF, {"type": "object"}, MEDIA_TYPE),
        Sent("%PDF-1.7 …", FILE, "application/pdf"),
        Sent("\x89PNG …", FILE, "image/*"),
        Sent({"file": "%PDF-1.7 …"}, FORM, "multipart/form-data"),
    ),
    dependencies=[ANONYMOUS],
    description="32 MiB at most; its first bytes tell what it is. A newer proof is used where the service has one. The service "
    "reads the chain itself: a check that need not trust it is made by zhengpiao-verify or in the browser.",
)
async def verify(request: Request, here: Here) -> Response:
    file = await read_file(request, MAX_FILE_BYTES)
    report = await run_in_threadpool(here.verification.report, file.data, file.name)
    return answers.json(report.to_dict(problems.language_of(request)))
