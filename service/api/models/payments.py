"""What is sent and answered about payments of reprints."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.models.answers import Answer, Time
from service.api.models.reprints import CaseId
from service.api.models.requests import Amount, Request
from service.reprints.payments import FeeState, Method, State

_REFERENCE = "^P[0-9A-HJKMNP-TV-Z]{11}$"
_NO_CONTROL = "\\u0000-\\u001f\\u007f"

Reference = Annotated[str, Field(pattern=_REFERENCE, examples=["P7K3M9QXA2VD"])]


# What is sent.


class PaymentOrder(Request):
    method: Method


class Confirmation(Request):
    """As it stands on the bank's statement: the reference that the payer named, and what came."""

    reference: Reference
    amount: Amount


class RefundDone(Request):
    """`bank_reference` is the bank's word for the transfer back."""

    reference: Reference
    bank_reference: Annotated[str, Field(min_length=1, max_length=64, pattern=f"^[^{_NO_CONTROL}]*$")]


# What is answered.


class Payment(Answer):
    """`url` is where to pay at the provider; `instructions` is a sentence for a bank transfer."""

    method: Method
    reference: Reference
    amount: str
    currency: Literal["CNY"]
    state: State
    url: str | None
    instructions: str | None
    opened_at: Time
    paid_at: Time | None
    refunded_at: Time | None


class PaymentsOfCase(Answer):
    """How it stands with the fee, by which methods it can be paid, and what was begun."""

    state: FeeState
    amount: str | None
    currency: Literal["CNY"]
    methods: list[Method]
    items: list[Payment]


class PaymentAtDesk(Payment):
    """The same as staff see it. `confirmed_by_name` is null for the provider's word."""

    case: CaseId
    confirmed_by_name: str | None
    refund_due_at: Time | None
    refunded_by_name: str | None
    refund_reference: str | None


class PaymentPage(Answer):
    items: list[PaymentAtDesk]
    next_cursor: str | None


class CallTaken(Answer):
    """`repeated`: it came before, and had no effect this time."""

    received: Literal[True]
    repeated: bool


CALL_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["type", "payment", "reference", "amount", "currency"],
    "properties": {
        "type": {"enum": ["payment.paid", "payment.failed", "refund.done"]},
        "payment": {"type": "string", "description": "The provider's own id."},
        "reference": {"type": "string"},
        "amount": {"type": "string"},
        "currency": {"const": "CNY"},
        "refund": {"type": "string", "description": "The provider's id of the refund."},
    },
}

REFERENCE = "P7K3M9QXA2VD"
ORDER = {"method": "bank_transfer"}
PAYMENT: dict[str, Any] = {
    "method": "bank_transfer",
    "reference": REFERENCE,
    "amount": "20.00",
    "currency": "CNY",
    "state": "open",
    "url": None,
    "instructions": "请转账 20.00 元至：示例登记簿，示例银行，0000 1234。附言请只写：P7K3M9QXA2VD。到账后由工作人员确认。",
    "opened_at": "2026-11-25T08:26:40.000+00:00",
    "paid_at": None,
    "refunded_at": None,
}
OF_CASE = {"state": "due", "amount": "20.00", "currency": "CNY", "methods": ["bank_transfer", "provider"], "items": [PAYMENT]}
CONFIRMATION = {"reference": REFERENCE, "amount": "20.00"}
REFUND_DONE = {"reference": REFERENCE, "bank_reference": "2026112500318"}
AT_DESK = {
    **PAYMENT,
    "case": "R261125-7K3M9QXA",
    "state": "paid",
    "paid_at": "2026-11-25T09:26:40.000+00:00",
    "confirmed_by_name": "吴运维",
    "refund_due_at": None,
    "refunded_by_name": None,
    "refund_reference": None,
}
PAGE = {"items": [AT_DESK], "next_cursor": None}
CALL = {"type": "payment.paid", "payment": "pay_5f0e8a1c", "reference": REFERENCE, "amount": "20.00", "currency": "CNY"}
CALL_TAKEN = {"received": True, "repeated": False}
