"""What a case comes to, over HTTP: the new invoice of a reissue, the document, its handing over."""

from typing import Any

import pytest

from service import activity
from service.reprints import cases, tokens
from service.reprints.cases import Case
from service.reprints.transitions import Event
from tests.integration.api import S01, S10, SELLER, Api, Signed
from tests.integration.approved import case_about, complete, read
from tests.integration.test_api_documents import verdict
from tests.reprints import reissued
from tests.unit.samples import sections_of
from tests.unit.test_invoice_document import words
from verifier.pdf import read_pdf
from verifier.question import parse_link

NEW = "26112999000000000777"
OTHER_SELLER = "91310115MAXXXX031J"


def applicant(api: Api, one: Case) -> dict[str, str]:
    with api.database.write() as connection:
        return {"Authorization": f"Bearer {tokens.new_token(connection, one.id, api.context.now_ms())}"}


def document(api: Api, one: Case, headers: dict[str, str]) -> Any:
    return api.client.get(f"/v1/reprints/{one.id}/document", headers=headers)


def actions(api: Api, one: Case) -> list[str]:
    with api.database.read() as connection:
        return [record.action for record in reversed(activity.read(connection, activity.Filter(object=one.id)))]


# The document


def test_the_document_comes_when_the_anchor_is_final_and_proves_itself(api: Api) -> None:
    [first] = api.register("S10")
    api.anchor()
    one = case_about(api)
    mine = applicant(api, one)
    early = document(api, one, mine)
    assert (early.status_code, early.json()["code"], early.headers["retry-after"]) == (409, "document_not_ready", "60")
    assert complete(api, one)
    for state in (None, "sealed", "broadcast", "mined"):
        if state == "sealed":
            api.anchor("sealed")
        elif state:
            api.move(state)
        waiting = document(api, one, mine)
        assert (waiting.status_code, waiting.json()["code"], waiting.headers["retry-after"]) == (409, "document_not_ready", "5")
    api.move("final")
    made = document(api, one, mine)
    assert (made.status_code, made.headers["content-type"]) == (200, "application/pdf")
    assert "补打第1次" in words(made.content)
    assert verdict(api, made.content).verdict == "valid"
    codes = read_pdf(made.content).codes
    assert codes is not None
    [code] = codes
    asked = parse_link(code).question
    assert asked.number == S10
    assert asked.commitment is not None
    assert asked.commitment.hex() != first["commitment"], "the new copy's own code"
    assert api.verdict(api.ask(S10, asked.commitment.hex()).content, S10, asked.commitment.hex()).verdict == "valid"
    assert api.verdict(api.ask(S10, first["commitment"]).content, S10, first["commitment"]).verdict == "replaced"
    reviewer = api.person("reviewer")
    assert document(api, one, reviewer.headers).content == made.content
    assert actions(api, one)[-1] == "took_reprint"


def test_a_document_that_was_replaced_since_says_so(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite)
    assert complete(lite, one)
    lite.anchor()
    again = case_about(lite)
    assert complete(lite, again)
    lite.anchor()
    old, new = document(lite, one, applicant(lite, one)), document(lite, again, applicant(lite, again))
    assert "已被补打替换" in words(old.content)
    assert "补打第2次" in words(new.content)
    assert "已被补打替换" not in words(new.content)
    assert (verdict(lite, old.content).verdict, verdict(lite, new.content).verdict) == ("replaced", "valid")


def test_the_document_of_a_reissue_names_its_original(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite, kind="reissue", replacement=reissued(sections_of("S10"), NEW))
    assert complete(lite, one)
    lite.anchor()
    made = document(lite, one, applicant(lite, one))
    assert made.headers["content-disposition"] == f'inline; filename="{NEW}.pdf"'
    assert f"重开原发票{S10}" in words(made.content)
    assert verdict(lite, made.content).verdict == "valid"


