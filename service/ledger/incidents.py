"""What a person must look at: kept for ever, counted in /status and metrics, and told to webhooks (without its detail)."""

from sqlalchemy import Connection, insert, select

from service.deliveries import events
from service.ledger.tables import incidents


def record(connection: Connection, now_ms: int, code: str, seq: int | None, detail: str, *, quiet_ms: int | None = None) -> None:
    """Write down an incident, unless the same one (code, seq, detail) is known: at all, or from the last `quiet_ms`."""
    detail = detail[:1000]
    same = select(incidents.c.id).where(
        incidents.c.code == code, incidents.c.seq.is_not_distinct_from(seq), incidents.c.detail == detail
    )
    if quiet_ms is not None:
        same = same.where(incidents.c.at > now_ms - quiet_ms)
    if connection.scalar(same.limit(1)) is None:
        row = {"at": now_ms, "code": code, "seq": seq, "detail": detail}
        id_ = connection.execute(insert(incidents).returning(incidents.c.id), row).scalar_one()
        told = {"incident": id_, "code": code, "seq": seq, "recorded_at": events.moment(now_ms)}
        events.emit(connection, "incident.recorded", str(id_), told, now_ms)
