"""Signatures are those of the Standard Webhooks specification: any receiver's library can check them."""

import base64
import hashlib
import hmac
import time

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.deliveries import signing

_BODY = '{"type":"reprint.approved","data":{"case":"R261124-ABCDEFGH","说明":"中文"}}'.encode()


def test_the_library_verifies_what_is_signed() -> None:
    secret = signing.new_secret()
    headers = signing.headers("msg_1", int(time.time() * 1000), _BODY, [secret])
    assert Webhook(secret).verify(_BODY, headers)["type"] == "reprint.approved"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(_BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(_BODY, {**headers, "webhook-id": "msg_2"})


def test_it_is_what_the_specification_says_without_its_library() -> None:
    secret, now_ms = signing.new_secret(), 1_795_600_000_999
    headers = signing.headers("msg_1", now_ms, _BODY, [secret])
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = hmac.new(key, b"msg_1.1795600000." + _BODY, hashlib.sha256).digest()
    assert (headers["webhook-timestamp"], headers["webhook-signature"]) == (
        "1795600000",
        "v1," + base64.b64encode(expected).decode(),
    )
    assert len(key) == 32


def test_while_a_secret_is_replaced_either_of_the_two_verifies() -> None:
    old, new, other = signing.new_secret(), signing.new_secret(), signing.new_secret()
    headers = signing.headers("msg_1", int(time.time() * 1000), _BODY, [new, old])
    for secret in (old, new):
        Webhook(secret).verify(_BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(_BODY, headers)


@pytest.mark.parametrize("text", ["", "whsec_", "no secret", "whsec_c2hvcnQ=", "whsec_" + "A" * 31, "A" * 44, "whsec_" + "A" * 400])
def test_what_is_no_secret_is_none(text: str) -> None:
    assert not signing.is_secret(text)
    assert signing.is_secret(signing.new_secret())
