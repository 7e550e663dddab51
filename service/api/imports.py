"""`/v1/imports`: files that carry invoices, registered row by row by the worker."""

import re
from collections.abc import AsyncGenerator
from email.message import Message
from typing import Any, NamedTuple

from fastapi import Query, Request
from python_multipart.exceptions import MultipartParseError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import Response

from service.api import answers, examples, problems
from service.api.bodies import media_type, read_bytes, too_large
from service.api.context import Context, Here
from service.api.invoices import with_links
from service.api.models import answers as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.writes import attempt_of
from service.auth.keys import Principal
from service.errors import Finding, Refused
from service.invoices import importing, reading
from service.invoices.content import Profile
from service.invoices.idempotency import write_once
from service.messages import Language

router = Operations("imports")

MAX_FILE = 64 * 1024 * 1024
_FORM_SLACK = 64 * 1024
"""What a form may need around its file."""

_ID = re.compile(r"[0-9a-f]{16}")
_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f]")
_FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {"file": {"type": "string", "contentMediaType": "application/octet-stream"}},
}
_FILE = {"type": "string", "contentMediaType": "application/octet-stream"}


class _File(NamedTuple):
    data: bytes
    name: str | None


@router.operation(
    "POST",
    "/v1/imports",
    "Import a file",
    Answered(
        examples.IMPORT_QUEUED, schemas.ImportQueued, 202, description="Queued; the job tells the rest, errors of the file too."
    ),
    roles=("issuer",),
    sent=(
        Sent({"file": "<EInvoice>…</EInvoice>"}, _FORM, "multipart/form-data"),
        Sent("<EInvoice>…</EInvoice>", _FILE, "application/octet-stream"),
    ),
    is_write=True,
    description="Tax XML, or a zip of such files, 64 MiB at most: as the field `file` of a form, or as the body itself (of any "
    "other media type, its name in Content-Disposition). With `dry_run=true` nothing is registered.",
)
async def create(request: Request, here: Here, profile: Profile = "as_issued", dry_run: bool = False) -> Response:
    principal = await run_in_threadpool(here.allow, request, "issuer")
    is_form = media_type(request) == "multipart/form-data"
    file = await _read_form(request) if is_form else _File(await read_bytes(request, MAX_FILE), _name_of_body(request))
    if not file.data:
        raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/file")])
    return await run_in_threadpool(_create, request, here, principal, file, profile, dry_run)


def _create(request: Request, here: Context, principal: Principal, file: _File, profile: Profile, dry_run: bool) -> Response:
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


async def _read_form(request: Request) -> _File:
    parser = MultiPartParser(request.headers, _limited(request), max_files=1, max_fields=0)
    try:
        form = await parser.parse()
    except (MultiPartException, MultipartParseError):
        raise Refused("malformed_body") from None
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile):
            raise Refused("invalid_request", findings=[Finding("member_missing", "error", "/file")])
        return _File(await file.read(), _clean(file.filename))
    finally:
        await form.close()


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_FILE + _FORM_SLACK:
            raise too_large(MAX_FILE)
        yield piece


def _name_of_body(request: Request) -> str | None:
    message = Message()
    message["content-disposition"] = request.headers.get("content-disposition", "")
    return _clean(message.get_filename())


def _clean(name: str | None) -> str | None:
    """The last part of a path, without what no file name shows."""
    last = re.split(r"[/\\]", name or "")[-1]
    return _NOT_IN_A_NAME.sub("", last)[:255] or None
