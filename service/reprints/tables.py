"""Reprint cases. What is personal is encrypted (service/vault.py) and bound to its case; the rest is what lists and charts need.

Materials, payments and messages have tables of their own rooms: materials.py, payments.py, service/deliveries/.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from service.db import Id, metadata
from service.reprints.transitions import CLOSED

CASE_ID = 16
"""Characters: R, yymmdd of Beijing, `-`, 8 of Crockford's base 32 at random."""

reprint_cases = Table(
    "reprint_cases",
    metadata,
    Column("id", String(CASE_ID), primary_key=True),
    Column("number", String(64), nullable=False),
    Column("key", LargeBinary(32), nullable=False, comment="of the number"),
    Column("copy", LargeBinary(32), nullable=False, comment="the current one, when the case was opened"),
    Column("state", String(24), nullable=False, comment="see transitions.py"),
    Column("round", Integer, nullable=False, default=0, comment="number of the newest row of its history"),
    Column("opened_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("changed_at", BigInteger, nullable=False, comment="ms: since when it is in its state"),
    Column("due_at", BigInteger, comment="ms: then it expires, or a review is late; null: nothing is due"),
    Column("reminded_at", BigInteger, comment="ms: of the last reminder of this deadline"),
    Column("opened_by", String(32), comment="id of the person or key that was signed in when it was opened; null: anybody"),
    Column("kind", String(8), comment="copy or reissue; null until it is applied for"),
    Column("delivery", String(8), comment="download or collect"),
    Column("application", LargeBinary, comment="encrypted JSON: see applying.py"),
    Column("diagnosis", LargeBinary, nullable=False, comment="encrypted JSON: its members in both languages, when it was opened"),
    Column("verdict", String(32), nullable=False, comment="of that diagnosis"),
    Column("responsible", String(16), nullable=False),
    Column("fee", String(16), nullable=False, comment="free, charged or undetermined"),
    Column("fee_fen", BigInteger, nullable=False, comment="0 unless charged"),
    Column("fee_rests_on", String(16), nullable=False, comment="hop whose evidence decided"),
    Column("fee_decided_by", String(16), comment="id of the reviewer who decided; null: the evidence did"),
    Column("paid_at", BigInteger),
    Column("first_reviewer", String(16)),
    Column("first_approval", Text, comment="canonical JSON: see reviewing.py"),
    Column("second_reviewer", String(16)),
    Column("second_approval", Text),
    Column("replacement", LargeBinary, comment="canonical sections of a reissue, from the original's issuer; JSON"),
    Column("replacement_by", String(32), comment="id of the key or person that sent them"),
    Column("entry_id", Id, ForeignKey("entries.id"), comment="the reprint, or the issue of a reissue"),
    Column("ready_at", BigInteger, comment="ms: when the applicant was told that the document can be had"),
    Column("pickup", LargeBinary, comment="encrypted: the pick-up code, where it is collected on paper"),
    Column("handed_over_at", BigInteger),
    Column("handed_over_by", String(16)),
)
Index(
    "reprint_cases_open_key",
    reprint_cases.c.key,
    unique=True,
    sqlite_where=reprint_cases.c.state.not_in(CLOSED),
    postgresql_where=reprint_cases.c.state.not_in(CLOSED),
)
Index("reprint_cases_state_idx", reprint_cases.c.state, reprint_cases.c.changed_at, reprint_cases.c.id)
Index("reprint_cases_due_idx", reprint_cases.c.due_at)
Index("reprint_cases_number_idx", reprint_cases.c.number)
_is_to_be_told = (reprint_cases.c.state == "completed") & reprint_cases.c.ready_at.is_(None)
Index("reprint_cases_ready_idx", reprint_cases.c.id, sqlite_where=_is_to_be_told, postgresql_where=_is_to_be_told)

reprint_history = Table(
    "reprint_history",
    metadata,
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False, comment="1, 2, 3 …: whoever comes second fails"),
    Column("at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("event", String(24), nullable=False),
    Column("source", String(24)),
    Column("target", String(24), nullable=False),
    Column("actor", String(32), nullable=False, comment="id of a person or key, applicant, or system"),
    Column("reason", LargeBinary, comment="encrypted: what the applicant is told"),
)
Index("reprint_history_at_idx", reprint_history.c.at)

reprint_tokens = Table(
    "reprint_tokens",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), nullable=False, index=True),
    Column("expires_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
)
"""By which an applicant reads and moves a case: given when it is opened, and for a one-time code."""

reprint_codes = Table(
    "reprint_codes",
    metadata,
    Column("case_id", String(CASE_ID), ForeignKey("reprint_cases.id"), primary_key=True),
    Column("code_hash", LargeBinary(32), nullable=False, comment="keyed by case id and a random salt"),
    Column("salt", LargeBinary(16), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("tries_left", SmallInteger, nullable=False),
    Column("day", Integer, nullable=False, comment="days since 1970 in Beijing"),
    Column("sent", SmallInteger, nullable=False, comment="codes that were sent on that day"),
)
