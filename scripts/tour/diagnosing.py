"""The puzzled recipient's part of the tour: an invoice is lost at one hop after the other, explained, and brought back.

What is spoilt here is the demo's own database and node; each is put right by what it shows.
"""

import json
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scripts.tour.processes import StepFailed
from scripts.tour.steps import INVOICES, Demo, Surroundings, number_of, start_worker, wait_until_final
from verifier.proof import MEDIA_TYPE

FOLLOWED_NUMBER = "26112999000000000098"
"""Of an invoice that is asked about at each hop."""
DROPPED_NUMBER = "26112999000000000097"
"""Of an invoice that we sign for, and lose before it is sealed."""
LOST, ALTERED, INVISIBLE, MISTYPED = "S10", "S05", "S04", "S01"
_EVERY_S = 0.02
_TIMEOUT_S = 60


def at_each_hop(demo: Demo) -> None:
    """An invoice that is asked about again and again by its acknowledgement, until it is at every hop."""
    demo.place.done("followed", number=FOLLOWED_NUMBER)
    sections = deepcopy(INVOICES["S03"])
    sections["header"]["number"] = FOLLOWED_NUMBER
    issuer = demo.as_issuer_of(sections["seller"]["tax_id"])
    answer = issuer.ask_json("POST", "/v1/invoices", json={"profile": "as_issued", "sections": sections})
    shown = {"entry": answer["entry"], "receipt": answer["receipt"], "number": FOLLOWED_NUMBER}
    last, deadline = "", time.monotonic() + _TIMEOUT_S
    while last != "present":
        found = _diagnose(demo, shown)
        if found["verdict"] != last:
            _say(demo, found, FOLLOWED_NUMBER)
            last = found["verdict"]
        if time.monotonic() > deadline:
            raise StepFailed(demo.place.word("wrong_verdict", name=FOLLOWED_NUMBER, expected="present", found=last))
        time.sleep(_EVERY_S)


def tour(demo: Demo, around: Surroundings) -> None:
    """What was mistyped, never submitted, lost, altered, dropped by a node, forged."""
    demo.place.done("diagnosing")
    _mistyped(demo)
    never = {"number": "26112999000000009999", "issued_on": "2026-09-01", "amount_with_tax": "1.00"}
    expect(demo, "never_submitted", never, number=never["number"])
    database = demo.place.folder / "demo.db"
    _dropped(demo, around, database)
    lose = (
        "DELETE FROM copies WHERE invoice_id = (SELECT id FROM invoices WHERE number = :number)",
        "DELETE FROM invoices WHERE number = :number",
    )
    _spoil_and_recover(demo, database, LOST, "lost_after_anchor", *lose)
    alter = "UPDATE invoices SET totals = CAST(replace(totals, '9.00', '0.00') AS BLOB) WHERE number = :number"
    _spoil_and_recover(demo, database, ALTERED, "altered", alter)
    _invisible(demo, around)
    file = json.loads(_proof(demo, LOST))
    file["sections"]["totals"]["value"]["amount_with_tax"] = "99999.00"
    expect(demo, "forged", json.dumps(file).encode(), number=number_of(LOST))


def _diagnose(demo: Demo, shown: Mapping[str, Any] | bytes, as_seller: str | None = None) -> dict[str, Any]:
    """By what an issuer's key shows, or anybody."""
    who = demo.as_issuer_of(as_seller) if as_seller else demo.as_nobody()
    if isinstance(shown, bytes):
        return who.ask_json("POST", "/v1/diagnoses", data=shown, headers={"Content-Type": MEDIA_TYPE})
    return who.ask_json("POST", "/v1/diagnoses", json=dict(shown))


def _say(demo: Demo, found: dict[str, Any], number: str) -> None:
    said = found["sentences"]
    demo.place.print(f"    {number}  {found['verdict']}: {said['verdict']} {said['next_action']}", "yellow")


def expect(
    demo: Demo, verdict: str, shown: Mapping[str, Any] | bytes, *, number: str, as_seller: str | None = None
) -> dict[str, Any]:
    found = _diagnose(demo, shown, as_seller)
    if found["verdict"] != verdict:
        said = json.dumps(found, ensure_ascii=False)
        raise StepFailed(demo.place.word("wrong_verdict", name=number, expected=verdict, found=said))
    _say(demo, found, number)
    return found


