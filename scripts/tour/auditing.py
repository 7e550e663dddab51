"""The auditor's part of the tour: our records, a central record that is not ours, and a query node, each compared and each spoilt.

What is spoilt is a copy of our database, or is put right again: the demo goes on as it was.
"""

import json
import shutil
import sqlite3
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from copy import deepcopy
from pathlib import Path

from scripts.tour.diagnosing import expect
from scripts.tour.processes import StepFailed, environment, run
from scripts.tour.steps import INVOICES, MAPPING, PROGRAMS, ROOT, Demo, Surroundings, answer, number_of, wait_until_final
from verifier.entry import number_key

CENTRAL = ROOT / "scripts/central_record.py"
FILES = ("node.db", "central.db", "insider.db")
DELETED, ALTERED, CENTRAL_ALTERED, CENTRAL_MISSING = "S02", "S03", "S05", "S07"
LATE_NUMBER = "26112999000000000099"
"""Of an invoice that is registered while the node is cut off."""


def start(demo: Demo, around: Surroundings) -> None:
    """Run the node and the central record."""
    _start_node(demo, around, demo.keys["node"])
    command = [sys.executable, CENTRAL, demo.url, around.central]
    demo.processes.start("central", command, environment({"FOLLOW_KEY": demo.keys["central"]}), demo.place.folder)
    demo.place.done("surroundings", node=around.node_url, central=around.central)


def _start_node(demo: Demo, around: Surroundings, key: str) -> None:
    port = around.node_url.rpartition(":")[2]
    command = [PROGRAMS / "zhengpiao", "serve", "--follow", demo.url, "--port", port]
    settings = environment({**around.node_settings, "FOLLOW_KEY": key})
    demo.processes.start("node", command, settings, demo.place.folder)
    demo.processes.wait_for("node", lambda: answer(f"{around.node_url}/status"), 60)


def tour(demo: Demo, around: Surroundings) -> None:
    """Everything agrees; then each kind of trouble, found and named."""
    demo.processes.wait_for("node", lambda: _is_up_to_date(around), 60)
    demo.processes.wait_for("central", lambda: _has_all(demo, around), 60)
    for source in ([], _record(around), ["--node", around.node_url]):
        _reconcile(demo, around.settings, source, expected=())
    demo.place.done("all_agree")
    _insider(demo, around)
    with _spoilt(around.central):
        expected = {("differs", number_of(CENTRAL_ALTERED)), ("missing_there", number_of(CENTRAL_MISSING))}
        demo.place.done("central_spoilt", altered=CENTRAL_ALTERED, missing=CENTRAL_MISSING)
        _reconcile(demo, around.settings, _record(around), expected)
    _reconcile(demo, around.settings, _record(around), expected=())
    _cut_off(demo, around)
    _reconcile(demo, around.settings, ["--node", around.node_url], expected=())
    demo.place.done("all_resolved", url=demo.url)


def _record(around: Surroundings) -> list[object]:
    return ["--source", f"sqlite:///{around.central}", "--mapping", MAPPING]


def _is_up_to_date(around: Surroundings) -> bool:
    status = answer(f"{around.node_url}/status")
    return status is not None and status["node"]["seq"] and status["node"]["behind"] == 0


def _has_all(demo: Demo, around: Surroundings) -> bool:
    with closing(sqlite3.connect(around.central)) as database:
        try:
            seq = database.execute("SELECT SEQ FROM T_FP_JD").fetchone()
        except sqlite3.OperationalError:
            return False
    return seq is not None and seq[0] >= demo.as_role("auditor").ask_json("GET", "/v1/anchors/head")["seq"]