def test_the_document_is_the_applicants_and_the_reviewers(lite: Api) -> None:
    lite.register("S10", "S01")
    lite.anchor()
    one, other = case_about(lite), case_about(lite, S01)
    assert complete(lite, one)
    lite.anchor()
    assert document(lite, one, {}).status_code == 401
    assert document(lite, one, applicant(lite, other)).json()["code"] == "case_token_invalid"
    for headers in (lite.issuer, lite.auditor, lite.person("operator").headers, lite.person("clerk", SELLER).headers):
        assert document(lite, one, headers).json()["code"] == "role_not_allowed"


@pytest.mark.parametrize("event", ["reject", "cancel"])
def test_a_case_that_ended_without_a_reprint_has_no_document(lite: Api, event: Event) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite, until="begin_review")
    mine = applicant(lite, one)
    with lite.database.write() as connection:
        cases.move(connection, cases.lock(connection, one.id), event, "somebody", 1, lite.context.vault)
    assert (document(lite, one, mine).status_code, document(lite, one, mine).json()["code"]) == (409, "no_document")


# Handing it over


def hand_over(api: Api, one: Case, reviewer: Signed, code: str) -> Any:
    return api.client.post(f"/v1/reprints/{one.id}/handover", json={"pickup_code": code}, headers=reviewer.headers)


def test_the_paper_is_given_to_who_says_the_code_once(api: Api) -> None:
    api.register("S10")
    api.anchor()
    one = case_about(api, delivery="collect")
    reviewer = api.person("reviewer")
    assert hand_over(api, one, reviewer, "00000000").json()["code"] == "not_to_be_collected"
    assert complete(api, one)
    mine = applicant(api, one)
    code = api.client.get(f"/v1/reprints/{one.id}", headers=mine).json()["result"]["pickup_code"]
    early = hand_over(api, one, reviewer, code)
    assert (early.status_code, early.json()["code"]) == (409, "document_not_ready")
    api.anchor()
    wrong = hand_over(api, one, reviewer, "0" * 8 if code != "0" * 8 else "1" * 8)
    assert (wrong.status_code, wrong.json()["code"], wrong.json()["errors"][0]["pointer"]) == (
        403,
        "pickup_code_wrong",
        "/pickup_code",
    )
    done = hand_over(api, one, reviewer, f" {code[:4].lower()}-{code[4:]}")
    assert done.status_code == 200, done.text
    assert "pickup_code" not in done.json()["result"]
    assert "handover" not in done.json()["actions"]
    assert "pickup_code" not in api.client.get(f"/v1/reprints/{one.id}", headers=mine).json()["result"]
    assert hand_over(api, one, reviewer, code).json()["code"] == "handed_over"
    row = read(api, one)
    assert (row.handed_over_by, row.handed_over_at is not None) == (reviewer.id, True)
    assert actions(api, one)[-2:] == ["mistook_pickup_code", "handed_over_reprint"]
    assert code.encode() not in bytes(row.pickup)


def test_what_is_downloaded_is_not_handed_over(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite)
    assert complete(lite, one)
    lite.anchor()
    assert hand_over(lite, one, lite.person("reviewer"), "0" * 8).json()["code"] == "not_to_be_collected"


# The new invoice of a reissue


def send(api: Api, one: Case, sections: Any, headers: dict[str, str] | None = None) -> Any:
    path = f"/v1/reprints/{one.id}/replacement"
    return api.client.post(path, json={"sections": sections}, headers=api.issuer if headers is None else headers)


def wanted(api: Api, headers: dict[str, str] | None = None) -> list[tuple[str, bool]]:
    answer = api.client.get("/v1/reprints/replacements", headers=api.issuer if headers is None else headers)
    assert answer.status_code == 200, answer.text
    return [(item["id"], item["sent"]) for item in answer.json()["items"]]


def without_original(number: str) -> dict[str, Any]:
    sections = sections_of("S10")
    sections["header"]["number"] = number
    return sections


