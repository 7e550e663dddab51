"""Static files: compressed once, under an address that changes with their content, so that browsers may keep them for good."""

import gzip
import hashlib
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.errors import Refused

FOLDER = files("service") / "web" / "static"
VERIFIER = files("verifier") / "web" / "zhengpiao-verify.html"

_TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".wasm": "application/wasm",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".txt": "text/plain; charset=utf-8",
}
_FOR_GOOD = "public, max-age=31536000, immutable"
_COMPRESSED = 512
"""Below that many bytes compressing saves nothing."""


@cache
def names() -> frozenset[str]:
    """Every file, as `name` or `folder/name`."""
    return frozenset(_walk(FOLDER, ""))


def _walk(folder: Traversable, prefix: str) -> list[str]:
    found = []
    for entry in folder.iterdir():
        name = prefix + entry.name
        found += _walk(entry, f"{name}/") if entry.is_dir() else [name]
    return found


@cache
def version() -> str:
    """Of all files together: their hash."""
    whole = hashlib.sha256()
    for name in sorted(names()):
        content = (FOLDER / name).read_bytes()
        whole.update(f"{name} {len(content)}\n".encode() + content)
    return whole.hexdigest()[:16]


@cache
def imports_of(script: str) -> tuple[str, ...]:
    """What a page's script imports at once, as scripts/build-web wrote it down: fetched together with it, not after it."""
    imports: dict[str, list[str]] = orjson.loads((FOLDER / "imports.json").read_bytes())
    return tuple(imports[script])


@lru_cache(maxsize=64)
def _compressed(name: str) -> bytes:
    return gzip.compress((FOLDER / name).read_bytes(), 9, mtime=0)


@cache
def _compressed_verifier() -> bytes:
    return gzip.compress(VERIFIER.read_bytes(), 9, mtime=0)


def compress(request: Request, content: bytes, compressed: bytes | None = None) -> tuple[bytes, dict[str, str]]:
    """The body for this browser, and the headers that go with it."""
    if len(content) < _COMPRESSED:
        return content, {}
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return content, {"Vary": "Accept-Encoding"}
    body = gzip.compress(content, 6, mtime=0) if compressed is None else compressed
    return body, {"Vary": "Accept-Encoding", "Content-Encoding": "gzip"}


def serve(request: Request) -> Response:
    """`/static/VERSION/NAME`. A page that was open while the service was renewed gets the new file, and may not keep it."""
    name = request.path_params["name"]
    if name not in names():
        raise Refused("no_such_resource")
    body, headers = compress(request, (FOLDER / name).read_bytes(), _compressed(name))
    headers["Cache-Control"] = _FOR_GOOD if request.path_params["version"] == version() else "no-cache"
    return Response(body, headers=headers, media_type=_TYPES["." + name.rpartition(".")[2]])


def serve_verifier(request: Request) -> Response:
    """The whole verifier in one file, to be kept: it is downloaded, never opened here, where it would run in our name."""
    body, headers = compress(request, VERIFIER.read_bytes(), _compressed_verifier())
    headers["Cache-Control"] = "no-cache"
    headers["Content-Disposition"] = 'attachment; filename="zhengpiao-verify.html"'
    return Response(body, headers=headers, media_type="text/html; charset=utf-8")
