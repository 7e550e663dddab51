"""Proof files, built on request from the batch's tiles and the register's pages, and checked before they are handed out."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from service.db import SelectIn
from service.errors import Refused, Unavailable
from service.invoices import reading
from service.ledger import health, outbox, register, register_proofs, tiles
from service.ledger.entries import History, Stored, stored_by_key
from service.ledger.outbox import Item
from service.ledger.tables import batches
from service.ledger.tables import outbox as outbox_table
from verifier.commitment import PUBLIC_SECTIONS, SECTIONS, copy_of
from verifier.entry import Kind, number_key
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


class Asked(NamedTuple):
    """About a number, or the copy of it with this commitment (32 bytes), at the newest final anchor or at an older one."""

    number: str
    commitment: bytes | None
    seq: int | None = None


AnyProof = AnchoredProof | PendingProof | AbsenceProof | PresenceProof


def answer(
    connection: Connection, chain: Chain, number: str, commitment: bytes | None, seq: int | None = None
) -> AnchoredProof | PendingProof | AbsenceProof | PresenceProof:
    """What anybody gets who asks about a number, or about the copy of it with this commitment: sections 0 to 3 of that copy.

    Where no copy of the number has the commitment, it is answered as for the number alone, but with the state: that another copy is
    the current one is what makes this one *not_current* (protocol.md sections 7 and 8). Raises as of_copy and of_number do.
    """
    return _one(answer_all(connection, chain, [Asked(number, commitment, seq)]))


def answer_all(connection: Connection, chain: Chain, asked: Sequence[Asked]) -> list[AnyProof | Refused | NotProven]:
    """The same for many at once, in a tenth of the queries: each is answered, or has what `answer` would raise."""
    keys = [number_key(one.number) for one in asked]
    stored = stored_by_key(connection, sorted(set(keys)))
    wanted: list[_OfCopy | _OfNumber] = []
    for (number, commitment, seq), key in zip(asked, keys, strict=True):
        entries = stored.get(key, [])
        made_by = _maker(entries, copy_of(commitment)) if commitment is not None else None
        if made_by is not None:
            wanted.append(_OfCopy(number, key, entries, seq, made_by, PUBLIC_SECTIONS))
        else:
            wanted.append(_OfNumber(number, key, entries, seq, commitment is not None))
    return _make(connection, chain, wanted)


def of_copy(
    connection: Connection,
    chain: Chain,
    record: reading.Record,
    made_by: Stored,
    disclose: Collection[str],
    seq: int | None = None,
) -> AnchoredProof | PendingProof:
    """The proof file of one copy at the newest final anchor (or at `seq`), pending as of any before its own.

    `disclose` names the sections to open; the header always is. Raises Refused("anchor_not_kept"), Refused("content_lost"),
    Unavailable, NotProven.
    """
    made = _one(
        _make(connection, chain, [_OfCopy(record.number, number_key(record.number), record.stored, seq, made_by, disclose)])
    )
    assert isinstance(made, AnchoredProof | PendingProof)
    return made


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

    Raises Unavailable("not_yet_known") while an entry of the number is accepted and not final: absence must not be proven then.
    """
    made = _one(_make(connection, chain, [_OfNumber(number, number_key(number), record.stored if record else [], seq, with_state)]))
    assert isinstance(made, AbsenceProof | PresenceProof)
    return made


class _OfCopy(NamedTuple):
    """`stored` are all entries of the number."""

    number: str
    key: bytes
    stored: Sequence[Stored]
    seq: int | None
    made_by: Stored
    disclose: Collection[str]


class _OfNumber(NamedTuple):
    number: str
    key: bytes
    stored: Sequence[Stored]
    seq: int | None
    with_state: bool


class _Batch(NamedTuple):
    """`state` is that of its row in the outbox."""

    size: int
    log_root: bytes
    state: str | None


_batches = SelectIn(
    select(batches.c.seq, batches.c.size, batches.c.log_root, outbox_table.c.state).outerjoin(
        outbox_table, outbox_table.c.seq == batches.c.seq
    ),
    batches.c.seq,
)


class _Material:
    """What proofs are made of, read for all of them together."""

    def __init__(self, connection: Connection, wanted: Sequence[_OfCopy | _OfNumber]) -> None:
        self.last = health.read(connection)
        in_doubt = self.last is not None and self.last.trouble in health.NOTHING_PROVEN
        newest = outbox.newest_final(connection) if not in_doubt else None
        anchors = {
            one.seq: Unavailable("chain_in_doubt", 60) if in_doubt else _anchor(connection, newest, one.seq) for one in wanted
        }
        self.anchors = anchors
        copies = [one.made_by for one in wanted if isinstance(one, _OfCopy)]
        self.copies = {copy.entry_id: copy for copy in reading.read_copies(connection, [made_by.id for made_by in copies])}
        seqs = {stored.seq for one in wanted for stored in one.stored if stored.seq is not None}
        self.batches = {seq: _Batch(*rest) for seq, *rest in _batches(connection, sorted(seqs))}
        places = [
            (made_by.seq, made_by.index, self.batches[made_by.seq].size)
            for made_by in copies
            if made_by.seq is not None and made_by.index is not None and made_by.seq in self.batches
        ]
        self.paths = dict(zip(places, tiles.paths(connection, places), strict=True))
        ways: dict[int, list[bytes]] = {}
        for one in wanted:
            anchor = anchors[one.seq]
            if isinstance(anchor, Item):
                ways.setdefault(anchor.seq, []).append(one.key)
        self.ways = {
            (seq, key): proof
            for seq, keys in ways.items()
            for key, proof in zip(keys, register_proofs.prove_all(connection, seq, keys), strict=True)
        }