def test_the_issuer_sends_the_new_invoice_and_it_is_registered(api: Api) -> None:
    api.register("S10")
    api.anchor()
    one = case_about(api, kind="reissue", until="begin_review")
    assert wanted(api) == [(one.id, False)]
    first = send(api, one, reissued(sections_of("S10"), NEW))
    assert first.status_code == 200, first.text
    assert (first.json()["number"], first.json()["original"]) == (NEW, S10)
    assert wanted(api) == [(one.id, True)]
    clerk = api.person("clerk", SELLER)
    again = send(api, one, without_original("26112999000000000778"), clerk.headers)
    assert again.status_code == 200, again.text
    assert {finding["severity"] for finding in again.json()["findings"]} <= {"warning"}
    kept = read(api, one)
    assert kept.replacement_by == clerk.id
    assert b'"original":{"number":"26112999000000000010","relation":"reissues"}' in kept.replacement
    with api.database.write() as connection:
        row = cases.lock(connection, one.id)
        for event in ("approve_first", "approve_second"):
            approval = {"first_approval": "{}"} if event == "approve_first" else {"second_approval": "{}"}
            row = cases.move(connection, row, event, "somebody", 1, api.context.vault, **approval)  # type: ignore[arg-type]
    assert wanted(api) == []
    assert complete(api, one)
    api.anchor()
    assert api.client.get("/v1/invoices/26112999000000000778", headers=api.auditor).json()["status"] == "valid"
    assert api.client.get(f"/v1/invoices/{S10}", headers=api.auditor).json()["status"] == "void"
    assert api.client.get(f"/v1/invoices/{NEW}", headers=api.auditor).status_code == 404
    assert actions(api, one)[:2] == ["sent_replacement", "sent_replacement"]


def test_what_the_rules_forbid_is_said_at_once(lite: Api) -> None:
    lite.register("S10", "S01")
    lite.anchor()
    one = case_about(lite, kind="reissue", until="begin_review")
    wrong = without_original(NEW)
    wrong["totals"]["amount"] = "1.00"
    refused = send(lite, one, wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "invoice_refused")
    assert all(error["pointer"].startswith("/") for error in refused.json()["errors"])
    other = without_original(NEW)
    other["provenance"]["original"] = {"number": S01, "relation": "reissues"}
    found = send(lite, one, other).json()["errors"]
    assert [(error["code"], error["pointer"]) for error in found] == [("replacement_original", "/provenance/original")]
    assert S10 in found[0]["detail"]
    assert send(lite, one, without_original(S01)).json()["code"] == "number_taken"
    assert send(lite, one, without_original(S10)).json()["code"] == "invoice_refused", "it names itself"
    stranger = without_original(NEW)
    stranger["seller"]["tax_id"] = OTHER_SELLER
    assert send(lite, one, stranger).json()["code"] == "seller_not_bound"
    assert send(lite, one, "nothing").json()["code"] == "invoice_refused"
    assert read(lite, one).replacement is None
    assert send(lite, one, without_original(NEW)).status_code == 200


def test_to_others_the_case_does_not_exist(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite, kind="reissue", until="begin_review")
    other = lite.key("issuer", OTHER_SELLER)
    refused = send(lite, one, without_original(NEW), other)
    assert (refused.status_code, refused.json()["code"]) == (404, "case_not_found")
    assert wanted(lite, other) == []
    assert send(lite, one, without_original(NEW), applicant(lite, one)).status_code == 401
    for headers in (lite.auditor, lite.person("reviewer").headers):
        assert send(lite, one, without_original(NEW), headers).json()["code"] == "role_not_allowed"


def test_when_it_may_be_sent(lite: Api) -> None:
    lite.register("S10", "S01")
    lite.anchor()
    copy = case_about(lite, S01, until="begin_review")
    assert send(lite, copy, without_original(NEW)).json()["code"] == "not_a_reissue"
    one = case_about(lite, kind="reissue", until="approve_first")
    assert send(lite, one, without_original(NEW)).status_code == 200, "the first reviewer approved without: the second sees it"
    changed = send(lite, one, without_original("26112999000000000778"))
    assert (changed.status_code, changed.json()["code"]) == (409, "replacement_bound")
    assert wanted(lite) == []
    with lite.database.write() as connection:
        cases.move(
            connection, cases.lock(connection, one.id), "approve_second", "somebody", 1, lite.context.vault, second_approval="{}"
        )
    assert send(lite, one, without_original(NEW)).json()["code"] == "case_state"


