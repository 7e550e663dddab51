"""The feed, acknowledgements, register pages and reconciliations over HTTP."""

import csv
import io
from typing import Any

import orjson
import pytest

from service.central import feed
from service.ledger.register import hash_page
from service.reconciliation import findings, runs
from service.reconciliation.findings import Found
from tests.integration.api import S01, S06, S10, Api


def anchored(api: Api) -> None:
    api.register("S01", "S06")
    api.anchor()
    api.register("S10")
    api.anchor()


def followed(api: Api, role: Any, query: str = "") -> list[feed.Piece]:
    answer = api.client.get(f"/v1/feed{query}", headers=api.key(role))
    assert answer.status_code == 200, answer.text
    return [feed.from_line(line) for line in answer.content.splitlines()]


def test_the_feed_gives_final_batches_in_order(api: Api) -> None:
    anchored(api)
    api.register("S02")
    api.anchor("mined")
    assert [piece.batch.seq for piece in followed(api, "auditor")] == [1, 2]
    assert [piece.batch.seq for piece in followed(api, "auditor", "?after=1")] == [2]
    assert followed(api, "auditor", "?after=2") == []


def test_everybody_gets_what_belongs_to_their_role(api: Api) -> None:
    anchored(api)
    first = {role: followed(api, role)[0].entries[0] for role in ("auditor", "central", "node")}
    assert first["auditor"].sections is None
    assert first["central"].sections is not None
    assert first["central"].salts is None
    assert first["node"].salts is not None
    assert followed(api, "auditor", "?sections=true")[0].entries[0].leaves is not None
    refused = api.client.get("/v1/feed?sections=true", headers=api.key("central"))
    assert refused.status_code == 422


def test_an_acknowledgement_is_kept_and_never_goes_back_or_ahead(api: Api) -> None:
    anchored(api)
    key = api.key("central")
    first = api.client.post("/v1/central/acknowledgements", json={"cursor": 1}, headers=key)
    assert first.json()["cursor"] == 1
    assert api.client.post("/v1/central/acknowledgements", json={"cursor": 2}, headers=key).json()["cursor"] == 2
    assert api.client.post("/v1/central/acknowledgements", json={"cursor": 1}, headers=key).json()["cursor"] == 2
    ahead = api.client.post("/v1/central/acknowledgements", json={"cursor": 3}, headers=key)
    assert ahead.status_code == 422
    assert ahead.json()["errors"][0]["pointer"] == "/cursor"


def test_register_pages_lead_to_the_anchored_root(api: Api) -> None:
    anchored(api)
    answer = api.client.get("/v1/register/pages?seq=2", headers=api.key("node")).json()
    root = api.client.get("/v1/anchors/2").json()["register_root"]
    assert hash_page(bytes.fromhex(answer["pages"][""]), 0).hash.hex() == root
    assert api.client.get("/v1/register/pages", headers=api.key("auditor")).json()["seq"] == 2
    assert api.client.get("/v1/register/pages?prefix=0,1,f", headers=api.key("node")).json()["pages"] == {}
    assert api.client.get("/v1/register/pages?prefix=xyz", headers=api.key("node")).status_code == 422
    assert api.client.get("/v1/register/pages?seq=9", headers=api.key("node")).json()["code"] == "anchor_not_kept"


def test_a_reconciliation_is_queued_once_and_shows_what_it_found(api: Api) -> None:
    anchored(api)
    started = api.client.post("/v1/reconciliations", json={"kind": "store"}, headers=api.auditor)
    assert started.status_code == 202
    run = started.json()
    again = api.client.post("/v1/reconciliations", json={"kind": "store"}, headers=api.auditor)
    assert again.json()["id"] == run["id"]
    here = started.headers["location"]
    assert api.client.get(here, headers=api.auditor).json()["state"] == "queued"
    ended = runs.StoreRun(api.database, run["id"], api.anchors_file).run()
    assert ended.state == "done"
    with api.database.write() as connection:
        some = [Found("altered", "totals", S01), Found("missing", "entries", S06), Found("altered", "buyer", S10)]
        findings.store(connection, "store", run["id"], some)
    shown = api.client.get(here, headers=api.auditor).json()
    assert shown["counts"]["altered"] >= 2  # the file of anchors has its own times
    assert shown["matches"] is False
    everything = api.client.get("/v1/reconciliations", headers=api.auditor).json()
    assert [one["id"] for one in everything["items"]] == [run["id"]]
    assert api.client.get("/v1/reconciliations/99", headers=api.auditor).status_code == 404


def test_findings_are_paged_filtered_and_exported(api: Api) -> None:
    with api.database.write() as connection:
        run = runs.create(connection, "store", "", {}, 0)
        some = [Found("altered", f"invoices.column_{n}", S01) for n in range(5)]
        findings.store(connection, "store", run, [*some, Found("missing", "entries", S06)])
    here = f"/v1/reconciliations/{run}/findings"
    seen = [item["place"] for item in api.listed(here, api.auditor, 2)]
    assert seen == [*(f"invoices.column_{n}" for n in range(5)), "entries"]
    assert len(api.client.get(f"{here}?code=missing", headers=api.auditor).json()["items"]) == 1
    assert len(api.client.get(f"{here}?state=resolved", headers=api.auditor).json()["items"]) == 0
    assert api.client.get(f"{here}?code=nonsense", headers=api.auditor).status_code == 422
    lines = api.client.get(f"{here}?format=ndjson", headers=api.auditor).content.splitlines()
    assert [orjson.loads(line)["place"] for line in lines] == seen
    table = api.client.get(f"{here}?format=csv", headers=api.auditor)
    assert [row["place"] for row in csv.DictReader(io.StringIO(table.content.decode("utf-8-sig")))] == seen
    assert "attachment" in table.headers["content-disposition"]
    assert api.client.get(f"{here}?format=parquet", headers=api.auditor).content[:4] == b"PAR1"


def test_open_findings_are_metrics(api: Api) -> None:
    with api.database.write() as connection:
        run = runs.create(connection, "store", "", {}, 0)
        findings.store(connection, "store", run, [Found("altered", "totals", S01), Found("altered", "buyer", S06)])
    text = api.client.get("/metrics").text
    assert 'zhengpiao_findings{code="altered",scope="store"} 2.0' in text
    with api.database.write() as connection:
        findings.resolve_unseen(connection, "store", run + 1, 0)
    assert 'scope="store"' not in api.client.get("/metrics").text


@pytest.mark.parametrize("order", [{"kind": "node"}, {"kind": "node", "node": "http://unknown"}, {"kind": "store", "node": "x"}])
def test_an_order_about_no_known_node_is_refused(api: Api, order: dict[str, str]) -> None:
    assert api.client.post("/v1/reconciliations", json=order, headers=api.auditor).status_code == 422
