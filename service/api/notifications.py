"""`/v1/notifications`: how an applicant is told of their case, and the end of it by a link in each notice."""

from fastapi import Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import deliveries as schemas
from service.api.models.reprints import NoticeChoice
from service.api.operations import Answered, Operations, Sent
from service.errors import Refused
from service.reprints import applying, cases, preferences
from service.reprints.applying import Application, application_of
from service.reprints.preferences import Preferences

router = Operations("notifications")


def _case_id(request: Request, here: Context) -> str:
    case_id = here.case(request)
    if case_id is None:
        here.allow(request)  # no role may: that is what it raises
        raise Refused("case_token_invalid")
    return case_id


def _application(connection: Connection, here: Context, case_id: str) -> Application:
    application = application_of(cases.get(connection, case_id), here.vault)
    if application is None:
        raise Refused("no_contact_yet")
    return application


def _answer(case_id: str, application: Application, chosen: Preferences) -> Response:
    channels = [{"channel": channel, "hint": applying.hint(channel, to)} for channel, to in chosen.to.items()]
    hours = preferences.shown_hours(chosen.quiet)
    return answers.json({"case": case_id, "channels": channels, "quiet_hours": hours, "language": application.language})


@router.operation(
    "GET",
    "/v1/notifications/preferences",
    "See how a case's notices come",
    Answered(schemas.PREFERENCES, schemas.NoticePreferences),
    applicant=True,
)
def preferences_of(request: Request, here: Here) -> Response:
    case_id = _case_id(request, here)
    with here.database.read() as connection:
        application = _application(connection, here, case_id)
        chosen = preferences.of_case(connection, case_id, application, here.vault)
    return _answer(case_id, application, chosen)


@router.operation(
    "PUT",
    "/v1/notifications/preferences",
    "Choose how a case's notices come",
    Answered(schemas.PREFERENCES, schemas.NoticePreferences),
    applicant=True,
    sent=(Sent(schemas.CHOICE, NoticeChoice),),
    description="A channel without an address keeps the one that is known. In `quiet_hours` (Beijing time) nothing comes; null: at "
    "any hour; left out: as it was. One-time codes come to the contact in any case.",
)
def choose(request: Request, here: Here, body: SmallBody) -> Response:
    case_id = _case_id(request, here)
    sent = parse(NoticeChoice, body).model_dump(exclude_unset=True)
    with here.database.write() as connection:
        application = _application(connection, here, case_id)
        before = preferences.of_case(connection, case_id, application, here.vault)
        chosen = preferences.choose(sent, before, application)
        preferences.keep(connection, case_id, chosen, here.vault, here.now_ms())
    return _answer(case_id, application, chosen)


@router.operation(
    "POST",
    "/v1/notifications/unsubscribe",
    "Receive no more notices",
    Answered({"channel": "email"}, schemas.Unsubscribed, description="Done; a second time changes nothing."),
    sent=(Sent({"token": "AQTunjP3VQtO2tcpAEi5qPxYZlOzUp__TkEdyb5IFTMSDb189MgT"}, schemas.Unsubscription),),
    dependencies=[ANONYMOUS],
    description="With what stands behind # in a notice's link: the channel by which that notice came is left out from now on.",
)
def unsubscribe(here: Here, body: SmallBody) -> Response:
    case_id, channel = preferences.read_token(parse(schemas.Unsubscription, body).token, here.vault)
    with here.database.write() as connection:
        case = cases.find_locked(connection, case_id)
        application = None if case is None else application_of(case, here.vault)
        if application is None:
            raise Refused("unsubscribe_unknown")
        before = preferences.of_case(connection, case_id, application, here.vault)
        preferences.keep(connection, case_id, preferences.without(before, channel), here.vault, here.now_ms())
    return answers.json({"channel": channel})
