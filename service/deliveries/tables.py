"""The queue, webhook endpoints, and the events that these subscribe to.

Who is told, and what, is encrypted (service/vault.py) and bound to its row; the rest is what a courier, lists and metrics need.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from service.db import Id, metadata

ENDPOINT_ID = 20
"""Characters: `wh_` and 16 of base 32 at random."""
UID = 30
"""Characters: `msg_` and 26 of base 32 (128 bits and a bit) at random."""

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    Column("id", String(ENDPOINT_ID), primary_key=True),
    Column("owner", String(32), nullable=False, comment="id of a person or key, or of a case"),
    Column("role", String(16), nullable=False, comment="of the owner: which events it may have; applicant for a case"),
    Column("sellers", Text, comment="JSON: tax ids whose invoices' events it gets; null: all"),
    Column("object", String(64), comment="the case whose events it gets; null: all"),
    Column("events", Text, nullable=False, comment="JSON: event types, or `reprint.*`"),
    Column("label", String(100), nullable=False),
    Column("url", LargeBinary, nullable=False, comment="encrypted: path and query may hold a secret"),
    Column("contact", LargeBinary, comment="encrypted e-mail address that is told when it is disabled"),
    Column("language", String(8), nullable=False, comment="of that e-mail: zh-CN or en"),
    Column("secret", LargeBinary, nullable=False, comment="encrypted"),
    Column("old_secret", LargeBinary, comment="encrypted: signs beside the new one until old_until"),
    Column("old_until", BigInteger, comment="ms since 1970 UTC"),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("failing_since", BigInteger, comment="ms: of the first failure since the last success"),
    Column("failures", Integer, nullable=False, default=0, comment="in a row"),
    Column("rests_until", BigInteger, nullable=False, default=0, comment="ms: nothing is sent to it before"),
    Column("disabled_at", BigInteger),
    Column("disabled_by", String(16), comment="failing, gone or revoked"),
)
Index("webhook_endpoints_owner_idx", webhook_endpoints.c.owner, webhook_endpoints.c.created_at)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("type", String(64), nullable=False),
    Column("seller", String(64), comment="tax id whose invoice it is about; null: about no one invoice"),
    Column("object", String(64), nullable=False, comment="case, run or incident"),
    Column("data", Text, nullable=False, comment="JSON; nothing personal"),
    Column("spread_at", BigInteger, comment="ms: when a delivery was queued for every endpoint that subscribes to it"),
)
Index(
    "webhook_events_waiting_idx",
    webhook_events.c.id,
    sqlite_where=webhook_events.c.spread_at.is_(None),
    postgresql_where=webhook_events.c.spread_at.is_(None),
)
Index("webhook_events_at_idx", webhook_events.c.at)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("uid", String(UID), nullable=False, unique=True, comment="by which a receiver recognises a repeat"),
    Column("channel", String(8), nullable=False, comment="email, sms or webhook"),
    Column("event", String(64), nullable=False, comment="what it is about, for lists"),
    Column("object", String(64), nullable=False, comment="case, run or endpoint that it is about"),
    Column("endpoint_id", String(ENDPOINT_ID), ForeignKey("webhook_endpoints.id"), comment="of a webhook"),
    Column("state", String(8), nullable=False, comment="see queue.py"),
    Column("message", LargeBinary, comment="encrypted JSON: recipient and text; null: forgotten"),
    Column("quiet_from", SmallInteger, comment="minutes after midnight in Beijing between which it is held; null: at any time"),
    Column("quiet_until", SmallInteger),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("due_at", BigInteger, nullable=False, comment="ms: of the next try; while sending, when another courier may try"),
    Column("expires_at", BigInteger, comment="ms: of no use later; null: always of use"),
    Column("claim", String(32), comment="of the courier that is sending it"),
    Column("tries", SmallInteger, nullable=False, default=0),
    Column("failures", SmallInteger, nullable=False, default=0),
    Column("ended_at", BigInteger, comment="ms: when it was sent or given up"),
    Column("error", String(64), comment="code of the last failure"),
    Column("status", SmallInteger, comment="the other side's last status"),
)
Index("deliveries_due_idx", deliveries.c.channel, deliveries.c.state, deliveries.c.due_at)
Index("deliveries_state_idx", deliveries.c.state, deliveries.c.id)
Index("deliveries_endpoint_idx", deliveries.c.endpoint_id, deliveries.c.id)
Index("deliveries_object_idx", deliveries.c.object, deliveries.c.id)
