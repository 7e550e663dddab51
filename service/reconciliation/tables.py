"""Runs and what they found. Nothing here is believed by a later run: each one rebuilds everything from the records."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, Table, Text

from service.db import Id, metadata

runs = Table(
    "reconciliation_runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(16), nullable=False, comment="store, record or node"),
    Column("source", String(200), nullable=False, comment="what was compared, without secrets; empty: our own store"),
    Column("state", String(16), nullable=False, comment="queued -> running -> done or failed"),
    Column("runner", String(8), nullable=False, comment="who goes on with it after a crash: worker or cli"),
    Column("parameters", Text, nullable=False, comment="JSON"),
    Column("created_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("finished_at", BigInteger),
    Column("seq", BigInteger, comment="newest final anchor at the block; null until the chain was read"),
    Column("block_number", BigInteger),
    Column("block_hash", LargeBinary(32)),
    Column("block_time", BigInteger, comment="s since 1970 UTC"),
    Column("total", BigInteger, nullable=False, default=0, comment="records to look at, an estimate"),
    Column("done", BigInteger, nullable=False, default=0),
    Column("progress", Text, comment="JSON: from where a killed run goes on"),
    Column("problem", Text, comment="JSON: code and details of what made it fail"),
)
Index(
    "reconciliation_runs_open_idx",
    runs.c.id,
    sqlite_where=runs.c.finished_at.is_(None),
    postgresql_where=runs.c.finished_at.is_(None),
)

findings = Table(
    "reconciliation_findings",
    metadata,
    Column("id", Id, primary_key=True),
    Column("scope", String(200), nullable=False, comment="kind and source of the runs that look for it"),
    Column("fingerprint", LargeBinary(32), nullable=False, comment="hash of what makes it this one and no other"),
    Column("code", String(32), nullable=False),
    Column("place", String(64), comment="section or column; null: the record as a whole"),
    Column("number", String(64)),
    Column("key", LargeBinary(32)),
    Column("seq", BigInteger),
    Column("index", Integer),
    Column("detail", Text, nullable=False, comment="JSON"),
    Column("first_run", Id, ForeignKey("reconciliation_runs.id"), nullable=False),
    Column("last_run", Id, ForeignKey("reconciliation_runs.id"), nullable=False),
    Column("found_at", BigInteger, nullable=False, comment="ms since 1970 UTC"),
    Column("resolved_at", BigInteger, comment="ms: when a run no longer saw it; null: open"),
    Column("repaired", SmallInteger, nullable=False, default=0, comment="1: queued again"),
)
Index(
    "reconciliation_findings_open_key",
    findings.c.scope,
    findings.c.fingerprint,
    unique=True,
    sqlite_where=findings.c.resolved_at.is_(None),
    postgresql_where=findings.c.resolved_at.is_(None),
)
Index("reconciliation_findings_run_idx", findings.c.last_run, findings.c.id)
