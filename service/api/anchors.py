"""`/v1/anchors`: what was sealed and how far it has come, for anybody."""

from typing import Annotated, Any

from fastapi import Path
from starlette.responses import Response

from service.api import answers, examples
from service.api.context import Here
from service.api.models import answers as schemas
from service.api.operations import Answered, Operations
from service.api.parameters import Cursor, Limit
from service.errors import Refused
from service.invoices.reading import at
from service.ledger import anchors, outbox, tiles
from service.ledger.anchors import Anchor

router = Operations("anchors")

Seq = Annotated[int, Path(ge=1, le=2**53 - 1)]


def _members(anchor: Anchor) -> dict[str, Any]:
    signed = ["0x" + hash_.hex() for hash_ in anchor.transactions]
    return {
        "seq": anchor.seq,
        "log_root": anchor.log_root.hex(),
        "register_root": anchor.register_root.hex(),
        "size": anchor.size,
        "state": anchor.state,
        "foreign": anchor.foreign,
        "sealed_at": at(anchor.sealed_at),
        "block": anchor.block_number,
        "block_at": None if anchor.block_time is None else at(anchor.block_time * 1000),
        "transaction": signed[0] if len(signed) == 1 else None,
        "transactions": signed,
    }


@router.operation(
    "GET",
    "/v1/anchors",
    "List anchors",
    Answered(examples.ANCHORS, schemas.AnchorPage, description="Newest first, those on their way too."),
)
def page(
    here: Here,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    with here.database.read() as connection:
        found = anchors.page(connection, limit + 1, cursor)
    items = [_members(anchor) for anchor in found[:limit]]
    return answers.json({"items": items, "next_cursor": str(items[-1]["seq"]) if len(found) > limit else None})


@router.operation(
    "GET",
    "/v1/anchors/head",
    "Get the newest final anchor",
    Answered(examples.ANCHOR, schemas.Anchor, description="The one that proofs are of. 404 before the first."),
)
def head(here: Here) -> Response:
    with here.database.read() as connection:
        newest = outbox.newest_final(connection)
        found = anchors.find(connection, newest.seq) if newest else None
    if found is None:
        raise Refused("no_such_anchor")
    return answers.json(_members(found))


@router.operation("GET", "/v1/anchors/{seq}", "Get an anchor", Answered(examples.ANCHOR, schemas.Anchor, description="It."))
def one(here: Here, seq: Seq) -> Response:
    with here.database.read() as connection:
        found = anchors.find(connection, seq)
    if found is None:
        raise Refused("no_such_anchor")
    return answers.json(_members(found))


@router.operation(
    "GET",
    "/v1/anchors/{seq}/leaves",
    "Get an anchor's leaf hashes",
    Answered(
        "32 bytes for each entry",
        {"type": "string", "contentMediaType": "application/octet-stream"},
        media_type="application/octet-stream",
        description="H(0x00 ‖ entry) of each entry in order, 32 bytes each. Immutable once the anchor is final.",
    ),
)
def leaves(here: Here, seq: Seq) -> Response:
    with here.database.read() as connection:
        found = anchors.find(connection, seq)
        if found is None or found.foreign:
            raise Refused("no_such_anchor")
        hashes = b"".join(tiles.leaves(connection, seq))
    keep = "public, max-age=31536000, immutable" if found.state == "final" else "no-store"
    return Response(hashes, headers={"Cache-Control": keep}, media_type="application/octet-stream")
