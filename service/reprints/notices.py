"""Telling of a case: the applicant by their channels, and webhooks; queued in the transaction of what happened, and sent later.

Nobody is told anything but a one-time code before the first right code has confirmed that the contact is theirs. What of a change
is worth a message stands in notice_texts.py; webhooks get every one.
"""

from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from service.deliveries import events, queue
from service.deliveries.queue import Wanted
from service.deliveries.timing import Quiet
from service.invoices import reading
from service.messages import Language
from service.reprints import cases, preferences
from service.reprints.applying import Channel, application_of
from service.reprints.cases import Case
from service.reprints.notice_texts import COMMON, OWED, TEXTS, Text
from service.reprints.tables import reprint_history
from service.reprints.transitions import EVENTS, owed_by
from service.vault import Vault

CODE_MINUTES = 10
_BEIJING = timedelta(hours=8)
_FEN = 100


class Contact(NamedTuple):
    """Where a message goes. `unsubscribe` is the token of a link that ends them, None for what comes in any case."""

    channel: Channel
    address: str
    language: Language
    quiet: Quiet | None = None
    unsubscribe: str | None = None


def announce(
    connection: Connection,
    case: Case,
    event: str,
    vault: Vault,
    now_ms: int,
    *,
    public_url: str,
    code: str | None = None,
    **params: Any,
) -> None:
    """Queue what is to be told of `event`, in the caller's transaction. `case` is as it is after it.

    Events: those of the transition table, and `code` (with `code`), `reminder`, `document_ready`, `payment_due`, `refunded`,
    `answered`. `params` fill the texts: `reference` of a payment, `new_number` of a reissue, `amount` if it is not the case's fee.
    """
    if event != "code":
        _tell_webhooks(connection, case, event, now_ms)
    application = application_of(case, vault)
    if application is None or event not in TEXTS:
        return
    language: Language = "en" if application.language == "en" else "zh"
    filled = {**_params(connection, case, event, vault, language, public_url), **params}
    if event == "code":
        assert code is not None
        minutes = params.get("minutes", CODE_MINUTES)
        contact = Contact(application.channel, application.address, language)
        useless_at = now_ms + int(minutes) * 60_000
        said = {**filled, "code": code, "minutes": minutes, "until": None}  # the case's deadline is not the code's
        tell(connection, contact, event, case.id, vault, now_ms, useless_at=useless_at, **said)
        return
    if not _is_confirmed(connection, case) or (event == "reminder" and "owed" not in filled):
        return
    wanted = preferences.of_case(connection, case.id, application, vault)
    for channel, address in wanted.to.items():
        token = preferences.unsubscribe_token(case.id, channel, vault)
        contact = Contact(channel, address, language, wanted.quiet, token)
        tell(connection, contact, event, case.id, vault, now_ms, public_url=public_url, **filled)


def tell(
    connection: Connection,
    contact: Contact,
    event: str,
    object_: str,
    vault: Vault,
    now_ms: int,
    *,
    public_url: str = "",
    useless_at: int | None = None,
    **params: Any,
) -> None:
    """Queue one message to one contact, of a case or of anything else (`object_`) that has a text; nothing where it has none there.

    `params` fill the text: `case`, `link`, and what it names beside.
    """
    text = TEXTS[event][contact.language]
    if contact.channel == "email":
        link = None if contact.unsubscribe is None else f"{public_url}/unsubscribe#{contact.unsubscribe}"
        message = _mail(contact, text, params, link)
    elif text.sms is None:
        return
    else:
        needed = {name: str(params.get(name) or "—") for name in sms_parameters(text.sms)}
        message = {"to": contact.address, "template": f"reprint_{event}", "language": contact.language, "parameters": needed}
    wanted = Wanted(contact.channel, event, object_, message, contact.quiet, useless_at)
    queue.enqueue(connection, wanted, vault, now_ms)


