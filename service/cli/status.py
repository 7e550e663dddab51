"""status: how anchoring goes, read from the database: so it works while no service runs."""

import time
from typing import Any

import typer
from sqlalchemy import select

from service.cli.outcome import Exit, Json, console, moment, print_fields, print_json, print_rows
from service.cli.settings import load_settings, open_database
from service.ledger import status as ledger
from service.ledger.tables import incidents
from service.trouble import Trouble

_INCIDENTS = 20


def add_to(app: typer.Typer) -> None:
    app.command()(status)


def status(as_json: Json = False) -> None:
    """Backlog, chain, trouble with what to do about it, and the newest incidents. Status 1 where anchoring does not go on."""
    settings = load_settings()
    with open_database(settings) as database, database.read() as connection:
        known = ledger.read(connection, settings.max_backlog + 1)
        newest = connection.execute(select(incidents).order_by(incidents.c.id.desc()).limit(_INCIDENTS)).all()
    health, now = known.health, time.time()
    trouble = None
    if health is not None and health.trouble is not None:
        trouble = {"code": health.trouble, "since": moment(health.since), "detail": health.detail}
    is_working = health is not None and health.is_working(now, settings.worker_silent_s)
    fields: dict[str, Any] = {
        "working": is_working,
        "contract": settings.contract,
        "chain_id": settings.chain_id,
        "head": health and health.head,
        "final_head": health and health.final_head,
        "final_block": health and health.final_block,
        "final_block_at": health and moment(health.final_time),
        "sealed_head": known.sealed_head,
        "backlog": known.backlog,
        "oldest_pending_s": None if known.oldest_pending is None else max(0, int(now - known.oldest_pending / 1000)),
        "worker_seen_at": health and moment(health.seen_at),
        "endpoints_left_out": (health and health.left_out) or None,
        "trouble": trouble,
    }
    found = [{"at": moment(row.at / 1000), "code": row.code, "seq": row.seq, "detail": row.detail} for row in newest]
    if as_json:
        print_json({**fields, "incidents": found})
    else:
        print_fields({**fields, "trouble": trouble and f"{trouble['code']}, since {trouble['since']}: {trouble['detail']}"})
        for explained in (one for one in Trouble if trouble and one == trouble["code"]):
            console.print(f"\n{explained.meaning} {explained.remedy}")
        if found:
            console.print("")
            print_rows(("at", "incident", "anchor", "detail"), [list(row.values()) for row in found])
    if not is_working:
        raise typer.Exit(Exit.REFUSED)
