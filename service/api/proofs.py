"""What anybody may ask: proofs, the service's own word, and what a verifier is to trust."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from service.api import answers, examples, problems
from service.api.bodies import SmallBody, parse, small_body
from service.api.context import ANONYMOUS, Context, Here
from service.api.models import answers as schemas
from service.api.models.requests import ProofQuestion, StatementQuestion
from service.api.operations import Answered, Operations, Sent
from service.errors import Finding, Refused
from service.invoices.proofs import Asked
from service.invoices.statements import statement
from verifier.commitment import commitment_from_text
from verifier.errors import Malformed
from verifier.proof import MEDIA_TYPE

router = Operations("proofs")

PATH = "/v1/proofs"


def commitment_of(text: str | None) -> bytes | None:
    """From either spelling: hex, or as in a QR code. Raises Refused for one that does not encode to itself again."""
    if text is None:
        return None
    try:
        return bytes.fromhex(text) if len(text) == 64 else commitment_from_text(text)
    except Malformed:
        finding = Finding("member_invalid", "error", "/commitment", {"case": "pattern"})
        raise Refused("invalid_request", findings=[finding]) from None


@router.operation(
    "POST",
    PATH,
    "Ask for a proof",
    Answered(examples.PROOF, {"type": "object"}, media_type=MEDIA_TYPE, description="A proof file (protocol.md section 7)."),
    sent=(Sent(examples.QUESTION, ProofQuestion),),
    dependencies=[ANONYMOUS],
    description="With the commitment of a copy: sections 0 to 3 of it, for a replaced copy too. With another commitment: presence "
    "with the state, or absence. With the number alone: absence, or presence by the hash of the state. 409 `not_yet_known`, with "
    "Retry-After, while something about the number is accepted and not final.",
)
async def ask(here: Here, body: SmallBody) -> Response:
    return await _answer(here, body)


async def _answer(here: Context, body: bytes) -> Response:
    asked = parse(ProofQuestion, body)
    made = await here.asking.ask(Asked(asked.number, commitment_of(asked.commitment), asked.seq))
    return Response(made, media_type=MEDIA_TYPE)


class ProofsFirst:
    """The same as the operation, without the way there: what FastAPI does for a request takes as long as its proof.

    Plain ASGI, inside the envelope. Whatever is not exactly a question for a proof goes the usual way.
    """

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != PATH or scope["method"] != "POST" or scope["query_string"]:
            await self._app(scope, receive, send)
            return
        scope["route"] = _ROUTE
        request = Request(scope, receive)
        try:
            self._context.limit_anonymous(request)
            response = await _answer(self._context, await small_body(request))
        except Refused as refused:  # here, and not around everything: a node tells in every answer how far it is
            response = problems.answer(request, refused)
        await response(scope, receive, send)


_ROUTE = next(route for route in router.routes if isinstance(route, APIRoute) and route.path == PATH)
"""For the log and the metrics."""


@router.operation(
    "POST",
    "/v1/statements",
    "Ask for the service's own word about a copy",
    Answered(
        examples.STATEMENT,
        schemas.Statement,
        description="Unproven; with `pending` nothing is green. 404 for no copy of the number.",
    ),
    sent=(Sent(examples.QUESTION, StatementQuestion),),
    dependencies=[ANONYMOUS],
)
def state(here: Here, body: SmallBody) -> Response:
    asked = parse(StatementQuestion, body)
    with here.database.read() as connection:
        said = statement(connection, asked.number, commitment_of(asked.commitment) or b"")
    if said is None:
        raise Refused("no_such_copy")
    return answers.json(said)


@router.operation(
    "GET",
    "/v1/trust",
    "Get the trust file",
    Answered(examples.TRUST, {"type": "object"}, description="What a verifier pins (protocol.md section 8)."),
)
def trust(here: Here) -> Response:
    return Response(here.trust, headers={"Cache-Control": "public, max-age=300"}, media_type=answers.JSON)
