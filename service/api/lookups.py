"""`POST /v1/lookups`: is what stands on this invoice what was registered?"""

from fastapi import Request
from starlette.responses import Response

from service.api import answers, examples
from service.api.bodies import SmallBody, parse
from service.api.context import ANONYMOUS, Here
from service.api.models import answers as schemas
from service.api.models.requests import LookupQuestion
from service.api.operations import Answered, Operations, Sent
from service.invoices import guessing, lookups

router = Operations("lookups")

RETRY_S = 5
"""An anchor is final some seconds after it was accepted."""


@router.operation(
    "POST",
    "/v1/lookups",
    "Look an invoice up by what stands on it",
    Answered(
        examples.LOOKED_UP,
        schemas.LookedUp,
        description="`match` or `mismatch` with presence by the hash of the state; `not_registered` with absence, or with the "
        "state of a withdrawn registration; `not_yet_known`, with Retry-After, while something is accepted and not final.",
    ),
    sent=(Sent(examples.LOOKUP, LookupQuestion),),
    dependencies=[ANONYMOUS],
    description="5 wrong tries a day for an invoice and client network (/24, in IPv6 /48), 50 for an invoice; then 429. The same "
    "for numbers that nobody registered. A match does not count, nor does who shows number and commitment (`/v1/proofs`).",
)
def look_up(request: Request, here: Here, body: SmallBody) -> Response:
    typed = parse(LookupQuestion, body)
    asked = lookups.read(typed.number, typed.issued_on, typed.amount_with_tax, typed.amount)
    network = guessing.network_of(request.client.host if request.client else None)
    found = lookups.look_up(here.database, here.chain, asked, network, here.now_ms())
    return answers.json(
        {
            "result": found.result,
            "number": asked.number,
            "status": found.status,
            "proof": found.proof and answers.fragment(found.proof.to_json()),
            "tries_left": found.tries_left,
        },
        headers={"Retry-After": str(RETRY_S)} if found.result == "not_yet_known" else None,
    )
