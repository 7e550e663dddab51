"""`/v1/feedback`: a message from any page, answered by staff, and followed by its number and token."""

import re
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import SmallBody, parse
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import feedback as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit, place_of
from service.api.writes import attempt_of
from service.auth import people
from service.auth.principals import Principal, Role, record
from service.errors import Refused
from service.invoices.idempotency import write_once
from service.invoices.reading import at
from service.reprints import applying, feedback
from service.reprints.feedback import Feedback, Given, Message, State

router = Operations("feedback")

FeedbackId = Annotated[str, Path(alias="id")]
STAFF: tuple[Role, ...] = ("reviewer", "operator")

Behind = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}\.F[0-9]{6}-[0-9A-Z]{8}$")]
_BEARER = re.compile(r"bearer +(zpf_\S{1,100})", re.IGNORECASE)


@router.operation(
    "POST",
    "/v1/feedback",
    "Send feedback",
    Answered(schemas.SENT, schemas.FeedbackSent, 201, description="Its number, and the token by which its sender follows it."),
    sent=(Sent(schemas.ORDER, schemas.FeedbackOrder),),
    dependencies=[ANONYMOUS],
    description="By anybody, from any page. Text and contact are kept encrypted; staff answer.",
)
def send(request: Request, here: Here, body: SmallBody) -> Response:
    order = parse(schemas.FeedbackOrder, body)
    channel, address = None, None
    if order.contact is not None:
        channel = order.contact.channel
        address = applying.read_contact(channel, order.contact.address)
    language = problems.language_of(request)
    given = Given(order.message, order.page, order.case, channel, address, language)
    with here.database.write() as connection:
        id_, token = feedback.send(connection, given, here.vault, here.now_ms())
    with here.database.read() as connection:
        members = _members(feedback.get(connection, id_), feedback.messages(connection, id_, here.vault))
    return answers.json({**members, "token": token}, 201)


