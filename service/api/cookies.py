"""Sessions by cookie: whose they are, and what must come with every write (OWASP, "Cross-Site Request Forgery Prevention").

`__Host-` cookies are Secure, of this host alone and for all its paths (RFC 6265bis section 4.1.3). Chromium and Firefox take
http://localhost and http://127.0.0.1 for secure, so that a demo needs nothing else.
"""

from hmac import compare_digest

from fastapi import Request
from starlette.responses import Response

from service.auth import sessions
from service.auth.sessions import Session, SignedIn
from service.db import Database
from service.errors import Refused

SESSION = "__Host-zhengpiao-session"
DEVICE = "__Host-zhengpiao-device"
CSRF_HEADER = "X-CSRF-Token"
_READS = ("GET", "HEAD", "OPTIONS")


def session_of(database: Database, request: Request, now_ms: int) -> Session | None:
    """The session that the request's cookie names, if it has not ended; being used keeps it from ending."""
    token = request.cookies.get(SESSION)
    if token is None:
        return None
    with database.read() as connection:
        session = sessions.read(connection, token, now_ms)
    if session is not None and now_ms - session.seen_at >= sessions.TOUCH_MS:
        with database.write() as connection:
            sessions.touch(connection, token, now_ms)
    return session


def check_csrf(request: Request, session: Session) -> None:
    """Raises Refused("csrf_missing") for a write without the session's own token."""
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in _READS and not compare_digest(sent.encode(), session.csrf.encode()):
        raise Refused("csrf_missing")


def check_same_site(request: Request) -> None:
    """For writes before there is a session: raises Refused("csrf_missing") where a browser says that another site sent it."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("csrf_missing")


def give(response: Response, signed_in: SignedIn) -> None:
    """The session ends with the browser; the device stays known."""
    _set(response, SESSION, signed_in.token, None)
    _set(response, DEVICE, signed_in.device, sessions.DEVICE_MS // 1000)


def take(response: Response) -> None:
    """End the session's cookie. The device stays known."""
    _set(response, SESSION, "", 0)


def _set(response: Response, name: str, value: str, max_age_s: int | None) -> None:
    response.set_cookie(name, value, max_age=max_age_s, path="/", secure=True, httponly=True, samesite="strict")
