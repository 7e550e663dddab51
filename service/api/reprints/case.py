"""`GET /v1/reprints/{id}`, and what its applicant does without anything to send: hand it in, or give it up."""

from collections.abc import Callable

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import SmallBody, parse
from service.api.context import Context, Here
from service.api.models import reprints as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.reprints import examples
from service.api.reprints.members import members, viewer
from service.api.reprints.opening import case_answer
from service.api.writes import attempt_of
from service.auth.principals import Principal, Role
from service.errors import Refused
from service.invoices import reading
from service.invoices.idempotency import write_once
from service.reprints import cases, steps
from service.reprints.cases import Case

router = Operations("reprints")

Work = Callable[[Connection], tuple[str, bool]]

LOOKING: tuple[Role, ...] = ("reviewer", "auditor", "issuer", "approver")


@router.operation(
    "GET",
    "/v1/reprints/{id}",
    "A reprint case",
    Answered(examples.CASE, schemas.Case, description="Its step, what is owed by whom and until when, and what happened."),
    roles=LOOKING,
    applicant=True,
    description="An auditor sees no materials and no application; the issuer of the original sees nothing of the applicant.",
)
def read(request: Request, here: Here, id: str) -> Response:  # noqa: A002  the name in the path
    principal = here.applicant(request, id, *LOOKING)
    with here.database.read() as connection:
        case = cases.get(connection, id)
        _check_seller(connection, case, principal)
    if principal is not None:
        here.look(principal, "looked_at_case", id)
    with here.database.read() as connection:
        whose = viewer(principal, problems.language_of(request))
        return answers.json(members(connection, cases.get(connection, id), here.vault, here.settings, whose))


def _check_seller(connection: Connection, case: Case, principal: Principal | None) -> None:
    """To an issuer, cases of others' invoices do not exist."""
    if principal is None or principal.role not in ("issuer", "approver"):
        return
    try:
        reading.get(connection, case.number, principal.sellers)
    except Refused:
        raise Refused("case_not_found") from None


@router.operation(
    "POST",
    "/v1/reprints/{id}/submit",
    "Hand the materials in",
    Answered(examples.CASE, schemas.Case, description="Handed in: the fee is due, or a reviewer has it."),
    applicant=True,
    sent=(Sent({}, schemas.Submission),),
    is_write=True,
)
def submit(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    here.applicant(request, id)
    parse(schemas.Submission, body)
    vault, now_ms = here.vault, here.now_ms()

    def work(connection: Connection) -> tuple[str, bool]:
        return steps.submit(connection, cases.lock(connection, id), vault, here.settings, now_ms).id, True

    return _write(request, here, id, body, now_ms, work)


@router.operation(
    "POST",
    "/v1/reprints/{id}/cancel",
    "Give a case up",
    Answered(examples.CASE, schemas.Case, description="Cancelled; what was paid is refunded."),
    applicant=True,
    sent=(Sent({"reason": "发票已找到"}, schemas.Cancellation),),
    is_write=True,
)
def cancel(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    here.applicant(request, id)
    order = parse(schemas.Cancellation, body)
    vault, now_ms = here.vault, here.now_ms()

    def work(connection: Connection) -> tuple[str, bool]:
        return steps.cancel(connection, cases.lock(connection, id), order.reason, vault, here.settings, now_ms).id, True

    return _write(request, here, id, body, now_ms, work)


def _write(request: Request, here: Context, case_id: str, body: bytes, now_ms: int, work: Work) -> Response:
    attempt = attempt_of(request, case_id, body)
    with here.running.hold(attempt):
        write_once(here.database, attempt, now_ms, work)
    return case_answer(request, here, case_id)
