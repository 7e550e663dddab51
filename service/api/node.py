"""What makes an API that of a query node: it says in every answer how far it is, takes no writes, and denies nothing that it cannot
know.

Plain ASGI, inside the envelope: the handlers are those of the service.
"""

import re

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.api import problems
from service.api.context import Context
from service.central.node import NodeStanding, standing
from service.errors import Refused, Unavailable

SEQ, BEHIND = b"zhengpiao-seq", b"zhengpiao-behind"
STANDING_S = 1.0
"""So long a process believes what it read of its standing."""

_ASKS = re.compile(r"/v1/(?:proofs|statements|lookups|verifications|invoices/search|diagnoses|documents|session)")
"""What is asked by POST."""
_MAY_BE_NEWER = re.compile(r"/v1/(?:statements|documents|diagnoses|invoices/[^/]+(?:/.*)?)")
"""Where *not found* would be a denial: while the node is behind, it cannot know."""
RETRY_S = 5


class NodeGate:
    """Around the routes of a node."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        self._known: tuple[float, NodeStanding] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        now = await run_in_threadpool(self._standing)
        told = [(SEQ, b"%d" % now.seq), (BEHIND, b"%d" % now.behind)]

        async def send_with_standing(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *told]}
            await send(message)

        if scope["method"] not in ("GET", "HEAD", "OPTIONS") and not _ASKS.fullmatch(scope["path"]):
            await problems.answer(Request(scope), Refused("node_takes_no_writes"))(scope, receive, send_with_standing)
            return
        if not now.behind or not _MAY_BE_NEWER.fullmatch(scope["path"]):
            await self._app(scope, receive, send_with_standing)
            return
        is_denied = False

        async def send_unless_denied(message: Message) -> None:
            nonlocal is_denied
            if message["type"] == "http.response.start" and message["status"] == 404:
                is_denied = True
            if not is_denied:
                await send_with_standing(message)

        await self._app(scope, receive, send_unless_denied)
        if is_denied:
            refused = Unavailable("not_yet_known", RETRY_S, {"case": "node", "seq": str(now.seq), "behind": str(now.behind)})
            await problems.answer(Request(scope), refused)(scope, receive, send_with_standing)

    def _standing(self) -> NodeStanding:
        clock = self._context.clock()
        if self._known is None or not 0 <= clock - self._known[0] < STANDING_S:
            with self._context.database.read() as connection:
                self._known = clock, standing(connection)
        return self._known[1]
