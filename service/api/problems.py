"""Refusals and failures as RFC 9457 answers, in the language of Accept-Language. No internal detail ever leaves."""

import re
from collections.abc import Sequence
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException
from starlette.responses import Response

from service.api import catalogue
from service.errors import Finding, Refused, Unavailable
from service.invoices.proofs import NotProven
from service.messages import Language

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
PATH = "/problems/"
"""`type` is this path and the code, at the service's public URL; what a code means is answered there."""

_BY_STATUS = {404: "no_such_resource", 405: "method_not_allowed", 413: "body_too_large", 415: "media_type_unsupported"}
_LANGUAGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9-]*)?\s*(?:;\s*q=([01](?:\.[0-9]{0,3})?)\s*)?")
_RETRY_S = {"idempotency_running": 1}


def language_of(request: Request) -> Language:
    """zh unless Accept-Language (RFC 9110 section 12.5.4) likes English better."""
    header = request.headers.get("accept-language")
    if not header:
        return "zh"
    liking = {"zh": 0.0, "en": 0.0}
    for part in header[:500].split(","):
        found = _LANGUAGE.fullmatch(part)
        if found and (name := found[1].lower()) in liking:
            liking[name] = max(liking[name], float(found[2] or 1))
    return "en" if liking["en"] > liking["zh"] else "zh"


def findings_members(findings: Sequence[Finding], language: Language) -> list[dict[str, str]]:
    """As `findings` and `errors` show them. Pointers of findings about content lead into the sections, others into the body."""
    return [
        {
            "pointer": finding.pointer,
            "code": finding.code,
            "severity": finding.severity,
            "detail": catalogue.detail_of_error(finding.code, finding.params, language, finding.pointer),
        }
        for finding in findings
    ]


def members(refused: Refused, language: Language, public_url: str) -> dict[str, Any]:
    """The members of a problem, as an answer's body or as a line or row of a longer answer."""
    found = catalogue.find(refused.code, refused.params)
    said: dict[str, Any] = {
        "type": f"{public_url}{PATH}{refused.code}",
        "title": found.title[language == "en"],
        "status": found.status,
        "detail": catalogue.sentence(found.detail, refused.params, language),
        "code": refused.code,
        **refused.extra,
    }
    if refused.findings:
        said["errors"] = findings_members(refused.findings, language)
    return said


def answer(request: Request, refused: Refused) -> Response:
    """The whole answer."""
    language = language_of(request)
    said = members(refused, language, request.app.state.context.settings.public_url)
    headers = {"Content-Language": "en" if language == "en" else "zh-CN", "Vary": "Accept-Language"}
    retry_s = refused.retry_after_s if isinstance(refused, Unavailable) else _RETRY_S.get(refused.code)
    if retry_s is not None:
        headers["Retry-After"] = str(retry_s)
    if said["status"] == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(orjson.dumps(said), said["status"], headers, MEDIA_TYPE)


def refusal_of(error: Exception, request_id: str) -> Refused:
    """What an exception is answered as. One that nobody expected is logged, under the id that the answer names."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, (OperationalError, InterfaceError, NoConnectionFree)) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        log.error("database_unavailable", request_id=request_id, kind=type(getattr(error, "orig", error)).__name__)
        return Unavailable("database_unavailable", 2)
    if isinstance(error, NotProven):
        log.critical("not_proven", request_id=request_id, reason=str(error))
        return Refused("not_proven", {"request_id": request_id})
    log.error("internal_error", request_id=request_id, exc_info=error)
    return Refused("internal_error", {"request_id": request_id})


def install(app: FastAPI) -> None:
    """Answer our own refusals, and those of the framework, alike."""
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _parameters)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return answer(request, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    made = answer(request, Refused(_BY_STATUS.get(error.status_code, "bad_request")))
    for name, value in (error.headers or {}).items():
        made.headers[name] = value
    return made


async def _parameters(request: Request, error: Exception) -> Response:
    """Path and query parameters that FastAPI refused; bodies are read by bodies.py."""
    assert isinstance(error, RequestValidationError)
    found = [
        Finding(
            "parameter_missing" if item["type"] == "missing" else "parameter_invalid", "error", "", {"name": str(item["loc"][-1])}
        )
        for item in error.errors()
    ]
    return answer(request, Refused("invalid_request", findings=found))
