"""How an operation is written down, once for the router and for /openapi.json, with an example of what is sent and answered."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, NamedTuple

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from starlette.responses import Response

from service.api import cookies, examples
from service.api.models.answers import Problem
from service.api.models.requests import Request
from service.api.parameters import refuse_unknown
from service.api.problems import MEDIA_TYPE as PROBLEM
from service.auth.principals import Role

JSON = "application/json"
_PROBLEM_SCHEMA = "#/components/schemas/Problem"
APPLICANT = "applicant"
"""Among the roles of an operation: whoever has a token of the case in its path."""
SECURITY_SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key: zp_test_… or zp_live_…"},
    "case": {"type": "http", "scheme": "bearer", "description": "Of one reprint case: zpc_… (POST /v1/reprints/{id}/session)"},
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookies.SESSION,
        "description": f"Of POST /v1/session. Every write sends the session's csrf as {cookies.CSRF_HEADER}.",
    },
}
OF_PEOPLE: tuple[Role, ...] = ("issuer", "auditor", "operator", "reviewer", "approver")
"""Roles that people have: a clerk is an issuer."""
PEOPLE_ONLY: tuple[Role, ...] = ("reviewer", "approver")
"""Those that no key has."""

_WRITES = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Sent again with the same body it gets the same answer, and nothing is done twice.",
}
_LANGUAGE = {
    "name": "Accept-Language",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "zh-CN (the default) or en, for the sentences.",
}


class Sent(NamedTuple):
    """A request's body. `schema` is a model, or JSON Schema where the body is not JSON."""

    example: Any
    schema: type[Request] | dict[str, Any]
    media_type: str = JSON


class Answered(NamedTuple):
    """An answer that is no problem. `schema` is a model, or JSON Schema where there is none."""

    example: Any
    schema: type[BaseModel] | dict[str, Any]
    status: int = 200
    media_type: str = JSON
    description: str = "Done."


class Operations(APIRouter):
    """A router that knows the examples of its operations."""

    def __init__(self, tag: str) -> None:
        super().__init__(tags=[tag], dependencies=[Depends(refuse_unknown)])
        self.examples: dict[tuple[str, str], tuple[tuple[Answered, ...], tuple[Sent, ...]]] = {}

    def operation(
        self,
        method: str,
        path: str,
        summary: str,
        answered: Answered,
        *other_answers: Answered,
        roles: tuple[Role, ...] = (),
        sent: tuple[Sent, ...] = (),
        is_write: bool = False,
        people_only: bool = False,
        applicant: bool = False,
        description: str = "",
        **route: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a handler. `roles` are documented here and asked for in the handler; a test holds the two together.

        `people_only`: who signs in with a key, of whatever role, may not. `applicant`: whoever has the token of the case may, too.
        """
        problem = {"description": "What went wrong, by RFC 9457.", "content": {PROBLEM: {"schema": {"$ref": _PROBLEM_SCHEMA}}}}
        extra: dict[str, Any] = {"parameters": [_LANGUAGE, _WRITES] if is_write else [_LANGUAGE]}
        if roles or applicant:
            by_key, by_session = bool(set(roles) - set(PEOPLE_ONLY)) and not people_only, bool(set(roles) & set(OF_PEOPLE))
            extra["security"] = [{"case": []}] * applicant + [{"key": []}] * by_key + [{"session": []}] * by_session
            extra["x-roles"] = [APPLICANT] * applicant + list(roles)
            if people_only:
                extra["x-people-only"] = True
        if sent:
            content = {body.media_type: {"schema": _schema(body.schema)} for body in sent}
            extra["requestBody"] = {"required": True, "content": content}
        every = (answered, *other_answers)
        self.examples[path, method.lower()] = every, sent
        return self.api_route(
            path,
            methods=[method],
            summary=summary,
            description=description,
            status_code=answered.status,
            response_class=Response,
            response_model=None,
            responses={**_responses(every), "default": problem},
            openapi_extra=extra,
            **route,
        )


def _responses(every: Iterable[Answered]) -> dict[int | str, dict[str, Any]]:
    """By status; where one has several media types, with the content of each."""
    made: dict[int | str, dict[str, Any]] = {}
    for one in every:
        response = _response(one)
        known = made.setdefault(one.status, response)
        if known is not response:
            known["content"] = {**known.get("content", {}), **response["content"]}
    return made


def _response(answered: Answered) -> dict[str, Any]:
    if isinstance(answered.schema, dict):
        return {"description": answered.description, "content": {answered.media_type: {"schema": answered.schema}}}
    return {"description": answered.description, "model": answered.schema}


def _schema(schema: type[Request] | dict[str, Any]) -> dict[str, Any]:
    return schema if isinstance(schema, dict) else schema.model_json_schema()


def install(app: FastAPI, routers: Iterable[Operations]) -> None:
    """Serve the document of these routers; it is made once."""

    @cache
    def document() -> dict[str, Any]:
        made = get_openapi(
            title=app.title, version=app.version, openapi_version="3.1.0", description=app.description, routes=app.routes
        )
        for router in routers:
            for (path, method), (every, sent) in router.examples.items():  # FastAPI's own way leaves out what is null
                operation = made["paths"][path][method]
                for one in every:
                    operation["responses"][str(one.status)]["content"][one.media_type]["example"] = one.example
                for body in sent:
                    operation["requestBody"]["content"][body.media_type]["example"] = body.example
        parts = made.setdefault("components", {})
        parts.setdefault("securitySchemes", {}).update(SECURITY_SCHEMES)
        problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        problem.pop("$defs", None)
        parts.setdefault("schemas", {})["Problem"] = {**problem, "examples": [examples.PROBLEM]}
        return made

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way to change it
