"""The Content-Security-Policy of pages, and which other hosts a page may ask."""

import base64
import hashlib
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_CHOSEN = 4
"""Endpoints of the visitor's own choice."""

SWITCHING = (
    'try{let l=localStorage.getItem("zhengpiao.language");'
    'if(l&&l!=document.documentElement.lang)document.documentElement.className="switching"}catch{}'
)
"""The one inline script: it hides the page until its language is the visitor's, so that the other is not seen first."""

_ORIGIN = re.compile(r"https?://(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?")


def origin(url: str) -> str | None:
    """Scheme, host and port as a browser writes them; None for what is no http or https address in ASCII."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    default = {"http": 80, "https": 443}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    made = f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, default) else "")
    return made if _ORIGIN.fullmatch(made) else None


def chosen(parameter: str) -> tuple[str, ...]:
    """Origins that the visitor's browser asks to be allowed, comma-separated in `?connect=`; what is none is left out.

    Whoever makes a link can put any in: it widens what the page may ask, and the page asks only what is kept in that browser.
    """
    return tuple(one for one in dict.fromkeys(parameter.split(",")) if _ORIGIN.fullmatch(one))[:MAX_CHOSEN]


def content_security_policy(connect: Iterable[str], *, scans: bool) -> str:
    """`scans`: the page may load the WebAssembly that reads QR codes."""
    inline = base64.b64encode(hashlib.sha256(SWITCHING.encode()).digest()).decode()
    directives = {
        "default-src": "'none'",
        "script-src": f"'self' 'sha256-{inline}'" + (" 'wasm-unsafe-eval'" if scans else ""),
        "style-src": "'self'",
        "img-src": "'self' blob:",
        "connect-src": " ".join(("'self'", *connect)),
        "worker-src": "'self'",
        "manifest-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "zhengpiao",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