def _make(connection: Connection, chain: Chain, wanted: Sequence[_OfCopy | _OfNumber]) -> list[AnyProof | Refused | NotProven]:
    material = _Material(connection, wanted)
    made: list[AnyProof | Refused | NotProven] = []
    for one in wanted:
        try:
            made.append(_of_copy(chain, material, one) if isinstance(one, _OfCopy) else _of_number(chain, material, one))
        except (Refused, NotProven) as error:
            made.append(error)
    return made


def _one(made: Sequence[AnyProof | Refused | NotProven]) -> AnyProof:
    [one] = made
    if isinstance(one, Exception):
        raise one
    return one


def _maker(stored: Sequence[Stored], copy: bytes) -> Stored | None:
    """The issue or reprint that made this copy."""
    made = (one for one in reversed(stored) if one.entry.copy == copy and one.entry.kind in (Kind.ISSUE, Kind.REPRINT))
    return next(made, None)


def _of_copy(chain: Chain, material: _Material, asked: _OfCopy) -> AnchoredProof | PendingProof:
    anchor, made_by = _known(material.anchors[asked.seq]), asked.made_by
    copy = material.copies.get(made_by.id)
    if copy is None:
        raise Refused("content_lost")
    sections = _sections(copy, asked.disclose)
    receipt = Receipt(made_by.receipt.key_id.hex(), made_by.receipt.deadline, made_by.receipt.signature)
    if anchor is None or made_by.seq is None or made_by.index is None or made_by.seq > anchor.seq:
        return PendingProof(chain, sections, made_by.entry, receipt)
    batch = material.batches.get(made_by.seq)
    path = material.paths[made_by.seq, made_by.index, batch.size] if batch is not None else None
    if (
        batch is None
        or path is None
        or root_from_path(leaf_hash(made_by.entry.encode()), made_by.index, batch.size, path) != batch.log_root
    ):
        raise NotProven(f"entry {made_by.id} is not in batch {made_by.seq}")
    state, siblings = _present(material, asked.key, asked.stored, anchor)
    return AnchoredProof(
        chain,
        sections,
        made_by.entry,
        receipt,
        Inclusion(made_by.seq, made_by.index, batch.size, path),
        RegisterPath(anchor.seq, siblings),
        state,
    )


def _of_number(chain: Chain, material: _Material, asked: _OfNumber) -> AbsenceProof | PresenceProof:
    number, stored = asked.number, asked.stored
    anchor = _known(material.anchors[asked.seq])
    if anchor is None:
        raise Unavailable("not_yet_known", 5)
    if any(one.seq is None or one.seq not in material.batches or material.batches[one.seq].state != "final" for one in stored):
        raise Unavailable("not_yet_known", 5)
    if all((one.seq or 0) > anchor.seq for one in stored):
        last = material.last
        if asked.seq is None and last is not None and last.final_head > anchor.seq:  # a node that is behind: it may be there
            behind = {"case": "node", "seq": str(anchor.seq), "behind": str(last.final_head - anchor.seq)}
            raise Unavailable("not_yet_known", 5, behind)
        return _absent(chain, material, number, asked.key, anchor)
    state, siblings = _present(material, asked.key, stored, anchor)
    shown = state if asked.with_state or state.status is Status.RELEASED else state.hash()
    return PresenceProof(chain, number, RegisterPath(anchor.seq, siblings), shown)


def _anchor(connection: Connection, newest: Item | None, seq: int | None) -> Item | Refused | None:
    """The anchor to prove at, or what refuses an older `seq` that is not kept.

    Whoever reads the chain may see a newer anchor become final a moment before the worker does: the newest one here serves both.
    """
    if seq is None or newest is None or seq >= newest.seq:
        return newest
    anchor = outbox.final_at(connection, seq)
    if anchor is None or register.root_at(connection, seq) != anchor.register_root:
        return Refused("anchor_not_kept", {"seq": str(seq)})
    return anchor


def _known(anchor: Item | Refused | None) -> Item | None:
    """Raises Unavailable while what was final is not, and Refused where it is not kept."""
    if isinstance(anchor, Refused):
        raise anchor
    return anchor


def _sections(copy: reading.Copy, disclose: Collection[str]) -> list[Section]:
    sections: list[Section] = []
    for index, (name, salt, canonical) in enumerate(zip(SECTIONS, copy.salts, copy.canonical, strict=True)):
        shown = name == "header" or name in disclose
        sections.append(open_section(salt, canonical) if shown and canonical is not None else Withheld(copy.leaf(index)))
    return sections


def _present(material: _Material, key: bytes, stored: Sequence[Stored], anchor: Item) -> tuple[State, list[bytes]]:
    """The number's state as of the anchor, replayed from its entries, and its way through the register."""
    until = History(one for one in stored if one.seq is not None and one.seq <= anchor.seq)
    proof = material.ways[anchor.seq, key]
    if until.state is None or root_from_presence(key, until.state.hash(), proof.siblings) != anchor.register_root:
        raise NotProven(f"the register of anchor {anchor.seq} does not hold what the entries say")
    return until.state, proof.siblings


def _absent(chain: Chain, material: _Material, number: str, key: bytes, anchor: Item) -> AbsenceProof:
    proof = material.ways[anchor.seq, key]
    if root_from_absence(key, proof.end, proof.siblings) != anchor.register_root:
        raise NotProven(f"the register of anchor {anchor.seq} is not what was anchored")
    return AbsenceProof(chain, number, RegisterPath(anchor.seq, proof.siblings), Neighbour(*proof.end) if proof.end else None)
