"""Forgetting old versions of register pages, a few batches at a time.

Provable stay: every seq from the newest final anchor up, and for whoever lags one older than max_lag_s. A seq can only be kept by
deciding so before it is pruned: so two older ones are held, and when the younger is old enough it takes the elder's place.
"""

from sqlalchemy import Connection, insert, select, update

from service.ledger import outbox, register
from service.ledger.tables import outbox as outbox_table
from service.ledger.tables import register_pruning as table

BATCHES_AT_ONCE = 8


def prune(connection: Connection, chain_time: int, max_lag_s: int) -> bool:
    """One step; True while more is left to do. `chain_time` is the final block's, in seconds."""
    final = outbox.newest_final(connection)
    if final is None:
        return False
    row = connection.execute(select(table.c.pruned_to, table.c.kept, table.c.next_kept)).one_or_none()
    if row is None:
        connection.execute(insert(table), {"id": 1, "pruned_to": final.seq, "kept": final.seq, "next_kept": final.seq})
        return False
    pruned_to, kept, next_kept = (int(seq) for seq in row)
    time = select(outbox_table.c.block_time).where(outbox_table.c.seq == next_kept)
    if next_kept < final.seq and chain_time - (connection.scalar(time) or 0) > max_lag_s:
        pruned_to, kept, next_kept = kept, next_kept, final.seq
    upto = min(pruned_to + BATCHES_AT_ONCE, final.seq)
    register.prune(connection, pruned_to, upto, [kept, next_kept, upto])
    connection.execute(update(table).values(pruned_to=upto, kept=kept, next_kept=next_kept))
    return bool(upto < final.seq)
