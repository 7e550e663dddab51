"""What the handlers of one process share, made once from the settings."""

import ipaddress
import math
import time
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Annotated

from fastapi import Depends, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from service.api import cookies
from service.api.asking import Asking
from service.api.metrics import Metrics
from service.api.waiting import Waiting
from service.api.writes import Running
from service.auth.keys import Keyring, ids_of_role
from service.auth.principals import Principal, Role, of_session, record
from service.auth.sessions import Session
from service.config import Settings
from service.db import Database
from service.diagnosis.diagnose import Diagnostics
from service.diagnosis.nodes import Nodes
from service.errors import Refused, Unavailable
from service.formats.previews import Previews
from service.formats.sandbox import Sandbox
from service.invoices.submitting import Issuer
from service.ledger import health, status
from service.ledger.receipts import receipt_keys
from service.reprints import tokens
from service.vault import Vault, vault
from service.verification.chain import ChainReadings
from service.verification.material import Verification
from verifier.fields import Chain
from verifier.transport import HttpClient, origin
from verifier.trust import Trust

STATUS_S = 1.0
"""So long a process believes what it read of the backlog and of the worker."""


class Context:
    """Raises ValueError where the settings lack the contract or the receipt key. `clock` gives seconds since 1970 UTC."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        self.settings = settings
        self.clock = clock
        self.keys = receipt_keys(settings)
        assert settings.contract is not None
        self.chain = Chain(settings.chain_id, bytes.fromhex(settings.contract[2:]))
        trust = _trust(settings, self.chain, settings.public_service_keys or self.keys.public)
        self.trust = trust.to_json()
        # A thread holds one connection at a time, the waiting one more, and whoever answers questions for proofs another one.
        self.database = Database(settings.database_url.get_secret_value(), pool_size=settings.threads + 3)
        self.keyring = Keyring(self.database)
        self.metrics = Metrics(self.status, clock)
        self.waiting = Waiting(self.database)
        self.asking = Asking(self.database, self.chain)
        self.running = Running()
        self.http = HttpClient(settings.rpc_timeout_s)
        own = trust._replace(rpc_urls=settings.rpc_urls)
        # An endpoint that the trust file does not name is nobody's business, neither in reports.
        names = {origin(url): f"endpoint {n}" for n, url in enumerate(own.rpc_urls, 1) if url not in trust.rpc_urls}
        self.readings = readings = ChainReadings(own, self.http, names, lambda: self.clock())
        self.sandbox = Sandbox()
        self.previews = Previews(settings.material_max_pages)
        self.verification = Verification(self.database, self.chain, readings, self.sandbox, settings.public_url)
        self._nodes = Nodes(settings.nodes)
        self.diagnostics = Diagnostics(
            self.database,
            self.chain,
            trust.service_keys,
            readings,
            self._nodes,
            partial(ids_of_role, role="central"),
            settings.regions,
            settings.reprint_fee,
        )
        self._vault = vault(settings) if settings.data_keys is not None else None
        self._status: tuple[float, status.Status] | None = None
        self._anonymous = RateLimitItemPerMinute(settings.anonymous_per_minute) if settings.anonymous_per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def close(self) -> None:
        """End what was started, and close what is open."""
        self.verification.close()
        self.previews.close()
        self._nodes.close()
        self.http.close()
        self.database.close()

    def now_ms(self) -> int:
        return int(self.clock() * 1000)

    def status(self) -> status.Status:
        """As read within the last second."""
        now = self.clock()
        known = self._status
        if known is None or not 0 <= now - known[0] < STATUS_S:
            with self.database.read() as connection:
                known = self._status = now, status.read(connection, self.settings.max_backlog + 1)
        return known[1]

    def deadline(self, now_ms: int) -> int:
        """Of a receipt that is signed now, in ms since 1970 UTC. Raises Unavailable where nothing can be promised or accepted."""
        known = self.status()
        health.check_may_promise(known.health, self.settings)
        if known.backlog > self.settings.max_backlog:
            raise Unavailable("backlog_full", 10)
        return now_ms + 1000 * health.promise_s(known.health, now_ms / 1000, self.settings)

    def allow(self, request: Request, *roles: Role) -> Principal:
        """Who asks, by key or by session, if of one of `roles`. Raises Refused."""
        by_cookie = "authorization" not in request.headers and cookies.SESSION in request.cookies
        principal = of_session(self.session(request)) if by_cookie else self._of_key(request)
        if principal.role not in roles:
            raise Refused("role_not_allowed", {"role": principal.role, "needed": ", ".join(roles) or "applicant"})
        return principal

    def asker(self, request: Request) -> Principal | None:
        """Who asks what anybody may ask, if they say so. A session counts only with its CSRF token: without, it is somebody.

        Raises Refused for a key that is none.
        """
        if "authorization" in request.headers:
            return self._of_key(request)
        if cookies.SESSION not in request.cookies:
            return None
        try:
            return of_session(self.session(request))
        except Refused:
            return None

    def _of_key(self, request: Request) -> Principal:
        principal = self.keyring.principal(request.headers.get("authorization"))
        request.scope["principal"] = principal.id
        return principal

    def person(self, request: Request, *roles: Role) -> Principal:
        """The same for what people alone may do. Raises Refused("person_needed") for a key."""
        principal = self.allow(request, *roles)
        if principal.session is None:
            raise Refused("person_needed")
        return principal

    def require_fresh(self, principal: Principal) -> None:
        """Before what matters: raises Refused("reauthentication_required") for a person who proved too long ago who they are."""
        if principal.session is not None and not principal.session.is_fresh(self.now_ms()):
            raise Refused("reauthentication_required")

    def session(self, request: Request) -> Session:
        """Who is signed in. Raises Refused("not_signed_in"), or ("csrf_missing") for a write without the session's token."""
        found = cookies.session_of(self.database, request, self.now_ms())
        if found is None:
            raise Refused("not_signed_in")
        request.scope["principal"] = found.person.id
        cookies.check_csrf(request, found)
        return found

    def case(self, request: Request) -> str | None:
        """The case that an applicant's token is of; None where there is no such token. Raises Refused("case_token_invalid")."""
        scheme, _, written = request.headers.get("authorization", "").partition(" ")
        token = written.strip()
        if scheme.lower() != "bearer" or not token.startswith(tokens.PREFIX):
            return None
        with self.database.read() as connection:
            case_id = tokens.case_of(connection, token, self.now_ms())
        if case_id is None:
            raise Refused("case_token_invalid")
        request.scope["principal"] = case_id
        return case_id

    def applicant(self, request: Request, case_id: str, *others: Role) -> Principal | None:
        """None for who has a token of that case, else who asks, if of one of the roles `others`.

        Raises Refused: case_token_invalid, and as `allow`.
        """
        of_token = self.case(request)
        if of_token is None:
            return self.allow(request, *others)
        if of_token != case_id:
            raise Refused("case_token_invalid")
        return None

    def look(self, principal: Principal, action: str, object_: str, details: dict[str, str] | None = None) -> None:
        """Write down that a person looks at something of others, before it is shown; a key's looks are in the request log.

        Raises Refused("purpose_missing") where an auditor, who may look at everybody's, has not said what for.
        """
        if principal.session is None:
            return
        if principal.role == "auditor" and principal.session.purpose is None:
            raise Refused("purpose_missing")
        with self.database.write() as connection:
            record(connection, principal, self.now_ms(), action, object_, details)

    @property
    def vault(self) -> Vault:
        """What encrypts people's secrets at rest. Raises Unavailable("people_not_set_up") where no key is given for it."""
        if self._vault is None:
            raise Unavailable("people_not_set_up", 3600)
        return self._vault

    def issuer(self, request: Request) -> Issuer:
        """The same for those who register."""
        principal = self.allow(request, "issuer")
        return Issuer(principal.id, principal.sellers)

    def limit_anonymous(self, request: Request) -> None:
        """Count a request without a key against its network. Raises Unavailable("too_many_requests")."""
        if self._anonymous is None:
            return
        network = _network(request.client.host if request.client else "")
        if not self._limiter.hit(self._anonymous, network):
            reset = self._limiter.get_window_stats(self._anonymous, network).reset_time
            seconds = max(1, math.ceil(reset - self.clock()))
            raise Unavailable("too_many_requests", seconds, {"seconds": str(seconds)})


def _trust(settings: Settings, chain: Chain, public_keys: dict[str, bytes]) -> Trust:
    urls = settings.public_rpc_urls
    if urls is None:
        urls = () if settings.env == "production" else settings.rpc_urls
    return Trust(
        chain,
        public_keys,
        urls,
        settings.confirmations,
        settings.promise_s,
        settings.heartbeat_s,
        settings.grace_s,
        settings.max_lag_s,
    )


@lru_cache(4096)
def _network(host: str) -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that one IPv6 customer has at least."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.version == 4:
        return host
    return address.ipv4_mapped.exploded if address.ipv4_mapped else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)))


async def _context(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


async def _limit_anonymous(request: Request) -> None:
    request.app.state.context.limit_anonymous(request)


Here = Annotated[Context, Depends(_context)]
ANONYMOUS = Depends(_limit_anonymous)
"""For every operation that anybody may POST to."""
