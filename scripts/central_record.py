#!/usr/bin/env python3
"""A central record that is not ours: another database, with other names, filled from the feed and acknowledged.

    central_record.py URL DATABASE [--once]            with the key of the role central in ZHENGPIAO_FOLLOW_KEY

It stands for the city's system in the demo, and imports nothing of the service: what it knows is the feed (docs/api.md). It
believes the service; whoever does not compares it with the proven store: `zhengpiao reconcile --source sqlite:///DATABASE
--mapping scripts/central_record.toml`.
"""

import argparse
import hashlib
import json
import os
import sqlite3
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS T_FP_ZB (
    FPHM TEXT PRIMARY KEY, FPZL TEXT, KPRQ TEXT, XF_NSRSBH TEXT, XF_MC TEXT, GF_NSRSBH TEXT, GF_MC TEXT,
    HJJE INTEGER, HJSE INTEGER, JSHJ INTEGER, ZFBZ TEXT NOT NULL, XGSJ INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS T_FP_KEY (KEY TEXT PRIMARY KEY, FPHM TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS T_FP_JD (ID INTEGER PRIMARY KEY CHECK (ID = 1), SEQ INTEGER NOT NULL);
"""
ISSUE, VOID, REVERSE, REVERSE_PART, RELEASE = 1, 2, 3, 5, 7
FLAGS = {VOID: "1", REVERSE: "2", REVERSE_PART: "3"}
POLL_S = 1.0


def lines(url: str, key: str, after: int) -> Iterator[dict[str, Any]]:
    """The feed's lines behind batch `after`."""
    request = urllib.request.Request(f"{url}/v1/feed?after={after}", headers={"Authorization": f"Bearer {key}"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        for line in answer:
            yield json.loads(line)


def acknowledge(url: str, key: str, seq: int) -> None:
    """Everything up to batch `seq` has arrived."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    body = json.dumps({"cursor": seq}).encode()
    request = urllib.request.Request(f"{url}/v1/central/acknowledgements", body, headers)  # noqa: S310
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310


def fen(amount: str | None) -> int | None:
    """An amount in yuan as fen."""
    return None if amount is None else int(Decimal(amount) * 100)


def take(database: sqlite3.Connection, one: dict[str, Any]) -> None:
    """One entry: protocol.md section 3 has its bytes."""
    entry = bytes.fromhex(one["entry"])
    kind, recorded_at, key = entry[9], int.from_bytes(entry[10:18], "big"), entry[18:50].hex()
    if kind == ISSUE and one.get("sections"):
        sections = one["sections"]
        header, seller, totals, buyer = (sections.get(name) or {} for name in ("header", "seller", "totals", "buyer"))
        number = header["number"]
        assert hashlib.sha256(b"zp1/number\x00" + number.encode()).hexdigest() == key
        row = (
            number,
            header.get("kind"),
            header.get("issued_on", "").replace("-", ""),
            seller.get("tax_id"),
            seller.get("name"),
            buyer.get("tax_id"),
            buyer.get("name"),
            fen(totals.get("amount")),
            fen(totals.get("tax")),
            fen(totals.get("amount_with_tax")),
            "0",
            recorded_at,
        )
        database.execute(f"INSERT OR REPLACE INTO T_FP_ZB VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
        database.execute("INSERT OR REPLACE INTO T_FP_KEY VALUES (?, ?)", (key, number))
    elif kind in FLAGS:
        where = "WHERE FPHM = (SELECT FPHM FROM T_FP_KEY WHERE KEY = ?)"
        database.execute(f"UPDATE T_FP_ZB SET ZFBZ = ?, XGSJ = ? {where}", (FLAGS[kind], recorded_at, key))  # noqa: S608
    elif kind == RELEASE:
        database.execute("DELETE FROM T_FP_ZB WHERE FPHM = (SELECT FPHM FROM T_FP_KEY WHERE KEY = ?)", (key,))


def catch_up(database: sqlite3.Connection, url: str, key: str) -> int:
    """Take what is new, a batch a transaction, and acknowledge it; the newest seq."""
    row = database.execute("SELECT SEQ FROM T_FP_JD").fetchone()
    seq = before = row[0] if row else 0
    for piece in lines(url, key, seq):
        if piece["first"] == 0:
            database.execute("BEGIN IMMEDIATE")
        for one in piece["entries"]:
            take(database, one)
        if piece["first"] + len(piece["entries"]) >= piece["size"]:
            seq = piece["seq"]
            database.execute("INSERT OR REPLACE INTO T_FP_JD VALUES (1, ?)", (seq,))
            database.execute("COMMIT")
    if seq > before:
        acknowledge(url, key, seq)
    return seq


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("url")
    parser.add_argument("database")
    parser.add_argument("--once", action="store_true", help="end when everything is in")
    options = parser.parse_args()
    key = os.environ.get("ZHENGPIAO_FOLLOW_KEY", "")
    with closing(sqlite3.connect(options.database, isolation_level=None)) as database:
        database.executescript(SCHEMA)
        while True:
            try:
                seq = catch_up(database, options.url.rstrip("/"), key)
            except (urllib.error.URLError, OSError, ValueError) as error:
                if database.in_transaction:
                    database.execute("ROLLBACK")
                print(f"central record: {error}", file=sys.stderr)
                if options.once:
                    return 1
            else:
                if options.once:
                    print(f"central record: batch {seq}")
                    return 0
            time.sleep(POLL_S)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
