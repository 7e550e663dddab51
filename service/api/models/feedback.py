"""What is sent and answered about feedback."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.models.answers import Answer, Time
from service.api.models.reprints import CaseId, ContactGiven
from service.api.models.requests import Request
from service.reprints.feedback import Event, State

_MANY_LINES = "\\u0000-\\u0009\\u000b\\u000c\\u000e-\\u001f\\u007f"

FeedbackId = Annotated[str, Field(pattern="^F[0-9]{6}-[0-9A-HJKMNP-TV-Z]{8}$", examples=["F261125-2VD7K3M9"])]
Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=f"^[^{_MANY_LINES}]*[^\\s{_MANY_LINES}][^{_MANY_LINES}]*$")]


# What is sent.


class FeedbackOrder(Request):
    """`page`: the path of the page that it was written on. With a `contact`, an answer is told there."""

    message: Text
    page: Annotated[str, Field(pattern="^/[A-Za-z0-9/_.-]{0,98}$")] = "/"
    case: CaseId | None = None
    contact: ContactGiven | None = None


class FeedbackText(Request):
    text: Text


class Closing(Request):
    """Nothing: what was said stays."""


# What is answered.


class FeedbackMessage(Answer):
    """`by_name` is for people at a desk alone."""

    at: Time
    event: Event
    by: Literal["visitor", "staff"]
    by_name: str | None = None
    text: str | None


class Feedback(Answer):
    id: FeedbackId
    state: Annotated[State, Field(description="open: waits for staff.")]
    page: str
    case: CaseId | None
    opened_at: Time
    changed_at: Time
    messages: list[FeedbackMessage]


class FeedbackSent(Feedback):
    """`token` is shown this once: with it its sender sees what becomes of it."""

    token: str


class FeedbackAtDesk(Feedback):
    contact: Annotated[ContactGiven | None, Field(description="Where its sender is told of an answer.")]
    language: Literal["zh", "en"]


class FeedbackItem(Answer):
    """`message` is the first one."""

    id: FeedbackId
    state: State
    page: str
    case: CaseId | None
    opened_at: Time
    changed_at: Time
    message: str


class FeedbackPage(Answer):
    items: list[FeedbackItem]
    next_cursor: str | None


TOKEN = "zpf_F261125-2VD7K3M9_k3jq2cs5svx2mb7yh6pq4wz3"  # noqa: S105  an example
ORDER = {
    "message": "补打完成后在哪里下载？",
    "page": "/reprint",
    "case": "R261125-7K3M9QXA",
    "contact": {"channel": "email", "address": "zhang@company.example"},
}
TEXT = {"text": "在补打页面输入申请编号和验证码，即可下载。"}
_ASKED: dict[str, Any] = {"at": "2026-11-25T08:26:40.000+00:00", "event": "asked", "by": "visitor", "text": ORDER["message"]}
_ANSWERED: dict[str, Any] = {"at": "2026-11-25T09:26:40.000+00:00", "event": "answered", "by": "staff", "text": TEXT["text"]}
_FACTS: dict[str, Any] = {
    "id": "F261125-2VD7K3M9",
    "state": "open",
    "page": "/reprint",
    "case": "R261125-7K3M9QXA",
    "opened_at": "2026-11-25T08:26:40.000+00:00",
    "changed_at": "2026-11-25T08:26:40.000+00:00",
}
SENT = {**_FACTS, "messages": [_ASKED], "token": TOKEN}
FEEDBACK = {**_FACTS, "state": "answered", "changed_at": _ANSWERED["at"], "messages": [_ASKED, _ANSWERED]}
AT_DESK = {
    **FEEDBACK,
    "messages": [_ASKED, {**_ANSWERED, "by_name": "林复核"}],
    "contact": ORDER["contact"],
    "language": "zh",
}
PAGE = {"items": [{**_FACTS, "message": ORDER["message"]}], "next_cursor": None}
