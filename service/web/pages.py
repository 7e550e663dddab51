"""`/`, `/v`, `/verify` and the static files."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from service.api import problems
from service.api.bodies import MAX_SMALL, read_bytes
from service.api.context import Context
from service.messages import Language
from service.web import policy, server_answer, static
from service.web.texts import TAGS, Tag, text


class Page(NamedTuple):
    """`scans`: it may read QR codes."""

    template: str
    title: str
    script: str
    scans: bool = True


PAGES = {
    "/": Page("lookup.html", "title.lookup", "lookup.js"),
    "/v": Page("copy.html", "title.copy", "copy.js", scans=False),
    "/verify": Page("files.html", "title.files", "files.js"),
}

_ICONS = Markup((files("verifier") / "web" / "page" / "icons.svg").read_text(encoding="utf-8"))  # noqa: S704  our own file
_environment = Environment(
    loader=PackageLoader("service.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


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
    wrong, said = server_answer.answer(context, request.client.host if request.client else None, form, _language(request))
    return _render(request, "/", {"form": form, "wrong": wrong, "said": said}, said.status if said else 422)


def routes() -> list[Route]:
    """Without FastAPI, which refuses a query that it does not know: what passes an address on may put something behind it."""
    return [
        *(Route(path, page(path), methods=["GET"]) for path in PAGES),
        Route("/", look_up, methods=["POST"]),
        Route("/static/{version}/{name:path}", static.serve, methods=["GET"]),
        Route("/zhengpiao-verify.html", static.serve_verifier, methods=["GET"]),
    ]


def _language(request: Request) -> Language:
    """The one asked for by `?lang=`, else the browser's. A choice that was kept in the browser is put in place there."""
    asked = request.query_params.get("lang")
    chosen: dict[str | None, Language] = {"zh-CN": "zh", "en": "en"}
    return chosen.get(asked) or problems.language_of(request)


def _render(request: Request, path: str, shown: dict[str, Any], status: int = 200) -> Response:
    context: Context = request.app.state.context
    found = PAGES[path]
    tag: Tag = TAGS[_language(request)]

    def t(key: str, **params: str) -> str:
        return text(tag, key, **params)

    trust = orjson.loads(context.trust)
    endpoints = [made for url in trust.get("rpc_urls", []) if (made := policy.origin(url))]
    connect = list(dict.fromkeys([*endpoints, *policy.chosen(request.query_params.get("connect", ""))]))
    public_url = context.settings.public_url
    folder = f"/static/{static.version()}"
    html = _environment.get_template(found.template).render(
        t=t,
        tag=tag,
        path=path,
        title=t(found.title),
        folder=folder,
        script=found.script,
        preload=static.imports_of(found.script),
        preconnect=endpoints,
        icons=_ICONS,
        switching=Markup(policy.SWITCHING),  # noqa: S704  a constant
        data=_json({"trust": trust, "public_url": public_url, "connect": connect, "static": folder}),
        **shown,
    )
    body, headers = static.compress(request, html.encode())
    headers |= {
        "Content-Security-Policy": policy.content_security_policy(connect, scans=found.scans),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        # Without TLS a browser ignores it, and complains.
        **({"Cross-Origin-Opener-Policy": "same-origin"} if public_url.startswith("https:") else {}),
        "Cache-Control": "no-cache",
        "Content-Language": tag,
        "Vary": "Accept-Encoding, Accept-Language",
    }
    return Response(body, status, headers, "text/html; charset=utf-8")


def _json(value: Any) -> Markup:
    """For a script element that holds data: nothing in it can end the element."""
    return Markup(orjson.dumps(value).decode().replace("<", "\\u003c"))  # noqa: S704  escaped here