def _reconcile(
    demo: Demo, settings: Mapping[str, str], what: Sequence[object], expected: Collection[tuple[str, str | None]]
) -> None:
    """Run the command; it must find `expected`, as (code, number or None), nothing where that is empty, and is shown.

    A record whose content is gone is named by its key, which is the hash of its number.
    """
    command = [PROGRAMS / "zhengpiao", "reconcile", "--json", *what]
    said = json.loads(run(command, environment(settings), demo.place.folder, expected=1 if expected else 0))
    numbers = {number_key(number).hex(): number for _, number in expected if number is not None}
    found = {(one["code"], one["number"] or numbers.get(one["key"])) for one in said["first_findings"]}
    if not set(expected) <= found or (found and not expected):
        raise StepFailed(demo.place.word("findings_differ", expected=expected, found=found))
    for one in said["first_findings"]:
        shown = (one["code"], one["number"] or numbers.get(one["key"]), one["place"], *one["detail"].get("fields", ()))
        demo.place.print("    " + " ".join(str(part) for part in shown if part is not None), "yellow")


def _insider(demo: Demo, around: Surroundings) -> None:
    """Somebody with write access to the database, but without the keys."""
    copy = demo.place.folder / "insider.db"
    with closing(sqlite3.connect(demo.place.folder / "demo.db")) as ours, closing(sqlite3.connect(copy)) as database:
        ours.backup(database)
        deleted = "SELECT id FROM invoices WHERE number = ?"
        database.execute(f"DELETE FROM copies WHERE invoice_id IN ({deleted})", [number_of(DELETED)])  # noqa: S608
        database.execute("DELETE FROM invoices WHERE number = ?", [number_of(DELETED)])
        [totals] = database.execute("SELECT totals FROM invoices WHERE number = ?", [number_of(ALTERED)]).fetchone()
        changed = json.loads(totals) | {"amount_with_tax": "3200.00"}
        text = json.dumps(changed, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
        database.execute("UPDATE invoices SET totals = ? WHERE number = ?", [text, number_of(ALTERED)])
        database.commit()
    demo.place.done("insider", deleted=DELETED, altered=ALTERED)
    expected = {("missing", number_of(DELETED)), ("altered", number_of(ALTERED))}
    _reconcile(demo, {**around.settings, "DATABASE_URL": f"sqlite:///{copy}"}, [], expected)


@contextmanager
def _spoilt(central: Path) -> Iterator[None]:
    """One amount of the central record is wrong and one record is gone, until the block ends."""
    sound = central.with_suffix(".sound")
    shutil.copy(central, sound)
    try:
        with closing(sqlite3.connect(central)) as database, database:
            database.execute("UPDATE T_FP_ZB SET JSHJ = JSHJ + 100 WHERE FPHM = ?", [number_of(CENTRAL_ALTERED)])
            database.execute("DELETE FROM T_FP_ZB WHERE FPHM = ?", [number_of(CENTRAL_MISSING)])
        yield
        with closing(sqlite3.connect(sound)) as before, closing(sqlite3.connect(central)) as database, database:
            for row in before.execute("SELECT * FROM T_FP_ZB"):
                database.execute(f"INSERT OR REPLACE INTO T_FP_ZB VALUES ({', '.join('?' * len(row))})", row)  # noqa: S608
    finally:
        sound.unlink()


def _cut_off(demo: Demo, around: Surroundings) -> None:
    """The node loses its access to the feed, and another invoice becomes final meanwhile."""
    demo.processes.stop("node")
    _start_node(demo, around, "zp_test_revoked")
    sections = deepcopy(INVOICES["S03"])
    sections["header"]["number"] = LATE_NUMBER
    body = {"profile": "as_issued", "sections": sections}
    demo.as_issuer_of(sections["seller"]["tax_id"]).ask_json("POST", "/v1/invoices", json=body)
    wait_until_final(demo, [LATE_NUMBER])
    demo.place.done("node_cut_off", number=LATE_NUMBER)
    # The demo does not wait out the usual grace of five minutes, only a few blocks: lag is told by the chain's clock.
    time.sleep(3)
    _reconcile(demo, {**around.settings, "GRACE_S": "0"}, ["--node", around.node_url], {("lagging", None)})
    facts = {"issued_on": sections["header"]["issued_on"], "amount_with_tax": sections["totals"]["amount_with_tax"]}
    expect(demo, "node_lagging", {"number": LATE_NUMBER, **facts}, number=LATE_NUMBER)
    demo.processes.stop("node")
    _start_node(demo, around, demo.keys["node"])
    demo.processes.wait_for("node", lambda: _is_up_to_date(around), 60)
    demo.place.done("node_back")
