"""What every page has, public or of a desk: templates, language, the headers that it is served under."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request

from service.api import problems
from service.messages import Language
from service.web import policy

ICONS = Markup((files("verifier") / "web" / "page" / "icons.svg").read_text(encoding="utf-8"))  # noqa: S704  our own file
SWITCHING = Markup(policy.SWITCHING)  # noqa: S704  a constant
environment = Environment(
    loader=PackageLoader("service.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)


def language_of(request: Request) -> Language:
    """The one asked for by `?lang=`, else the browser's. A choice that was kept in the browser is put in place there."""
    asked = request.query_params.get("lang")
    chosen: dict[str | None, Language] = {"zh-CN": "zh", "en": "en"}
    return chosen.get(asked) or problems.language_of(request)


def headers(public_url: str, connect: Iterable[str], tag: str, *, scans: bool) -> dict[str, str]:
    """`connect` are origins beside our own that the page may ask; `scans`: it may read QR codes."""
    return {
        "Content-Security-Policy": policy.content_security_policy(connect, scans=scans),
        "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
        # Without TLS a browser ignores it, and complains.
        **({"Cross-Origin-Opener-Policy": "same-origin"} if public_url.startswith("https:") else {}),
        "Cache-Control": "no-cache",
        "Content-Language": tag,
        "Vary": "Accept-Encoding, Accept-Language",
    }


def data(value: Any) -> Markup:
    """For a script element that holds data: nothing in it can end the element."""
    return Markup(orjson.dumps(value).decode().replace("<", "\\u003c"))  # noqa: S704  escaped here
