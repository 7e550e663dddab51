"""Registering, checking, searching, reading and voiding over HTTP, on both databases; the chain is stood for."""

from typing import Any

import pytest

from service.auth.keys import Role
from tests.integration.api import S01, S06, S10, SELLER, Api, proof_file
from tests.unit.samples import INVOICE_IDS, NEGATIVE, changed, removed, sections_of


def number_of(name: str) -> str:
    return str(sections_of(name)["header"]["number"])


@pytest.mark.parametrize("name", ["S01", "S03", "S07"])
def test_what_was_sent_and_answered_is_a_pending_proof_file(api: Api, name: str) -> None:
    sections = sections_of(name)
    answer = api.submit(sections)
    assert answer.status_code == 201
    assert answer.headers["location"] == f"/v1/invoices/{number_of(name)}"
    said = answer.json()
    api.anchor()  # of something, so that the anchors file has a head
    report = api.verdict(proof_file(sections, said), said["number"], said["commitment"])
    assert report.verdict == "pending", report
    assert said["sections"] == {}
    assert said["state"] == "pending"


def test_sections_that_were_changed_are_answered_and_belong_into_the_proof(api: Api) -> None:
    sections = changed("S01", "/seller/logo", "示例")
    said = api.submit(sections).json()
    assert set(said["sections"]) == {"seller", "notes"}
    assert said["sections"]["notes"]["extra"] == {"seller": {"logo": "示例"}}
    assert {"field_unknown"} <= {finding["code"] for finding in said["findings"]}
    api.anchor()
    assert api.verdict(proof_file(sections, said)).verdict == "pending"
    assert api.verdict(proof_file(sections, {**said, "sections": {}})).verdict == "forged"


def test_every_sample_ends_valid_void_or_partly_reversed(api: Api) -> None:
    made = dict(zip(INVOICE_IDS, api.register(*INVOICE_IDS), strict=True))
    number = number_of("S08")
    voided = api.client.post(
        f"/v1/invoices/{number}/void", json={"reason": "开票有误"}, headers=api.key("issuer", "91310115MAXXXX031J")
    )
    assert (voided.status_code, voided.json()["status"], voided.json()["state"]) == (200, "void", "pending")
    assert voided.json()["entry"]["kind"] == "void"
    api.anchor()
    expected = dict.fromkeys(INVOICE_IDS, "valid") | {"S01": "partly_reversed", "S08": "void", "S10": "void"}
    for name, said in made.items():
        proof = api.client.get(f"/v1/invoices/{said['number']}/proof", headers=api.auditor)
        assert proof.headers["content-disposition"] == f'attachment; filename="{said["number"]}.proof.json"'
        assert api.verdict(proof.content, said["number"], said["commitment"]).verdict == expected[name]


def test_disclose_withholds_the_rest(api: Api) -> None:
    api.register("S01")
    api.anchor()
    proof = api.client.get(f"/v1/invoices/{S01}/proof?disclose=seller,totals", headers=api.issuer)
    assert api.verdict(proof.content).disclosed == ["header", "seller", "totals"]
    refused = api.client.get(f"/v1/invoices/{S01}/proof?disclose=seller,price", headers=api.issuer)
    assert refused.json()["errors"][0]["code"] == "parameter_invalid"


@pytest.mark.parametrize("case", NEGATIVE, ids=lambda case: case["id"])
def test_the_negative_samples_have_their_finding_in_both_profiles(api: Api, case: dict[str, Any]) -> None:
    api.register("S01")
    number = {"pointer": "/header/number", "value": "26112999000000000077"}
    spared = case["id"] in ("N04", "N05", "N13")
    sections = sections_of(case["base"], *([] if spared else [number]), *case["changes"])
    answer = api.submit(sections, "new", headers=api.key("issuer", SELLER, "91110108MAXXXX015C"))
    if case["severity"] == "error":
        assert (answer.status_code, answer.json()["code"]) == (422, "invoice_refused")
        found = answer.json()["errors"]
    else:
        found = answer.json().get("findings") or answer.json().get("errors")
    assert (case["finding"], case["severity"]) in {(finding["code"], finding["severity"]) for finding in found}
    body = {"profile": "new", "sections": sections}
    checked = api.client.post("/v1/invoices/check", json=body, headers=api.key("issuer", SELLER, "91110108MAXXXX015C")).json()
    assert case["finding"] in {finding["code"] for finding in checked["findings"]}
    assert not checked["accepted"]  # refused, or registered by now


