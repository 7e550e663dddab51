"""Proof files, built on request from the batch's tiles and the register's pages, and checked before they are handed out."""

from collections.abc import Collection

from sqlalchemy import Connection, select

from service.errors import Refused, Unavailable
from service.invoices import reading
from service.ledger import health, outbox, register, tiles
from service.ledger.entries import History, Stored
from service.ledger.outbox import Item
from service.ledger.tables import batches
from service.ledger.tables import outbox as outbox_table
from verifier.commitment import PUBLIC_SECTIONS, SECTIONS, copy_of
from verifier.entry import number_key
from verifier.fields import Chain
from verifier.merkle import leaf_hash, root_from_path
from verifier.proof import (
    AbsenceProof,
    AnchoredProof,
    Inclusion,
    Neighbour,
    PendingProof,
    PresenceProof,
    Receipt,
    RegisterPath,
    Section,
    Withheld,
    open_section,
)
from verifier.register import State, Status, root_from_absence, root_from_presence


class NotProven(Exception):
    """What we would have handed out does not lead to the anchored root: our records are not what was anchored."""


def of_copy(
    connection: Connection,
    chain: Chain,
    record: reading.Record,
    made_by: Stored,
    disclose: Collection[str],
    seq: int | None = None,
) -> AnchoredProof | PendingProof:
    """The proof file of one copy at the newest final anchor (or at `seq`), pending as of any before its own.

    `disclose` names the sections to open; the header always is. Raises Refused("anchor_not_kept"), Unavailable, NotProven.
    """
    anchor = _anchor(connection, seq)
    copy = reading.read_copy(connection, made_by.id)
    sections = _sections(copy, disclose)
    receipt = Receipt(made_by.receipt.key_id.hex(), made_by.receipt.deadline, made_by.receipt.signature)
    if anchor is None or made_by.seq is None or made_by.index is None or made_by.seq > anchor.seq:
        return PendingProof(chain, sections, made_by.entry, receipt)
    size, log_root = connection.execute(select(batches.c.size, batches.c.log_root).where(batches.c.seq == made_by.seq)).one()
    path = tiles.path(connection, made_by.seq, made_by.index, size)
    if root_from_path(leaf_hash(made_by.entry.encode()), made_by.index, size, path) != log_root:
        raise NotProven(f"entry {made_by.id} is not in batch {made_by.seq}")
    state, siblings = _present(connection, record, anchor)
    return AnchoredProof(
        chain,
        sections,
        made_by.entry,
        receipt,
        Inclusion(made_by.seq, made_by.index, size, path),
        RegisterPath(anchor.seq, siblings),
        state,
    )


def of_number(
    connection: Connection,
    chain: Chain,
    number: str,
    record: reading.Record | None,
    seq: int | None = None,
    *,
    with_state: bool = False,
) -> AbsenceProof | PresenceProof:
    """Absence, or presence at the newest final anchor (or at `seq`): by the state's hash alone, unless `with_state`.

    Raises Refused("not_yet_known") while an entry of the number is accepted and not final: absence must not be proven then.
    """
    anchor = _anchor(connection, seq)
    if anchor is None:
        raise Unavailable("not_yet_known", 5)
    if record is not None and any(s.seq is None or not _is_final(connection, s.seq) for s in record.stored):
        raise Unavailable("not_yet_known", 5)
    if record is None or all((s.seq or 0) > anchor.seq for s in record.stored):
        last = health.read(connection)
        if seq is None and last is not None and last.final_head > anchor.seq:  # a node that is behind: it may be there
            behind = {"case": "node", "seq": str(anchor.seq), "behind": str(last.final_head - anchor.seq)}
            raise Unavailable("not_yet_known", 5, behind)
        return _absent(connection, chain, number, anchor)
    state, siblings = _present(connection, record, anchor)
    shown = state if with_state or state.status is Status.RELEASED else state.hash()
    return PresenceProof(chain, number, RegisterPath(anchor.seq, siblings), shown)


def answer(
    connection: Connection, chain: Chain, number: str, commitment: bytes | None, seq: int | None = None
) -> AnchoredProof | PendingProof | AbsenceProof | PresenceProof:
    """What anybody gets who asks about a number, or about the copy of it with this commitment: sections 0 to 3 of that copy.

    Where no copy of the number has the commitment, it is answered as for the number alone, but with the state: that another copy is
    the current one is what makes this one *not_current* (protocol.md sections 7 and 8).
    """
    record = reading.find(connection, number)
    if commitment is not None and record is not None:
        made_by = record.entry_of_copy(copy_of(commitment))
        if made_by is not None:
            return of_copy(connection, chain, record, made_by, PUBLIC_SECTIONS, seq)
    return of_number(connection, chain, number, record, seq, with_state=commitment is not None)


def _anchor(connection: Connection, seq: int | None) -> Item | None:
    """The anchor to prove at. Raises Unavailable while what was final is not, and Refused for an older `seq` that is not kept.

    Whoever reads the chain may see a newer anchor become final a moment before the worker does: the newest one here serves both.
    """
    last = health.read(connection)
    if last is not None and last.trouble in health.NOTHING_PROVEN:
        raise Unavailable("chain_in_doubt", 60)
    newest = outbox.newest_final(connection)
    if seq is None or newest is None or seq >= newest.seq:
        return newest
    anchor = outbox.final_at(connection, seq)
    if anchor is None or register.root_at(connection, seq) != anchor.register_root:
        raise Refused("anchor_not_kept", {"seq": str(seq)})
    return anchor


def _is_final(connection: Connection, seq: int) -> bool:
    return connection.scalar(select(outbox_table.c.state).where(outbox_table.c.seq == seq)) == "final"


def _sections(copy: reading.Copy, disclose: Collection[str]) -> list[Section]:
    sections: list[Section] = []
    for name, salt, canonical, leaf in zip(SECTIONS, copy.salts, copy.canonical, copy.leaves(), strict=True):
        shown = name == "header" or name in disclose
        sections.append(open_section(salt, canonical) if shown and canonical is not None else Withheld(leaf))
    return sections


def _present(connection: Connection, record: reading.Record, anchor: Item) -> tuple[State, list[bytes]]:
    """The number's state as of the anchor, replayed from its entries, and its way through the register."""
    until = History(s for s in record.stored if s.seq is not None and s.seq <= anchor.seq)
    key = number_key(record.number)
    proof = register.prove(connection, anchor.seq, key)
    if until.state is None or root_from_presence(key, until.state.hash(), proof.siblings) != anchor.register_root:
        raise NotProven(f"the register of anchor {anchor.seq} does not hold what the entries say")
    return until.state, proof.siblings


def _absent(connection: Connection, chain: Chain, number: str, anchor: Item) -> AbsenceProof:
    proof = register.prove(connection, anchor.seq, number_key(number))
    if root_from_absence(number_key(number), proof.end, proof.siblings) != anchor.register_root:
        raise NotProven(f"the register of anchor {anchor.seq} is not what was anchored")
    return AbsenceProof(chain, number, RegisterPath(anchor.seq, proof.siblings), Neighbour(*proof.end) if proof.end else None)