def test_a_repeated_sending_is_one(lite: Api) -> None:
    lite.register("S10")
    lite.anchor()
    one = case_about(lite, kind="reissue", until="begin_review")
    headers = {**lite.issuer, "Idempotency-Key": "one"}
    first = send(lite, one, without_original(NEW), headers)
    assert send(lite, one, without_original(NEW), headers).json() == first.json()
    assert actions(lite, one).count("sent_replacement") == 1


def test_the_list_goes_on_by_its_cursor(lite: Api) -> None:
    lite.register("S10", "S01", "S07")
    lite.anchor()
    made = {case_about(lite, number, kind="reissue", until="begin_review").id for number in (S10, S01, "011002400111-99000007")}
    found = [item["id"] for item in lite.listed("/v1/reprints/replacements", lite.issuer, 1)]
    assert (set(found), len(found)) == (made, 3)


# What others see of it


def stated(api: Api, said: dict[str, Any]) -> dict[str, Any]:
    answer = api.client.post("/v1/statements", json={"number": said["number"], "commitment": said["commitment"]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def of_code(api: Api, said: dict[str, Any]) -> str:
    """What a verifier says that has read the copy's QR code."""
    asked = said["number"], said["commitment"]
    return api.verdict(api.ask(*asked).content, *asked).verdict


def current(api: Api, number: str) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/v1/invoices/{number}", headers=api.auditor).json()
    return found


def test_everybody_is_told_of_each_copy_from_the_moment_of_acknowledgement(api: Api) -> None:
    [first] = api.register("S10")
    api.anchor()
    assert "pending" not in stated(api, first)
    assert complete(api, case_about(api))
    second = current(api, S10)
    assert second["commitment"] != first["commitment"]
    assert second["sections"]["provenance"]["reprint"] == {"ordinal": "1"}
    assert (second["status"], second["state"]) == ("valid", "pending")
    assert (stated(api, first)["current"], stated(api, first)["pending"]) == (True, {"kind": "reprint"})
    assert "pending" not in stated(api, second), "nothing ends the new one"
    assert stated(api, second)["state"] == "pending"
    assert complete(api, case_about(api))
    third = current(api, S10)
    assert [stated(api, one).get("pending") for one in (first, second, third)] == [{"kind": "reprint"}] * 2 + [None]
    api.anchor()
    assert [stated(api, one)["current"] for one in (first, second, third)] == [False, False, True]
    api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    assert [stated(api, one).get("pending") for one in (first, second, third)] == [None, None, {"kind": "void"}]
    timeline = api.client.get(f"/v1/invoices/{S10}/timeline", headers=api.issuer).json()["entries"]
    assert [entry["kind"] for entry in timeline] == ["issue", "reprint", "reprint", "void"]
    api.anchor()
    verdicts = [
        api.verdict(api.ask(S10, one["commitment"]).content, S10, one["commitment"]).verdict for one in (first, second, third)
    ]
    assert verdicts == ["replaced", "replaced", "void"]


def test_of_a_reissues_original_everybody_is_told_the_new_number(api: Api) -> None:
    [first] = api.register("S10")
    api.anchor()
    assert complete(api, case_about(api, kind="reissue", replacement=reissued(sections_of("S10"), NEW)))
    assert stated(api, first)["pending"] == {"kind": "void", "other_number": NEW}
    api.anchor()
    said = stated(api, first)
    assert (said["status"], said["other_number"], "pending" in said) == ("void", NEW, False)
    assert of_code(api, first) == "void"


def test_the_holder_of_an_old_copy_gets_its_document_stamped(lite: Api) -> None:
    [first] = lite.register("S10")
    lite.anchor()
    assert complete(lite, case_about(lite))
    asked = {"number": S10, "commitment": first["commitment"], "buyer_tax_id": "91110105MAXXXX023T"}
    assert lite.client.post("/v1/documents", json=asked).status_code == 202, "nothing is printed while that is on its way"
    lite.anchor()
    made = lite.client.post("/v1/documents", json=asked)
    assert "已被补打替换" in words(made.content)
    assert verdict(lite, made.content).verdict == "replaced"
