"""Promises that were not kept, and which anchor shows it (protocol.md section 6)."""

from typing import Any

from sqlalchemy import Connection, func, select

from service.diagnosis import by_time
from service.diagnosis.case import Breach, Hop, ShownBy
from service.invoices import reading
from service.ledger.tables import batches, outbox
from verifier.entry import Kind

_SHOWN_BY: dict[Kind, ShownBy] = {Kind.ISSUE: "absence", Kind.VOID: "status", Kind.RELEASE: "status", Kind.REPRINT: "copy"}


def breach_of(connection: Connection, kind: Kind, deadline_ms: int, final_time: int, seq: int | None) -> Breach | None:
    """None where the promise was kept, or may still be. `final_time` is the newest final block's, in seconds; `seq` the entry's.

    Every anchor in time is below that block: none is still to come.
    """
    deadline = -(-deadline_ms // 1000)
    if final_time <= deadline:
        return None
    mined = None if seq is None else connection.scalar(select(outbox.c.block_time).where(outbox.c.seq == seq))
    if mined is not None and mined <= deadline:
        return None
    in_time = _last_until(connection, deadline)
    late = None if seq is None or mined is None else (seq, mined)
    return Breach(deadline, in_time, late, "later_anchor" if in_time is None else _SHOWN_BY.get(kind, "later_anchor"))


def _last_until(connection: Connection, time: int) -> tuple[int, int] | None:
    """(seq, block time) of the last final anchor of ours that was mined until then."""
    low, high = connection.execute(select(func.min(outbox.c.seq), func.max(outbox.c.seq)).where(outbox.c.state == "final")).one()
    if low is None:
        return None
    until = by_time.first_after(connection, outbox.c.seq, outbox.c.block_time, low, high, time)
    ours = select(outbox.c.seq, outbox.c.block_time).join(batches, batches.c.seq == outbox.c.seq)
    last = ours.where(outbox.c.seq < until, batches.c.foreign == 0).order_by(outbox.c.seq.desc()).limit(1)
    row = connection.execute(last).one_or_none()
    return None if row is None else (row.seq, row.block_time)


def hop_of(breach: Breach | None, deadline_ms: int, *, is_mined: bool) -> Hop | None:
    """The promise as a hop; None while it is neither kept nor broken."""
    if breach is None:
        return Hop("promise", "done", deadline_ms) if is_mined else None
    evidence: dict[str, Any] = {"shown_by": breach.shown_by, "last_in_time": None, "later_anchor": None}
    if breach.in_time is not None:
        seq, time = breach.in_time
        evidence["last_in_time"] = {"seq": seq, "at": reading.at(time * 1000), "leaves": f"/v1/anchors/{seq}/leaves"}
    if breach.late is not None:
        seq, time = breach.late
        evidence["later_anchor"] = {"seq": seq, "at": reading.at(time * 1000)}
    return Hop("promise", "missing", deadline_ms, evidence)