def test_check_registers_nothing_and_knows_what_registering_would(api: Api) -> None:
    body = {"profile": "as_issued", "sections": sections_of("S06")}
    checked = api.client.post("/v1/invoices/check", json=body, headers=api.issuer).json()
    assert checked["accepted"]
    assert [finding["code"] for finding in checked["findings"]] == ["original_not_registered"]
    assert api.client.get(f"/v1/invoices/{S06}", headers=api.issuer).status_code == 404
    api.register("S01", "S06")
    again = api.client.post("/v1/invoices/check", json=body, headers=api.issuer).json()
    assert (again["accepted"], again["code"]) == (False, "number_taken")


def test_numbers_and_other_json_in_sections_are_findings_with_a_pointer(api: Api) -> None:
    sections = changed("S01", "/totals/amount", 25691.34)
    answer = api.submit(sections)
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [("/totals/amount", "text_not_allowed")]
    assert "合计金额" in answer.json()["errors"][0]["detail"]
    assert api.submit(removed("S01", "/header/kind")).json()["errors"][0]["pointer"] == "/header/kind"
    assert api.submit([]).json()["code"] == "invoice_refused"
    deep: Any = "x"
    for _ in range(200):
        deep = [deep]
    refused = api.submit(changed("S01", "/notes/extra", {"deep": deep}))
    assert refused.json()["errors"][0]["code"] == "text_not_allowed"
    surrogate = api.client.post(
        "/v1/invoices",
        content=b'{"profile":"as_issued","sections":{"header":{"number":"\\ud800"}}}',
        headers={**api.issuer, "Content-Type": "application/json"},
    )
    assert surrogate.json()["code"] == "invoice_refused"


def test_a_taken_number_tells_the_seller_whether_the_content_is_the_same(api: Api) -> None:
    api.register("S01")
    same = api.submit(sections_of("S01"))
    assert same.status_code == 409
    said = same.json()
    assert (said["code"], said["same_content"], said["links"]["self"]) == ("number_taken", True, f"/v1/invoices/{S01}")
    assert said["registered_at"].endswith("+00:00")
    for other in (changed("S01", "/provenance/drawer", "别人"), changed("S01", "/notes/remark", "改了")):
        differs = api.submit(other).json()
        assert "same_content" not in differs
        assert "links" not in differs
    stranger = changed("S01", "/seller/tax_id", "91310115MAXXXX031J")
    assert "same_content" not in api.submit(stranger).json()


def test_a_seller_registers_and_sees_its_own_invoices_only(api: Api) -> None:
    other = api.key("issuer", "91310115MAXXXX031J")
    refused = api.submit(sections_of("S01"), headers=other)
    assert (refused.status_code, refused.json()["code"]) == (403, "seller_not_bound")
    api.register("S01", "S02")
    for path in (f"/v1/invoices/{S01}", f"/v1/invoices/{S01}/timeline", f"/v1/invoices/{S01}/proof"):
        assert api.client.get(path, headers=other).status_code == 404
        assert api.client.get(path, headers=api.issuer).status_code == 200
        assert api.client.get(path, headers=api.auditor).status_code == 200
        assert api.client.get(path, headers=api.key("central")).status_code == 200
    voided = api.client.post(f"/v1/invoices/{S01}/void", json={"reason": "x"}, headers=other)
    assert voided.status_code == 404
    found = api.client.post("/v1/invoices/search", json={}, headers=other).json()["items"]
    assert [item["number"] for item in found] == [number_of("S02")]


