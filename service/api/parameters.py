"""Query and path parameters: an unknown one is an error, as an unknown member is."""

from typing import Annotated

from fastapi import Query, Request

from service.errors import Finding, Refused

Limit = Annotated[int, Query(ge=1, le=200)]
"""Rows of a page."""
Cursor = Annotated[int | None, Query(ge=1, le=2**53 - 1)]
"""The number of a page's last row, behind which the next one begins."""


def place_of(cursor: str | None) -> tuple[int, str] | None:
    """(time in ms, id) of such a row where ids are no numbers: `time.id`, of a parameter whose pattern says so."""
    if cursor is None:
        return None
    at, _, id_ = cursor.partition(".")
    return int(at), id_


async def refuse_unknown(request: Request) -> None:
    """For every operation: `?dryrun=true` must not register what `?dry_run=true` would only have tried."""
    if not request.scope["query_string"]:
        return
    known = {field.alias for field in request.scope["route"].dependant.query_params}
    unknown = [name for name in dict.fromkeys(request.query_params) if name not in known]
    if unknown:
        raise Refused("invalid_request", findings=[parameter_error("parameter_unknown", name) for name in unknown[:20]])
    repeated = {name for name in known if len(request.query_params.getlist(name)) > 1}
    if repeated:
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", name) for name in sorted(repeated)])


def parameter_error(code: str, name: str) -> Finding:
    """About a parameter: there is no pointer to it, its name is in the sentence."""
    return Finding(code, "error", "", {"name": name[:100]})
