"""`/sign-in`, `/welcome` and the desks behind them: a shell for the one who is signed in; the scripts in it ask the API."""

import re
from collections.abc import Callable
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import quote

import orjson
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from service.api import cookies
from service.api.context import Context
from service.api.staff.session import session_members
from service.auth.principals import Role, of_session
from service.auth.sessions import Session
from service.deliveries import events
from service.web import policy, shell, static
from service.web.texts import TAGS, Tag, desk_text


class Desk(NamedTuple):
    """A page of a desk: its script, who may open it, and which entry of the navigation it stands under."""

    script: str
    roles: tuple[Role, ...]
    under: str


class Entry(NamedTuple):
    """Of the navigation."""

    href: str
    icon: str
    roles: tuple[Role, ...]


_AUDIT: tuple[Role, ...] = ("auditor",)
_OPERATE: tuple[Role, ...] = ("operator",)
_REVIEW: tuple[Role, ...] = ("reviewer",)
_PAID: tuple[Role, ...] = ("reviewer", "operator")
_COUNTED: tuple[Role, ...] = ("reviewer", "operator", "auditor")
_ISSUE: tuple[Role, ...] = ("issuer", "approver")
_CLERK: tuple[Role, ...] = ("issuer",)

DESKS = {
    "/audit": Desk("overview.js", _AUDIT, "/audit"),
    "/audit/invoices": Desk("invoices.js", _AUDIT, "/audit/invoices"),
    "/audit/invoices/{number}": Desk("invoice.js", _AUDIT, "/audit/invoices"),
    "/audit/anchors": Desk("anchors.js", _AUDIT, "/audit/anchors"),
    "/audit/anchors/{seq}": Desk("anchor.js", _AUDIT, "/audit/anchors"),
    "/audit/runs": Desk("runs.js", _AUDIT, "/audit/runs"),
    "/audit/runs/{run}": Desk("run.js", _AUDIT, "/audit/runs"),
    "/audit/runs/{run}/{finding}": Desk("finding.js", _AUDIT, "/audit/runs"),
    "/audit/charts": Desk("charts.js", _AUDIT, "/audit/charts"),
    "/audit/gaps": Desk("gaps.js", _AUDIT, "/audit/gaps"),
    "/audit/activity": Desk("activity.js", _AUDIT, "/audit/activity"),
    "/operator": Desk("releases.js", _OPERATE, "/operator"),
    "/operator/releases/{number}": Desk("release.js", _OPERATE, "/operator"),
    "/operator/users": Desk("users.js", _OPERATE, "/operator/users"),
    "/operator/keys": Desk("keys.js", _OPERATE, "/operator/keys"),
    "/operator/deliveries": Desk("operator_deliveries.js", _OPERATE, "/operator/deliveries"),
    "/operator/activity": Desk("activity.js", _OPERATE, "/operator/activity"),
    "/staff": Desk("staff_queue.js", _REVIEW, "/staff"),
    "/staff/cases/{case}": Desk("staff_case.js", _REVIEW, "/staff"),
    "/staff/payments": Desk("staff_payments.js", _PAID, "/staff/payments"),
    "/staff/feedback": Desk("staff_feedback.js", _REVIEW, "/staff/feedback"),
    "/staff/statistics": Desk("staff_statistics.js", _COUNTED, "/staff/statistics"),
    "/issuer/replacements": Desk("issuer_replacements.js", _ISSUE, "/issuer/replacements"),
    "/issuer/replacements/{case}": Desk("issuer_replacement.js", _ISSUE, "/issuer/replacements"),
    "/issuer/webhooks": Desk("webhooks.js", _CLERK, "/issuer/webhooks"),
    "/issuer/webhooks/{webhook}": Desk("webhook.js", _CLERK, "/issuer/webhooks"),
    "/operator/webhooks": Desk("webhooks.js", _OPERATE, "/operator/webhooks"),
    "/operator/webhooks/{webhook}": Desk("webhook.js", _OPERATE, "/operator/webhooks"),
    "/audit/webhooks": Desk("webhooks.js", _AUDIT, "/audit/webhooks"),
    "/audit/webhooks/{webhook}": Desk("webhook.js", _AUDIT, "/audit/webhooks"),
}
NAVIGATION = (
    Entry("/audit", "home", _AUDIT),
    Entry("/audit/invoices", "search", _AUDIT),
    Entry("/audit/anchors", "anchor", _AUDIT),
    Entry("/audit/runs", "balance", _AUDIT),
    Entry("/audit/gaps", "gaps", _AUDIT),
    Entry("/audit/charts", "chart", _AUDIT),
    Entry("/operator", "release", _OPERATE),
    Entry("/operator/users", "people", _OPERATE),
    Entry("/operator/keys", "key", _OPERATE),
    Entry("/staff", "queue", _REVIEW),
    Entry("/staff/payments", "money", _PAID),
    Entry("/staff/feedback", "talk", _REVIEW),
    Entry("/staff/statistics", "statistics", _COUNTED),
    Entry("/operator/deliveries", "upload", _OPERATE),
    Entry("/operator/webhooks", "push", _OPERATE),
    Entry("/audit/webhooks", "push", _AUDIT),
    Entry("/audit/activity", "log", _AUDIT),
    Entry("/operator/activity", "log", _OPERATE),
    Entry("/issuer/replacements", "replaced", _ISSUE),
    Entry("/issuer/webhooks", "push", _CLERK),
)
HOME: dict[Role, str] = {
    "auditor": "/audit",
    "operator": "/operator",
    "reviewer": "/staff",
    "issuer": "/issuer/replacements",
    "approver": "/issuer/replacements",
}
"""Where somebody comes to who has signed in."""