def sms_parameters(template: str) -> list[str]:
    """The names in a template, in their order."""
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _mail(contact: Contact, text: Text, params: dict[str, Any], unsubscribe: str | None) -> dict[str, Any]:
    """What mail.py sends. `paragraphs` of the text are those of the page too."""
    common = COMMON[contact.language]
    owner = params.get("owed_by")
    paragraphs = [text.said.format_map(params)]
    paragraphs += [common["reason"].format_map(params)] if params.get("reason") else []
    paragraphs += [common["new_number"].format_map(params)] if params.get("new_number") else []
    paragraphs.append(text.next.format_map(params))
    paragraphs += [common["reference"].format_map(params)] if params.get("reference") else []
    if params.get("until") and f"{owner}_until" in common:
        paragraphs.append(common[f"{owner}_until"].format_map(params))
    ends = [common["link"].format_map(params)] if params.get("link") else []
    ends += [common["unsubscribe"].format(unsubscribe=unsubscribe)] if unsubscribe else []
    html = _html(contact.language, paragraphs, params.get("link"), unsubscribe)
    return {
        "to": contact.address,
        "subject": text.subject.format_map(params),
        "text": "\n\n".join([*paragraphs, *ends, "-- \n" + common["footer"]]) + "\n",
        "html": html,
        "language": contact.language,
        "unsubscribe": unsubscribe,
    }


def _html(language: Language, paragraphs: list[str], link: str | None, unsubscribe: str | None) -> str:
    """The same for programs that show HTML; nothing is loaded from anywhere."""
    common = COMMON[language]
    tag = "zh-CN" if language == "zh" else "en"
    body = "".join(f'<p style="margin:0 0 16px">{escape(one)}</p>' for one in paragraphs)
    if link:
        style = "display:inline-block;padding:12px 20px;border-radius:6px;background:#1d4ed8;color:#ffffff;text-decoration:none"
        body += f'<p style="margin:24px 0"><a href="{escape(link)}" style="{style}">{common["button"]}</a></p>'
    small = escape(common["footer"])
    if unsubscribe:
        small += f' <a href="{escape(unsubscribe)}">{common["unsubscribe_button"]}</a>'
    body += f'<p style="margin:32px 0 0;font-size:13px;color:#595959">{small}</p>'
    style = "margin:0 auto;padding:24px;max-width:560px;font:16px/1.6 sans-serif;color:#1f1f1f;background:#ffffff"
    return f'<!doctype html><html lang="{tag}"><meta charset="utf-8"><body style="{style}">{body}</body></html>'


def _params(connection: Connection, case: Case, event: str, vault: Vault, language: Language, public_url: str) -> dict[str, Any]:
    owed = OWED.get(case.state)
    made = {
        "case": case.id,
        "number": case.number,
        "amount": f"{case.fee_fen / _FEN:.2f}",
        "link": f"{public_url}/reprint#case={case.id}",
        "owed_by": owed_by(case.state),
        "until": None if case.due_at is None else _moment(case.due_at, language),
    }
    if owed is not None:
        made["owed"] = owed[language]
    if event in EVENTS:
        last = cases.history(connection, case.id, vault)[-1]
        made["reason"] = last.reason if last.event == event else None
    return made


def _moment(at: int, language: Language) -> str:
    """In Beijing, to the minute."""
    there = datetime.fromtimestamp(at / 1000, UTC) + _BEIJING
    if language == "zh":
        return f"{there.year}年{there.month}月{there.day}日 {there:%H:%M}"
    return f"{there:%Y-%m-%d %H:%M}"


def _is_confirmed(connection: Connection, case: Case) -> bool:
    confirmed = select(reprint_history.c.round).where(
        reprint_history.c.case_id == case.id, reprint_history.c.event == "confirm_contact"
    )
    return connection.scalar(confirmed.limit(1)) is not None


def _tell_webhooks(connection: Connection, case: Case, event: str, now_ms: int) -> None:
    """`reprint.<state>` for a change, `reprint.<event>` for the rest; with nothing of the applicant."""
    if not events.has_subscribers(connection):
        return  # what nobody will be told needs no look at the invoice
    type_ = f"reprint.{case.state if event in EVENTS else event}"
    record = reading.find(connection, case.number)
    seller = None if record is None or record.invoice is None else record.invoice.seller_tax_id
    data = {
        "case": case.id,
        "number": case.number,
        "state": case.state,
        "owed_by": owed_by(case.state),
        "kind": case.kind,
        "due_at": None if case.due_at is None else events.moment(case.due_at),
    }
    events.emit(connection, type_, case.id, data, now_ms, seller=seller)
