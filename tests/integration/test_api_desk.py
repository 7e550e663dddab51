"""What an auditor's desk asks for: what is in an anchor, figures, gaps, kept filters, exports, a finding side by side."""

import io
import json
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from service.formats import sheets
from service.invoices import gaps
from service.ledger import figures
from service.ledger.figures import Gatherer
from service.reconciliation import findings, runs
from service.reconciliation.findings import Found
from tests.integration.api import S01, S10, SELLER, Api, Signed
from tests.unit.samples import sections_of
from verifier.chain import Anchor
from verifier.entry import number_key
from verifier.errors import ChainUnavailable


@pytest.fixture
def auditor(api: Api) -> Signed:
    return api.person("auditor", name="李审")


def test_what_is_in_an_anchor_is_listed_in_order(api: Api, auditor: Signed) -> None:
    api.register("S01", "S06", "S10")  # S06 reverses a part of S01
    seq = api.anchor()

    def page(query: str) -> Any:
        return api.client.get(f"/v1/anchors/{seq}/entries{query}", headers=auditor.headers).json()

    items = page("")["items"]
    assert [(item["index"], item["kind"], item["number"]) for item in items] == [
        (0, "issue", S01),
        (1, "issue", sections_of("S06")["header"]["number"]),
        (2, "reverse_part", S01),
        (3, "issue", S10),
    ]
    first = page("?limit=3")
    assert [item["index"] for item in page(f"?limit=3&cursor={first['next_cursor']}")["items"]] == [3]
    assert api.client.get("/v1/anchors/99/entries", headers=auditor.headers).json() == {"items": [], "next_cursor": None}
    said = api.client.get(f"/v1/anchors/{seq}/transactions", headers=auditor.headers).json()
    assert (said["items"], said["final_at"] is None) == ([], False)
    assert api.client.get("/v1/anchors/99/transactions", headers=auditor.headers).json()["code"] == "no_such_anchor"


