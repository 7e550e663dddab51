"""A payment provider, over HTTP. A real one is reached through a small adapter that speaks this:

    POST {url}/payments                  {"reference", "amount", "currency", "subject", "notify_url", "return_url"}
                                         -> {"id", "url"}; the same reference again: the same payment
    POST {url}/payments/{id}/refund      {"amount", "currency"} -> {"id", "state": "done" or "pending"}

with `Authorization: Bearer` the key, and `Idempotency-Key` what is to be done once. It calls back, signed by Standard Webhooks
(webhook-id, webhook-timestamp, webhook-signature: HMAC-SHA256 over "id.timestamp.body" under the shared secret):

    POST notify_url                      {"type", "payment", "reference", "amount", "currency", "refund"?}
                                         type: payment.paid, payment.failed or refund.done

Nothing of the applicant is told to it: the subject is the case.
"""

import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from decimal import Decimal
from hashlib import sha256
from typing import Any, Literal, NamedTuple, get_args

import orjson
import requests

from service.config import Settings
from service.errors import Refused
from service.reprints.payments import Payment, amount
from verifier.transport import is_url

TIMEOUT_S = 10.0
CALLBACK = "/v1/payments/callback"
CURRENCY = "CNY"
_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_AMOUNT = re.compile(r"[0-9]{1,9}\.[0-9]{2}")
_MAX_URL = 500

CallType = Literal["payment.paid", "payment.failed", "refund.done"]


class ProviderFailed(Exception):
    """It gave no answer, or none that is one. The text says what, without secrets."""


class Created(NamedTuple):
    """`url` is where the applicant pays."""

    id: str
    url: str


class Refund(NamedTuple):
    id: str
    is_done: bool


class Call(NamedTuple):
    """One call-back; `id` is the same each time that it is sent, `payment` the provider's own id."""

    id: str
    type: CallType
    payment: str
    reference: str
    fen: int
    refund: str | None


class Provider:
    """For the threads of one process."""

    def __init__(self, url: str, key: str, public_url: str, timeout_s: float = TIMEOUT_S) -> None:
        if not is_url(url):
            raise ValueError("ZHENGPIAO_PAYMENT_URL is no URL")
        self._url = url.rstrip("/")
        self._key = key
        self._public_url = public_url
        self._timeout_s = timeout_s

    def create(self, payment: Payment) -> Created:
        """The payment at the provider; asked again, the same one. Raises ProviderFailed."""
        asked = {
            "reference": payment.reference,
            "amount": amount(payment.fen),
            "currency": CURRENCY,
            "subject": payment.case_id,
            "notify_url": self._public_url + CALLBACK,
            "return_url": f"{self._public_url}/reprint#case={payment.case_id}",
        }
        said = self._post("/payments", asked, f"pay-{payment.reference}")
        url = said.get("url")
        if not isinstance(url, str) or len(url) > _MAX_URL or not is_url(url):
            raise ProviderFailed("it named no page to pay on")
        return Created(_id(said), url)

    def refund(self, payment: Payment) -> Refund:
        """Ask for the whole amount back; asked again, the same refund. Raises ProviderFailed."""
        asked = {"amount": amount(payment.fen), "currency": CURRENCY}
        said = self._post(f"/payments/{payment.provider_id}/refund", asked, f"refund-{payment.reference}")
        return Refund(_id(said), said.get("state") == "done")

    def _post(self, path: str, members: dict[str, str], idempotency_key: str) -> dict[str, Any]:
        headers = {"Idempotency-Key": idempotency_key}
        try:
            with requests.Session() as session:
                session.auth = self._authorize  # a function, so that no ~/.netrc takes its place
                answer = session.post(
                    self._url + path, json=members, headers=headers, timeout=self._timeout_s, allow_redirects=False
                )
                said = orjson.loads(answer.content) if answer.status_code in (200, 201) else None
        except (requests.RequestException, ValueError) as error:
            raise ProviderFailed(f"no answer ({type(error).__name__})") from None
        if not isinstance(said, dict):
            raise ProviderFailed(f"it answered {answer.status_code}")
        return said

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._key}"
        return request


def provider(settings: Settings) -> Provider | None:
    """The provider of the settings; None where there is none. Raises ValueError."""
    if settings.payment_url is None:
        return None
    key = "" if settings.payment_key is None else settings.payment_key.get_secret_value()
    return Provider(settings.payment_url, key, settings.public_url)


def read_call(headers: Mapping[str, str], body: bytes, settings: Settings, now_s: float) -> Call:
    """What a call-back says, if it is the provider's and not an old one. Raises Refused: callback_unsigned, callback_late,
    invalid_request.
    """
    id_, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    secret = None if settings.payment_secret is None else settings.payment_secret.get_secret_value()
    if secret is None or not _ID.fullmatch(id_) or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise Refused("callback_unsigned")
    expected = f"v1,{signature(secret, id_, timestamp, body)}".encode()
    given = headers.get("webhook-signature", "").encode(errors="replace").split(b" ")
    if not any(hmac.compare_digest(expected, one) for one in given[:8]):
        raise Refused("callback_unsigned")
    if abs(now_s - int(timestamp)) > settings.payment_tolerance_s:
        raise Refused("callback_late")
    return _call(id_, body)


def signature(secret: str, id_: str, timestamp: str, body: bytes) -> str:
    """Of Standard Webhooks, in base64. `secret` is whsec_ and base64."""
    key = b64decode(secret.removeprefix("whsec_"))
    return b64encode(hmac.digest(key, f"{id_}.{timestamp}.".encode() + body, sha256)).decode()


def _call(id_: str, body: bytes) -> Call:
    try:
        said = orjson.loads(body)
        written, payment, reference, refund = said["amount"], said["payment"], said["reference"], said.get("refund")
        texts = [written, payment, reference] + [refund] * (refund is not None)
        is_right = (
            all(isinstance(text, str) for text in texts)
            and _AMOUNT.fullmatch(written)
            and all(_ID.fullmatch(text) for text in texts[1:])
            and said["type"] in get_args(CallType)
            and said["currency"] == CURRENCY
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        is_right = False
    if not is_right:
        raise Refused("callback_unreadable")
    return Call(id_, said["type"], payment, reference, int(Decimal(written) * 100), refund)


def _id(said: Mapping[str, Any]) -> str:
    found = said.get("id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        raise ProviderFailed("it named no id")
    return found
