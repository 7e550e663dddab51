"""`/v1/webhooks`: who wants to be told what, where; by whoever may know it. An applicant's are about their case."""

from typing import Annotated, Any, NamedTuple, cast

import orjson
from fastapi import Path, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Context, Here
from service.api.models import deliveries as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Cursor, Limit
from service.api.writes import attempt_of
from service.auth.principals import Principal, Role, record
from service.deliveries import endpoints, events, queue
from service.deliveries.addresses import check_url
from service.deliveries.endpoints import Order
from service.deliveries.outcomes import Failed
from service.deliveries.queue import Filter
from service.errors import Finding, Refused
from service.invoices.idempotency import write_once
from service.invoices.reading import at, at_or_none
from service.reprints import applying

router = Operations("webhooks")

WHO: tuple[Role, ...] = ("issuer", "auditor", "operator")
WebhookId = Annotated[str, Path(alias="id")]


class Owner(NamedTuple):
    """Whose webhooks they are: a key's, a person's, or a case's (`principal` None)."""

    id: str
    role: events.Role
    principal: Principal | None


def owner_of(request: Request, here: Context) -> Owner:
    """Who asks. Raises Refused."""
    case_id = here.case(request)
    if case_id is not None:
        return Owner(case_id, "applicant", None)
    principal = here.allow(request, *WHO)
    return Owner(principal.id, cast(events.Role, principal.role), principal)


def _note(connection: Connection, owner: Owner, now_ms: int, action: str, object_: str) -> None:
    if owner.principal is not None:
        record(connection, owner.principal, now_ms, action, object_)


def members(here: Context, row: Any) -> dict[str, Any]:
    """As answers show an endpoint."""
    vault = here.vault
    return {
        "id": row.id,
        "url": endpoints.url_of(row, vault),
        "events": orjson.loads(row.events),
        "label": row.label,
        "contact": endpoints.contact_of(row, vault),
        "language": row.language,
        "created_at": at(row.created_at),
        "failing_since": at_or_none(row.failing_since),
        "disabled_at": at_or_none(row.disabled_at),
        "disabled_by": row.disabled_by,
        "old_secret_until": at_or_none(row.old_until if row.old_until and row.old_until > here.now_ms() else None),
    }


def delivery_members(row: Any) -> dict[str, Any]:
    """As answers show a delivery, without what it says and to whom."""
    return {
        "id": row.uid,
        "channel": row.channel,
        "event": row.event,
        "object": row.object,
        "webhook": row.endpoint_id,
        "state": row.state,
        "tries": row.tries,
        "created_at": at(row.created_at),
        "due_at": at(row.due_at) if row.state == "queued" else None,
        "ended_at": at_or_none(row.ended_at),
        "error": row.error,
        "status": row.status,
    }


@router.operation(
    "POST",
    "/v1/webhooks",
    "Create a webhook",
    Answered(schemas.CREATED, schemas.CreatedWebhook, 201, description="The secret is shown this once."),
    roles=WHO,
    applicant=True,
    sent=(Sent(schemas.WEBHOOK_ORDER, schemas.WebhookOrder),),
    is_write=True,
    description="By the Standard Webhooks specification: webhook-id, webhook-timestamp, webhook-signature. An issuer gets "
    "`reprint.*` about invoices of its sellers, an applicant about their case, an auditor `finding.opened`, an operator these and "
    "`incident.recorded`. Repeated with the same Idempotency-Key no second one is made; `secret` is null then.",
)
def create(request: Request, here: Here, body: SmallBody) -> Response:
    owner = owner_of(request, here)
    if owner.principal is not None:
        here.require_fresh(owner.principal)
    order = _order(here, owner, parse(schemas.WebhookOrder, body))
    attempt, vault, now_ms = attempt_of(request, owner.id, body), here.vault, here.now_ms()
    shown: list[str] = []

    def work(connection: Connection) -> tuple[str, bool]:
        row, secret = endpoints.create(connection, order, vault, now_ms)
        _note(connection, owner, now_ms, "created_webhook", row.id)
        shown[:] = [secret]
        return row.id, True

    with here.running.hold(attempt):
        id_, was_before = write_once(here.database, attempt, now_ms, work)
    with here.database.read() as connection:
        row = endpoints.of_owner(connection, id_, owner.id)
    return answers.json({**members(here, row), "secret": None if was_before else shown[0]}, 201)


def _order(here: Context, owner: Owner, sent: schemas.WebhookOrder) -> Order:
    """Raises Refused where it may not lead there, or nobody can be told at that address."""
    try:
        check_url(sent.url, anywhere=here.settings.webhooks_anywhere)
    except Failed:
        raise Refused("invalid_request", findings=[Finding("webhook_url", "error", "/url")]) from None
    try:
        contact = None if sent.contact is None else applying.read_contact("email", sent.contact)
    except Refused:
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/contact", {"case": "email"})]) from None
    sellers = None if owner.principal is None else owner.principal.sellers
    about = owner.id if owner.principal is None else None
    return Order(owner.id, owner.role, sellers, sent.url, sent.events, sent.label or "", contact, sent.language, about)


@router.operation(
    "GET",
    "/v1/webhooks",
    "List webhooks",
    Answered({"items": [schemas.WEBHOOK], "next_cursor": None}, schemas.WebhookList, description="The caller's own, newest first."),
    roles=WHO,
    applicant=True,
    description=f"There are {endpoints.MAX_OF_OWNER} at most.",
)
def listed(request: Request, here: Here) -> Response:
    owner = owner_of(request, here)
    with here.database.read() as connection:
        rows = endpoints.listed(connection, owner.id)
    return answers.json({"items": [members(here, row) for row in rows], "next_cursor": None})


