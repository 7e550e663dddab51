"""`/v1/reconciliations`: queue a run, see how far it is, read and export what it found."""

from typing import Annotated, Any, Literal

from fastapi import Path, Query, Request
from starlette.responses import Response, StreamingResponse

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Here
from service.api.models import reconciling as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Cursor, Limit, parameter_error
from service.auth.principals import record as write_down
from service.errors import Finding, Refused
from service.invoices.reading import at, at_or_none
from service.reconciliation import exports, findings, runs
from service.reconciliation.findings import CODES, Filter
from service.reconciliation.nodes import NODE
from service.reconciliation.runs import Run

router = Operations("reconciliation")

Id = Annotated[int, Path(ge=1, le=2**53 - 1)]


def run_members(run: Run) -> dict[str, Any]:
    """A run as it is answered."""
    block = None
    if run.block_hash is not None:
        block = {"number": run.block_number, "hash": "0x" + run.block_hash.hex(), "time": run.block_time}
    return {
        "id": run.id,
        "kind": run.kind,
        "source": run.source or None,
        "state": run.state,
        "created_at": at(run.created_at),
        "finished_at": at_or_none(run.finished_at),
        "seq": run.seq,
        "block": block,
        "total": run.total,
        "done": run.done,
        "matches": run.matches,
        "counts": run.counts,
        "problem": run.problem,
        "links": {"self": f"/v1/reconciliations/{run.id}", "findings": f"/v1/reconciliations/{run.id}/findings"},
    }


@router.operation(
    "POST",
    "/v1/reconciliations",
    "Start a reconciliation",
    Answered(schemas.RUN, schemas.Reconciliation, 202, description="Queued; the worker does it between its other work."),
    roles=("auditor", "operator"),
    sent=(Sent({"kind": "store"}, schemas.ReconciliationOrder),),
    description="`store`: everything of ours against the chain. `node`: one of the nodes in the settings against the chain and us. "
    "External records are compared from the command line, where their passwords are. Where one of that kind is queued or running "
    "already, it is that one.",
)
def start(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, "auditor", "operator")
    order = parse(schemas.ReconciliationOrder, body)
    source = order.node or ""
    if (order.kind == NODE) != (order.node is not None) or (order.node is not None and order.node not in here.settings.nodes):
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/node", {"case": "value"})])
    with here.database.write() as connection:
        waiting = runs.open_ones(connection, order.kind, source, "worker")
        id_ = waiting[0] if waiting else runs.create(connection, order.kind, source, {}, here.now_ms())
        if not waiting:
            write_down(connection, principal, here.now_ms(), "started_run", f"run {id_}", {"kind": order.kind})
        run = runs.get(connection, id_)
    assert run is not None
    return answers.json(run_members(run), 202, {"Location": f"/v1/reconciliations/{id_}"})


@router.operation(
    "GET",
    "/v1/reconciliations",
    "List reconciliations",
    Answered({"items": [schemas.RUN], "next_cursor": None}, schemas.ReconciliationPage, description="Newest first."),
    roles=("auditor", "operator"),
)
def page(request: Request, here: Here, limit: Limit = 50, cursor: Cursor = None) -> Response:
    here.allow(request, "auditor", "operator")
    with here.database.read() as connection:
        found = runs.listed(connection, limit + 1, cursor)
    items = [run_members(run) for run in found[:limit]]
    return answers.json({"items": items, "next_cursor": str(items[-1]["id"]) if len(found) > limit else None})


@router.operation(
    "GET",
    "/v1/reconciliations/{id}",
    "Get a reconciliation",
    Answered(schemas.RUN, schemas.Reconciliation, description="How far it is, and what it found so far by code."),
    roles=("auditor", "operator"),
)
def one(request: Request, here: Here, id: Id) -> Response:  # noqa: A002  # as it stands in the path
    here.allow(request, "auditor", "operator")
    return answers.json(run_members(_run(here, id)))


@router.operation(
    "GET",
    "/v1/reconciliations/{id}/findings",
    "Read or export findings",
    Answered(
        {"items": [schemas.FINDING], "next_cursor": None},
        schemas.ReconciliationFindingPage,
        description="In the order in which they were found. json gives a page; ndjson, csv and parquet give all, as a file.",
    ),
    *(
        Answered("findings", {"type": "string"}, media_type=exports.MEDIA_TYPES[form].partition(";")[0])
        for form in exports.FORMS
        if form != "json"
    ),
    roles=("auditor", "operator"),
    description="`state`: open ones, or those that a later run no longer saw.",
)
def found(
    request: Request,
    here: Here,
    id: Id,  # noqa: A002
    code: Annotated[str | None, Query(max_length=32)] = None,
    state: Literal["open", "resolved"] | None = None,
    number: Annotated[str | None, Query(max_length=64)] = None,
    format: exports.Form = "json",  # noqa: A002
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    here.allow(request, "auditor", "operator")
    if code is not None and code not in CODES:
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", "code")])
    _run(here, id)
    wanted = Filter(run=id, code=code, open=None if state is None else state == "open", number=number)
    if format == "json":
        with here.database.read() as connection:
            items, following = findings.listed(connection, wanted, limit, cursor)
        members = [_finding_members(item) for item in items]
        return answers.json({"items": members, "next_cursor": None if following is None else str(following)})
    headers = {"Content-Disposition": f'attachment; filename="findings-{id}.{format}"'}
    pieces = exports.export(findings.iterate_pages(here.database, wanted), format)
    return StreamingResponse(pieces, headers=headers, media_type=exports.MEDIA_TYPES[format])


def _run(here: Here, id_: int) -> Run:
    with here.database.read() as connection:
        run = runs.get(connection, id_)
    if run is None:
        raise Refused("no_such_resource")
    return run


def _finding_members(item: dict[str, Any]) -> dict[str, Any]:
    resolved = item["resolved_at"]
    return {**item, "found_at": at(item["found_at"]), "resolved_at": at_or_none(resolved)}
