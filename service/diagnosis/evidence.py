"""Gathering the evidence of every hop for one invoice from our own records: one snapshot, a bounded number of rows.

What they say is held against the chain afterwards, without a connection: an anchored entry has to lead to the log root that the
contract holds, and its number's state to the register root.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.exc import NoResultFound

from service.diagnosis import contents, delivery, details, promises, typing_errors
from service.diagnosis.case import Case, Hop, HopName, Reached
from service.diagnosis.contents import UNREADABLE, Judged
from service.diagnosis.details import Asker
from service.diagnosis.shown import Shown
from service.invoices import reading
from service.invoices.reading import Record
from service.ledger import health, outbox, register_proofs, tiles
from service.ledger.entries import History, Stored
from service.ledger.tables import batches
from service.ledger.tables import outbox as outbox_table
from service.reconciliation.naming import is_number_of, number_of
from verifier.chain import Anchor, ChainReader
from verifier.entry import Kind
from verifier.errors import ChainUnavailable, VerifierError
from verifier.fields import Chain
from verifier.merkle import leaf_hash, root_from_path
from verifier.proof import AbsenceProof, Neighbour, RegisterPath
from verifier.receipt import is_signed, receipt_message
from verifier.register import root_from_absence, root_from_presence

DAMAGED = (NoResultFound, LookupError, *UNREADABLE)
"""What records raise that somebody changed."""
JUST_NOW_MS = 10_000
"""So long what we have seen final may be missing in a reading of the chain, whose age is two seconds at the most."""
_WAY: tuple[HopName, ...] = ("submitted", "accepted", "sealed", "broadcast", "mined", "final")


class Registry(NamedTuple):
    """What gathering needs to know of this one: its public keys by key id, the region codes that it is for (none: all), and which
    API keys are those of central records.
    """

    chain: Chain
    keys: Mapping[str, bytes]
    regions: frozenset[str]
    central: Callable[[Connection], Collection[str]]


class Inclusion(NamedTuple):
    """What our entry leads to by our tiles; `root` is None where that cannot be told."""

    seq: int
    root: bytes | None


class InRegister(NamedTuple):
    """The number's way through our register pages as of our newest final anchor; `root` is None where it cannot be gone.

    `holds` is the hash of the state that stands there, `expected` of the one that our entries make. `recorded` is the root that we
    have on record for the anchor, mined at `mined_at` (s) and seen final at `final_at` (ms).
    """

    seq: int
    recorded: bytes
    mined_at: int
    final_at: int
    root: bytes | None = None
    holds: bytes | None = None
    expected: bytes | None = None
    absence: AbsenceProof | None = None


class Gathered(NamedTuple):
    """A case as far as our records go, and what the chain has to bear out. `commitment` is that of the subject's copy."""

    case: Case
    subject: Stored | None = None
    commitment: bytes | None = None
    inclusion: Inclusion | None = None
    in_register: InRegister | None = None


def gather(connection: Connection, shown: Shown, asker: Asker, registry: Registry, final_time: int | None) -> Gathered:
    """Everything that our records say about it. `final_time` is that of the newest final block in seconds, None: not known."""
    case = Case(shown.material, shown.number, has_content=shown.has_content, is_proven=shown.is_anchored is True)
    case.is_forged, case.is_foreign = shown.flaw == "forged", shown.flaw == "foreign"
    last = health.read(connection)
    is_in_doubt = last is not None and last.trouble in health.NOTHING_PROVEN
    case.is_chain_known = final_time is not None and shown.is_anchored is not None and not is_in_doubt
    if shown.flaw is not None:
        return Gathered(case)
    case.number = number = shown.number or number_of(connection, shown.key)
    try:
        record = reading.of_key(connection, shown.key, number or "")
    except VerifierError:  # entries that no rule allows: some were changed or taken away
        case.is_registered, case.is_entry_sound = True, False
        return Gathered(case)
    case.is_other_region = bool(registry.regions) and details.region_of(number or "") not in {None, *registry.regions}
    if record is not None and not _are_promised(record, registry):
        case.is_entry_sound = False  # somebody put an entry there: it will never be sealed
    subject = None if record is None else _subject(record, shown)
    commitment = _read_record(connection, case, record, subject, shown) if record is not None else None
    _read_details(connection, case, record, shown, asker)
    _read_promise(connection, case, subject, shown, final_time)
    if case.reached == "final" and subject is not None and subject.seq is not None:
        delivered = delivery.hop_of(connection, subject.seq, registry.central(connection), registry.chain, registry.keys)
        case.is_delivered = {"done": True, "missing": False}.get(delivered.state)
        case.hops.append(delivered)
    inclusion = None if subject is None else _inclusion(connection, subject)
    ours = _in_register(connection, registry.chain, shown.key, number, record)
    case.is_behind = last is not None and last.final_head > (ours.seq if ours is not None else 0)
    return Gathered(case, subject, commitment, inclusion, ours)


