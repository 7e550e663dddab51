"""Where an invoice got lost, below the answer: when it is asked for, what is sent for it, and what it shows."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from service.diagnosis import words
from service.diagnosis.case import HopState
from service.diagnosis.rules import Action, Fee, Responsible, Verdict
from tests.e2e.browsing import Visit, upload, visiting
from tests.e2e.site import Site, copy_of
from tests.e2e.test_pages_lookup import ABSENT, REGISTERED, fill, proof
from tests.vector_files import PROOFS
from verifier.commitment import commitment_to_text

FACTS = {"number": REGISTERED, "issued_on": "2026-09-01", "amount_with_tax": "1060.00"}
PROOF = "application/vnd.zhengpiao.proof+json"
PENDING = [("shown", "done"), ("accepted", "done"), ("sealed", "done"), ("mined", "missing"), ("final", "missing")]


def said(
    verdict: Verdict,
    action: Action,
    responsible: Responsible = "system",
    fee: Fee = "none",
    hops: Any = (("shown", "done"), ("registered", "missing")),
    **more: Any,
) -> dict[str, Any]:
    """A diagnosis as the service answers it."""
    return {
        "verdict": verdict,
        "number": REGISTERED,
        "status": None,
        "state": None,
        "responsible": responsible,
        "evidence": [hop(*each) for each in hops],
        "next_action": {"code": action, **more.pop("next_action", {})},
        "fee": {"kind": fee, "rests_on": "final"},
        "sentences": {
            "title": words.TITLES[verdict][0],
            "verdict": words.DETAILS[verdict][0],
            "responsible": words.RESPONSIBLE[responsible][0],
            "next_action": words.ACTIONS[action][0],
            "fee": words.say(words.FEES[fee], "zh", amount="20.00"),
        },
        "tries_left": None,
        **more,
    }


def hop(name: Any, state: HopState, evidence: Any = None) -> dict[str, Any]:
    at = "2026-11-25T08:26:41.250+00:00" if state == "done" else None
    names = {"hop_name": words.HOPS[name][0], "state_name": words.STATES[state][0]}
    return {"hop": name, "state": state, "at": at, "evidence": evidence or {}, **names}


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    hosts = [site.url[7:], site.chain.url[7:], site.chain.url[7:].replace("127.0.0.1", "localhost")]
    with visiting(browser, hosts) as one:
        yield one


def asked(site: Site, path: str = "/v1/diagnoses") -> list[Any]:
    return [body for each, body in site.answers.asked if each == path]


def shown(visit: Visit, verdict: str) -> None:
    expect(visit.page.locator(f"#diagnosis [data-verdict={verdict}]")).to_be_visible()
    assert visit.page.locator("#diagnosis [data-role=good]").count() == 0, "it is the service's word"
    visit.check_accessible()
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def look_up(site: Site, visit: Visit, result: str, file: str | None, number: str = REGISTERED) -> None:
    found = {"result": result, "proof": proof(file) if file else None, "tries_left": 4}
    site.answers.lookups[number] = {**found, "status": "valid" if result == "match" else None}
    visit.page.goto(f"{site.url}/")
    fill(visit, number, "2026-09-01", "1060.00")


def test_what_does_not_match_is_diagnosed_at_once(site: Site, visit: Visit) -> None:
    site.answers.diagnoses = [
        said("detail_mismatch", "check_details", "applicant", hops=[("shown", "differs", {"material": "facts"})], tries_left=4)
    ]
    look_up(site, visit, "mismatch", "registered.proof.json")
    visit.wait_for("不一致")
    shown(visit, "detail_mismatch")
    assert asked(site) == [FACTS]
    text = visit.page.inner_text("#diagnosis")
    for part in ("所填内容不符", "下一步请由您完成", "对照票面逐项核对", "号码、日期和金额"):
        assert part in text
    visit.page.click(".actions .primary")  # correct it
    expect(visit.page.locator("#diagnosis")).to_be_empty()


def test_nobody_registered_it_and_what_was_mistyped(site: Site, visit: Visit) -> None:
    fields = [{"field": "number", "slip": "year", "sentence": "发票号码中的年份与开票日期不符。"}]
    site.answers.diagnoses = [said("never_submitted", "check_details", "undetermined", next_action={"fields": fields})]
    look_up(site, visit, "not_registered", "absent.proof.json", ABSENT)
    visit.wait_for("查无此票")
    shown(visit, "never_submitted")
    assert "年份与开票日期不符" in visit.page.inner_text(".dx-fields")
    expect(visit.page.locator(".dx-hops .here")).to_have_count(1)
    assert "登记" in visit.page.inner_text(".dx-hops .here")


def test_what_is_on_its_way_shows_how_far_it_came_and_until_when(site: Site, visit: Visit) -> None:
    until = {"until": "2026-11-25T08:27:40.000+00:00"}
    waits = said("sealed_not_anchored", "wait", hops=PENDING, next_action=until)
    site.answers.diagnoses = [waits, said("present", "nothing", "nobody", "charged", state="final")]
    look_up(site, visit, "not_yet_known", None)
    visit.wait_for("暂不能确定")
    shown(visit, "sealed_not_anchored")
    states = [item.get_attribute("data-state") for item in visit.page.locator(".dx-hops > li").all()]
    assert states == ["done", "done", "done", "missing", "later"]
    assert "16:27:40" in visit.page.inner_text(".dx-told")
    assert len(asked(site)) == 1, "the look-up is asked again by itself, and stays the same"
    visit.page.locator("#diagnosis").get_by_role("button", name="再查一次").click()
    shown(visit, "present")
    link = visit.page.locator("#diagnosis a", has_text="申请补打")
    assert (link.get_attribute("href") or "").startswith(f"/reprint#number={REGISTERED}&issued_on=2026-09-01")


def test_what_matches_is_diagnosed_on_request_and_in_the_other_language(site: Site, visit: Visit) -> None:
    site.answers.diagnoses = [said("present", "nothing", "nobody", "charged", hops=PENDING[:3])]
    look_up(site, visit, "match", "registered.proof.json")
    visit.wait_for("一致")
    ask = visit.page.locator("#diagnosis button")
    expect(ask).to_have_text("查经过")
    assert not asked(site)
    ask.click()
    shown(visit, "present")
    visit.page.click("#language")
    expect(visit.page.locator("#diagnosis h2")).to_have_text("How far did it come?")
    shown(visit, "present")
    assert asked(site) == [FACTS, FACTS], "its words are the service's, in the other language"


def test_no_more_tries_and_no_diagnosis_either(site: Site, visit: Visit) -> None:
    visit.page.goto(f"{site.url}/")
    fill(visit, REGISTERED, "20260902", "1060")
    visit.wait_for("暂不能确定")
    visit.page.wait_for_timeout(300)
    expect(visit.page.locator("#diagnosis")).to_be_empty()
    assert not asked(site)


def test_a_code_of_what_is_not_registered(site: Site, visit: Visit) -> None:
    site.answers.diagnoses = [said("never_submitted", "ask_issuer", "issuer")]
    commitment = "ab" * 32
    site.answers.proofs[ABSENT, commitment] = (PROOFS / "absent.proof.json").read_bytes()
    visit.page.goto(f"{site.url}/v#{ABSENT}.{commitment_to_text(bytes.fromhex(commitment))}")
    visit.wait_for("查无此票")
    shown(visit, "never_submitted")
    assert asked(site) == [{"number": ABSENT, "commitment": commitment}]


def test_a_code_that_is_valid_is_asked_about_on_request(site: Site, visit: Visit) -> None:
    code = site.answers.hold("valid.proof.json", status="valid", state="final")
    visit.page.goto(f"{site.url}/v#{code}")
    visit.wait_for("登记有效")
    visit.page.click("#diagnosis button")
    # The chain cannot be read: that says nothing of the invoice, and can be tried again.
    expect(visit.page.locator("#diagnosis .notice")).to_contain_text("现在读不到区块链")
    number, commitment = copy_of((PROOFS / "valid.proof.json").read_bytes())
    site.answers.diagnoses = [{**said("present", "nothing", "nobody", "charged", state="final"), "number": number}]
    visit.page.locator("#diagnosis").get_by_role("button", name="再查一次").click()
    shown(visit, "present")
    assert asked(site)[-1] == {"number": number, "commitment": commitment}
    link = visit.page.locator("#diagnosis a", has_text="申请补打").get_attribute("href")
    assert link == f"/reprint#{code}", "the application begins with the same copy"


def test_a_proof_file_restores_what_was_lost(site: Site, visit: Visit) -> None:
    data = (PROOFS / "valid.proof.json").read_bytes()
    lost = said("lost_after_anchor", "restore_from_copy", fee="free", hops=[("content", "missing", {"lost": ["header", "totals"]})])
    present = said("present", "nothing", "nobody", "charged", hops=[("content", "done")])
    site.answers.diagnoses = [lost, present]
    visit.page.goto(f"{site.url}/verify")
    visit.choose("files", upload("kept.json", data))
    visit.wait_for("登记有效")
    expect(visit.page.locator("#diagnosis")).to_contain_text("会把这份文件发给登记服务")
    assert not asked(site), "a file stays here until its owner sends it"
    visit.page.click("#diagnosis button")
    shown(visit, "lost_after_anchor")
    assert "header, totals" in visit.page.inner_text(".dx-hops")
    visit.page.get_by_role("button", name="用这一份恢复记录").click()
    expect(visit.page.locator("#diagnosis .notice")).to_contain_text("证明不了什么")
    site.answers.recovery = {"number": REGISTERED, "state": "restored", "restored": ["invoices"], "lost": [], "altered": []}
    site.answers.diagnoses = [lost, present]
    visit.page.locator("#diagnosis").get_by_role("button", name="再查一次").click()
    visit.page.get_by_role("button", name="用这一份恢复记录").click()
    shown(visit, "present")
    expect(visit.page.locator("#diagnosis .notice")).to_contain_text("记录已恢复")
    assert asked(site)[0] == (PROOF, data)
    assert asked(site, "/v1/recoveries") == [(PROOF, data)] * 2


def test_a_receipt_is_asked_about_without_its_content(site: Site, visit: Visit) -> None:
    site.answers.diagnoses = [
        said(
            "receipt_breached",
            "show_receipt",
            fee="free",
            hops=[
                ("accepted", "done", {"receipt": {"key_id": "3c77451d6d9f0bcb", "deadline": 1795509508738, "signature": "00"}}),
                ("promise", "missing", {"shown_by": "absence", "last_in_time": {"seq": 4, "at": "2026-11-25T08:26:41+00:00"}}),
            ],
        )
    ]
    file = json.loads((PROOFS / "pending.proof.json").read_bytes())
    told = {"entry": file["entry"], "receipt": file["receipt"], "number": REGISTERED}
    kept = {**told, "salts": {"header": "00" * 16}, "state": "pending"}
    visit.page.goto(f"{site.url}/verify")
    visit.choose("files", upload("acknowledgement.json", json.dumps(kept).encode()))
    visit.wait_for("受理回执")
    shown(visit, "receipt_breached")
    assert asked(site) == [told]
    text = visit.page.inner_text("#diagnosis")
    assert "当时没有这个号码" in text
    assert "3c77451d6d9f0bcb" in text
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("button", name="保存诊断").click()
    assert json.loads(waiting.value.path().read_bytes()) == site.answers.diagnoses[0]
    # An issuer's own file, with the sections that it had sent, restores the record.
    whole = {"sections": {"header": {}}, "acknowledgement": kept}
    site.answers.diagnoses = [said("accepted_not_sealed", "restore_from_copy"), said("accepted_not_sealed", "wait")]
    site.answers.recovery = {"number": REGISTERED, "state": "restored", "restored": ["entries"], "lost": [], "altered": []}
    visit.choose("files", upload("issuer.json", json.dumps(whole).encode()))
    visit.page.get_by_role("button", name="用这一份恢复记录").click()
    expect(visit.page.locator("#diagnosis .notice")).to_contain_text("记录已恢复")
    assert asked(site, "/v1/recoveries") == [whole]


def test_nodes_and_the_central_record_are_among_the_hops(site: Site, visit: Visit) -> None:
    nodes = [
        {"node": "https://a.example", "state": "visible", "seq": 12},
        {"node": "https://b.example", "state": "behind", "seq": 9},
    ]
    hops = [*PENDING[:3], ("delivered", "done", {"consumer": "3ovefxwooz", "cursor": 12}), ("visible", "missing", {"nodes": nodes})]
    site.answers.diagnoses = [said("node_lagging", "wait", fee="free", hops=hops)]
    look_up(site, visit, "match", "registered.proof.json")
    visit.page.click("#diagnosis button")
    shown(visit, "node_lagging")
    told = visit.page.inner_text(".dx-nodes")
    assert "https://a.example 可查到" in told
    assert "https://b.example 还没有同步到 · 第 9 号存证" in told
    assert "3ovefxwooz" in visit.page.inner_text(".dx-hops")
