"""What is sent and answered about webhooks, notices and what was delivered."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.models.answers import Answer, Time
from service.api.models.reprints import QuietHours
from service.api.models.requests import Line, Request
from service.deliveries.queue import Channel
from service.reprints.applying import CaseLanguage

EventType = Literal["reprint.*", "finding.opened", "incident.recorded"]
State = Literal["queued", "sending", "sent", "dead"]
Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://erp.example.com/hooks/reprints"])]


class WebhookOrder(Request):
    """`contact` is told by e-mail when the webhook is disabled, in `language`."""

    url: Annotated[Url, Field(description="https, port 443, without user and fragment; it must lead to a public address.")]
    events: Annotated[list[EventType], Field(min_length=1, max_length=3)]
    label: Annotated[Line | None, Field(description="For people, to tell webhooks apart.")] = None
    contact: Annotated[str | None, Field(max_length=254)] = None
    language: CaseLanguage = "zh-CN"


class Again(Request):
    """Nothing: the path says it all."""


class Webhook(Answer):
    """`failing_since`: of the first failure since the last success. `disabled_by`: failing (for days), gone (410) or revoked."""

    id: str
    url: Url
    events: list[EventType]
    label: str
    contact: str | None
    language: CaseLanguage
    created_at: Time
    failing_since: Time | None
    disabled_at: Time | None
    disabled_by: Literal["failing", "gone", "revoked"] | None
    old_secret_until: Annotated[Time | None, Field(description="Until then what is sent is signed with the secret before, too.")]


class CreatedWebhook(Webhook):
    secret: Annotated[str | None, Field(description="`whsec_` and base64. Shown this once; null where that was before.")]


class WebhookList(Answer):
    items: list[Webhook]
    next_cursor: None


class RemovedWebhook(Answer):
    id: str
    removed: Literal[True]


class Queued(Answer):
    delivery: Annotated[str, Field(description="Its id, and what is sent as webhook-id.")]


class Delivery(Answer):
    """`error` is the last failure's code, `status` the other side's last status. `due_at` is of the next try."""

    id: Annotated[str, Field(description="By which a receiver recognises a repeat: webhook-id, Message-ID, Idempotency-Key.")]
    channel: Channel
    event: str
    object: Annotated[str, Field(description="The case, run, incident or webhook that it is about.")]
    webhook: str | None
    state: State
    tries: int
    created_at: Time
    due_at: Time | None
    ended_at: Time | None
    error: str | None
    status: int | None


class DeliveryPage(Answer):
    items: list[Delivery]
    next_cursor: str | None


class Letter(Delivery):
    """The same for staff: `to` tells recipients apart without naming them."""

    to: Annotated[str | None, Field(description="z***@example.cn, 138****5678; null for a webhook, or once it is forgotten.")]


class LetterPage(Answer):
    items: list[Letter]
    next_cursor: str | None


class ChannelShown(Answer):
    channel: Literal["email", "sms"]
    hint: Annotated[str, Field(description="z***@example.cn, 138****5678.")]


class NoticePreferences(Answer):
    """No channel: nothing comes but one-time codes."""

    case: str
    channels: list[ChannelShown]
    quiet_hours: QuietHours | None
    language: CaseLanguage


class Unsubscription(Request):
    token: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{20,500}$", description="What stands behind # in the link.")]


class Unsubscribed(Answer):
    channel: Literal["email", "sms"]


WEBHOOK_ORDER: dict[str, Any] = {
    "url": "https://erp.example.com/hooks/reprints",
    "events": ["reprint.*"],
    "label": "收银系统",
    "contact": "it@example.com",
}
WEBHOOK: dict[str, Any] = {
    "id": "wh_k4m2xq7abcdefghi",
    **WEBHOOK_ORDER,
    "language": "zh-CN",
    "created_at": "2026-11-25T08:26:40.000+00:00",
    "failing_since": None,
    "disabled_at": None,
    "disabled_by": None,
    "old_secret_until": None,
}
CREATED = {**WEBHOOK, "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="}
ROTATED = {**CREATED, "old_secret_until": "2026-11-26T08:26:40.000+00:00"}
DELIVERY: dict[str, Any] = {
    "id": "msg_abcdefghijklmnopqrstuvwxyz",
    "channel": "webhook",
    "event": "reprint.approved",
    "object": "R261125-7K3M9QXA",
    "webhook": "wh_k4m2xq7abcdefghi",
    "state": "sent",
    "tries": 1,
    "created_at": "2026-11-25T08:26:40.000+00:00",
    "due_at": None,
    "ended_at": "2026-11-25T08:26:41.000+00:00",
    "error": None,
    "status": None,
}
LETTER: dict[str, Any] = {
    **DELIVERY,
    "channel": "email",
    "event": "approve_second",
    "webhook": None,
    "state": "dead",
    "error": "refused",
    "status": 550,
    "to": "z***@example.cn",
}
PREFERENCES: dict[str, Any] = {
    "case": "R261125-7K3M9QXA",
    "channels": [{"channel": "email", "hint": "z***@example.cn"}],
    "quiet_hours": {"start": "22:00", "end": "08:00"},
    "language": "zh-CN",
}
CHOICE: dict[str, Any] = {"channels": ["email", "sms"], "sms": "13812345678", "quiet_hours": {"start": "21:00", "end": "08:30"}}
