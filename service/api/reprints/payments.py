"""Payments of reprints: the applicant's, staff's who see the bank account, and the provider's call-back."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import Path, Query, Request
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from service.api import answers, problems
from service.api.bodies import MAX_SMALL, SmallBody, parse, read_bytes
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import payments as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import Limit, place_of
from service.api.writes import attempt_of
from service.auth import people
from service.errors import Refused, Unavailable
from service.invoices.idempotency import write_once
from service.invoices.reading import at, at_or_none
from service.messages import Language
from service.reprints import cases, payments, provider, receiving, refunding
from service.reprints.payments import Method, Payment, State
from service.reprints.provider import CALLBACK, CURRENCY, ProviderFailed

router = Operations("reprints")

CaseId = Annotated[str, Path(alias="id")]

Behind = Annotated[str | None, Query(pattern=r"^[0-9]{1,16}\.P[0-9A-Z]{11}$")]
_RETRY_S = 20
_SAID = {
    "zh": "请转账 {amount} 元至：{account}。附言请只写：{reference}。到账后由工作人员确认。",
    "en": "Please transfer CNY {amount} to: {account}. Give as the reference nothing but {reference}. Staff confirm what has come.",
}
_ACCOUNT_ASKED = {"zh": "登记簿公布的账户", "en": "the account that the registry publishes"}


def _members(payment: Payment, here: Context, language: Language) -> dict[str, Any]:
    written = payments.amount(payment.fen)
    instructions = None
    if payment.method == "bank_transfer" and payment.state == "open":
        account = here.settings.payment_account or _ACCOUNT_ASKED[language]
        instructions = _SAID[language].format(amount=written, account=account, reference=payment.reference)
    return {
        "method": payment.method,
        "reference": payment.reference,
        "amount": written,
        "currency": CURRENCY,
        "state": payment.state,
        "url": payment.url if payment.state == "open" else None,
        "instructions": instructions,
        "opened_at": at(payment.opened_at),
        "paid_at": at_or_none(payment.paid_at),
        "refunded_at": at_or_none(payment.refunded_at),
    }


@router.operation(
    "GET",
    "/v1/reprints/{id}/payment",
    "What is to be paid, and how",
    Answered(schemas.OF_CASE, schemas.PaymentsOfCase, description="With what was begun, oldest first."),
    applicant=True,
)
def read(request: Request, here: Here, id: CaseId) -> Response:  # noqa: A002
    here.applicant(request, id)
    language = problems.language_of(request)
    with here.database.read() as connection:
        case = cases.get(connection, id)
        state, begun = payments.state_of(connection, case), payments.of_case(connection, id)
    return answers.json(
        {
            "state": state,
            "amount": payments.amount(case.fee_fen) if case.fee == "charged" else None,
            "currency": CURRENCY,
            "methods": list(here.settings.payment_methods),
            "items": [_members(payment, here, language) for payment in begun],
        }
    )


@router.operation(
    "POST",
    "/v1/reprints/{id}/payment",
    "Choose how to pay",
    Answered(schemas.PAYMENT, schemas.Payment, description="What to do now. Asked again by the same method: the same payment."),
    applicant=True,
    sent=(Sent(schemas.ORDER, schemas.PaymentOrder),),
    dependencies=[ANONYMOUS],
    description="While the fee is due; else 409 `payment_not_due`. A case is paid once: what comes beside that is refunded.",
)
def choose(request: Request, here: Here, id: CaseId, body: SmallBody) -> Response:  # noqa: A002
    here.applicant(request, id)
    method = parse(schemas.PaymentOrder, body).method
    if method not in here.settings.payment_methods:
        raise Refused("payment_method_unknown", {"methods": ", ".join(here.settings.payment_methods)})
    payment = _open(here, id, method)
    if method == "provider" and payment.url is None:
        payment = _create(here, payment)
    return answers.json(_members(payment, here, problems.language_of(request)))


def _open(here: Context, case_id: str, method: Method) -> Payment:
    now_ms = here.now_ms()
    with here.database.write() as connection:
        return payments.open_payment(connection, cases.lock(connection, case_id), method, now_ms)


def _create(here: Context, payment: Payment) -> Payment:
    """At the provider, outside of any transaction: asked again after whatever went wrong, it is the same payment there."""
    asked = provider.provider(here.settings)
    assert asked is not None
    try:
        made = asked.create(payment)
    except ProviderFailed:
        raise Unavailable("payment_unavailable", _RETRY_S) from None
    with here.database.write() as connection:
        payments.set_provider(connection, payment.reference, made.id, made.url)
        return payments.get(connection, payment.case_id, payment.reference)


@router.operation(
    "POST",
    "/v1/reprints/{id}/payment/confirm",
    "Confirm a bank transfer",
    Answered(
        schemas.AT_DESK, schemas.PaymentAtDesk, description="It came, and the case goes on. Confirmed again, nothing changes."
    ),
    roles=("operator", "reviewer"),
    people_only=True,
    sent=(Sent(schemas.CONFIRMATION, schemas.Confirmation),),
    is_write=True,
    description="By an operator, or a reviewer who does not decide on the case. Reference and amount have to be right. What came "
    "too late, or twice, is taken and owed back (`refund_due`).",
)
def confirm(request: Request, here: Here, id: CaseId, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, "operator", "reviewer")
    order = parse(schemas.Confirmation, body)
    attempt, now_ms, fen = attempt_of(request, principal.id, body), here.now_ms(), int(Decimal(order.amount) * 100)

    def work(connection: Connection) -> tuple[str, bool]:
        receiving.confirm_transfer(connection, id, order.reference, fen, principal.id, here.vault, here.settings, now_ms)
        return order.reference, True

    with here.running.hold(attempt):
        write_once(here.database, attempt, now_ms, work)
    return _at_desk_answer(here, request, id, order.reference)


@router.operation(
    "POST",
    "/v1/reprints/{id}/payment/refund",
    "Say that a bank transfer was sent back",
    Answered(schemas.AT_DESK, schemas.PaymentAtDesk, description="The applicant is told. Said again, nothing changes."),
    roles=("operator", "reviewer"),
    people_only=True,
    sent=(Sent(schemas.REFUND_DONE, schemas.RefundDone),),
    is_write=True,
    description="For what is owed back (`refund_due`) by bank transfer; the provider's refunds are asked for by the worker.",
)
def refund(request: Request, here: Here, id: CaseId, body: SmallBody) -> Response:  # noqa: A002
    principal = here.person(request, "operator", "reviewer")
    order = parse(schemas.RefundDone, body)
    attempt, now_ms = attempt_of(request, principal.id, body), here.now_ms()

    def work(connection: Connection) -> tuple[str, bool]:
        said = (order.reference, order.bank_reference, principal.id)
        refunding.confirm_refund(connection, id, *said, here.vault, here.settings, now_ms)
        return order.reference, True

    with here.running.hold(attempt):
        write_once(here.database, attempt, now_ms, work)
    return _at_desk_answer(here, request, id, order.reference)


@router.operation(
    "GET",
    "/v1/payments",
    "List payments",
    Answered(schemas.PAGE, schemas.PaymentPage, description="Newest first."),
    roles=("operator", "reviewer", "auditor"),
    description="`state=open`: what is waited for; `state=refund_due`: what is owed back.",
)
def listed(
    request: Request,
    here: Here,
    state: State | None = None,
    limit: Limit = 50,
    cursor: Behind = None,
) -> Response:
    principal = here.allow(request, "operator", "reviewer", "auditor")
    here.look(principal, "looked_at_payments", "payments")
    with here.database.read() as connection:
        rows = payments.listed(connection, state, limit + 1, place_of(cursor))
        items = _at_desk(connection, rows[:limit], here, problems.language_of(request))
    last = rows[limit - 1] if len(rows) > limit else None
    return answers.json({"items": items, "next_cursor": None if last is None else f"{last.opened_at}.{last.reference}"})


def _at_desk_answer(here: Context, request: Request, case_id: str, reference: str) -> Response:
    with here.database.read() as connection:
        payment = payments.get(connection, case_id, reference)
        [members] = _at_desk(connection, [payment], here, problems.language_of(request))
    return answers.json(members)


def _at_desk(connection: Connection, rows: list[Payment], here: Context, language: Language) -> list[dict[str, Any]]:
    names = people.names(connection, sorted({id_ for row in rows for id_ in (row.confirmed_by, row.refunded_by) if id_}))
    return [
        {
            **_members(row, here, language),
            "case": row.case_id,
            "confirmed_by_name": names.get(row.confirmed_by),
            "refund_due_at": at_or_none(row.refund_due_at),
            "refunded_by_name": names.get(row.refunded_by),
            "refund_reference": row.refund_reference,
        }
        for row in rows
    ]


@router.operation(
    "POST",
    CALLBACK,
    "What the payment provider calls",
    Answered(schemas.CALL_TAKEN, schemas.CallTaken, description="Taken. A second time it has no effect."),
    sent=(Sent(schemas.CALL, schemas.CALL_SCHEMA),),
    dependencies=[ANONYMOUS],
    description="Signed as Standard Webhooks has it: `webhook-id`, `webhook-timestamp`, `webhook-signature`. An altered one is "
    "403 `callback_unsigned`, one of another time `callback_late`; of a payment that is none of ours 404 `payment_unknown`.",
)
async def called(request: Request, here: Here) -> Response:
    body = await read_bytes(request, MAX_SMALL)
    call = provider.read_call(request.headers, body, here.settings, here.clock())
    taken = await run_in_threadpool(receiving.take_call, here.database, call, here.vault, here.settings, here.now_ms())
    return answers.json({"received": True, "repeated": not taken})
