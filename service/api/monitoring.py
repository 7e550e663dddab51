"""For whoever keeps the service running: is the process up, can it serve, how does anchoring go, which controls are relaxed."""

from typing import Any

from fastapi import Request
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.api import answers, catalogue, examples, problems
from service.api.context import Here
from service.api.models import answers as schemas
from service.api.operations import Answered, Operations
from service.config import Settings
from service.errors import Refused
from service.invoices.reading import at
from service.ledger import health
from service.ledger.status import Status

router = Operations("monitoring")

_OK: dict[str, Any] = {"status": "ok"}
_OK_SCHEMA = {"type": "object", "required": ["status"], "properties": {"status": {"const": "ok"}}}


@router.operation("GET", "/livez", "Is the process up?", Answered(_OK, _OK_SCHEMA, description="It is."))
async def livez() -> Response:
    return answers.json(_OK)


@router.operation(
    "GET", "/readyz", "Can it serve?", Answered(_OK, _OK_SCHEMA, description="The database answers. 503 where it does not.")
)
def readyz(here: Here) -> Response:
    with here.database.read() as connection:
        health.read(connection)
    return answers.json(_OK)


@router.operation(
    "GET",
    "/metrics",
    "Metrics for Prometheus",
    Answered(
        "zhengpiao_backlog 0.0\n", {"type": "string"}, media_type="text/plain", description="Of this process, and of the ledger."
    ),
)
def metrics(here: Here) -> Response:
    return Response(here.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.operation(
    "GET",
    "/status",
    "How anchoring goes",
    Answered(examples.STATUS, schemas.ServiceStatus, description="Chain head, backlog, lag, trouble, and each relaxed control."),
)
def status(request: Request, here: Here) -> Response:
    now_ms = here.now_ms()
    now = now_ms / 1000
    known = here.status()
    seen = known.health
    language = problems.language_of(request)
    relaxed = [{"code": code, "detail": catalogue.RELAXED[code][language == "en"]} for code in relaxed_controls(here.settings)]
    trouble = seen and seen.trouble and {"code": seen.trouble, "since": None if seen.since is None else at(int(seen.since * 1000))}
    return answers.json(
        {
            "env": here.settings.env,
            "chain": here.chain.to_members(),
            "head": seen and seen.head,
            "final_head": seen and seen.final_head,
            "final_block": seen and seen.final_block,
            "final_block_at": seen and at(seen.final_time * 1000),
            "sealed_head": known.sealed_head,
            "lag_s": seen and max(0, int(now - seen.final_time)),
            "backlog": known.backlog,
            "oldest_pending_s": None if known.oldest_pending is None else max(0, (now_ms - known.oldest_pending) // 1000),
            "worker_seen_at": seen and at(int(seen.seen_at * 1000)),
            "trouble": trouble or None,
            "endpoints_left_out": seen.count_left_out if seen else 0,
            "promise_s": health.promise_s(seen, now, here.settings),
            "incidents": known.incidents,
            "node": _node(here, known),
            "relaxed": relaxed,
        }
    )


def _node(here: Here, known: Status) -> dict[str, Any] | None:
    if here.settings.follow is None:
        return None
    seq, head = known.sealed_head or 0, known.health.final_head if known.health else 0
    return {"follows": here.settings.follow, "seq": seq, "behind": max(0, head - seq)}


def relaxed_controls(settings: Settings) -> list[str]:
    """Codes of what is less strict than it can be; catalogue.py has their sentences."""
    found = {
        "env_dev": settings.env == "dev",
        "one_endpoint": len(settings.rpc_urls) < 2,
        "public_url_http": not settings.public_url.startswith("https://"),
        "confirmations": settings.confirmations is not None,
        "anonymous_unlimited": settings.anonymous_per_minute == 0,
        "webhooks_anywhere": settings.webhooks_anywhere,
        "sqlite": settings.database_url.get_secret_value().startswith("sqlite"),
    }
    return [code for code, is_relaxed in found.items() if is_relaxed]


@router.operation(
    "GET",
    "/problems/{code}",
    "What a problem's code means",
    Answered(
        {"code": "not_yet_known", "status": 409, "title": {"zh": "暂不能确定", "en": "Not yet known"}},
        {"type": "object"},
        description="In both languages. The `type` of every problem leads here.",
    ),
)
def problem(code: str) -> Response:
    found = catalogue.PROBLEMS.get(code)
    if found is None:
        raise Refused("no_such_resource")
    return answers.json({"code": code, "status": found.status, "title": dict(zip(("zh", "en"), found.title, strict=True))})
