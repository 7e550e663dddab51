"""`POST /v1/reprints` and what follows without an account: the application, one-time codes, coming back."""

from hashlib import sha256

from fastapi import Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import SmallBody, parse, read_bytes
from service.api.context import ANONYMOUS, Context, Here
from service.api.diagnoses import SENT, diagnose_sent, most_of
from service.api.models import reprints as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.reprints import examples
from service.api.reprints.members import Viewer, members
from service.api.writes import attempt_of
from service.errors import Refused
from service.invoices import guessing
from service.invoices.idempotency import done_before, write_once
from service.reprints import applying, cases, confirming, preferences, steps, tokens
from service.reprints.applying import Application
from service.reprints.preferences import NIGHT, Preferences

router = Operations("reprints")


@router.operation(
    "POST",
    "/v1/reprints",
    "Open a reprint case",
    Answered(examples.OPENED, schemas.Opened, 201, description="The case, and the token by which its applicant goes on."),
    sent=SENT,
    is_write=True,
    dependencies=[ANONYMOUS],
    description="Takes what `POST /v1/diagnoses` takes, and diagnoses it: wrong guesses share its count. Where no reprint can be "
    "given the problem says why, with the whole `diagnosis` beside. A case that nobody applies for within two hours is over. Sent "
    "again with its Idempotency-Key it gives a new token, in the place of the one before.",
)
async def open_case(request: Request, here: Here) -> Response:
    data = await read_bytes(request, most_of(request))
    return await run_in_threadpool(_open, request, here, data)


def _open(request: Request, here: Context, data: bytes) -> Response:
    vault, now_ms, principal = here.vault, here.now_ms(), here.asker(request)
    attempt = attempt_of(request, _owner(request) if principal is None else principal.id, data)
    language = problems.language_of(request)
    case_id: str | None = done_before(here.database, attempt)
    if case_id is None:
        found = diagnose_sent(request, here, data)

        def work(connection: Connection) -> tuple[str, bool]:
            opened_by = None if principal is None else principal.id
            return confirming.open_case(connection, found, opened_by, vault, here.settings, now_ms).id, True

        try:
            with here.running.hold(attempt):
                case_id, _ = write_once(here.database, attempt, now_ms, work)
        except Refused as refused:
            refused.extra = {**refused.extra, "diagnosis": found.to_members(language)}
            raise
    assert case_id is not None
    with here.database.write() as connection:
        case = cases.lock(connection, case_id)
        if case.state != "started":  # it is somebody's by now, who has the token
            raise Refused("case_open")
        token = tokens.new_token(connection, case_id, now_ms, is_only=True)
        shown = members(connection, case, vault, here.settings, Viewer("applicant", language))
    return answers.json({**shown, "token": token}, 201)


def _owner(request: Request) -> str:
    """Whose Idempotency-Key it is, where nobody is signed in: the client network's."""
    network = guessing.network_of(request.client.host if request.client else None)
    return f"anyone:{sha256(network.encode()).hexdigest()[:24]}"


@router.operation(
    "POST",
    "/v1/reprints/{id}/application",
    "Apply",
    Answered(examples.SUBMITTED, schemas.Case, description="Applied for; a one-time code is on its way to the contact."),
    applicant=True,
    sent=(Sent(examples.APPLICATION_ORDER, schemas.ApplicationOrder),),
    is_write=True,
    description="Again while the contact is not confirmed, to correct it. A red-letter or partly reversed invoice is only copied. "
    "A case whose contact is not confirmed within a day is over.",
)
def apply(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002  the name in the path
    here.applicant(request, id)
    application = _application(parse(schemas.ApplicationOrder, body))
    vault, now_ms = here.vault, here.now_ms()
    attempt = attempt_of(request, id, body)

    def work(connection: Connection) -> tuple[str, bool]:
        return steps.apply(connection, cases.lock(connection, id), application, vault, here.settings, now_ms).id, True

    with here.running.hold(attempt):
        write_once(here.database, attempt, now_ms, work)
    return case_answer(request, here, id)


def _application(order: schemas.ApplicationOrder) -> Application:
    address = applying.read_contact(order.contact.channel, order.contact.address)
    notices = {} if order.notices is None else order.notices.model_dump(exclude_unset=True)
    reason = order.reason.replace("\r\n", "\n").strip()
    given = (order.kind, reason, order.delivery, order.name.strip(), order.company.strip())
    application = Application(*given, order.contact.channel, address, order.language, notices)
    applying.check_texts(application)
    if notices:
        preferences.choose(notices, Preferences({application.channel: address}, NIGHT), application, "/notices")
    return application


@router.operation(
    "POST",
    "/v1/reprints/{id}/codes",
    "Have a one-time code sent",
    Answered({"sent": True}, schemas.CodeSent, 202, description="The same whether or not there is such a case."),
    sent=(Sent({}, schemas.CodeOrder),),
    dependencies=[ANONYMOUS],
    description="To the contact that was given; the code before is over then. Five a day and case; each is good for ten minutes "
    "and five tries.",
)
def send_code(here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    parse(schemas.CodeOrder, body)
    vault, now_ms = here.vault, here.now_ms()
    with here.database.read() as connection:
        known = cases.find(connection, id)
    if known is not None and known.application is not None:
        with here.database.write() as connection:
            steps.send_code(connection, cases.lock(connection, id), vault, here.settings, now_ms)
    return answers.json({"sent": True}, 202)


@router.operation(
    "POST",
    "/v1/reprints/{id}/session",
    "Come back to a case",
    Answered(examples.SIGNED_IN, schemas.SignedIn, description="A token, and the case. The first right code confirms the contact."),
    sent=(Sent({"code": "492039"}, schemas.CodeGiven),),
    dependencies=[ANONYMOUS],
    description="With the case's number and the newest one-time code. The first time it ends the token that came with the case.",
)
def sign_in(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    given = parse(schemas.CodeGiven, body)
    vault, now_ms = here.vault, here.now_ms()
    with here.database.write() as connection:  # kept although the code is wrong: the try counts
        token = steps.sign_in(connection, id, given.code, vault, here.settings, now_ms)
    if token is None:
        raise Refused("code_wrong")
    with here.database.read() as connection:
        whose = Viewer("applicant", problems.language_of(request))
        shown = members(connection, cases.get(connection, id), vault, here.settings, whose)
    return answers.json({"token": token, "case": shown})


def case_answer(request: Request, here: Context, case_id: str, status: int = 200) -> Response:
    """The case as its applicant sees it."""
    with here.database.read() as connection:
        whose = Viewer("applicant", problems.language_of(request))
        return answers.json(members(connection, cases.get(connection, case_id), here.vault, here.settings, whose), status)