def _mistyped(demo: Demo) -> None:
    """A stranger is told that something does not match; the seller is told what."""
    header, totals, seller = (INVOICES[MISTYPED][name] for name in ("header", "totals", "seller"))
    typed = {"number": header["number"], "issued_on": header["issued_on"], "amount_with_tax": totals["amount"]}
    expect(demo, "detail_mismatch", typed, number=header["number"])
    found = expect(demo, "detail_mismatch", typed, number=header["number"], as_seller=seller["tax_id"])
    for field in found["next_action"]["fields"]:
        demo.place.print(f"      {field['sentence']}", "dim")


def _proof(demo: Demo, id_: str) -> bytes:
    return demo.as_role("auditor").ask("GET", f"/v1/invoices/{quote(number_of(id_))}/proof").content


def _spoil_and_recover(demo: Demo, database: Path, id_: str, verdict: str, *statements: str) -> None:
    kept, number = _proof(demo, id_), number_of(id_)
    with closing(sqlite3.connect(database)) as free, free:
        for statement in statements:
            free.execute(statement, {"number": number})
    expect(demo, verdict, kept, number=number)
    made = demo.as_nobody().ask_json("POST", "/v1/recoveries", data=kept, headers={"Content-Type": MEDIA_TYPE})
    found = _diagnose(demo, kept)
    if (made["state"], found["verdict"]) != ("restored", "present"):
        raise StepFailed(f"{number}: {made}, {found['verdict']}")
    demo.place.done("recovered", number=number, restored=", ".join(made["restored"]))


def _dropped(demo: Demo, around: Surroundings, database: Path) -> None:
    """We sign for an invoice and lose every trace of it; its issuer has kept what it sent, and our acknowledgement."""
    demo.processes.stop("worker")
    sections = deepcopy(INVOICES["S03"])
    sections["header"]["number"] = DROPPED_NUMBER
    body = {"profile": "as_issued", "sections": sections}
    kept = demo.as_issuer_of(sections["seller"]["tax_id"]).ask_json("POST", "/v1/invoices", json=body)
    shown = {"entry": kept["entry"], "receipt": kept["receipt"], "number": DROPPED_NUMBER}
    with closing(sqlite3.connect(database)) as free, free:
        [[id_]] = free.execute("SELECT id FROM invoices WHERE number = ?", [DROPPED_NUMBER]).fetchall()
        for statement in ("copies WHERE entry_id = ?", "invoices WHERE id = ?", "entries WHERE id = ?"):
            free.execute(f"DELETE FROM {statement}", [id_])  # noqa: S608
    expect(demo, "accepted_not_sealed", shown, number=DROPPED_NUMBER)
    whole = {"sections": sections, "acknowledgement": kept}
    made = demo.as_nobody().ask_json("POST", "/v1/recoveries", json=whole)
    start_worker(demo.place, demo.processes, around.settings)
    wait_until_final(demo, [DROPPED_NUMBER])
    deadline = time.monotonic() + _TIMEOUT_S
    while (found := _diagnose(demo, shown)["verdict"]) != "present":
        if time.monotonic() > deadline:
            raise StepFailed(demo.place.word("wrong_verdict", name=DROPPED_NUMBER, expected="present", found=found))
        time.sleep(_EVERY_S * 10)
    demo.place.done("recovered", number=DROPPED_NUMBER, restored=", ".join(made["restored"]))


def _invisible(demo: Demo, around: Surroundings) -> None:
    """The node drops the lines of an invoice, and gets them back."""
    number = number_of(INVISIBLE)
    facts = INVOICES[INVISIBLE]
    typed = {"number": number, "issued_on": facts["header"]["issued_on"], "amount_with_tax": facts["totals"]["amount_with_tax"]}
    with closing(sqlite3.connect(demo.place.folder / "node.db")) as node:
        [lines] = node.execute("SELECT lines FROM invoices WHERE number = ?", [number]).fetchone()
        with node:
            node.execute("UPDATE invoices SET lines = NULL WHERE number = ?", [number])
        try:
            expect(demo, "delivered_not_visible", typed, number=number)
        finally:
            with node:
                node.execute("UPDATE invoices SET lines = ? WHERE number = ?", [lines, number])