def _subject(record: Record, shown: Shown) -> Stored | None:
    """The entry whose way is traced: the one that was shown, that of the copy that was shown, else that of the current copy."""
    if shown.entry is not None:
        return next((stored for stored in record.stored if stored.entry == shown.entry), None)
    made_by = None if shown.copy is None else record.entry_of_copy(shown.copy)
    return made_by or record.current()


def _are_promised(record: Record, registry: Registry) -> bool:
    """Whether we signed for everything that is on its way; what is anchored, the contract vouches for."""
    for entry, (key_id, deadline, signature) in ((one.entry, one.receipt) for one in record.stored if one.seq is None):
        public = registry.keys.get(key_id.hex())
        message = receipt_message(registry.chain.chain_id, registry.chain.contract, entry.encode(), deadline)
        if public is None or not is_signed(public, signature, message):
            return False
    return True


# The record


def _read_record(connection: Connection, case: Case, record: Record, subject: Stored | None, shown: Shown) -> bytes | None:
    """Content, status and the hops of the subject; returns the commitment of the copy where its content is whole."""
    state = record.history.state
    assert state is not None
    case.is_registered, case.status = True, record.status
    case.is_replaced = shown.copy not in (None, state.copy)
    made_by = subject if subject is not None and subject.entry.kind in (Kind.ISSUE, Kind.REPRINT) else record.current()
    issues = [stored.id for stored in record.stored if stored.entry.kind is Kind.ISSUE and stored.id <= made_by.id]
    kept = contents.read(connection, made_by.id, issues[-1] if issues else made_by.id)
    judged = contents.judge(kept, made_by.entry.copy)
    case.content = judged.content
    if subject is not None:
        _follow(connection, case, record, subject)
    case.hops += [_content_hop(judged), _status_hop(connection, case, record, subject)]
    if judged.content != "whole":
        return None
    if shown.asked is not None:
        case.typing_errors = details.of_registered(shown.asked, kept)
    return kept.commitment()


def _follow(connection: Connection, case: Case, record: Record, subject: Stored) -> None:
    """The hops that an entry has come to, and those that it has not."""
    try:
        come_to = reading.hops_of(connection, record, subject)
    except DAMAGED:
        case.is_entry_sound = False
        return
    for hop in come_to:
        evidence = {name: value for name, value in hop.items() if name not in ("hop", "at")}
        case.hops.append(Hop(hop["hop"], "done", _ms(hop["at"]), evidence))
    reached: Reached = come_to[-1]["hop"]
    case.reached, case.state = reached, reading.PENDING if reached == "accepted" else reached
    case.hops += [Hop(hop, "missing") for hop in _WAY[_WAY.index(reached) + 1 :]]
    case.wait_until = _due(connection, subject, reached)


def _due(connection: Connection, subject: Stored, reached: Reached) -> int | None:
    """Until when the next hop is to come, in ms: by the promise; and finality takes as long as it took the last time."""
    if reached in ("accepted", "sealed", "broadcast"):
        return subject.receipt.deadline
    newest = outbox.newest_final(connection) if reached == "mined" else None
    if newest is None:
        return None
    row = select(outbox_table.c.block_time, outbox_table.c.final_at)
    mined, _ = connection.execute(row.where(outbox_table.c.seq == subject.seq)).one()
    last_mined, last_final = connection.execute(row.where(outbox_table.c.seq == newest.seq)).one()
    return int(mined * 1000 + max(0, last_final - last_mined * 1000))


def _content_hop(judged: Judged) -> Hop:
    if judged.content == "whole":
        return Hop("content", "done")
    if judged.content == "lost":
        return Hop("content", "missing", None, {"lost": list(judged.lost)})
    return Hop("content", "differs", None, {"columns": list(judged.columns)})


def _status_hop(connection: Connection, case: Case, record: Record, subject: Stored | None) -> Hop:
    """The newest entry of the number makes it what it is now."""
    newest = record.newest()
    evidence: dict[str, Any] = {"status": record.status, "kind": newest.entry.kind.name.lower()}
    act = None if newest.entry.kind is Kind.ISSUE else reading.act_of(connection, newest.id)
    if act is not None and is_number_of(act.other_number, newest.entry.other):
        evidence["other_number"] = act.other_number
    evidence["state"] = case.state if newest is subject else reading.state_of(connection, newest)
    return Hop("status", "done", newest.entry.recorded_at, evidence)


def _ms(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1000)


# What was shown


def _read_details(connection: Connection, case: Case, record: Record | None, shown: Shown, asker: Asker) -> None:
    """Who holds the invoice, what was mistyped, and whether the asker may be told."""
    row = None if record is None else record.invoice
    may_see = row is not None and asker.may_see(row.seller_tax_id, row.buyer_id)
    is_own_copy = shown.copy is not None and record is not None and record.entry_of_copy(shown.copy) is not None
    case.is_holder = may_see or is_own_copy or shown.entry is not None
    if shown.copy is not None and shown.number is not None and not is_own_copy and shown.entry is None:
        case.typing_errors = details.of_copy(connection, shown.number, shown.copy, is_registered=record is not None)
        # Whoever has the commitment of a number that is a slip away holds that one.
        case.is_holder = case.is_holder or any(error.field == "number" for error in case.typing_errors)
    elif record is None and shown.asked is not None:
        case.typing_errors = details.of_own(connection, shown.asked, asker)
        case.is_holder = bool(case.typing_errors)
    case.tells_errors = case.is_holder
    if record is None and shown.asked is not None and not case.typing_errors:
        wrong = typing_errors.in_itself(shown.asked.number, shown.asked.issued_on)
        case.typing_errors, case.tells_errors = ([wrong], True) if wrong is not None else ([], False)


