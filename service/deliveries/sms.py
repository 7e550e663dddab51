"""SMS: a template that the provider has under its name, with parameters, over HTTP; signed, and recognised if it comes again.

POST {"to", "template", "language", "parameters": {name: text}}
Idempotency-Key and webhook-id: of the delivery, the same at every try; the signature as signing.py has it
"""

from urllib.parse import SplitResult, urlsplit

import orjson

from service.deliveries import signing
from service.deliveries.outcomes import Failed
from service.deliveries.posting import post
from service.deliveries.queue import Taken
from verifier.transport import is_url

_LATER = (408, 409, 425, 429)
"""Of 4xx, what may be different at another time."""


class SmsProvider:
    """`url` is the operator's choice, so it may be of this network; `secret` is whsec_…, shared with the provider."""

    def __init__(self, url: str, secret: str) -> None:
        if not is_url(url):
            raise ValueError("ZHENGPIAO_SMS_URL is no URL")
        if not signing.is_secret(secret):
            raise ValueError("ZHENGPIAO_SMS_SECRET is not whsec_ and base64 of 24 to 64 bytes")
        self._target: SplitResult = urlsplit(url)
        self._secret = secret

    def __call__(self, taken: Taken, now_ms: int) -> None:
        """Returns when the provider has taken it over. Raises Failed."""
        body = orjson.dumps({name: taken.message[name] for name in ("to", "template", "language", "parameters")})
        headers = {**signing.headers(taken.uid, now_ms, body, [self._secret]), "Idempotency-Key": taken.uid}
        answer = post(self._target, body, headers, anywhere=True)
        if 200 <= answer.status < 300:
            return
        is_final = 400 <= answer.status < 500 and answer.status not in _LATER
        raise Failed("refused", status=answer.status, is_final=is_final, retry_after_s=answer.retry_after_s)
