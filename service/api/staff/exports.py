"""`POST /v1/exports`: lists as files, with a manifest that says what they are, as of when, and their hash."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import orjson
from fastapi import Request
from starlette.responses import Response, StreamingResponse

from service import activity
from service.api.bodies import Model, SmallBody, parse
from service.api.context import Context, Here
from service.api.models import desk as schemas
from service.api.models.requests import SearchCriteria
from service.api.operations import Answered, Operations, Sent
from service.api.staff.activity import moment_ms, record_members
from service.auth.principals import Principal
from service.auth.principals import record as write_down
from service.errors import Finding, Refused
from service.formats import sheets
from service.formats.sheets import Column
from service.invoices import indexing, search
from service.invoices.reading import at, at_or_none
from service.ledger import anchors, outbox
from service.reconciliation import findings, runs
from service.reconciliation.findings import Filter

router = Operations("exports")

PAGE = 200

Rows = Iterable[tuple[Any, ...]]

_COLUMNS: dict[str, tuple[Column, ...]] = {
    "invoices": (
        *map(Column, ("number", "kind", "issued_on", "seller", "seller_tax_id", "buyer", "buyer_tax_id", "currency")),
        Column("amount_with_tax", "decimal"),
        *map(Column, ("status", "state", "accepted_at", "external_id")),
    ),
    "anchors": (
        Column("seq", "integer"),
        Column("state"),
        Column("size", "integer"),
        *map(Column, ("log_root", "register_root", "sealed_at")),
        Column("block", "integer"),
        *map(Column, ("block_at", "transactions")),
        Column("foreign", "boolean"),
    ),
    "activity": (Column("id", "integer"), *map(Column, ("at", "actor", "actor_name", "action", "object", "details", "hash"))),
    "findings": (
        Column("id", "integer"),
        *map(Column, ("code", "place", "number", "key")),
        Column("seq", "integer"),
        Column("index", "integer"),
        *map(Column, ("detail", "state")),
        Column("repaired", "boolean"),
        Column("first_run", "integer"),
        Column("last_run", "integer"),
        *map(Column, ("found_at", "resolved_at")),
    ),
}


@router.operation(
    "POST",
    "/v1/exports",
    "Export a list",
    Answered(
        "a zip file",
        {"type": "string", "contentMediaType": "application/zip"},
        media_type="application/zip",
        description="The file, and manifest.json: its SHA-256, rows and columns, what was asked for, by whom, as of which anchor.",
    ),
    roles=("auditor",),
    sent=(Sent(schemas.EXPORT_ORDER, schemas.ExportOrder),),
    description="The criteria are those of the list: of POST /v1/invoices/search, or the parameters of GET /v1/activity; findings "
    "take `run`, and may take `code`. It is written while it is read, and each export is in the activity log.",
)
def export(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, "auditor")
    order = parse(schemas.ExportOrder, body)
    if principal.session is not None and principal.session.purpose is None:
        raise Refused("purpose_missing")
    rows = _rows(here, order)
    now_ms = here.now_ms()
    with here.database.read() as connection:
        newest = outbox.newest_final(connection)
        indexed = indexing.progress(connection)._asdict() if order.what == "invoices" else None
    with here.database.write() as connection:
        write_down(connection, principal, now_ms, "exported", order.what, {"form": order.form})
    manifest = {
        "what": order.what,
        "criteria": order.criteria,
        "service": here.settings.public_url,
        "chain": here.chain.to_members(),
        "newest_final_anchor": newest.seq if newest else None,
        "indexed": indexed,
        "exported_at": at(now_ms),
        "exported_by": _who(principal),
    }
    pieces = sheets.zipped(f"zhengpiao-{order.what}", _COLUMNS[order.what], rows, order.form, manifest)
    try:
        first = next(pieces)  # what cannot be exported is refused, not cut off
    except sheets.TooManyRows:
        raise Refused("too_many_rows", {"limit": f"{sheets.MAX_XLSX_ROWS:,}"}) from None
    name = f"zhengpiao-{order.what}-{at(now_ms)[:10]}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(chain((first,), pieces), headers=headers, media_type="application/zip")


def _who(principal: Principal) -> str:
    return principal.session.person.login if principal.session is not None else f"key {principal.id}"


def _rows(here: Context, order: schemas.ExportOrder) -> Rows:
    """Raises Refused for criteria that are not those of the list."""
    if order.what == "invoices":
        return _invoices(here, _checked(SearchCriteria, order.criteria))
    if order.what == "activity":
        asked = _checked(schemas.ExportedActivity, order.criteria)
        since, until = moment_ms(asked.since, "since"), moment_ms(asked.until, "until")
        return _activity(here, activity.Filter(asked.actor, asked.action, asked.object, since, until))
    if order.what == "findings":
        wanted = _checked(schemas.ExportedFindings, order.criteria)
        with here.database.read() as connection:
            if runs.get(connection, wanted.run) is None:
                raise Refused("no_such_resource")
        return _findings(here, Filter(run=wanted.run, code=wanted.code))
    _checked(schemas.ExportedAnchors, order.criteria)
    return _anchors(here)


def _checked(model: type[Model], criteria: dict[str, Any]) -> Model:
    try:
        return parse(model, orjson.dumps(criteria))
    except Refused as refused:
        found = [Finding(f.code, f.severity, f"/criteria{f.pointer}", f.params) for f in refused.findings]
        raise Refused(refused.code, refused.params, findings=found) from None


def _invoices(here: Context, asked: SearchCriteria) -> Iterator[tuple[Any, ...]]:
    criteria = search.Criteria(**asked.model_dump())
    cursor: int | None = None
    while True:
        with here.database.read() as connection:
            items, cursor = search.search(connection, criteria, None, PAGE, cursor)
        for item in items:
            seller, buyer = item["seller"], item["buyer"]
            parties = (seller["name"], seller["tax_id"], buyer["name"], buyer["tax_id"])
            sums = (item["currency"], item["amount_with_tax"], item["status"], item["state"])
            yield (item["number"], item["kind"], item["issued_on"], *parties, *sums, item["accepted_at"], item["external_id"])
        if cursor is None:
            return


def _anchors(here: Context) -> Iterator[tuple[Any, ...]]:
    below: int | None = None
    while True:
        with here.database.read() as connection:
            page = anchors.page(connection, PAGE, below)
        for one in page:
            roots = (one.log_root.hex(), one.register_root.hex(), at(one.sealed_at))
            block_at = None if one.block_time is None else at(one.block_time * 1000)
            hashes = " ".join("0x" + hash_.hex() for hash_ in one.transactions)
            yield (one.seq, one.state, one.size, *roots, one.block_number, block_at, hashes, one.foreign)
        if len(page) < PAGE:
            return
        below = page[-1].seq


def _activity(here: Context, wanted: activity.Filter) -> Iterator[tuple[Any, ...]]:
    below: int | None = None
    while True:
        with here.database.read() as connection:
            records = activity.read(connection, wanted, below=below, limit=PAGE)
            members = record_members(connection, records)
        for record, item in zip(records, members, strict=True):
            yield (*(item[name] for name in ("id", "at", "actor", "actor_name", "action", "object")), record.details, item["hash"])
        if len(records) < PAGE:
            return
        below = records[-1].id


def _findings(here: Context, wanted: Filter) -> Iterator[tuple[Any, ...]]:
    names = [column.name for column in _COLUMNS["findings"]]
    for item in findings.iterate_pages(here.database, wanted):
        resolved = item["resolved_at"]
        times = {"found_at": at(item["found_at"]), "resolved_at": at_or_none(resolved)}
        shown = {**item, **times, "detail": orjson.dumps(item["detail"]).decode()}
        yield tuple(shown[name] for name in names)
