"""`/v1/session` and `/v1/invitation`: how people sign in, and how an account begins."""

from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from service import activity
from service.api import answers, cookies
from service.api.bodies import SmallBody, parse
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import staff as schemas
from service.api.operations import OF_PEOPLE, Answered, Operations, Sent
from service.api.staff import examples
from service.auth import people, sessions
from service.auth.people import Person
from service.auth.sessions import Session, SignedIn
from service.errors import Refused
from service.formats import qr
from service.invoices.guessing import network_of
from service.invoices.reading import at

router = Operations("session")

QR_MM = 45
"""An authenticator's link is long: as large as a phone reads it easily from a screen."""


def person_members(person: Person) -> dict[str, object]:
    """As answers and pages show an account's owner."""
    return {
        "id": person.id,
        "login": person.login,
        "name": person.name,
        "role": person.role,
        "sellers": sorted(person.sellers),
    }


def session_members(session: Session) -> dict[str, object]:
    """The same of a session, without its token."""
    return {
        "person": person_members(session.person),
        "csrf": session.csrf,
        "expires_at": at(session.expires_at),
        "fresh_until": at(session.fresh_until),
        "purpose": session.purpose,
        "reference": session.reference,
    }


def _session(request: Request, here: Context) -> Session:
    session = here.person(request, *OF_PEOPLE).session
    assert session is not None
    return session


def _network(request: Request) -> str:
    return network_of(request.client.host if request.client else None)


def _signed_in(here: Context, signed_in: SignedIn, now_ms: int) -> Response:
    with here.database.read() as connection:
        session = sessions.read(connection, signed_in.token, now_ms)
    assert session is not None
    response = answers.json(session_members(session))
    cookies.give(response, signed_in)
    return response


@router.operation(
    "POST",
    "/v1/session",
    "Sign in",
    Answered(examples.SESSION, schemas.Session, description="Signed in, by the cookies that come along."),
    sent=(Sent(examples.SIGN_IN, schemas.SignIn),),
    dependencies=[ANONYMOUS],
    description="401 `sign_in_failed` does not tell what was wrong. After a few failures 429, for the network that they came from.",
)
def sign_in(request: Request, here: Here, body: SmallBody) -> Response:
    cookies.check_same_site(request)
    asked = parse(schemas.SignIn, body)
    now_ms, device = here.now_ms(), request.cookies.get(cookies.DEVICE)
    signed_in = sessions.sign_in(
        here.database, asked.login, asked.password, asked.code, _network(request), device, here.vault, now_ms
    )
    if signed_in is None:
        raise Refused("sign_in_failed")
    return _signed_in(here, signed_in, now_ms)


@router.operation(
    "GET",
    "/v1/session",
    "Who is signed in",
    Answered(examples.SESSION, schemas.Session, description="Of the cookie that came along; 401 where nobody is."),
    roles=OF_PEOPLE,
    people_only=True,
)
def read(request: Request, here: Here) -> Response:
    return answers.json(session_members(_session(request, here)))


@router.operation(
    "DELETE",
    "/v1/session",
    "Sign out",
    Answered(examples.SIGNED_OUT, schemas.SignedOut, description="The session has ended, here and everywhere."),
    roles=OF_PEOPLE,
    people_only=True,
)
def sign_out(request: Request, here: Here) -> Response:
    session = _session(request, here)
    with here.database.write() as connection:
        sessions.sign_out(connection, session, here.now_ms())
    response = answers.json({"signed_out": True})
    cookies.take(response)
    return response


@router.operation(
    "POST",
    "/v1/session/reauthenticate",
    "Prove again who is there",
    Answered(examples.SESSION, schemas.Session, description="For five minutes what matters is not asked for again."),
    roles=OF_PEOPLE,
    people_only=True,
    sent=(Sent(examples.REAUTHENTICATION, schemas.Reauthentication),),
)
def reauthenticate(request: Request, here: Here, body: SmallBody) -> Response:
    session = _session(request, here)
    asked = parse(schemas.Reauthentication, body)
    now_ms = here.now_ms()
    if not sessions.reauthenticate(here.database, session, asked.password, asked.code, _network(request), here.vault, now_ms):
        raise Refused("reauthentication_failed")
    return answers.json(session_members(session._replace(reauthenticated_at=now_ms)))


@router.operation(
    "POST",
    "/v1/session/purpose",
    "Say what invoices are looked at for",
    Answered(examples.SESSION, schemas.Session, description="It goes into the activity log with every look from now on."),
    roles=OF_PEOPLE,
    people_only=True,
    sent=(Sent(examples.PURPOSE, schemas.PurposeChoice),),
)
def choose_purpose(request: Request, here: Here, body: SmallBody) -> Response:
    session = _session(request, here)
    asked = parse(schemas.PurposeChoice, body)
    with here.database.write() as connection:
        chosen = sessions.choose_purpose(connection, session, asked.purpose, asked.reference.strip(), here.now_ms())
    return answers.json(session_members(chosen))


@router.operation(
    "POST",
    "/v1/invitation",
    "Whose one-time link it is",
    Answered(examples.INVITATION, schemas.Invitation, description="With a new secret for an authenticator; asked again, another."),
    sent=(Sent(examples.INVITATION_QUESTION, schemas.InvitationQuestion),),
    dependencies=[ANONYMOUS],
)
def invitation(request: Request, here: Here, body: SmallBody) -> Response:
    cookies.check_same_site(request)
    asked = parse(schemas.InvitationQuestion, body)
    with here.database.read() as connection:
        person, secret = people.begin(connection, asked.token, here.now_ms())
    host = urlsplit(here.settings.public_url).hostname or "zhengpiao"
    uri = people.enrolment_uri(person.login, secret, host)
    drawn = qr.svg(qr.symbol(uri, QR_MM)).decode()
    return answers.json(
        {
            "login": person.login,
            "name": person.name,
            "role": person.role,
            "totp": {"secret": secret, "uri": uri, "qr_svg": drawn},
            "min_password": people.MIN_PASSWORD,
        }
    )


@router.operation(
    "POST",
    "/v1/invitation/acceptance",
    "Choose a password and enrol an authenticator",
    Answered(examples.SESSION, schemas.Session, description="The account is ready, and its owner signed in. The link is used up."),
    sent=(Sent(examples.ACCEPTANCE, schemas.InvitationAcceptance),),
    dependencies=[ANONYMOUS],
)
def accept(request: Request, here: Here, body: SmallBody) -> Response:
    cookies.check_same_site(request)
    asked = parse(schemas.InvitationAcceptance, body)
    now_ms, vault = here.now_ms(), here.vault
    chosen = people.prepare(here.database, asked.token, asked.password, asked.totp_secret, asked.code, now_ms)
    with here.database.write() as connection:
        person = people.accept(connection, asked.token, chosen, vault, now_ms)
        signed_in = sessions.begin(connection, person, None, now_ms)
        activity.append(connection, now_ms, person.id, "accepted_invitation", person.id)
    return _signed_in(here, signed_in, now_ms)
