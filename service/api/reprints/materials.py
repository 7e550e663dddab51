"""`/v1/reprints/{id}/materials` and the application form: what an applicant shows, and who looks at it."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers
from service.api.context import ANONYMOUS, Context, Here
from service.api.files import FILE, FORM, read_file
from service.api.models import materials as schemas
from service.api.models.materials import ReviewStep
from service.api.models.reprints import Material
from service.api.operations import Answered, Operations, Sent
from service.api.writes import attempt_of
from service.auth.principals import record
from service.errors import Refused
from service.formats import application_form, watermark
from service.invoices.idempotency import done_before, write_once
from service.invoices.reading import at
from service.reprints import cases, materials
from service.reprints.application_form import texts
from service.reprints.materials import Item, MaterialType

router = Operations("reprints")

PNG = "image/png"
PDF = "application/pdf"
_BEIJING = timezone(timedelta(hours=8))

CaseId = Annotated[str, Path(alias="id")]


def members(item: Item) -> dict[str, Any]:
    """As a case and an upload are answered."""
    return {**item._asdict(), "uploaded_at": at(item.uploaded_at)}


@router.operation(
    "POST",
    "/v1/reprints/{id}/materials",
    "Send a paper",
    Answered(schemas.MATERIAL, Material, 201, description="Kept, encrypted: the pictures of its pages, not the file."),
    applicant=True,
    sent=(
        Sent({"file": "\x89PNG …"}, FORM, "multipart/form-data"),
        Sent("%PDF-1.7 …", FILE, "application/pdf"),
        Sent("\x89PNG …", FILE, "image/*"),
    ),
    is_write=True,
    dependencies=[ANONYMOUS],
    description="While the case waits for its materials: a PDF, JPEG, PNG or WebP, as the field `file` of a form or as the body. A "
    "process of its own draws it; nothing but the pixels of its pages is kept. HEIC is 422 `material_heic`: convert it first.",
)
async def add(request: Request, here: Here, id: CaseId, type: Annotated[MaterialType, Query()]) -> Response:  # noqa: A002
    await run_in_threadpool(here.applicant, request, id)
    file = await read_file(request, here.settings.material_max_bytes)
    return await run_in_threadpool(_add, request, here, id, type, file.data)


def _add(request: Request, here: Context, case_id: str, type_: MaterialType, data: bytes) -> Response:
    attempt, now_ms, settings = attempt_of(request, case_id, data), here.now_ms(), here.settings
    pictures: list[bytes] = []
    if done_before(here.database, attempt) is None:
        with here.database.read() as connection:
            materials.check_open(cases.get(connection, case_id))
        pictures = here.previews.draw(data)

    def work(connection: Connection) -> tuple[str, bool]:
        case = cases.lock(connection, case_id)
        made = materials.add(connection, case, type_, len(data), pictures, here.vault, settings.materials_max_count, now_ms)
        return made.id, True

    with here.running.hold(attempt):
        id_, _ = write_once(here.database, attempt, now_ms, work)
    with here.database.read() as connection:
        item = materials.find(connection, case_id, id_)
    return answers.json(members(item), 201)


@router.operation(
    "DELETE",
    "/v1/reprints/{id}/materials/{material}",
    "Take a paper out again",
    Answered(schemas.REMOVED, schemas.Removed, description="It is gone, with its key."),
    applicant=True,
)
def remove(request: Request, here: Here, id: CaseId, material: str) -> Response:  # noqa: A002
    here.applicant(request, id)
    with here.database.write() as connection:
        materials.remove(connection, cases.lock(connection, id), material)
    return answers.json({"removed": True})


@router.operation(
    "GET",
    "/v1/reprints/{id}/materials/{material}/pages/{page}",
    "Look at a page of a paper",
    Answered("\x89PNG …", FILE, media_type=PNG, description="For a reviewer with their login, the case and the time across it."),
    applicant=True,
    roles=("reviewer",),
    people_only=True,
    description="A reviewer says what for (`purpose`); every look is in the activity log.",
)
def look(
    request: Request,
    here: Here,
    id: CaseId,  # noqa: A002
    material: str,
    page: Annotated[int, Path(ge=1, le=1000)],
    purpose: ReviewStep | None = None,
) -> Response:
    principal = here.applicant(request, id, "reviewer")
    with here.database.read() as connection:
        item = materials.find(connection, id, material)
        png = materials.picture(connection, id, material, page, here.vault)
    if principal is None:
        return Response(png, media_type=PNG)
    if principal.session is None:
        raise Refused("person_needed")
    if purpose is None:
        raise Refused("purpose_missing")
    now_ms = here.now_ms()
    said = {"material": material, "type": item.type, "page": str(page), "step": purpose}
    with here.database.write() as connection:
        record(connection, principal, now_ms, "looked_at_material", id, said)
    seen_at = datetime.fromtimestamp(now_ms / 1000, _BEIJING).strftime("%Y-%m-%d %H:%M")
    return Response(watermark.mark(png, f"{principal.session.person.login} · {id} · {seen_at}"), media_type=PNG)


@router.operation(
    "GET",
    "/v1/reprints/{id}/application-form.pdf",
    "The application form",
    Answered("%PDF-1.7 …", FILE, media_type=PDF, description="To be filled in on a screen or on paper; what is known is there."),
    applicant=True,
)
def form(request: Request, here: Here, id: CaseId) -> Response:  # noqa: A002
    here.applicant(request, id)
    with here.database.read() as connection:
        filled = texts(connection, cases.get(connection, id), here.vault)
    named = {"Content-Disposition": f'attachment; filename="{id}.pdf"'}
    return Response(application_form.render(filled), headers=named, media_type=PDF)
