"""The one repair that happens by itself: what is ours, accepted and not yet on chain is queued again.

Ours: a receipt of the service. Not yet on chain: the register as of our newest final anchor, proven against the contract, holds the
number as it was before the entry. Both together, or nothing is touched: an entry that went in twice would break the log for ever.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from service.ledger import outbox, register_proofs
from service.ledger.entries import History, Stored, stored_by_key
from service.ledger.tables import batches, entries
from service.ledger.tables import outbox as outbox_table
from service.reconciliation.findings import Found
from service.reconciliation.log import is_promised
from service.reconciliation.scope import Scope
from verifier.entry import Kind
from verifier.errors import Malformed, NotAllowed
from verifier.register import root_from_absence, root_from_presence


def is_candidate(found: Found) -> bool:
    """Whether a finding may be about something that was accepted and fell out of the queue."""
    if found.code == "unanchored":
        return found.place == "entries" and found.detail.get("promised") is True
    return found.code == "missing" and found.place == "outbox"


def queue_again(connection: Connection, scope: Scope, register_root: bytes, candidates: Sequence[Found]) -> list[Found]:
    """Put right what may be put right; those that were. `register_root` is the contract's at `scope.newest`."""
    repaired = []
    for found in candidates:
        if found.place == "outbox":
            done = _queue_batch(connection, found.seq)
        else:
            done = _queue_entry(connection, scope, register_root, found)
        if done:
            repaired.append(found)
    return repaired


def _queue_batch(connection: Connection, seq: int | None) -> bool:
    """A sealed batch whose row in the outbox is gone would never be sent: the contract's sequence makes a second one harmless."""
    has_batch = connection.scalar(select(batches.c.seq).where(batches.c.seq == seq)) is not None
    if seq is None or not has_batch or connection.scalar(select(outbox_table.c.seq).where(outbox_table.c.seq == seq)) is not None:
        return False
    outbox.add(connection, seq)
    return True


def _queue_entry(connection: Connection, scope: Scope, register_root: bytes, found: Found) -> bool:
    """An entry that stands in a batch that never held it."""
    entry_id, key = found.detail.get("entry_id"), found.key
    if key is None:
        return False
    try:
        stored = stored_by_key(connection, [key]).get(key, [])
        mine = next((one for one in stored if one.id == entry_id), None)
        if (
            mine is None
            or mine.entry.kind is Kind.NOTE
            or mine.seq is None
            or not is_promised(scope, mine.entry.encode(), mine.receipt)
        ):
            return False
        if not _is_before(connection, scope, register_root, key, [one for one in stored if one.id != entry_id]):
            return False
    except (Malformed, NotAllowed, ValueError, IndexError, TypeError):
        return False
    connection.execute(update(entries).where(entries.c.id == entry_id).values(seq=None, index=None))
    return True


def _is_before(connection: Connection, scope: Scope, register_root: bytes, key: bytes, others: Sequence[Stored]) -> bool:
    """Whether the anchored register holds the number as the other entries make it."""
    before = History(one for one in others if one.seq is not None and one.seq <= scope.newest)
    proof = register_proofs.prove(connection, scope.newest, key)
    if before.state is None:
        return root_from_absence(key, proof.end, proof.siblings) == register_root
    return root_from_presence(key, before.state.hash(), proof.siblings) == register_root
