"""Signatures of what is sent over HTTP, by the Standard Webhooks specification (standardwebhooks.com, version 1).

webhook-id, webhook-timestamp, webhook-signature: v1,base64(HMAC-SHA256(secret, id.timestamp.body)) for each valid secret
"""

import secrets
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

_SECRET_BYTES = 32


def new_secret() -> str:
    """`whsec_` and base64 of 32 random bytes."""
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Whether it is `whsec_` and base64 of 24 to 64 bytes, as the specification asks; the library would take nearly anything."""
    try:
        return text.startswith("whsec_") and 24 <= len(b64decode(text.removeprefix("whsec_"), validate=True)) <= 64
    except ValueError:
        return False


def headers(uid: str, now_ms: int, body: bytes, valid: Sequence[str]) -> dict[str, str]:
    """Signed with each of the secrets: while one is being replaced, whoever knows either of the two can check it."""
    at = datetime.fromtimestamp(now_ms // 1000, UTC)
    signatures = [Webhook(secret).sign(uid, at, body.decode()) for secret in valid]
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(now_ms // 1000),
        "webhook-signature": " ".join(signatures),
        "Content-Type": "application/json",
    }
