"""`/v1/imports`: files that carry invoices, registered row by row by the worker."""

import re
from typing import Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, examples, problems
from service.api.context import Context, Here
from service.api.files import FILE, FORM, SentFile, read_file
from service.api.invoices import with_links
from service.api.models import answers as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.writes import attempt_of
from service.auth.principals import Principal
from service.errors import Refused
from service.invoices import importing, reading
from service.invoices.content import Profile
from service.invoices.idempotency import write_once
from service.messages import Language

router = Operations("imports")

MAX_FILE = 64 * 1024 * 1024

_ID = re.compile(r"[0-9a-f]{16}")


@router.operation(
    "POST",
    "/v1/imports",
    "Import a file",
    Answered(
        examples.IMPORT_QUEUED, schemas.ImportQueued, 202, description="Queued; the job tells the rest, errors of the file too."
    ),
    roles=("issuer",),
    sent=(
        Sent({"file": "<EInvoice>…</EInvoice>"}, FORM, "multipart/form-data"),
        Sent("<EInvoice>…</EInvoice>", FILE, "application/octet-stream"),
    ),
    is_write=True,
    description="Tax XML, or a zip of such files, 64 MiB at most: as the field `file` of a form, or as the body itself (of any "
    "other media type, its name in Content-Disposition). With `dry_run=true` nothing is registered.",
)
async def create(request: Request, here: Here, profile: Profile = "as_issued", dry_run: bool = False) -> Response:
    principal = await run_in_threadpool(here.allow, request, "issuer")
    file = await read_file(request, MAX_FILE)
    return await run_in_threadpool(_create, request, here, principal, file, profile, dry_run)


def _create(request: Request, here: Context, principal: Principal, file: SentFile, profile: Profile, dry_run: bool) -> Response:
    attempt = attempt_of(request, principal.id, f"{file.name}\n".encode(errors="replace") + file.data)
    now_ms = here.now_ms()

    def work(connection: Any) -> tuple[str, bool]:
        made = importing.create(connection, file.data, file.name, principal.id, principal.bound, profile, dry_run, now_ms)
        return made, True

    with here.running.hold(attempt):
        id_, _ = write_once(here.database, attempt, now_ms, work)
    link = f"/v1/imports/{id_}"
    with here.database.read() as connection:
        state = importing.status(connection, id_, principal.id, limit=1)["state"]
    return answers.json({"id": id_, "state": state, "links": {"self": link}}, 202, {"Location": link})


@router.operation(
    "GET",
    "/v1/imports/{id}",
    "Follow an import",
    Answered(examples.IMPORT_JOB, schemas.ImportJob, description="Counts, and a page of the rows that are finished, in order."),
    roles=("issuer",),
)
def status(
    request: Request,
    here: Here,
    id: str,  # noqa: A002  the name in the path
    limit: int = Query(default=1000, ge=1, le=1000),
    cursor: int = Query(default=-1, ge=-1, le=2**31 - 1),
) -> Response:
    principal = here.allow(request, "issuer")
    if not _ID.fullmatch(id):
        raise Refused("not_found")
    with here.database.read() as connection:
        job = importing.status(connection, id, principal.id, cursor, limit)
    language = problems.language_of(request)
    following = job.pop("next_row")
    job["created_at"] = reading.at(job["created_at"])
    job["finished_at"] = job["finished_at"] and reading.at(job["finished_at"])
    job["rows"] = [_row(row, language, here.settings.public_url) for row in job["rows"]]
    job["next_cursor"] = None if following is None else str(following)
    return answers.json(job)


def _row(row: dict[str, Any], language: Language, public_url: str) -> dict[str, Any]:
    refused = row["problem"]
    problem = refused and problems.members(with_links(refused), language, public_url)
    return {**row, "problem": problem, "findings": problems.findings_members(row["findings"], language)}
