"""For those who follow: the feed, the register's pages, and their word that it arrived."""

import re
from collections.abc import Iterator
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from service.api import answers
from service.api.bodies import SmallBody, parse
from service.api.context import Here
from service.api.models import following as schemas
from service.api.operations import Answered, Operations, Sent
from service.api.parameters import parameter_error
from service.central import acknowledgements, feed
from service.central.feed import Kept
from service.errors import Refused
from service.invoices.reading import at
from service.ledger import outbox, register

router = Operations("following")

NDJSON = "application/x-ndjson"
MAX_PREFIXES = 256
_PREFIXES = re.compile(r"(?:[0-9a-f]{0,64})(?:,[0-9a-f]{0,64}){0,255}")
_KEPT: dict[str, Kept] = {"central": "content", "node": "copies"}

Seq = Annotated[int, Query(ge=0, le=2**53 - 1)]


@router.operation(
    "GET",
    "/v1/feed",
    "Follow the log",
    Answered(
        '{"seq":12,"log_root":"…","size":2,"register_root":"…","first":0,"entries":[{"entry":"…","deadline":1795600060000}]}\n',
        {"type": "string"},
        media_type=NDJSON,
        description="Final batches behind `after` in order, a batch or a piece of 256 entries a line, to the newest final one.",
    ),
    roles=("central", "node", "auditor"),
    description="For a central record with the content, for a query node with content and salts, for an auditor entries alone, "
    "or with `sections=true` the section leaves (confidential: they make commitments). A follower believes none of it: it rebuilds "
    "the roots and compares them with the contract. An answer that is cut off is asked for again behind the last whole batch.",
)
def follow(request: Request, here: Here, after: Seq = 0, sections: bool = False) -> Response:
    principal = here.allow(request, "central", "node", "auditor")
    kept = _KEPT.get(principal.role) or ("leaves" if sections else "entries")
    if sections and principal.role != "auditor":
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", "sections")])

    def lines() -> Iterator[bytes]:
        return map(feed.to_line, feed.pieces(here.database, after, kept))

    return StreamingResponse(lines(), media_type=NDJSON)


@router.operation(
    "POST",
    "/v1/central/acknowledgements",
    "Say how far you have come",
    Answered(
        schemas.ACKNOWLEDGED,
        schemas.Acknowledged,
        description="Kept. The newest cursor counts; one that goes back changes nothing.",
    ),
    roles=("central", "node"),
    sent=(Sent({"cursor": 12}, schemas.Acknowledgement),),
    description="Everything up to batch `cursor` has arrived: the delivery hop of the custody timeline of each entry in it.",
)
def acknowledge(request: Request, here: Here, body: SmallBody) -> Response:
    principal = here.allow(request, "central", "node")
    cursor = parse(schemas.Acknowledgement, body).cursor
    with here.database.write() as connection:
        kept = acknowledgements.acknowledge(connection, principal.id, cursor, here.keys, here.now_ms())
    return answers.json({"cursor": kept.cursor, "acknowledged_at": at(kept.at)})


@router.operation(
    "GET",
    "/v1/register/pages",
    "Get pages of the register",
    Answered(schemas.PAGES, schemas.RegisterPages, description="A page in hex under each path that has one."),
    roles=("node", "auditor"),
    description="As of anchor `seq` (the newest final one where none is given), under each of the hex paths in `prefix`, "
    f"comma-separated, {MAX_PREFIXES} at most; the empty path is the root's. A page is 0x00 and its leaves (key, H(state)), "
    "or 0x01, a mask of 16 bits and 16 hashes. Two registers are compared by asking only below hashes that differ.",
)
def pages(request: Request, here: Here, seq: Annotated[int | None, Query(ge=1, le=2**53 - 1)] = None, prefix: str = "") -> Response:
    here.allow(request, "node", "auditor")
    if not _PREFIXES.fullmatch(prefix):
        raise Refused("invalid_request", findings=[parameter_error("parameter_invalid", "prefix")])
    with here.database.read() as connection:
        anchor = outbox.newest_final(connection) if seq is None else outbox.final_at(connection, seq)
        if anchor is None or register.root_at(connection, anchor.seq) != anchor.register_root:
            raise Refused("anchor_not_kept", {"seq": str(seq)})
        found = register.read_pages(connection, sorted(set(prefix.split(","))), anchor.seq)
    return answers.json({"seq": anchor.seq, "pages": {path: page.hex() for path, page in found.items()}})