def test_figures_are_gathered_once(api: Api, auditor: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_795_600_000.0
    gatherer = Gatherer(api.database, lambda: now)
    api.register("S01", "S06")
    api.anchor("sealed")
    while gatherer.step():
        pass
    read = api.client.get("/v1/figures", headers=auditor.headers).json()
    assert read["daily"] == [], "a batch counts when it is final"
    api.move("final")
    api.anchor("final")  # a heartbeat
    steps = 0
    while gatherer.step():
        steps += 1
    assert steps == 2
    assert not Gatherer(api.database, lambda: now).step()
    read = api.client.get("/v1/figures", headers=auditor.headers).json()
    assert [(day["invoices"], day["entries"], day["anchors"]) for day in read["daily"]] == [(2, 3, 2)]
    assert [(one["seq"], one["size"], one["final_s"] is None) for one in read["recent"]] == [(1, 3, False), (2, 0, True)]
    assert read["recent"][0]["final_s"] >= read["recent"][0]["sealed_s"] >= 0
    api.register("S10")
    for later in (60, 120, 120, 3600):
        Gatherer(api.database, lambda later=later: now + later).step()  # type: ignore[misc]
    api.context.clock = lambda: now + 3600
    auditor = api.person("auditor")
    monkeypatch.setattr(figures, "POINTS", 1440)
    backlog = api.client.get("/v1/figures?days=1", headers=auditor.headers).json()["backlog"]
    assert [sample["waiting"] for sample in backlog] == [0, 1, 1, 1]
    monkeypatch.setattr(figures, "POINTS", 12)
    merged = api.client.get("/v1/figures?days=1", headers=auditor.headers).json()["backlog"]
    assert [sample["waiting"] for sample in merged] == [1, 1], "the highest of each two hours"
    long_after = now + figures.KEPT_S + 7200
    Gatherer(api.database, lambda: long_after).step()
    with api.database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM backlog_samples")) == 1


def test_who_follows_and_how_far_behind(api: Api, auditor: Signed) -> None:
    api.register("S01")
    api.anchor()
    api.anchor()
    headers = api.key("central")
    assert api.client.post("/v1/central/acknowledgements", json={"cursor": 1}, headers=headers).status_code == 200
    [follower] = api.client.get("/v1/figures", headers=auditor.headers).json()["followers"]
    assert (follower["cursor"], follower["behind"]) == (1, 1)
    assert 0 <= follower["lag_s"] < 60
    assert api.client.post("/v1/central/acknowledgements", json={"cursor": 2}, headers=headers).status_code == 200
    [follower] = api.client.get("/v1/figures", headers=auditor.headers).json()["followers"]
    assert (follower["behind"], follower["lag_s"]) == (0, 0)
    [delivered] = api.client.get("/v1/anchors/1/transactions", headers=auditor.headers).json()["delivered"]
    assert delivered["consumer"] == follower["consumer"]


def register(api: Api, *numbers: str, issued_on: str = "2026-10-09", kind: str = "legacy_ordinary") -> None:
    for number in numbers:
        sections = sections_of("S10")
        sections["header"] |= {"number": number, "issued_on": issued_on, "kind": kind}
        answer = api.submit(sections)
        assert answer.status_code == 201, answer.text


def test_gaps_in_a_sellers_numbers(api: Api, auditor: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "011002400111-"
    register(api, *(f"{code}{n:08}" for n in (99000001, 99000002, 99000005, 99000006, 99000008, 99900000)))
    register(api, *(f"26112999{n:012}" for n in (7, 8)), kind="digital_ordinary")
    register(api, f"{code}99000003", issued_on="2026-01-01")

    def ask(**body: Any) -> Any:
        return api.client.post("/v1/gaps", json={"seller": SELLER, **body}, headers=auditor.headers).json()

    found = ask(issued_from="2026-10-01", issued_to="2026-10-31")["items"]
    assert [(series["prefix"], series["registered"], series["ranges"], series["missing"]) for series in found] == [
        (code, 6, 2, 3),
        ("26112", 2, 1, 0),
    ]
    assert [(gap["first"], gap["last"], gap["missing"]) for gap in found[0]["gaps"]] == [
        (f"{code}99000003", f"{code}99000004", 2),
        (f"{code}99000007", f"{code}99000007", 1),
    ]
    assert ask(issued_from="2026-01-01", issued_to="2026-12-01")["items"][0]["missing"] == 2
    assert ask(issued_from="2026-12-02", issued_to="2026-12-01")["errors"][0]["pointer"] == "/issued_from"
    assert ask(issued_from="2025-01-01", issued_to="2026-12-01")["errors"][0]["pointer"] == "/issued_from"
    assert ask(issued_to="2026-02-30")["errors"][0]["pointer"] == "/issued_to"
    monkeypatch.setattr(gaps, "MAX_LOOKED_AT", 3)
    assert ask(issued_to="2026-12-01")["code"] == "too_many_invoices"


def test_filters_are_kept_for_their_owner(api: Api, auditor: Signed) -> None:
    order = {"page": "invoices", "name": "大额", "criteria": {"amount_from": "100000.00"}}
    kept = api.client.post("/v1/filters", json=order, headers=auditor.headers)
    assert kept.status_code == 201
    again = api.client.post("/v1/filters", json={**order, "criteria": {}}, headers=auditor.headers).json()
    assert api.client.get("/v1/filters?page=invoices", headers=auditor.headers).json()["items"] == [again]
    assert api.client.get("/v1/filters?page=activity", headers=auditor.headers).json()["items"] == []
    other = api.person("auditor")
    assert api.client.get("/v1/filters", headers=other.headers).json()["items"] == []
    assert api.client.delete(f"/v1/filters/{again['id']}", headers=other.headers).json()["code"] == "no_such_filter"
    assert api.client.delete(f"/v1/filters/{again['id']}", headers=auditor.headers).json() == {"forgotten": True}
    for n in range(100):
        assert api.client.post("/v1/filters", json={**order, "name": f"{n}"}, headers=auditor.headers).status_code == 201
    assert api.client.post("/v1/filters", json=order, headers=auditor.headers).json()["code"] == "too_many_filters"


def export(api: Api, auditor: Signed, what: str, form: str = "ndjson", **criteria: Any) -> Any:
    return api.client.post("/v1/exports", json={"what": what, "form": form, "criteria": criteria}, headers=auditor.headers)


def content(answer: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    with ZipFile(io.BytesIO(answer.content)) as archive:
        file, manifest = archive.namelist()
        return [json.loads(line) for line in archive.read(file).splitlines()], json.loads(archive.read(manifest))


def test_lists_are_exported_with_a_manifest(api: Api, auditor: Signed) -> None:
    api.register("S01", "S06", "S10")
    api.anchor()
    answer = export(api, auditor, "invoices", number=S10)
    assert answer.headers["content-disposition"].startswith('attachment; filename="zhengpiao-invoices-2')
    rows, manifest = content(answer)
    assert [(row["number"], row["amount_with_tax"], row["state"]) for row in rows] == [(S10, "50000.00", "final")]
    assert (manifest["rows"], manifest["newest_final_anchor"], manifest["criteria"]) == (1, 1, {"number": S10})
    assert manifest["exported_by"] == auditor.login
    assert len(content(export(api, auditor, "invoices"))[0]) == 3
    assert [row["seq"] for row in content(export(api, auditor, "anchors"))[0]] == [1]
    records, _ = content(export(api, auditor, "activity", action="exported"))
    assert (records[0]["object"], json.loads(records[0]["details"])["form"]) == ("activity", "ndjson")
    for form in ("csv", "xlsx", "parquet"):
        assert export(api, auditor, "invoices", form).status_code == 200


def test_what_cannot_be_exported_is_said(api: Api, auditor: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    api.register("S01", "S10")
    wrong = export(api, auditor, "invoices", colour="red").json()
    assert [error["pointer"] for error in wrong["errors"]] == ["/criteria/colour"]
    assert export(api, auditor, "findings").json()["errors"][0]["pointer"] == "/criteria/run"
    assert export(api, auditor, "findings", run=9).status_code == 404
    assert export(api, auditor, "anchors", seq=1).status_code == 422
    assert export(api, api.person("auditor", purpose=None), "invoices").json()["code"] == "purpose_missing"
    monkeypatch.setattr(sheets, "MAX_XLSX_ROWS", 1)
    assert export(api, auditor, "invoices", "xlsx").json()["code"] == "too_many_rows"


def found(api: Api, *items: Found) -> list[int]:
    """Findings of a run: their ids."""
    with api.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, 1, "cli")
        findings.store(connection, runs.STORE, run, items)
        return [item["id"] for item in findings.iterate(connection, findings.Filter(run=run))]


def side_by_side(api: Api, auditor: Signed, finding: int) -> tuple[str | None, dict[str, tuple[str | None, str | None]]]:
    answer = api.client.get(f"/v1/reconciliations/1/findings/{finding}", headers=auditor.headers)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    return said["side"], {row["name"]: (row["expected"], row["here"]) for row in said["rows"]}


def test_a_finding_is_shown_side_by_side(api: Api, auditor: Signed, monkeypatch: pytest.MonkeyPatch) -> None:
    api.register("S10")
    seq = api.anchor()
    key = number_key(S10)
    with api.database.write() as connection:
        connection.execute(text("UPDATE invoices SET amount_fen = 1"))
    fields = {"amount_with_tax": {"ours": "50000.00", "theirs": "5000.00"}}
    ids = found(
        api,
        Found("altered", "invoices.amount_fen", S10, key, seq, 0),
        Found("altered", "totals", S10, key, seq, 0, {"told_by": "mirror"}),
        Found("differs", "amount_with_tax", S10, key, detail={"row": 3, "fields": fields}),
        Found("status_conflict", "status", S10, key, detail={"ours": "valid", "theirs": "void"}),
        Found("altered", "entries.entry", S10, key, seq, 0),
        Found("anchor_mismatch", "batches.log_root", seq=seq),
        Found("overdue", None, S10, key, seq, 0, {"deadline": 1}),
    )
    with api.database.read() as connection:
        log_root = connection.scalar(text("SELECT log_root FROM batches"))
    held = Anchor(bytes(32), b"\x01" * 32, 1, 1_795_600_000, True)

    class Reader:
        def read(self, _: Any) -> None:
            pass

        def anchor(self, _: int) -> Anchor:
            return held

    monkeypatch.setattr(api.context.readings, "reader", lambda: Reader())
    assert side_by_side(api, auditor, ids[0]) == ("content", {"amount_fen": ("5000000", "1")})
    side, rows = side_by_side(api, auditor, ids[1])
    assert side == "chain"
    assert rows["copy"][0] == rows["copy"][1], "the totals are as they were: the copy still leads there"
    assert json.loads(rows["totals"][1] or "")["amount_with_tax"] == "50000.00"
    assert side_by_side(api, auditor, ids[2]) == ("theirs", {"amount_with_tax": ("5000.00", "50000.00")})
    assert side_by_side(api, auditor, ids[3]) == ("theirs", {"status": ("void", "valid")})
    side, rows = side_by_side(api, auditor, ids[4])
    assert side == "tiles"
    assert rows["leaf"][0] == rows["leaf"][1]
    side, rows = side_by_side(api, auditor, ids[5])
    assert (side, rows["log_root"]) == ("chain", ("00" * 32, log_root.hex()))
    assert side_by_side(api, auditor, ids[6]) == (None, {})
    records = api.client.get(f"/v1/activity?object={S10}", headers=auditor.headers).json()["items"]
    assert {record["action"] for record in records} == {"looked_at_finding"}

    def unreadable() -> Any:
        raise ChainUnavailable("chain.no_endpoint")

    monkeypatch.setattr(api.context.readings, "reader", unreadable)
    assert api.client.get(f"/v1/reconciliations/1/findings/{ids[5]}", headers=auditor.headers).status_code == 503
    assert api.client.get("/v1/reconciliations/1/findings/999", headers=auditor.headers).status_code == 404