_ICONS = Markup((files("service") / "web" / "desk" / "icons.svg").read_text(encoding="utf-8"))  # noqa: S704  our own file
_NEXT = re.compile(r"/(?:audit|operator|staff|issuer)(?:/[A-Za-z0-9._:/-]*)?")


def routes() -> list[Route]:
    return [
        Route("/sign-in", _sign_in, methods=["GET"]),
        Route("/welcome", _welcome, methods=["GET"]),
        *(Route(path, _desk(path), methods=["GET"]) for path in DESKS),
    ]


def _sign_in(request: Request) -> Response:
    """Who comes from another site has no cookie along: the page itself asks whether somebody is signed in already."""
    wanted = request.query_params.get("next", "")
    return _render(request, "sign_in.html", "sign_in.js", "title.sign_in", {"next": wanted if _NEXT.fullmatch(wanted) else None})


def _welcome(request: Request) -> Response:
    return _render(request, "welcome.html", "welcome.js", "title.welcome", {})


def _desk(path: str) -> Callable[[Request], Response]:
    desk = DESKS[path]

    def handle(request: Request) -> Response:
        context: Context = request.app.state.context
        session = cookies.session_of(context.database, request, context.now_ms())
        if session is None:
            return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", 303, {"Cache-Control": "no-store"})
        role = of_session(session).role
        if role not in desk.roles:
            return _render(request, "elsewhere.html", "elsewhere.js", "title.elsewhere", {}, session, status=403)
        name = desk.script.removesuffix(".js")
        offered = [type_ for type_, roles in events.TYPES.items() if role in roles]
        data = {"params": dict(request.path_params), "events": offered}
        return _render(request, "page.html", desk.script, f"title.{name}", data, session, desk.under)

    return handle


def _render(
    request: Request,
    template: str,
    script: str,
    title: str,
    data: dict[str, Any],
    session: Session | None = None,
    under: str = "",
    status: int = 200,
) -> Response:
    context: Context = request.app.state.context
    tag: Tag = TAGS[shell.language_of(request)]
    role = of_session(session).role if session is not None else None

    def t(key: str, **params: str) -> str:
        return desk_text(tag, key, **params)

    trust = orjson.loads(context.trust)
    nodes = list(context.settings.nodes)
    connect = [made for url in [*trust.get("rpc_urls", []), *nodes] if (made := policy.origin(url))]
    folder = f"/static/{static.version()}"
    html = shell.environment.get_template(f"desk/{template}").render(
        t=t,
        tag=tag,
        title_key=title,
        heading=title.replace("title.", "heading."),
        folder=folder,
        script=f"desk/{script}",
        preload=static.imports_of(f"desk/{script}"),
        icons=shell.ICONS + _ICONS,
        switching=shell.SWITCHING,
        navigation=[entry for entry in NAVIGATION if role in entry.roles],
        under=under,
        person=session.person if session is not None else None,
        home=HOME.get(role, "/") if role is not None else "/",
        data=shell.data(
            {
                "trust": trust,
                "public_url": context.settings.public_url,
                "nodes": nodes,
                "home": {**HOME, "clerk": HOME["issuer"]},  # a clerk is an issuer's
                "session": session_members(session) if session is not None else None,
                **data,
            }
        ),
    )
    body, headers = static.compress(request, html.encode())
    headers |= shell.headers(context.settings.public_url, connect, tag, scans=False)
    headers["Cache-Control"] = "no-store"
    return Response(body, status, headers, "text/html; charset=utf-8")
