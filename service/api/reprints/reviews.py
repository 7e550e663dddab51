"""The reviewers' desk: the queue, everything of one case, and the decision. Statistics beside."""

from typing import Annotated, Any, Literal

import orjson
from fastapi import Query, Request
from sqlalchemy import Connection
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import SmallBody, parse
from service.api.context import Context, Here
from service.api.models import reprints as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit, place_of
from service.api.reprints import examples
from service.api.reprints.members import Viewer, members, owed
from service.api.writes import attempt_of
from service.auth import people
from service.auth.principals import Principal
from service.errors import Refused
from service.invoices import proofs, reading, releasing
from service.invoices.idempotency import write_once
from service.invoices.proofs import NotProven
from service.invoices.reading import at, at_or_none
from service.reprints import cases, payments, queue, reviewing, statistics
from service.reprints.cases import Case
from service.reprints.reviewing import Reviewer, Said
from service.reprints.transitions import STEPS, State
from verifier.commitment import SECTIONS

router = Operations("reprints")

Behind = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}\.R[0-9]{6}-[0-9A-Z]{8}$")]


@router.operation(
    "GET",
    "/v1/reprints/statistics",
    "Reprint cases by state, cause and time",
    Answered(examples.STATISTICS, schemas.Statistics, description="Days are days in Beijing."),
    roles=("reviewer", "operator", "auditor"),
)
def read_statistics(request: Request, here: Here, days: Annotated[int, Query(ge=1, le=366)] = 30) -> Response:
    here.allow(request, "reviewer", "operator", "auditor")
    with here.database.read() as connection:
        found = statistics.read(connection, days, here.now_ms())
    whole = None if found.whole is None else found.whole._asdict()
    return answers.json({**found._asdict(), "times": [time._asdict() for time in found.times], "whole": whole})


@router.operation(
    "GET",
    "/v1/reprints",
    "The reviewers' queue",
    Answered(examples.QUEUE, schemas.Queue, description="Those that wait for a reviewer, the longest waiting first."),
    roles=("reviewer", "auditor"),
    description="`state`: those in another state instead, `all`: every case; `mine`: those that the asker has approved; "
    "`late`: those past their time.",
)
def read_queue(
    request: Request,
    here: Here,
    state: State | Literal["all"] | None = None,
    mine: bool = False,
    late: bool = False,
    limit: Limit = 50,
    cursor: Behind = None,
) -> Response:
    principal = here.allow(request, "reviewer", "auditor")
    if principal.role == "auditor":  # who, unlike a reviewer, has to say what for
        here.look(principal, "looked_at_queue", "reprints")
    with here.database.read() as connection:
        due_before = here.now_ms() if late else None
        listed = queue.listed(connection, state, principal.id if mine else None, limit + 1, place_of(cursor), due_before)
        items = _items(connection, listed[:limit], principal, here)
    last = listed[limit - 1] if len(listed) > limit else None
    return answers.json({"items": items, "next_cursor": None if last is None else f"{last.changed_at}.{last.id}"})


def _items(connection: Connection, listed: list[Case], principal: Principal, here: Context) -> list[dict[str, Any]]:
    names = people.names(connection, sorted({id_ for case in listed for id_ in (case.first_reviewer, case.second_reviewer) if id_}))
    return [_item(connection, case, names, principal, here) for case in listed]


def _item(connection: Connection, case: Case, names: dict[str, str], principal: Principal, here: Context) -> dict[str, Any]:
    now_ms = here.now_ms()
    copied = ("id", "number", "state", "kind", "delivery", "verdict", "responsible", "fee")
    return {
        **{name: getattr(case, name) for name in copied},
        "step": STEPS[case.state],
        "owed_by": owed(case),
        "opened_at": at(case.opened_at),
        "changed_at": at(case.changed_at),
        "due_at": at_or_none(case.due_at),
        "is_late": case.due_at is not None and case.due_at < now_ms,
        "age_s": max(0, now_ms - case.opened_at) // 1000,
        "fee_state": payments.state_of(connection, case),
        "first_reviewer": names.get(case.first_reviewer),
        "second_reviewer": names.get(case.second_reviewer),
        "may_decide": _may_decide(case, principal, here),
    }