@router.operation(
    "GET",
    "/v1/webhooks/{id}",
    "Get a webhook",
    Answered(schemas.WEBHOOK, schemas.Webhook, description="Without its secret."),
    roles=WHO,
    applicant=True,
)
def one(request: Request, here: Here, id: WebhookId) -> Response:  # noqa: A002  the name in the path
    owner = owner_of(request, here)
    with here.database.read() as connection:
        row = endpoints.of_owner(connection, id, owner.id)
    return answers.json(members(here, row))


@router.operation(
    "DELETE",
    "/v1/webhooks/{id}",
    "Remove a webhook",
    Answered({"id": schemas.WEBHOOK["id"], "removed": True}, schemas.RemovedWebhook, description="With what was queued for it."),
    roles=WHO,
    applicant=True,
)
def remove(request: Request, here: Here, id: WebhookId) -> Response:  # noqa: A002
    owner = owner_of(request, here)
    with here.database.write() as connection:
        endpoints.of_owner(connection, id, owner.id)
        endpoints.remove(connection, id)
        _note(connection, owner, here.now_ms(), "removed_webhook", id)
    return answers.json({"id": id, "removed": True})


@router.operation(
    "POST",
    "/v1/webhooks/{id}/rotate",
    "Replace a webhook's secret",
    Answered(schemas.ROTATED, schemas.CreatedWebhook, description="The new secret is shown this once."),
    roles=WHO,
    applicant=True,
    sent=(Sent({}, schemas.Again),),
    description="For a day what is sent is signed with both.",
)
def rotate(request: Request, here: Here, id: WebhookId, body: SmallBody) -> Response:  # noqa: A002
    owner = owner_of(request, here)
    parse(schemas.Again, body)
    if owner.principal is not None:
        here.require_fresh(owner.principal)
    vault, now_ms = here.vault, here.now_ms()
    with here.database.write() as connection:
        secret = endpoints.rotate(connection, endpoints.of_owner(connection, id, owner.id), vault, now_ms)
        _note(connection, owner, now_ms, "rotated_webhook", id)
        row = endpoints.of_owner(connection, id, owner.id)
    return answers.json({**members(here, row), "secret": secret})


@router.operation(
    "POST",
    "/v1/webhooks/{id}/enable",
    "Enable a webhook again",
    Answered(schemas.WEBHOOK, schemas.Webhook, description="As if it had never failed."),
    roles=WHO,
    applicant=True,
    sent=(Sent({}, schemas.Again),),
)
def enable(request: Request, here: Here, id: WebhookId, body: SmallBody) -> Response:  # noqa: A002
    owner = owner_of(request, here)
    parse(schemas.Again, body)
    with here.database.write() as connection:
        endpoints.of_owner(connection, id, owner.id)
        endpoints.enable(connection, id)
        _note(connection, owner, here.now_ms(), "enabled_webhook", id)
        row = endpoints.of_owner(connection, id, owner.id)
    return answers.json(members(here, row))


@router.operation(
    "POST",
    "/v1/webhooks/{id}/test",
    "Send a test event",
    Answered({"delivery": schemas.DELIVERY["id"]}, schemas.Queued, 202, description="Queued; see the webhook's deliveries."),
    roles=WHO,
    applicant=True,
    sent=(Sent({}, schemas.Again),),
    description="An event `webhook.test` that means nothing.",
)
def test(request: Request, here: Here, id: WebhookId, body: SmallBody) -> Response:  # noqa: A002
    owner = owner_of(request, here)
    parse(schemas.Again, body)
    vault, now_ms = here.vault, here.now_ms()
    with here.database.write() as connection:
        row = endpoints.of_owner(connection, id, owner.id)
        if row.disabled_at is not None:
            raise Refused("webhook_disabled")
        uid = endpoints.test(connection, row, vault, now_ms)
    return answers.json({"delivery": uid}, 202)


@router.operation(
    "GET",
    "/v1/webhooks/{id}/deliveries",
    "List a webhook's deliveries",
    Answered({"items": [schemas.DELIVERY], "next_cursor": None}, schemas.DeliveryPage, description="Newest first."),
    roles=WHO,
    applicant=True,
)
def deliveries(
    request: Request,
    here: Here,
    id: WebhookId,  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    owner = owner_of(request, here)
    with here.database.read() as connection:
        endpoints.of_owner(connection, id, owner.id)
        rows = queue.listed(connection, Filter(endpoint_id=id), limit + 1, cursor)
    following = str(rows[limit - 1].id) if len(rows) > limit else None
    return answers.json({"items": [delivery_members(row) for row in rows[:limit]], "next_cursor": following})


@router.operation(
    "POST",
    "/v1/webhooks/{id}/deliveries/{delivery}/retry",
    "Send a dead delivery again",
    Answered({**schemas.DELIVERY, "state": "queued"}, schemas.Delivery, 202, description="Queued under the same id."),
    roles=WHO,
    applicant=True,
    sent=(Sent({}, schemas.Again),),
)
def retry(request: Request, here: Here, id: WebhookId, delivery: str, body: SmallBody) -> Response:  # noqa: A002
    owner = owner_of(request, here)
    parse(schemas.Again, body)
    with here.database.write() as connection:
        endpoint = endpoints.of_owner(connection, id, owner.id)
        if endpoint.disabled_at is not None:
            raise Refused("webhook_disabled")
        row = queue.get(connection, delivery)
        if row.endpoint_id != id:
            raise Refused("delivery_not_found")
        row = queue.send_again(connection, row, here.now_ms())
    return answers.json(delivery_members(row), 202)
