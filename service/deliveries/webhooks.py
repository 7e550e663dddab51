"""Webhooks: one signed POST to an endpoint, as the Standard Webhooks specification has it."""

import socket
from collections.abc import Callable

from service.db import Database
from service.deliveries import endpoints, signing
from service.deliveries.addresses import Resolver, check_url
from service.deliveries.outcomes import Failed
from service.deliveries.posting import TIMEOUT_S, post
from service.deliveries.queue import Taken
from service.vault import Vault

Sender = Callable[[Taken, int], None]
"""Sends one delivery at a time in ms since 1970 UTC; returns once the other side has taken it over. Raises Failed."""


class Webhooks:
    """`anywhere`: http, other ports and this machine's neighbours are allowed (dev only)."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        *,
        anywhere: bool = False,
        resolver: Resolver = socket.getaddrinfo,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._database = database
        self._vault = vault
        self._anywhere = anywhere
        self._resolver = resolver
        self._timeout_s = timeout_s

    def __call__(self, taken: Taken, now_ms: int) -> None:
        """Raises Failed: whatever is no 2xx is a failure, and a redirect is not followed."""
        with self._database.read() as connection:
            endpoint = endpoints.find(connection, taken.endpoint_id or "")
        if endpoint is None or endpoint.disabled_at is not None:
            raise Failed("webhook_disabled", is_final=True)
        body = taken.message["body"].encode()
        target = check_url(endpoints.url_of(endpoint, self._vault), anywhere=self._anywhere)
        headers = signing.headers(taken.uid, now_ms, body, endpoints.valid_secrets(endpoint, self._vault, now_ms))
        answer = post(target, body, headers, anywhere=self._anywhere, resolver=self._resolver, timeout_s=self._timeout_s)
        if 200 <= answer.status < 300:
            return
        code = "redirected" if 300 <= answer.status < 400 else "refused"
        raise Failed(code, status=answer.status, is_final=answer.status == 410, retry_after_s=answer.retry_after_s)
