"""The service as its own mirror: what `POST /v1/proofs` would answer, without a connection."""

from typing import Any

import orjson
import structlog

from service.db import Database
from service.errors import Refused
from service.invoices import proofs
from verifier.fields import Chain
from verifier.transport import Answer

log = structlog.get_logger(__name__)

_STATUS = {"not_yet_known": 409, "chain_in_doubt": 503, "anchor_not_kept": 404, "content_lost": 410}


class OwnProofs:
    """A Post (verifier/transport.py) for retrieve and renew."""

    def __init__(self, database: Database, chain: Chain) -> None:
        self._database = database
        self._chain = chain

    def __call__(self, url: str, body: bytes, max_bytes: int) -> Answer:
        asked: dict[str, Any] = orjson.loads(body)
        commitment = bytes.fromhex(asked["commitment"]) if "commitment" in asked else None
        try:
            with self._database.read() as connection:
                proof = proofs.answer(connection, self._chain, asked["number"], commitment, asked.get("seq"))
        except Refused as refused:
            return Answer(_STATUS.get(refused.code, 500), b"")
        except proofs.NotProven as error:
            log.critical("not_proven", reason=str(error))
            return Answer(500, b"")
        return Answer(200, proof.to_json())
