"""`/v1/keys`: an operator's view of all API keys, and an issuer's of its own."""

from typing import Annotated, Any

from fastapi import Query, Request
from starlette.responses import Response

from service.api import answers, examples
from service.api.bodies import SmallBody, parse
from service.api.context import Here
from service.api.models import answers as schemas
from service.api.models.requests import KeyOrder
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit, place_of
from service.api.writes import attempt_of
from service.auth import keys
from service.auth.principals import record
from service.invoices.idempotency import write_once
from service.invoices.reading import at, at_or_none

router = Operations("keys")

Behind = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}\.[a-z2-7]{10}$")]


def _members(key: keys.Key) -> dict[str, Any]:
    return {
        **key._asdict(),
        "prefix": f"zp_{key.env}_{key.id}",
        "created_at": at(key.created_at),
        "revoked_at": at_or_none(key.revoked_at),
    }


@router.operation(
    "POST",
    "/v1/keys",
    "Create an API key",
    Answered(
        examples.CREATED_KEY, schemas.CreatedKey, 201, description="The key itself is shown this once: only its hash is stored."
    ),
    roles=("operator",),
    sent=(Sent(examples.KEY_ORDER, KeyOrder),),
    is_write=True,
    description="Repeated with the same Idempotency-Key no second key is made; `key` is null then, since it cannot be shown again.",
)
def create(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, "operator")
    here.require_fresh(principal)
    order = parse(KeyOrder, body)
    attempt = attempt_of(request, principal.id, body)
    written: list[str] = []

    def work(connection: Any) -> tuple[str, bool]:
        env: keys.Env = "live" if here.settings.env == "production" else "test"
        made, text = keys.create_key(connection, order.role, order.bound, env, label=order.label)
        record(connection, principal, here.now_ms(), "created_key", made.id, {"role": made.role})
        written[:] = [text]
        return made.id, True

    with here.running.hold(attempt):
        id_, was_before = write_once(here.database, attempt, here.now_ms(), work)
    with here.database.read() as connection:
        key = keys.get_key(connection, id_)
    return answers.json({**_members(key), "key": None if was_before else written[0]}, 201)


@router.operation(
    "GET",
    "/v1/keys",
    "List API keys",
    Answered(examples.KEYS, schemas.KeyPage, description="Newest first, without secrets; to an issuer's key itself."),
    roles=("operator", "issuer"),
)
def page(request: Request, here: Here, limit: Limit = 50, cursor: Behind = None) -> Response:
    principal = here.allow(request, "operator", "issuer")
    only = principal.id if principal.role == "issuer" else None
    with here.database.read() as connection:
        listed = keys.list_keys(connection, limit + 1, place_of(cursor), only)
    last = listed[limit - 1] if len(listed) > limit else None
    following = f"{last.created_at}.{last.id}" if last else None
    return answers.json({"items": [_members(key) for key in listed[:limit]], "next_cursor": following})


@router.operation(
    "DELETE",
    "/v1/keys/{id}",
    "Revoke an API key",
    Answered(examples.KEY_ROW, schemas.Key, description="Within two seconds nobody can use it. Repeated, nothing changes."),
    roles=("operator",),
)
def revoke(request: Request, here: Here, id: str) -> Response:  # noqa: A002  the name in the path
    principal = here.allow(request, "operator")
    here.require_fresh(principal)
    with here.database.write() as connection:
        if keys.get_key(connection, id).revoked_at is None:
            record(connection, principal, here.now_ms(), "revoked_key", id)
        key = keys.revoke_key(connection, id)
    return answers.json(_members(key))
