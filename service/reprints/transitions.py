"""The states of a reprint case and every way from one to another: the one table of it (domain.md, "The five steps of a reprint").

    started -> submitted -> materials_pending -> materials_submitted -> [fee_due] -> review_1 -> [fee_due] -> review_2
            -> approved -> completed

From any state before the last a case may be rejected, cancelled or expired as far as the table below has it; returned leads back
to materials_pending. A state that has a `deadline` waits for the one who owes the next step; a case that waits for us or for the
original's issuer never expires: nobody loses a case by our being slow.
"""

from typing import Literal, NamedTuple, get_args

from service.errors import Refused

State = Literal[
    "started",
    "submitted",
    "materials_pending",
    "materials_submitted",
    "fee_due",
    "review_1",
    "review_2",
    "approved",
    "completed",
    "rejected",
    "cancelled",
    "expired",
]
STATES: tuple[State, ...] = get_args(State)
OPEN: tuple[State, ...] = STATES[: STATES.index("completed")]
"""States of a case that goes on; a number has one such case at most."""
CLOSED: tuple[State, ...] = STATES[len(OPEN) :]

Event = Literal[
    "open",
    "apply",
    "confirm_contact",
    "submit",
    "charge",
    "begin_review",
    "pay",
    "approve_first",
    "charge_after_review",
    "pay_after_review",
    "approve_second",
    "complete",
    "return",
    "reject",
    "cancel",
    "expire",
    "give_up",
]
EVENTS: tuple[Event, ...] = get_args(Event)

Actor = Literal["applicant", "reviewer", "system"]
Owes = Literal["applicant", "reviewer", "system", "nobody"]


class Transition(NamedTuple):
    """`by` is who brings it about."""

    event: Event
    source: State | None
    target: State
    by: Actor


def _from(event: Event, sources: tuple[State, ...], target: State, by: Actor) -> tuple[Transition, ...]:
    return tuple(Transition(event, source, target, by) for source in sources)


_HANDED_IN: tuple[State, ...] = ("materials_submitted", "fee_due", "review_1", "review_2", "approved")
_APPLICANT_OWES: tuple[State, ...] = ("started", "submitted", "materials_pending", "fee_due")

TRANSITIONS: tuple[Transition, ...] = (
    Transition("open", None, "started", "applicant"),
    Transition("apply", "started", "submitted", "applicant"),
    Transition("apply", "submitted", "submitted", "applicant"),  # a contact with a typing error gets no code: correct it
    Transition("confirm_contact", "submitted", "materials_pending", "applicant"),
    Transition("submit", "materials_pending", "materials_submitted", "applicant"),
    # In the transaction of `submit`: the evidence has decided about the fee, or leaves it to the first reviewer.
    Transition("charge", "materials_submitted", "fee_due", "system"),
    Transition("begin_review", "materials_submitted", "review_1", "system"),
    Transition("pay", "fee_due", "review_1", "system"),
    Transition("approve_first", "review_1", "review_2", "reviewer"),
    Transition("charge_after_review", "review_1", "fee_due", "reviewer"),  # the first approval stands, and found it chargeable
    Transition("pay_after_review", "fee_due", "review_2", "system"),
    Transition("approve_second", "review_2", "approved", "reviewer"),
    Transition("complete", "approved", "completed", "system"),
    # Back for correction: the first approval is void, since it was bound to what was shown; what was paid stays paid.
    *_from("return", _HANDED_IN, "materials_pending", "reviewer"),
    *_from("reject", OPEN, "rejected", "reviewer"),
    *_from("cancel", OPEN, "cancelled", "applicant"),
    *_from("expire", _APPLICANT_OWES, "expired", "system"),
    # What was approved cannot be done any more: the invoice was voided or reversed meanwhile. What was paid is refunded.
    Transition("give_up", "approved", "rejected", "system"),
)
_TARGETS = {(one.event, one.source): one for one in TRANSITIONS}

STEPS: dict[State, int] = {
    "started": 2,
    "submitted": 2,
    "materials_pending": 3,
    "materials_submitted": 4,
    "fee_due": 4,
    "review_1": 4,
    "review_2": 4,
    "approved": 5,
    "completed": 5,
    "rejected": 5,
    "cancelled": 5,
    "expired": 5,
}
"""Which of the five steps a page shows as the present one: 1 confirm is over once there is a case."""

_OWED: dict[State, Owes] = {
    **dict.fromkeys(_APPLICANT_OWES, "applicant"),
    "materials_submitted": "system",
    "review_1": "reviewer",
    "review_2": "reviewer",
    "approved": "system",
}


def owed_by(state: State) -> Owes:
    """Who owes the next step."""
    return _OWED.get(state, "nobody")


def find(event: Event, source: State | None) -> Transition | None:
    """The transition of that event from that state; None where there is none."""
    return _TARGETS.get((event, source))


def follow(event: Event, source: State | None) -> State:
    """The state that `event` leads to. Raises Refused("case_state") where the table has no such way."""
    found = find(event, source)
    if found is None:
        raise Refused("case_state", {"state": source or "", "event": event})
    return found.target
