"""`/`, `/v`, `/verify`, the applicant's pages and the static files."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api.bodies import MAX_SMALL, read_bytes
from service.api.context import Context
from service.web import policy, server_answer, shell, static
from service.web.texts import TAGS, Tag, applicant_text, text


class Page(NamedTuple):
    """`scans`: it may read QR codes; `of_applicant`: it has texts and a look of its own, and asks the service alone."""

    template: str
    title: str
    script: str
    scans: bool = True
    of_applicant: bool = False


PAGES = {
    "/": Page("lookup.html", "title.lookup", "lookup.js"),
    "/v": Page("copy.html", "title.copy", "copy.js", scans=False),
    "/verify": Page("files.html", "title.files", "files.js"),
    "/reprint": Page("reprint.html", "title.reprint", "applicant/reprint.js", of_applicant=True),
    "/feedback": Page("feedback.html", "title.feedback", "applicant/feedback.js", scans=False, of_applicant=True),
    "/unsubscribe": Page("unsubscribe.html", "title.unsubscribe", "applicant/unsubscribe.js", scans=False, of_applicant=True),
}

_APPLICANT_ICONS = Markup((files("service") / "web" / "applicant" / "icons.svg").read_text(encoding="utf-8"))  # noqa: S704  our own


def page(path: str) -> Callable[[Request], Response]:
    """The handler of one page."""

    def handle(request: Request) -> Response:
        form = server_answer.form_of({})
        return _render(request, path, {"form": form, "wrong": {}, "said": None})

    return handle


async def look_up(request: Request) -> Response:
    """The form of `/`, sent by a browser without JavaScript."""
    body = await read_bytes(request, MAX_SMALL)
    return await run_in_threadpool(_look_up, request, body)


def _look_up(request: Request, body: bytes) -> Response:
    context: Context = request.app.state.context
    context.limit_anonymous(request)
    form = server_answer.form_of(parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=20))
    wrong, said = server_answer.answer(context, request.client.host if request.client else None, form, shell.language_of(request))
    return _render(request, "/", {"form": form, "wrong": wrong, "said": said}, said.status if said else 422)


def routes() -> list[Route]:
    """Without FastAPI, which refuses a query that it does not know: what passes an address on may put something behind it."""
    return [
        *(Route(path, page(path), methods=["GET"]) for path in PAGES),
        Route("/", look_up, methods=["POST"]),
        Route("/static/{version}/{name:path}", static.serve, methods=["GET"]),
        Route("/zhengpiao-verify.html", static.serve_verifier, methods=["GET"]),
    ]


def _render(request: Request, path: str, shown: dict[str, Any], status: int = 200) -> Response:
    context: Context = request.app.state.context
    found = PAGES[path]
    tag: Tag = TAGS[shell.language_of(request)]

    def t(key: str, **params: str) -> str:
        return (applicant_text if found.of_applicant else text)(tag, key, **params)

    trust = orjson.loads(context.trust)
    endpoints = [made for url in trust.get("rpc_urls", []) if (made := policy.origin(url))]
    connect = list(dict.fromkeys([*endpoints, *policy.chosen(request.query_params.get("connect", ""))]))
    if found.of_applicant:
        endpoints, connect = [], []
    public_url = context.settings.public_url
    folder = f"/static/{static.version()}"
    html = shell.environment.get_template(found.template).render(
        t=t,
        tag=tag,
        path=path,
        title=t(found.title),
        folder=folder,
        script=found.script,
        preload=static.imports_of(found.script),
        preconnect=endpoints,
        icons=shell.ICONS + _APPLICANT_ICONS if found.of_applicant else shell.ICONS,
        style="applicant/applicant.css" if found.of_applicant else "page.css",
        switching=shell.SWITCHING,
        data=shell.data({"trust": trust, "public_url": public_url, "connect": connect, "static": folder}),
        **shown,
    )
    body, headers = static.compress(request, html.encode())
    headers |= shell.headers(public_url, connect, tag, scans=found.scans)
    return Response(body, status, headers, "text/html; charset=utf-8")