@router.operation(
    "GET",
    "/v1/feedback",
    "List feedback",
    Answered(schemas.PAGE, schemas.FeedbackPage, description="Newest first."),
    roles=STAFF,
    people_only=True,
)
def listed(
    request: Request,
    here: Here,
    state: State | None = None,
    limit: Limit = 50,
    cursor: Behind = None,
) -> Response:
    principal = here.person(request, *STAFF)
    here.look(principal, "looked_at_feedback", "feedback")
    with here.database.read() as connection:
        rows = feedback.listed(connection, state, limit + 1, place_of(cursor))
        items = [{**_facts(row), "message": feedback.messages(connection, row.id, here.vault)[0].text} for row in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return answers.json({"items": items, "next_cursor": None if last is None else f"{last.opened_at}.{last.id}"})


@router.operation(
    "GET",
    "/v1/feedback/{id}",
    "Follow feedback",
    Answered(schemas.FEEDBACK, schemas.Feedback, description="Everything that was said."),
    description="With its token as `Authorization: Bearer zpf_…`. Staff read it at `/v1/feedback/{id}/conversation`.",
)
def follow(request: Request, here: Here, id: FeedbackId) -> Response:  # noqa: A002
    with here.database.read() as connection:
        row = feedback.of_token(connection, id, _token(request), here.vault)
        said = feedback.messages(connection, id, here.vault)
    return answers.json(_members(row, said))


@router.operation(
    "POST",
    "/v1/feedback/{id}/messages",
    "Write again",
    Answered(schemas.FEEDBACK, schemas.Feedback, description="It waits for staff again."),
    sent=(Sent(schemas.TEXT, schemas.FeedbackText),),
    dependencies=[ANONYMOUS],
    description="With its token as `Authorization: Bearer zpf_…`.",
)
def add(request: Request, here: Here, id: FeedbackId, body: SmallBody) -> Response:  # noqa: A002
    token = _token(request)
    text = parse(schemas.FeedbackText, body).text
    with here.database.write() as connection:
        row = feedback.of_token(connection, id, token, here.vault)
        moved = feedback.add(connection, row, text, here.vault, here.now_ms())
        said = feedback.messages(connection, id, here.vault)
    return answers.json(_members(moved, said))


@router.operation(
    "GET",
    "/v1/feedback/{id}/conversation",
    "Feedback as staff see it",
    Answered(schemas.AT_DESK, schemas.FeedbackAtDesk, description="With the contact, if one was given. The look is written down."),
    roles=STAFF,
    people_only=True,
)
def conversation(request: Request, here: Here, id: FeedbackId) -> Response:  # noqa: A002
    principal = here.person(request, *STAFF)
    with here.database.write() as connection:
        feedback.get(connection, id)
        record(connection, principal, here.now_ms(), "looked_at_feedback", id)
    return _at_desk(here, id)


@router.operation(
    "POST",
    "/v1/feedback/{id}/answers",
    "Answer feedback",
    Answered(schemas.AT_DESK, schemas.FeedbackAtDesk, description="Its sender is told, where they left a contact."),
    roles=STAFF,
    people_only=True,
    sent=(Sent(schemas.TEXT, schemas.FeedbackText),),
    is_write=True,
)
def answer(request: Request, here: Here, id: FeedbackId, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, *STAFF)
    text, now_ms = parse(schemas.FeedbackText, body).text, here.now_ms()

    def work(connection: Connection, row: Feedback) -> None:
        feedback.answer(connection, row, text, principal.id, here.vault, here.settings, now_ms)

    return _write(here, request, principal, id, body, work)


@router.operation(
    "POST",
    "/v1/feedback/{id}/close",
    "Close feedback",
    Answered(schemas.AT_DESK, schemas.FeedbackAtDesk, description="Nothing is left to answer; a further message opens it again."),
    roles=STAFF,
    people_only=True,
    sent=(Sent({}, schemas.Closing),),
    is_write=True,
)
def close(request: Request, here: Here, id: FeedbackId, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, *STAFF)
    parse(schemas.Closing, body)

    def work(connection: Connection, row: Feedback) -> None:
        feedback.close(connection, row, principal.id, here.vault, here.now_ms())

    return _write(here, request, principal, id, body, work)


def _write(
    here: Context, request: Request, principal: Principal, id_: str, body: bytes, work: Callable[[Connection, Feedback], None]
) -> Response:
    attempt = attempt_of(request, principal.id, body)

    def once(connection: Connection) -> tuple[str, bool]:
        work(connection, feedback.get(connection, id_))
        return id_, True

    with here.running.hold(attempt):
        write_once(here.database, attempt, here.now_ms(), once)
    return _at_desk(here, id_)


def _token(request: Request) -> str:
    found = _BEARER.fullmatch(request.headers.get("authorization", "").strip())
    if found is None:
        raise Refused("feedback_not_found")
    return found[1]


def _facts(row: Feedback) -> dict[str, Any]:
    copied = {name: getattr(row, name) for name in ("id", "state", "page")}
    return {**copied, "case": row.case_id, "opened_at": at(row.opened_at), "changed_at": at(row.changed_at)}


def _members(row: Feedback, said: list[Message]) -> dict[str, Any]:
    return {**_facts(row), "messages": [_message(message) for message in said]}


def _message(message: Message) -> dict[str, Any]:
    by = "visitor" if message.actor == feedback.VISITOR else "staff"
    return {"at": at(message.at), "event": message.event, "by": by, "text": message.text}


def _at_desk(here: Context, id_: str) -> Response:
    with here.database.read() as connection:
        row, said = feedback.get(connection, id_), feedback.messages(connection, id_, here.vault)
        names = people.names(connection, sorted({message.actor for message in said}))
    members = _members(row, said)
    members["messages"] = [{**_message(message), "by_name": names.get(message.actor)} for message in said]
    contact = feedback.contact_of(row, here.vault)
    return answers.json({**members, "contact": contact, "language": row.language})