def test_every_operation_asks_for_the_role_that_it_documents(api: Api) -> None:
    roles: tuple[Role, ...] = ("issuer", "recipient", "auditor", "central", "node", "operator")
    headers = {role: api.key(role, *((SELLER,) if role in ("issuer", "recipient") else ())) for role in roles}
    asked = 0
    for path, operations in api.app.openapi()["paths"].items():
        for method, operation in operations.items():
            needed = operation.get("x-roles")
            id_ = "1" if "reconciliations" in path or "filters" in path else "a" * 10
            url = (
                path.replace("{number}", S01)
                .replace("{id}", id_)
                .replace("{finding}", "1")
                .replace("{seq}", "1")
                .replace("{page}", "1")
                .replace("{code}", "busy")
            )
            wanted = (one for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"])
            query = {one["name"]: one["schema"]["enum"][0] for one in wanted if "enum" in one["schema"]}
            body = b"" if "batch" in path else None
            content: dict[str, Any] = {"content": body} if body is not None else {"json": {}} if method == "post" else {}
            types = {"Content-Type": "application/x-ndjson"} if "batch" in path else {}
            anonymous = api.client.request(method.upper(), url, params=query, headers=types, **content).status_code
            assert (anonymous == 401) is bool(needed), (method, path)
            assert bool(operation.get("security")) is bool(needed)
            for role in roles if needed else ():
                whose = {**types, **headers[role]}
                status = api.client.request(method.upper(), url, params=query, headers=whose, **content).status_code
                is_refused = role not in needed or operation.get("x-people-only", False)
                assert (status == 403) is is_refused, (method, path, role, status)
                asked += 1
    assert asked > 40


def test_void_follows_the_status_and_says_why_not(api: Api) -> None:
    api.register("S01", "S06", "S07")
    path = "/v1/invoices/{}/void"
    order = {"reason": "开票有误", "replaced_by": "26112999000000000012"}
    number = number_of("S07")
    assert api.client.post(path.format(number), json=order, headers=api.issuer).json()["status"] == "void"
    again = api.client.post(path.format(number), json=order, headers=api.issuer)
    assert (again.status_code, again.json()["detail"]) == (409, "发票的状态（作废）不允许这样做。")
    partly = api.client.post(path.format(S01), json=order, headers={**api.issuer, "Accept-Language": "en"})
    assert partly.json()["detail"] == "The invoice's status (partly reversed) forbids it."
    red = api.client.post(path.format(S06), json=order, headers=api.issuer)
    assert (red.status_code, red.json()["detail"]) == (409, "红字发票不能作废。")
    itself = api.client.post(path.format(S10), json={"reason": "x", "replaced_by": S10}, headers=api.issuer)
    assert itself.status_code == 404
    for bad in ({}, {"reason": ""}, {"reason": "   "}, {"reason": "x", "by": "y"}, {"reason": 1}, {"reason": "\u0000"}):
        assert api.client.post(path.format(S01), json=bad, headers=api.issuer).json()["code"] == "invalid_request"
    timeline = api.client.get(f"/v1/invoices/{number}/timeline", headers=api.issuer).json()["entries"]
    assert [(entry["kind"], entry.get("other_number")) for entry in timeline] == [("issue", None), ("void", order["replaced_by"])]


def test_reading_shows_content_status_and_findings(api: Api) -> None:
    sections = sections_of("S01")
    body = {"external_id": "ERP-1", "profile": "as_issued", "sections": sections}
    [first, _] = [api.client.post("/v1/invoices", json=body, headers=api.issuer), api.register("S06")]
    read = api.client.get(f"/v1/invoices/{S01}", headers={**api.issuer, "Accept-Language": "en"}).json()
    assert read["sections"] == sections
    assert (read["status"], read["state"], read["external_id"]) == ("partly_reversed", "pending", "ERP-1")
    assert read["commitment"] == first.json()["commitment"]
    api.anchor("mined")
    assert api.client.get(f"/v1/invoices/{S01}", headers=api.issuer).json()["state"] == "mined"
    hops = api.client.get(f"/v1/invoices/{S01}/timeline", headers=api.issuer).json()["entries"][0]["hops"]
    assert [hop["hop"] for hop in hops] == ["submitted", "accepted", "sealed", "mined"]
    for nothing in ("26112999000000000099", "batch", "%00", "x" * 100):
        assert api.client.get(f"/v1/invoices/{nothing}", headers=api.issuer).json()["code"] == "not_found"


def test_search_pages_through_what_is_found(api: Api) -> None:
    api.register("S01", "S06", "S07", "S10")
    seen: list[str] = []
    cursor = None
    while True:
        body = {"limit": 3, "seller": SELLER, **({"cursor": cursor} if cursor else {})}
        page = api.client.post("/v1/invoices/search", json=body, headers=api.auditor).json()
        seen += [item["number"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [S10, number_of("S07"), S06, S01]
    one = api.client.post("/v1/invoices/search", json={"number": S06}, headers=api.issuer).json()["items"]
    assert [(item["number"], item["amount_with_tax"], item["state"]) for item in one] == [(S06, "-1060.00", "pending")]
    for bad in ({"limit": 0}, {"limit": 201}, {"limit": True}, {"cursor": "x"}, {"amount_from": "1.234"}, {"seller_name": "x"}):
        assert api.client.post("/v1/invoices/search", json=bad, headers=api.auditor).json()["code"] == "invalid_request"