def _may_decide(case: Case, principal: Principal, here: Context) -> bool:
    if principal.role != "reviewer" or owed(case) != "reviewer" or principal.id == case.first_reviewer:
        return False
    return not reviewing.is_applicant(case, _reviewer(principal), here.vault)


@router.operation(
    "GET",
    "/v1/reprints/{id}/review",
    "Everything that a reviewer decides on",
    Answered(examples.REVIEW, schemas.Review, description="`shown` is what an approval sends back: it is bound to exactly this."),
    roles=("reviewer",),
)
def view(request: Request, here: Here, id: str) -> Response:  # noqa: A002  the name in the path
    principal = here.person(request, "reviewer")
    by, vault = _reviewer(principal), here.vault
    with here.database.read() as connection:
        reviewing.check_reviewer(cases.get(connection, id), by, vault)
    here.look(principal, "looked_at_review", id)
    with here.database.read() as connection:
        case = cases.get(connection, id)
        shown, obstacle = _facts(connection, case, here), reviewing.obstacle(connection, case, by, vault)
        return answers.json(
            {
                "case": members(connection, case, vault, here.settings, Viewer("reviewer", problems.language_of(request), by)),
                "invoice": _invoice(connection, case, here),
                "facts": shown,
                "shown": None if shown is None else reviewing.hash_of_shown(shown).hex(),
                "replacement": None if case.replacement is None else {"sections": answers.fragment(case.replacement)},
                "approvals": _approvals(connection, case),
                "cannot_approve": obstacle,
            }
        )


def _reviewer(principal: Principal) -> Reviewer:
    assert principal.session is not None
    return Reviewer(principal.id, principal.session.person.login)


def _facts(connection: Connection, case: Case, here: Context) -> dict[str, str] | None:
    """None where there is nothing to decide on: no application yet, or content that is lost."""
    try:
        return reviewing.facts(connection, case, here.vault)
    except Refused:
        return None


def _invoice(connection: Connection, case: Case, here: Context) -> dict[str, Any] | None:
    """None where its content is lost."""
    try:
        record = reading.get(connection, case.number, None)
        summary = releasing.summary(connection, record)
        sections = reading.read_copy(connection, record.current().id).sections()
    except Refused:
        return None
    try:
        proof = answers.fragment(proofs.of_copy(connection, here.chain, record, record.current(), SECTIONS).to_json())
    except (Refused, NotProven):
        proof = None
    return {"summary": summary, "sections": sections, "proof": proof}


def _approvals(connection: Connection, case: Case) -> list[dict[str, Any]]:
    kept = [orjson.loads(one) for one in (case.first_approval, case.second_approval) if one is not None]
    names = people.names(connection, sorted({one["by"] for one in kept}))
    return [{"by": one["by"], "by_name": names.get(one["by"]), "at": at(int(one["at"]))} for one in kept]


@router.operation(
    "POST",
    "/v1/reprints/{id}/reviews",
    "Decide on a case",
    Answered(examples.CASE, schemas.Case, description="Decided, and the applicant is told."),
    roles=("reviewer",),
    people_only=True,
    sent=(Sent(examples.REVIEW_ORDER, schemas.ReviewOrder),),
    is_write=True,
    description="Two different reviewers approve, neither of them the applicant, each exactly what they were shown: 409 "
    "`shown_differs` where that has changed. An approval asks for a recent re-authentication.",
)
def decide(request: Request, here: Here, id: str, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, "reviewer")
    order = parse(schemas.ReviewOrder, body)
    if order.decision == "approve":
        here.require_fresh(principal)
    by, vault, now_ms = _reviewer(principal), here.vault, here.now_ms()
    said = Said(
        order.decision, (order.reason or "").strip(), None if order.shown is None else bytes.fromhex(order.shown), order.fee
    )
    attempt = attempt_of(request, principal.id, body)

    def work(connection: Connection) -> tuple[str, bool]:
        case = cases.lock(connection, id)
        return reviewing.review(connection, case, said, by, vault, here.settings, now_ms).id, True

    with here.running.hold(attempt):
        write_once(here.database, attempt, now_ms, work)
    with here.database.read() as connection:
        whose = Viewer("reviewer", problems.language_of(request), by)
        return answers.json(members(connection, cases.get(connection, id), vault, here.settings, whose))
