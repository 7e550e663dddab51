"""Forgetting old versions of register pages, a few batches at a time.

Provable stay: every seq from the newest final anchor up, and for whoever lags one older than max_lag_s. A seq can only be kept by
deciding so before it is pruned: so two older ones are held, and when the younger is old enough it takes the elder's place. Batches
that are not final may be sealed again: nothing that they replaced is forgotten.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from service.ledger import outbox, register
from service.ledger.tables import outbox as outbox_table
from service.ledger.tables import register_pruning as table

BATCHES_AT_ONCE = 8


class Pruned(NamedTuple):
    """Below `pruned_to` only `kept` and `next_kept` can be proven."""

    pruned_to: int
    kept: int
    next_kept: int


def is_due(connection: Connection, chain_time: int, max_lag_s: int) -> bool:
    """Whether `prune` has something to do; costs no write."""
    return _next(connection, chain_time, max_lag_s) is not None


def prune(connection: Connection, chain_time: int, max_lag_s: int, pinned: Sequence[int] = ()) -> bool:
    """One step, if one is due. `chain_time` is the final block's, in seconds; `pinned` are seqs that somebody still reads."""
    step = _next(connection, chain_time, max_lag_s)
    if step is None:
        return False
    before, after = step
    if before is None:
        connection.execute(insert(table), {"id": 1, **after._asdict()})
        return True
    # First of all, so that of two workers one waits here, and then finds that the other one was faster.
    mine = update(table).where(table.c.pruned_to == before.pruned_to, table.c.next_kept == before.next_kept)
    if connection.execute(mine.values(**after._asdict())).rowcount:
        register.prune(connection, before.pruned_to, after.pruned_to, [after.kept, after.next_kept, after.pruned_to, *pinned])
    return True


def _next(connection: Connection, chain_time: int, max_lag_s: int) -> tuple[Pruned | None, Pruned] | None:
    final = outbox.newest_final(connection)
    if final is None:
        return None
    row = connection.execute(select(*(table.c[name] for name in Pruned._fields))).one_or_none()
    if row is None:
        return None, Pruned(final.seq, final.seq, final.seq)
    before = Pruned(*row)
    pruned_to, kept, next_kept = before
    time = connection.scalar(select(outbox_table.c.block_time).where(outbox_table.c.seq == next_kept))
    if next_kept < final.seq and chain_time - (time or 0) > max_lag_s:
        pruned_to, kept, next_kept = kept, next_kept, final.seq
    after = Pruned(min(pruned_to + BATCHES_AT_ONCE, final.seq), kept, next_kept)
    return None if after == before else (before, after)