def _read_promise(connection: Connection, case: Case, subject: Stored | None, shown: Shown, final_time: int | None) -> None:
    entry, receipt = (subject.entry, subject.receipt) if subject is not None else (shown.entry, shown.receipt)
    if entry is None or receipt is None:
        return
    if subject is None:
        case.hops.append(Hop("accepted", "done", entry.recorded_at))
    if final_time is not None:
        seq = None if subject is None else subject.seq
        case.breach = promises.breach_of(connection, entry.kind, receipt.deadline, final_time, seq)
    hop = promises.hop_of(case.breach, receipt.deadline, is_mined=case.reached in ("mined", "final"))
    if hop is not None:
        case.hops.append(hop)


# What the chain has to bear out


def _inclusion(connection: Connection, subject: Stored) -> Inclusion | None:
    if subject.seq is None or subject.index is None:
        return None
    try:
        size = connection.execute(select(batches.c.size).where(batches.c.seq == subject.seq)).scalar_one()
        path = tiles.path(connection, subject.seq, subject.index, size)
        return Inclusion(subject.seq, root_from_path(leaf_hash(subject.entry.encode()), subject.index, size, path))
    except DAMAGED:
        return Inclusion(subject.seq, None)


def _in_register(connection: Connection, chain: Chain, key: bytes, number: str | None, record: Record | None) -> InRegister | None:
    """None before the first final anchor."""
    newest = outbox.newest_final(connection)
    if newest is None:
        return None
    final_at = connection.scalar(select(outbox_table.c.final_at).where(outbox_table.c.seq == newest.seq))
    ours = InRegister(newest.seq, newest.register_root, newest.block_time or 0, final_at or 0)
    stored = () if record is None else record.stored
    state = History(one for one in stored if one.seq is not None and one.seq <= newest.seq).state
    ours = ours._replace(expected=None if state is None else state.hash())
    try:
        siblings, end = register_proofs.prove(connection, newest.seq, key)
        if end is not None and end[0] == key:
            return ours._replace(root=root_from_presence(key, end[1], siblings), holds=end[1])
        ours = ours._replace(root=root_from_absence(key, end, siblings))
    except DAMAGED:
        return ours
    if number is None:
        return ours
    path, neighbour = RegisterPath(newest.seq, siblings), None if end is None else Neighbour(*end)
    return ours._replace(absence=AbsenceProof(chain, number, path, neighbour))


def compare(gathered: Gathered, reader: ChainReader, now_ms: int) -> None:
    """Hold our records against the contract.

    The chain is read every other second, for all requests together: what our worker has seen final since then is not in it.
    """
    case, inclusion, ours = gathered.case, gathered.inclusion, gathered.in_register
    try:
        head = reader.read(()).head
        if ours is None:
            case.is_register_sound = case.is_registered  # nothing is anchored: of what is not here, nothing is known
        elif ours.seq > head and 0 <= now_ms - ours.final_at < JUST_NOW_MS:
            _compare_register(case, ours, ours.recorded, ours.mined_at)
        else:
            held = _final(reader, ours.seq)
            _compare_register(case, ours, held.register_root, held.time)
        if inclusion is None or case.reached != "final":
            return
        if inclusion.seq > head and ours is not None and 0 <= now_ms - ours.final_at < JUST_NOW_MS:
            _not_final_yet(case, now_ms)
            return
        case.is_proven = inclusion.root == _final(reader, inclusion.seq).log_root
        case.is_entry_sound = case.is_entry_sound and case.is_proven
    except ChainUnavailable:
        case.is_chain_known = False


def _not_final_yet(case: Case, now_ms: int) -> None:
    """By our reading of the chain, that is: the next one will have it."""
    case.reached = case.state = "mined"
    case.hops = [Hop("final", "missing") if hop.hop == "final" else hop for hop in case.hops if hop.hop != "delivered"]
    case.wait_until = now_ms + JUST_NOW_MS


def _final(reader: ChainReader, seq: int) -> Anchor:
    """Raises ChainUnavailable where the contract does not hold at F what our records call final."""
    held = reader.anchor(seq)
    if held is None or not held.final:
        raise ChainUnavailable("chain.unknown_seq", seq=seq)
    return held


def _compare_register(case: Case, ours: InRegister, root: bytes, time: int) -> None:
    case.is_register_sound = ours.root == root
    if not case.is_register_sound:
        return
    case.in_register = ours.holds is not None
    if case.is_registered:
        case.is_entry_sound = case.is_entry_sound and ours.holds == ours.expected
    elif ours.absence is not None:
        case.hops.append(Hop("registered", "missing", time * 1000, {"seq": ours.seq, "proof": ours.absence}))
