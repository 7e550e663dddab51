"""`/v1/users`: accounts of people, for operators. Whoever makes one never learns its password: a one-time link leads to it."""

from typing import Annotated, Any

from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Context, Here
from service.api.models import staff as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit, place_of
from service.api.staff import examples
from service.api.staff.session import person_members
from service.api.writes import attempt_of
from service.auth import people
from service.auth.people import Account
from service.auth.principals import Principal, record
from service.errors import Refused
from service.invoices.idempotency import write_once
from service.invoices.reading import at, at_or_none

router = Operations("users")

Behind = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}\.[0-9a-f]{16}$")]


def members(account: Account) -> dict[str, Any]:
    """As answers show an account."""
    person, created_at = account
    state = "disabled" if person.disabled_at is not None else "active" if person.is_ready else "invited"
    return {
        **person_members(person),
        "state": state,
        "created_at": at(created_at),
        "disabled_at": at_or_none(person.disabled_at),
    }


def _operator(request: Request, here: Context) -> Principal:
    """Who may change accounts: a person, who has just proven who they are."""
    principal = here.person(request, "operator")
    here.require_fresh(principal)
    return principal


def _invited(here: Context, account: Account, secret: str | None, now_ms: int, status: int) -> Response:
    link = None if secret is None else f"{here.settings.public_url}/welcome#{secret}"
    said = {"user": members(account), "link": link, "expires_at": at(now_ms + people.INVITATION_MS)}
    return answers.json(said, status)


@router.operation(
    "POST",
    "/v1/users",
    "Create an account",
    Answered(examples.INVITED, schemas.Invited, 201, description="The one-time link is shown this once; it works for 72 hours."),
    roles=("operator",),
    people_only=True,
    sent=(Sent(examples.USER_ORDER, schemas.UserOrder),),
    is_write=True,
    description="Repeated with the same Idempotency-Key no second account is made; `link` is null then: invite its owner again.",
)
def create(request: Request, here: Here, body: SmallBody) -> Response:
    principal = _operator(request, here)
    order = parse(schemas.UserOrder, body)
    here.vault  # noqa: B018  without it the link could not be accepted
    attempt, now_ms = attempt_of(request, principal.id, body), here.now_ms()
    secrets: list[str] = []

    def work(connection: Connection) -> tuple[str, bool]:
        person, secret = people.create(connection, order.login, order.name, order.role, frozenset(order.sellers), now_ms)
        record(connection, principal, now_ms, "created_user", person.id, {"role": person.role})
        secrets[:] = [secret]
        return person.id, True

    with here.running.hold(attempt):
        id_, was_before = write_once(here.database, attempt, now_ms, work)
    with here.database.read() as connection:
        account = people.account(connection, id_)
    return _invited(here, account, None if was_before else secrets[0], now_ms, 201)


@router.operation(
    "GET",
    "/v1/users",
    "List accounts",
    Answered(examples.USERS, schemas.UserPage, description="Newest first."),
    roles=("operator",),
)
def page(request: Request, here: Here, limit: Limit = 50, cursor: Behind = None) -> Response:
    here.allow(request, "operator")
    with here.database.read() as connection:
        listed = people.listed(connection, limit + 1, place_of(cursor))
    last = listed[limit - 1] if len(listed) > limit else None
    following = f"{last.created_at}.{last.person.id}" if last else None
    return answers.json({"items": [members(account) for account in listed[:limit]], "next_cursor": following})


@router.operation(
    "PUT",
    "/v1/users/{id}/invitation",
    "Invite an account's owner again",
    Answered(examples.INVITED, schemas.Invited, description="A new one-time link; older ones die. A disabled account comes back."),
    roles=("operator",),
    people_only=True,
    description="For a link that expired, a lost password or authenticator. The old ones work until the link is accepted.",
)
def invite(request: Request, here: Here, id: str) -> Response:  # noqa: A002  the name in the path
    principal = _operator(request, here)
    here.vault  # noqa: B018
    now_ms = here.now_ms()
    with here.database.write() as connection:
        people.account(connection, id)
        secret = people.invite(connection, id, now_ms)
        record(connection, principal, now_ms, "invited_user", id)
        account = people.account(connection, id)
    return _invited(here, account, secret, now_ms, 200)


@router.operation(
    "DELETE",
    "/v1/users/{id}",
    "Disable an account",
    Answered(examples.USER, schemas.User, description="Its sessions end at once. It is never deleted, since the log names it."),
    roles=("operator",),
    people_only=True,
    description="Nobody disables their own account: so one operator always stays. Repeated, nothing changes.",
)
def disable(request: Request, here: Here, id: str) -> Response:  # noqa: A002
    principal = _operator(request, here)
    if principal.id == id:
        raise Refused("own_account")
    now_ms = here.now_ms()
    with here.database.write() as connection:
        if people.account(connection, id).person.disabled_at is None:
            people.disable(connection, id, now_ms)
            record(connection, principal, now_ms, "disabled_user", id)
        account = people.account(connection, id)
    return answers.json(members(account))
