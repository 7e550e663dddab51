"""What an auditor looks at beside invoices: what is in an anchor, a finding side by side, figures, gaps, kept filters."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy import select
from starlette.responses import Response

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Here
from service.api.models import desk as schemas
from service.api.operations import Answered, Operations, Sent
from service.auth import filters, keys
from service.auth.filters import SavedFilter
from service.auth.principals import Role
from service.central import acknowledgements
from service.errors import Finding, Refused, Unavailable
from service.invoices import gaps, in_batch
from service.invoices.reading import at, at_or_none
from service.ledger import figures, outbox
from service.ledger.tables import outbox as outbox_table
from service.reconciliation import differences, findings
from service.reconciliation.findings import Filter
from verifier.chain import Anchor
from verifier.errors import ChainUnavailable

router = Operations("desk")

STAFF: tuple[Role, ...] = ("auditor", "operator")
_KEEPERS: tuple[Role, ...] = (*STAFF, "reviewer")
"""Who has lists to keep filters of."""
_GWEI = 10**9
MAX_DAYS_OF_GAPS = 366

Seq = Annotated[int, Path(ge=1, le=2**53 - 1)]
Id = Annotated[int, Path(ge=1, le=2**53 - 1)]


@router.operation(
    "GET",
    "/v1/anchors/{seq}/entries",
    "What is in an anchor",
    Answered(schemas.ENTRIES, schemas.AnchorEntries, description="Its entries in order, each with the number that it is about."),
    roles=STAFF,
)
def entries(
    request: Request,
    here: Here,
    seq: Seq,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    cursor: Annotated[int | None, Query(ge=0, le=65_535)] = None,
) -> Response:
    here.allow(request, *STAFF)
    with here.database.read() as connection:
        found = in_batch.entries_of(connection, seq, -1 if cursor is None else cursor, limit + 1)
    items = [
        {
            "index": placed[0],
            "kind": placed.entry.kind.name.lower(),
            "number": placed.number,
            "recorded_at": at(placed.entry.recorded_at),
            "copy": placed.entry.copy.hex(),
            "auth": placed.entry.auth.hex(),
        }
        for placed in found[:limit]
    ]
    return answers.json({"items": items, "next_cursor": str(items[-1]["index"]) if len(found) > limit else None})


@router.operation(
    "GET",
    "/v1/anchors/{seq}/transactions",
    "How an anchor came on chain",
    Answered(schemas.TRANSACTIONS, schemas.AnchorTransactions, description="What was signed and sent for it, and what was seen."),
    roles=STAFF,
)
def transactions(request: Request, here: Here, seq: Seq) -> Response:
    here.allow(request, *STAFF)
    with here.database.read() as connection:
        row = connection.execute(select(outbox_table).where(outbox_table.c.seq == seq)).one_or_none()
        if row is None:
            raise Refused("no_such_anchor")
        attempts = outbox.attempts(connection, seq)
        delivered = acknowledgements.delivered(connection, seq) if row.state == "final" else []
        labels = keys.labels(connection, [one.consumer for one in delivered])
    signed = [
        {
            "hash": "0x" + attempt.hash.hex(),
            "nonce": attempt.nonce,
            "max_fee_gwei": attempt.max_fee / _GWEI,
            "tip_gwei": attempt.tip / _GWEI,
            "signed_at": at(attempt.signed_at),
        }
        for attempt in attempts
    ]
    return answers.json(
        {
            "items": signed,
            "broadcast_at": at_or_none(row.broadcast_at),
            "final_at": at_or_none(row.final_at),
            "final_block": row.final_block,
            "final_block_hash": None if row.final_hash is None else "0x" + row.final_hash.hex(),
            "delivered": [{"consumer": one.consumer, "label": labels.get(one.consumer), "at": at(one.at)} for one in delivered],
        }
    )


@router.operation(
    "GET",
    "/v1/reconciliations/{id}/findings/{finding}",
    "A finding side by side",
    Answered(
        schemas.FINDING_VIEW, schemas.FindingView, description="What was anchored, or what somebody else has, and what is here."
    ),
    roles=STAFF,
)
def finding(request: Request, here: Here, id: Id, finding: Id) -> Response:  # noqa: A002  the names in the path
    principal = here.allow(request, *STAFF)
    with here.database.read() as connection:
        items, _ = findings.listed(connection, Filter(run=id), 1, finding - 1)
        item = next((one for one in items if one["id"] == finding), None)
        if item is None:
            raise Refused("no_such_resource")
    here.look(principal, "looked_at_finding", item["number"] or f"finding {finding}", {"run": str(id)})

    def anchor_of(seq: int) -> Anchor | None:
        reader = here.readings.reader()
        reader.read([seq])
        return reader.anchor(seq)

    with here.database.read() as connection:
        try:
            difference = differences.of(connection, item, anchor_of)
        except ChainUnavailable:
            raise Unavailable("chain_unread", 10) from None
    resolved = item["resolved_at"]
    shown = {**item, "found_at": at(item["found_at"]), "resolved_at": at_or_none(resolved)}
    return answers.json({"finding": shown, "side": difference.side, "rows": [row._asdict() for row in difference.rows]})


@router.operation(
    "GET",
    "/v1/figures",
    "Figures over time",
    Answered(schemas.FIGURES, schemas.Figures, description="A day, an anchor, a minute; and how far those who follow have come."),
    roles=STAFF,
    description="Days are days in Beijing. The worker gathers them: a batch counts when it is final.",
)
def read_figures(request: Request, here: Here, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Response:
    here.allow(request, *STAFF)
    now = here.now_ms() / 1000
    with here.database.read() as connection:
        read = figures.read(connection, now, days)
        newest = outbox.newest_final(connection)
        head = newest.seq if newest else 0
        followers = acknowledgements.newest(connection)
        labels = keys.labels(connection, [one.consumer for one in followers])
        since = {one.cursor: outbox.final_since(connection, one.cursor) for one in followers}
    return answers.json(
        {
            "daily": [day._asdict() for day in read.daily],
            "recent": [{**timing._asdict(), "sealed_at": at(timing.sealed_at)} for timing in read.recent],
            "backlog": [{"at": at(moment * 1000), "waiting": waiting} for moment, waiting in read.backlog],
            "followers": [
                {
                    "consumer": one.consumer,
                    "label": labels.get(one.consumer),
                    "cursor": one.cursor,
                    "behind": max(0, head - one.cursor),
                    "lag_s": _lag_s(since[one.cursor], now),
                    "acknowledged_at": at(one.at),
                }
                for one in followers
            ],
        }
    )


def _lag_s(final_at: int | None, now: float) -> int:
    """For how long the first anchor that a follower lacks has been final; 0 where it lacks none."""
    return 0 if final_at is None else max(0, int(now - final_at / 1000))


@router.operation(
    "POST",
    "/v1/gaps",
    "Gaps in a seller's numbers",
    Answered(schemas.GAPS, schemas.Gaps, description="By series, those with gaps first; 500 gaps of each are shown at the most."),
    roles=STAFF,
    sent=(Sent(schemas.GAPS_QUESTION, schemas.GapsQuestion),),
    description="Of invoices that were issued from `issued_from` to `issued_to`, 366 days at most. A gap is up to 1,000 numbers "
    "long: where the next one is farther away, another range of numbers began.",
)
def find_gaps(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, *STAFF)
    asked = parse(schemas.GapsQuestion, body)
    today = datetime.fromtimestamp(here.now_ms() / 1000, UTC).astimezone(figures.BEIJING).date()
    issued_to = asked.issued_to or today.isoformat()
    issued_from = asked.issued_from or (_day(issued_to, "/issued_to") - timedelta(days=MAX_DAYS_OF_GAPS - 1)).isoformat()
    length = _day(issued_to, "/issued_to") - _day(issued_from, "/issued_from")
    if not timedelta(0) <= length < timedelta(days=MAX_DAYS_OF_GAPS):
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/issued_from", {"case": "range"})])
    here.look(principal, "looked_for_gaps", "invoices")
    with here.database.read() as connection:
        found = gaps.find(connection, asked.seller, issued_from, issued_to)
    items = [{**series._asdict(), "gaps": [gap._asdict() for gap in series.gaps]} for series in found]
    return answers.json({"issued_from": issued_from, "issued_to": issued_to, "items": items})


def _day(text: str, pointer: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", pointer, {"case": "date"})]) from None


@router.operation(
    "POST",
    "/v1/filters",
    "Keep a filter",
    Answered(schemas.FILTER, schemas.KeptFilter, 201, description="Kept, for whoever kept it; in the place of one of that name."),
    roles=_KEEPERS,
    sent=(Sent(schemas.FILTER_ORDER, schemas.FilterOrder),),
)
def keep_filter(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, *_KEEPERS)
    order = parse(schemas.FilterOrder, body)
    with here.database.write() as connection:
        kept = filters.keep(connection, principal.id, order.page, order.name.strip(), order.criteria, here.now_ms())
    return answers.json(_filter_members(kept), 201)


@router.operation(
    "GET",
    "/v1/filters",
    "List kept filters",
    Answered({"items": [schemas.FILTER]}, schemas.KeptFilters, description="Of whoever asks, by name."),
    roles=_KEEPERS,
)
def list_filters(request: Request, here: Here, page: Annotated[str | None, Query(max_length=32)] = None) -> Response:
    principal = here.allow(request, *_KEEPERS)
    with here.database.read() as connection:
        kept = filters.listed(connection, principal.id, page)
    return answers.json({"items": list(map(_filter_members, kept))})


@router.operation(
    "DELETE",
    "/v1/filters/{id}",
    "Forget a filter",
    Answered({"forgotten": True}, schemas.Forgotten, description="It is gone."),
    roles=_KEEPERS,
)
def forget_filter(request: Request, here: Here, id: Id) -> Response:  # noqa: A002
    principal = here.allow(request, *_KEEPERS)
    with here.database.write() as connection:
        filters.forget(connection, principal.id, id)
    return answers.json({"forgotten": True})


def _filter_members(kept: SavedFilter) -> dict[str, Any]:
    return {**kept._asdict(), "created_at": at(kept.created_at)}
