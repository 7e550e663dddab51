"""What every answer has and every request leaves: Request-Id, security headers, CORS where it is meant, log line and metrics.

Plain ASGI: it costs a request a few microseconds.
"""

import re
import secrets
import time

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import problems
from service.api.context import Context

log = structlog.get_logger(__name__)

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")

_OPEN = re.compile(r"/v1/(?:proofs|statements|trust|anchors(?:/.*)?)|/problems/[a-z_]+")
"""What verifiers in other sites' pages may ask, without credentials: all of it is for anybody anyway."""

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
]
_DEFAULTS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
]
"""Where the answer has none of its own."""
_CLOSED = [(b"cross-origin-resource-policy", b"same-origin")]
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"Request-Id, Retry-After"),
    (b"cross-origin-resource-policy", b"cross-origin"),
]
_PREFLIGHT = [
    (b"access-control-allow-methods", b"GET, POST"),
    (b"access-control-allow-headers", b"Content-Type, Accept-Language, Request-Id"),
    (b"access-control-max-age", b"86400"),
    (b"content-length", b"0"),
]
_HSTS = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")


class Envelope:
    """The outermost layer. What nobody expected is answered and logged here, under the id that the answer carries."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._metrics = context.metrics
        self._headers = [*_HEADERS, _HSTS] if context.settings.public_url.startswith("https:") else _HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = _request_id(scope)
        scope["request_id"] = request_id.decode()
        is_open = _OPEN.fullmatch(scope["path"]) is not None
        status = 0

        async def send_in_envelope(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = list(message.get("headers", ()))
                present = {name for name, _ in headers}
                headers.append((b"request-id", request_id))
                headers += self._headers
                headers += [header for header in _DEFAULTS if header[0] not in present]
                headers += _CORS if is_open else _CLOSED
                message = {**message, "headers": headers}
            await send(message)

        try:
            if is_open and scope["method"] == "OPTIONS" and _is_preflight(scope):
                await send_in_envelope({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
                await send_in_envelope({"type": "http.response.body"})
            else:
                await self._app(scope, receive, send_in_envelope)
        except ClientDisconnect:
            status = status or 499  # nobody is there to answer; the number is nginx's
        except Exception as error:
            refused = problems.refusal_of(error, scope["request_id"])
            if status:
                raise  # the answer is cut off: the server must not end it as if it were whole
            await problems.answer(Request(scope), refused)(scope, receive, send_in_envelope)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(scope.get("route"), "path", "none")
            self._metrics.count(scope["method"], route, status, seconds)
            log.info(
                "request",
                request_id=scope["request_id"],
                method=scope["method"],
                route=route,
                status=status,
                ms=round(seconds * 1000, 1),
                key=scope.get("principal"),
            )


def _request_id(scope: Scope) -> bytes:
    """The caller's, if it has sent one that can stand in a log; else a new one."""
    for name, value in scope["headers"]:
        if name == b"request-id" and _REQUEST_ID.fullmatch(value):
            given: bytes = value
            return given
    return secrets.token_hex(12).encode()


def _is_preflight(scope: Scope) -> bool:
    return any(name == b"access-control-request-method" for name, _ in scope["headers"])
