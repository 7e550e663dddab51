"""The printable document of a copy: what stands on it, and who may have it."""

import unicodedata
from hmac import compare_digest
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from service.db import Database
from service.errors import Refused
from service.formats import document
from service.formats.document import Registration
from service.invoices import guessing, proofs, reading
from service.invoices.registration import STATUS_NAMES
from service.ledger.entries import Stored
from service.ledger.tables import outbox
from verifier.commitment import SECTIONS, copy_of
from verifier.entry import number_key
from verifier.fields import Chain
from verifier.proof import AnchoredProof


class Printable(NamedTuple):
    """Everything that is printed, read in one snapshot; without `registration` and proof where something accepted is not final yet.

    `state` is how far the newest entry has come.
    """

    number: str
    state: str
    sections: dict[str, Any]
    registration: Registration | None
    proof: bytes

    def render(self) -> bytes:
        """The PDF; takes no database. Raises Unavailable where the font is missing."""
        assert self.registration is not None
        return document.render(self.sections, self.registration, self.proof)


def gather(connection: Connection, chain: Chain, public_url: str, record: reading.Record, made_by: Stored) -> Printable:
    """The copy that `made_by` made, as of the newest final anchor.

    Nothing is printed while anything accepted is not final: no document says *valid* while what ends that is on its way.
    Raises as proofs.of_copy, and Refused("content_lost").
    """
    copy = reading.read_copy(connection, made_by.id)
    if None in copy.canonical:  # what is printed is whole
        raise Refused("content_lost")
    commitment = copy.commitment()
    sections = copy.sections()
    state = reading.state_of(connection, record.newest())
    proof = proofs.of_copy(connection, chain, record, made_by, SECTIONS)
    if state != "final" or not isinstance(proof, AnchoredProof):
        return Printable(record.number, state, sections, None, b"")
    times = connection.execute(
        select(outbox.c.seq, outbox.c.block_time).where(outbox.c.seq.in_((proof.inclusion.seq, proof.register.seq)))
    )
    at = {row.seq: row.block_time for row in times}
    registration = Registration(
        public_url=public_url,
        number=record.number,
        commitment=commitment,
        chain_id=chain.chain_id,
        contract="0x" + chain.contract.hex(),
        registered_at=made_by.entry.recorded_at / 1000,
        anchored_at=at[proof.inclusion.seq] or 0,
        seq=proof.register.seq,
        as_of=at[proof.register.seq] or 0,
        status=STATUS_NAMES[proof.state.status],
        is_current=proof.state.copy == proof.entry.copy,
    )
    return Printable(record.number, state, sections, registration, proof.to_json())


def of_holder(
    database: Database,
    chain: Chain,
    public_url: str,
    number: str,
    commitment: bytes,
    buyer: tuple[str | None, str | None],
    network: str,
    now_ms: int,
) -> Printable:
    """The same for who holds a copy and knows its buyer, (tax id, name), one of which may be None.

    Raises Refused("no_such_copy"), Refused("buyer_differs") with `tries_left`, Unavailable("too_many_guesses").
    """
    key = number_key(number)
    with database.read() as connection:
        record = reading.find(connection, number)
        made_by = record.entry_of_copy(copy_of(commitment)) if record is not None else None
        if record is None or made_by is None:
            raise Refused("no_such_copy")
        guessing.check(connection, "buyer", key, network, now_ms)
        gathered = gather(connection, chain, public_url, record, made_by)
    if _is_buyer(gathered.sections.get("buyer", {}), *buyer):
        return gathered
    with database.write() as connection:
        left = guessing.count(connection, "buyer", key, network, now_ms)
    raise Refused("buyer_differs", extra={"tries_left": left})


def _is_buyer(buyer: dict[str, Any], tax_id: str | None, name: str | None) -> bool:
    """Whether everything that was given is the buyer's, compared after NFKC without blanks."""
    given = [(written, buyer.get(field)) for field, written in (("tax_id", tax_id), ("name", name)) if written is not None]
    same = [
        isinstance(kept, str) and bool(_plain(kept)) and compare_digest(_plain(written), _plain(kept)) for written, kept in given
    ]
    return bool(same) and all(same)


def _plain(text: str) -> bytes:
    return "".join(unicodedata.normalize("NFKC", text).upper().split()).encode(errors="replace")
