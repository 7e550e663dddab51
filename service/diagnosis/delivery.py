"""The delivery hop: has a central record said that it has a batch?"""

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, func, select

from service.central.acknowledgements import Delivery, message
from service.central.tables import acknowledgements as table
from service.diagnosis.case import Hop
from verifier.fields import Chain
from verifier.receipt import is_signed

_MAX_LOOKED_AT = 50


def hop_of(connection: Connection, seq: int, central: Collection[str], chain: Chain, keys: Mapping[str, bytes]) -> Hop:
    """`not_applicable` where no central record (`central`: ids of their API keys) ever acknowledged anything: none follows.

    What counts is an acknowledgement that we signed when it came in; `keys` are our public keys by key id.
    """
    by_central = table.c.consumer.in_(central)
    query = select(table).where(table.c.cursor >= seq, by_central).order_by(table.c.cursor, table.c.at).limit(_MAX_LOOKED_AT)
    for row in connection.execute(query):
        signed = message(chain.chain_id, chain.contract, Delivery(row.consumer, row.cursor, row.at))
        public = keys.get(row.key_id.hex())
        if public is not None and is_signed(public, row.signature, signed):
            return Hop("delivered", "done", row.at, {"consumer": row.consumer, "cursor": row.cursor})
    newest = connection.scalar(select(func.max(table.c.cursor)).where(by_central))
    return Hop("delivered", "not_applicable") if newest is None else Hop("delivered", "missing", None, {"cursor": newest})
