"""What a person sees at an address where nothing is: a small page. Programs get a problem, as everywhere."""

import re

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from service.messages import Language
from service.web import shell, static
from service.web.texts import TAGS, text

_OF_PROGRAMS = re.compile(r"/(?:v1|static|problems)(?:/.*)?|/openapi\.json|/metrics|/status|/livez|/readyz")
_HTML = re.compile(r"text/html\s*(?:;|$)", re.IGNORECASE)

TEXTS: dict[str, tuple[str, str]] = {
    "title": ("没有这个页面", "There is no such page"),
    "said": (
        "请核对网址。二维码的网址要连同 # 后面的部分一起复制。",
        "Check the address. That of a QR code has to be copied together with what stands behind its #.",
    ),
    "lookup": ("查一张发票", "Check an invoice"),
    "files": ("核验文件", "Verify files"),
}


def install(app: FastAPI) -> None:
    """In front of the handler that makes problems of 404."""
    as_problem = app.exception_handlers[HTTPException]

    async def answer(request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException) and error.status_code == 404 and _is_for_a_person(request):
            return page(request)
        made: Response = await as_problem(request, error)  # type: ignore[misc]  # ours is a coroutine
        return made

    app.add_exception_handler(HTTPException, answer)


def _is_for_a_person(request: Request) -> bool:
    accepted = request.headers.get("accept", "").split(",")
    return (
        request.method in ("GET", "HEAD")
        and not _OF_PROGRAMS.fullmatch(request.url.path)
        and any(_HTML.match(one.strip()) for one in accepted)
    )


def page(request: Request) -> Response:
    language = shell.language_of(request)
    tag = TAGS[language]
    html = shell.environment.get_template("missing.html").render(
        tag=tag,
        other="zh-CN" if tag == "en" else "en",
        switch=text(tag, "nav.language"),
        name=text(tag, "site.name"),
        folder=f"/static/{static.version()}",
        **{key: _in(language, pair) for key, pair in TEXTS.items()},
    )
    headers = shell.headers(request.app.state.context.settings.public_url, (), tag, scans=False)
    return Response(html.encode(), 404, headers, "text/html; charset=utf-8")


def _in(language: Language, pair: tuple[str, str]) -> str:
    return pair[language == "en"]
