"""Reprint cases over the API on both databases: the whole way, every refusal, limits to guessing, and what happens at once."""

import threading
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, func, select, update

from service.invoices import approvals, guessing
from service.invoices.tables import copies
from service.ledger.entries import stored_by_key
from service.reprints import cases, materials, reviewing, tokens
from service.reprints.materials import reprint_material_pages
from service.reprints.tables import reprint_cases, reprint_history, reprint_tokens
from tests.integration.api import S01, S06, S10, Api, proof_file
from tests.integration.reprinting import ADDRESS, APPLICATION, DAY_S, FACTS, NAME, Applicant, Reprinting
from tests.unit.samples import sections_of
from verifier.entry import Kind, number_key
from verifier.proof import MEDIA_TYPE


@pytest.fixture
def world(api: Api) -> Reprinting:
    return Reprinting(api)


@pytest.fixture
def lite_world(lite: Api) -> Reprinting:
    return Reprinting(lite)


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def paid(world: Reprinting, applicant: Applicant) -> None:
    """As a bank transfer that staff confirm."""
    asked = applicant.post("payment", {"method": "bank_transfer"})
    assert asked.status_code in (200, 201), asked.text
    body = {"reference": asked.json()["reference"], "amount": "20.00"}
    done = world.api.client.post(
        f"/v1/reprints/{applicant.id}/payment/confirm", json=body, headers=world.api.person("operator").headers
    )
    assert done.status_code == 200, done.text


def test_from_the_confirmation_to_a_new_copy(world: Reprinting) -> None:
    api = world.api
    opened = world.open()
    assert opened.status_code == 201
    found = opened.json()
    assert (found["state"], found["step"], found["owed_by"]) == ("started", 2, "applicant")
    assert found["actions"] == ["application", "cancel"]
    assert (found["diagnosis"]["verdict"], found["fee"]["kind"], found["fee"]["amount"]) == ("present", "charged", "20.00")
    assert (found["fee"]["rests_on"], found["fee"]["decided_by"]) == ("final", "evidence")
    applicant = Applicant(world, found["id"], found["token"])

    applied = applicant.post("application", APPLICATION)
    assert applied.json()["state"] == "submitted"
    assert applied.json()["contact_hint"] == "o***@example.cn"
    signed_in = applicant.sign_in(world.code_of(applicant.id))
    assert signed_in.json()["case"]["state"] == "materials_pending"
    before, applicant.token = applicant.headers, signed_in.json()["token"]
    assert code_of(api.client.get(f"/v1/reprints/{applicant.id}", headers=before)) == "case_token_invalid", "it opened the case"
    missing = applicant.post("submit", {})
    assert (missing.status_code, code_of(missing)) == (409, "materials_missing")
    assert missing.json()["missing"] == ["identity", "company_letter", "application_form"]
    applicant.send_materials()

    submitted = applicant.post("submit", {}).json()
    assert (submitted["state"], submitted["owed_by"], submitted["fee"]["state"]) == ("fee_due", "applicant", "due")
    paid(world, applicant)
    assert (applicant.get()["state"], applicant.get()["fee"]["state"]) == ("review_1", "paid")

    first, second = world.reviewer("甲"), world.reviewer("乙")
    [waiting] = api.client.get("/v1/reprints", headers=first.headers).json()["items"]
    assert (waiting["id"], waiting["state"], waiting["may_decide"], waiting["is_late"]) == (applicant.id, "review_1", True, False)
    seen = world.view(applicant.id, first)
    assert seen["invoice"]["summary"]["seller"] == seen["invoice"]["sections"]["seller"]["name"]
    assert api.verdict(orjson.dumps(seen["invoice"]["proof"])).verdict == "valid"
    assert seen["case"]["application"]["name"] == NAME
    assert (seen["facts"]["applicant"], seen["facts"]["contact"]) == (NAME, f"email:{ADDRESS}")
    world.approved(applicant.id, first, second)
    assert applicant.get()["state"] == "approved"

    world.work()
    done = applicant.get()
    assert (done["state"], done["step"], done["actions"]) == ("completed", 5, ["document"])
    assert (done["result"]["number"], done["result"]["document_ready"]) == (S01, False)
    case = world.case(applicant.id)
    with api.database.read() as connection:
        newest = stored_by_key(connection, [number_key(S01)])[number_key(S01)][-1]
    assert newest.entry.kind is Kind.REPRINT
    assert newest.entry.auth == reviewing.auth_of(case) == approvals.auth_of(case.first_approval, case.second_approval)
    after = orjson.loads(case.second_approval)
    assert after["after"] == approvals.hash_of_approval(case.first_approval).hex()
    assert orjson.loads(case.first_approval)["blind"] != after["blind"]
    api.anchor()
    world.work()
    assert applicant.get()["result"]["document_ready"] is True
    assert [one["event"] for one in done["history"]] == [
        "open",
        "apply",
        "confirm_contact",
        "submit",
        "charge",
        "pay",
        "approve_first",
        "approve_second",
        "complete",
    ]
    assert [one["by"] for one in done["history"]][-4:] == ["system", "reviewer", "reviewer", "system"]
    again = world.opened()  # a reprint of a reprint
    assert again.get()["fee"]["kind"] == "charged"


def test_by_code_and_by_proof_file(world: Reprinting) -> None:
    made = world.registered[0]
    by_code = world.opened({"number": S01, "commitment": made["commitment"]})
    assert by_code.post("cancel", {}).json()["state"] == "cancelled"
    kept = proof_file(sections_of("S01"), made)
    answer = world.api.client.post("/v1/reprints", content=kept, headers={"Content-Type": MEDIA_TYPE})
    assert answer.status_code == 201
    assert answer.json()["number"] == S01


def test_a_wrong_guess_counts_as_in_a_look_up_and_tells_the_diagnosis(lite_world: Reprinting) -> None:
    for day in range(1, guessing.MAX_OF_NETWORK + 1):
        refused = lite_world.open(FACTS | {"issued_on": f"2026-08-{day:02}"})
        assert (refused.status_code, code_of(refused)) == (409, "details_wrong")
        assert refused.json()["diagnosis"]["verdict"] == "detail_mismatch"
        assert refused.json()["diagnosis"]["tries_left"] == guessing.MAX_OF_NETWORK - day
    again = lite_world.open(FACTS | {"issued_on": "2026-08-30"})
    assert (again.status_code, code_of(again)) == (429, "too_many_guesses")
    looked_up = lite_world.api.client.post("/v1/lookups", json=FACTS | {"issued_on": "2026-08-29"})
    assert looked_up.status_code == 429, "the same count"


def test_what_is_not_registered_or_not_final_has_no_reprint(lite_world: Reprinting) -> None:
    api = lite_world.api
    unknown = lite_world.open(FACTS | {"number": "26112999000000000999"})
    assert (unknown.status_code, code_of(unknown)) == (404, "reprint_not_registered")
    assert unknown.json()["diagnosis"]["verdict"] == "never_submitted"
    [made] = api.register("S02")
    early = lite_world.open({"number": made["number"], "commitment": made["commitment"]})
    assert (early.status_code, code_of(early)) == (409, "reprint_not_yet")
    api.anchor("mined")
    assert code_of(lite_world.open({"number": made["number"], "commitment": made["commitment"]})) == "reprint_not_yet"
    api.move("final")
    voided = api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "x"}, headers=api.issuer)
    assert voided.status_code == 200
    facts = {"number": S10, "commitment": lite_world.registered[1]["commitment"]}
    void = lite_world.open(facts)
    assert (void.status_code, code_of(void)) == (409, "reprint_not_open")
    assert void.json()["detail"] == "发票的状态（作废）不允许补打。"
    forged = proof_file(sections_of("S01"), lite_world.registered[0] | {"receipt": {**made["receipt"]}})
    refused = api.client.post("/v1/reprints", content=forged, headers={"Content-Type": MEDIA_TYPE})
    assert (refused.status_code, code_of(refused)) == (409, "reprint_unproven")


def test_a_pending_change_is_waited_for(lite_world: Reprinting) -> None:
    api = lite_world.api
    assert api.submit(sections_of("S06")).status_code == 201  # reverses S01 in part
    assert code_of(lite_world.open()) == "reprint_not_yet"
    api.anchor()
    applicant = lite_world.opened()
    reissue = applicant.post("application", APPLICATION | {"kind": "reissue"})
    assert (reissue.status_code, code_of(reissue)) == (409, "reprint_copy_only")
    red = {"number": S06, "issued_on": sections_of("S06")["header"]["issued_on"]}
    red["amount_with_tax"] = sections_of("S06")["totals"]["amount_with_tax"]
    other = lite_world.opened(red)
    assert code_of(other.post("application", APPLICATION | {"kind": "reissue"})) == "reprint_copy_only"
    assert other.post("application", APPLICATION).status_code == 200


def test_the_period_ends(lite_world: Reprinting) -> None:
    lite_world.later = lite_world.api.settings.reprint_days * DAY_S
    over = lite_world.open()
    assert (over.status_code, code_of(over)) == (409, "reprint_period_over")
    assert "1826" in over.json()["detail"]


def test_one_open_case_for_a_number(world: Reprinting) -> None:
    answers = at_once(lambda: world.open(), 4)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert {code_of(answer) for answer in answers if answer.status_code == 409} == {"case_open"}
    [won] = [answer.json() for answer in answers if answer.status_code == 201]
    assert Applicant(world, won["id"], won["token"]).post("cancel", {"reason": "找到了"}).status_code == 200
    assert world.open().status_code == 201


def test_opened_again_with_its_idempotency_key(lite_world: Reprinting) -> None:
    key = {"Idempotency-Key": "a-key-of-ours"}
    first, second = lite_world.open(headers=key).json(), lite_world.open(headers=key).json()
    assert first["id"] == second["id"]
    assert first["token"] != second["token"]
    old, new = Applicant(lite_world, first["id"], first["token"]), Applicant(lite_world, second["id"], second["token"])
    assert code_of(old.post("application", APPLICATION)) == "case_token_invalid"
    assert new.post("application", APPLICATION).status_code == 200
    assert code_of(lite_world.open(headers=key)) == "case_open", "the key is no way to somebody's application"
    assert code_of(lite_world.open(FACTS | {"issued_on": "2026-01-01"}, headers=key)) == "idempotency_mismatch"


def test_a_token_is_of_one_case(lite_world: Reprinting) -> None:
    mine = lite_world.opened()
    other = lite_world.opened({"number": S10, "commitment": lite_world.registered[1]["commitment"]})
    answer = lite_world.api.client.get(f"/v1/reprints/{other.id}", headers=mine.headers)
    assert (answer.status_code, code_of(answer)) == (401, "case_token_invalid")
    unknown = lite_world.api.client.get("/v1/reprints/R261124-00000000", headers=mine.headers)
    assert code_of(unknown) == "case_token_invalid", "no difference from one that is not there"
    with lite_world.api.database.read() as connection:
        kept = connection.execute(select(reprint_tokens)).all()
    assert all(mine.token.encode() not in bytes(row.token_hash) for row in kept)
    lite_world.later = tokens.TOKEN_MS / 1000 + 1
    assert code_of(lite_world.api.client.get(f"/v1/reprints/{mine.id}", headers=mine.headers)) == "case_token_invalid"


def test_a_code_is_good_once_for_ten_minutes_and_five_tries(world: Reprinting) -> None:
    applicant = world.opened()
    applicant.post("application", APPLICATION)
    code = world.code_of(applicant.id)
    wrong = f"{(int(code) + 1) % 10**6:06}"
    for _ in range(tokens.TRIES - 1):
        assert code_of(applicant.sign_in(wrong)) == "code_wrong"
    assert applicant.sign_in(code).status_code == 200
    assert code_of(applicant.sign_in(code)) == "code_wrong", "used"
    world.api.client.post(f"/v1/reprints/{applicant.id}/codes", json={})
    code = world.code_of(applicant.id)
    for _ in range(tokens.TRIES):
        applicant.sign_in(f"{(int(code) + 1) % 10**6:06}")
    assert code_of(applicant.sign_in(code)) == "code_wrong", "tried too often"
    world.api.client.post(f"/v1/reprints/{applicant.id}/codes", json={})
    code = world.code_of(applicant.id)
    world.later += tokens.CODE_MS / 1000 + 1
    assert code_of(applicant.sign_in(code)) == "code_wrong", "too old"


def test_five_codes_a_day(lite_world: Reprinting) -> None:
    applicant = lite_world.opened()
    for n in range(tokens.CODES_A_DAY):
        assert applicant.post("application", APPLICATION | {"name": f"改{n}"}).status_code == 200
    more = applicant.post("application", APPLICATION)
    assert (more.status_code, code_of(more)) == (429, "too_many_codes")
    assert int(more.headers["retry-after"]) > 0
    assert applicant.get()["application"]["name"] == f"改{tokens.CODES_A_DAY - 1}", "nothing of it was kept"
    asked = lite_world.api.client.post(f"/v1/reprints/{applicant.id}/codes", json={})
    unknown = lite_world.api.client.post("/v1/reprints/R261124-00000000/codes", json={})
    assert (asked.status_code, asked.json()) == (unknown.status_code, unknown.json()) == (202, {"sent": True})
    assert lite_world.events(applicant.id) == ["code"] * tokens.CODES_A_DAY
    lite_world.later = DAY_S
    lite_world.work()
    assert lite_world.case(applicant.id).state == "expired", "nobody confirmed the contact within a day"


def test_guessing_a_code_from_many_sides_at_once_costs_as_many_tries(world: Reprinting) -> None:
    applicant = world.opened()
    applicant.post("application", APPLICATION)
    code = world.code_of(applicant.id)
    wrong = [f"{(int(code) + n) % 10**6:06}" for n in range(1, 9)]
    guesses = iter(wrong)
    lock = threading.Lock()

    def guess() -> Any:
        with lock:
            one = next(guesses)
        return applicant.sign_in(one)

    assert {code_of(answer) for answer in at_once(guess, 8)} == {"code_wrong"}
    assert code_of(applicant.sign_in(code)) == "code_wrong"


def test_an_application_is_checked(lite_world: Reprinting) -> None:
    applicant = lite_world.opened()
    for change, pointer in (
        ({"contact": {"channel": "email", "address": "nobody"}}, "/contact/address"),
        ({"contact": {"channel": "sms", "address": "12345"}}, "/contact/address"),
        ({"contact": {"channel": "fax", "address": "1"}}, "/contact/channel"),
        ({"name": "  "}, "/name"),
        ({"name": "\u202eevil"}, "/name"),
        ({"reason": ""}, "/reason"),
        ({"kind": "void"}, "/kind"),
        ({"shoe_size": "43"}, "/shoe_size"),
        ({"notices": {"channels": ["sms"]}}, "/notices/sms"),
    ):
        refused = applicant.post("application", APPLICATION | change)
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (422, pointer), change
    contact = {"channel": "sms", "address": "+86 138-0013-8000"}
    sms = applicant.post("application", APPLICATION | {"contact": contact, "language": "en"})
    assert sms.json()["application"]["contact"]["address"] == "13800138000"
    assert sms.json()["contact_hint"] == "138****8000"
    applicant.confirm()
    assert code_of(applicant.post("application", APPLICATION)) == "case_state"


def test_steps_out_of_order_are_refused(lite_world: Reprinting) -> None:
    applicant = lite_world.opened()
    assert code_of(applicant.post("submit", {})) == "case_state"
    reviewer = lite_world.reviewer()
    assert lite_world.view(applicant.id, reviewer)["cannot_approve"] == "case_state"
    assert code_of(lite_world.decide(applicant.id, reviewer, shown="00" * 32)) == "case_state"
    assert code_of(lite_world.decide(applicant.id, reviewer, "return", reason="x")) == "case_state"
    assert applicant.post("cancel", {}).status_code == 200
    assert code_of(applicant.post("cancel", {})) == "case_state"
    assert code_of(lite_world.decide(applicant.id, reviewer, "reject", reason="x")) == "case_state"


def reviewable(world: Reprinting, **changes: Any) -> Applicant:
    """A case that waits for its first review, free since the registry is at fault."""
    applicant = world.opened()
    at_fault = {"fee": "free", "fee_fen": 0, "responsible": "system", "verdict": "delivered_not_visible"}
    with world.api.database.write() as connection:
        connection.execute(update(reprint_cases).where(reprint_cases.c.id == applicant.id).values(at_fault))
    assert applicant.post("application", APPLICATION | changes).status_code == 200
    applicant.confirm()
    applicant.send_materials()
    assert applicant.post("submit", {}).json()["state"] == "review_1"
    return applicant


def test_two_reviewers_neither_the_applicant(lite_world: Reprinting) -> None:
    world = lite_world
    first, second = world.reviewer("甲"), world.reviewer("乙")
    theirs = world.opened(headers=first.headers)
    assert theirs.post("application", APPLICATION).status_code == 200
    theirs.confirm()
    theirs.send_materials()
    theirs.post("submit", {})
    assert code_of(world.decide(theirs.id, first, shown="00" * 32)) == "reviewer_is_applicant"
    looked = world.api.client.get(f"/v1/reprints/{theirs.id}/review", headers=first.headers)
    assert (looked.status_code, code_of(looked)) == (403, "reviewer_is_applicant")
    assert world.decide(theirs.id, second, "reject", reason="不予办理").status_code == 200

    applicant = reviewable(world, contact={"channel": "email", "address": second.login})
    assert code_of(world.decide(applicant.id, second, "reject", reason="x")) == "reviewer_is_applicant", "reached by its contact"
    third = world.reviewer("丙")
    assert world.decide(applicant.id, first).status_code == 200
    assert code_of(world.decide(applicant.id, first)) == "second_person_needed"
    assert world.view(applicant.id, first)["cannot_approve"] == "second_person_needed"
    assert world.decide(applicant.id, third).json()["state"] == "approved"


def test_an_approval_is_of_what_was_shown(lite_world: Reprinting) -> None:
    world = lite_world
    applicant, first = reviewable(world), world.reviewer()
    seen = world.view(applicant.id, first)
    assert bytes.fromhex(seen["shown"]) == reviewing.hash_of_shown(seen["facts"])
    assert code_of(world.decide(applicant.id, first, shown=None)) == "shown_differs"
    assert world.api.submit(sections_of("S06")).status_code == 201
    assert code_of(world.decide(applicant.id, first, shown=seen["shown"])) == "shown_differs", "reversed in part since"
    seen = world.view(applicant.id, first)
    with world.api.database.write() as connection:
        connection.execute(update(reprint_material_pages).values(picture=b"another"))
    assert code_of(world.decide(applicant.id, first, shown=seen["shown"])) == "shown_differs", "another paper"


def test_returned_for_correction_the_first_approval_is_void(lite_world: Reprinting) -> None:
    world = lite_world
    applicant, first, second = reviewable(world), world.reviewer("甲"), world.reviewer("乙")
    old = world.view(applicant.id, first)["shown"]
    assert world.decide(applicant.id, first).status_code == 200
    assert code_of(world.decide(applicant.id, second, "return")) == "invalid_request", "without a reason"
    returned = world.decide(applicant.id, second, "return", reason="身份证件看不清")
    assert returned.json()["state"] == "materials_pending"
    assert returned.json()["history"][-1] | {"at": ""} == {
        "at": "",
        "event": "return",
        "source": "review_2",
        "target": "materials_pending",
        "by": "reviewer",
        "by_name": "乙",
        "reason": "身份证件看不清",
    }
    told = applicant.get()["history"][-1]
    assert told["reason"] == "身份证件看不清"
    assert "by_name" not in told, "a reviewer's name is not the applicant's business"
    case = world.case(applicant.id)
    assert (case.first_reviewer, case.first_approval) == (None, None)
    with world.api.database.write() as connection:
        case = cases.lock(connection, applicant.id)
        materials.add(connection, case, "other", 1, [b"x"], world.vault, 10, world.api.context.now_ms())
    assert applicant.post("submit", {}).json()["state"] == "review_1"
    assert code_of(world.decide(applicant.id, first, shown=old)) == "shown_differs"
    world.approved(applicant.id, second, first)


def test_an_undetermined_fee_is_decided_by_the_first_reviewer_with_a_reason(lite_world: Reprinting) -> None:
    world = lite_world
    applicant, first, second = reviewable(world), world.reviewer("甲"), world.reviewer("乙")
    with world.api.database.write() as connection:
        undetermined = {"fee": "undetermined", "responsible": "undetermined"}
        connection.execute(update(reprint_cases).where(reprint_cases.c.id == applicant.id).values(undetermined))
    assert "decide_fee" in world.view(applicant.id, first)["case"]["actions"]
    assert code_of(world.decide(applicant.id, first)) == "fee_undecided"
    assert code_of(world.decide(applicant.id, first, fee="charged")) == "invalid_request"
    decided = world.decide(applicant.id, first, fee="charged", reason="购方自行遗失")
    assert decided.json()["state"] == "fee_due"
    fee = applicant.get()["fee"]
    assert (fee["kind"], fee["amount"], fee["decided_by"], fee["reason"]) == ("charged", "20.00", "reviewer", "购方自行遗失")
    assert code_of(world.decide(applicant.id, second)) == "case_state", "it is not paid"
    paid(world, applicant)
    assert applicant.get()["state"] == "review_2"
    assert code_of(world.decide(applicant.id, second, fee="free")) == "fee_decided"
    assert world.decide(applicant.id, second).json()["state"] == "approved"


def test_what_the_evidence_decided_no_reviewer_changes(lite_world: Reprinting) -> None:
    applicant, first = reviewable(lite_world), lite_world.reviewer()
    refused = lite_world.decide(applicant.id, first, fee="charged", reason="x")
    assert (refused.status_code, code_of(refused)) == (409, "fee_decided")
    assert lite_world.decide(applicant.id, first, fee="free").status_code == 200


def test_an_approval_asks_who_is_there(lite_world: Reprinting) -> None:
    applicant, first = reviewable(lite_world), lite_world.reviewer()
    shown = lite_world.view(applicant.id, first)["shown"]
    lite_world.later = 6 * 60.0
    refused = lite_world.decide(applicant.id, first, shown=shown)
    assert (refused.status_code, code_of(refused)) == (403, "reauthentication_required")
    assert lite_world.decide(applicant.id, first, "return", reason="再补一份").status_code == 200


def test_lost_content_waits_until_it_is_restored(lite_world: Reprinting) -> None:
    world = lite_world
    applicant, first = reviewable(world), world.reviewer()
    with world.api.database.write() as connection:
        rows = connection.execute(select(copies)).all()
        connection.execute(delete(copies))
    seen = world.view(applicant.id, first)
    assert (seen["invoice"], seen["shown"], seen["cannot_approve"]) == (None, None, "content_lost")
    assert code_of(world.decide(applicant.id, first, shown="00" * 32)) == "content_lost"
    with world.api.database.write() as connection:
        connection.execute(copies.insert(), [row._asdict() for row in rows])
    assert world.decide(applicant.id, first).status_code == 200


def test_a_reissue_waits_for_the_issuer_before_the_second_approval(lite_world: Reprinting) -> None:
    world, api = lite_world, lite_world.api
    applicant, first, second = reviewable(world, kind="reissue"), world.reviewer("甲"), world.reviewer("乙")
    assert world.decide(applicant.id, first).status_code == 200
    assert applicant.get()["owed_by"] == "issuer"
    assert code_of(world.decide(applicant.id, second)) == "replacement_missing"
    shown = api.client.get(f"/v1/reprints/{applicant.id}", headers=api.issuer).json()
    assert (shown["actions"], shown["application"], shown["materials"], shown["diagnosis"]) == (["replacement"], None, None, None)
    stranger = api.client.get(f"/v1/reprints/{applicant.id}", headers=api.key("issuer", "92110101MAXXXX04XG"))
    assert (stranger.status_code, code_of(stranger)) == (404, "case_not_found")


def test_who_may_look_at_what(lite_world: Reprinting) -> None:
    world, api = lite_world, lite_world.api
    applicant = reviewable(world)
    auditor = api.client.get(f"/v1/reprints/{applicant.id}", headers=api.auditor).json()
    assert (auditor["application"], auditor["materials"], auditor["actions"]) == (None, None, [])
    assert auditor["diagnosis"]["verdict"] == "present"
    without = api.person("auditor", purpose=None)
    assert code_of(api.client.get(f"/v1/reprints/{applicant.id}", headers=without.headers)) == "purpose_missing"
    reviewer = world.reviewer()
    assert api.client.get(f"/v1/reprints/{applicant.id}", headers=reviewer.headers).json()["application"]["name"] == NAME
    world.view(applicant.id, reviewer)
    looks = [action for action, actor in world.actions(applicant.id) if actor == reviewer.id]
    assert looks == ["looked_at_case", "looked_at_review"]


def test_the_queue_its_states_and_its_pages(lite_world: Reprinting) -> None:
    world, api = lite_world, lite_world.api
    mine = reviewable(world)
    world.later = 8 * DAY_S
    world.work()
    assert world.case(mine.id).state == "review_1", "what waits for us does not expire"
    world.later = 0
    started = world.opened({"number": S10, "commitment": world.registered[1]["commitment"]})
    first, second = world.reviewer("甲"), world.reviewer("乙")

    def listed(reviewer: Any, **params: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = api.client.get("/v1/reprints", params=params, headers=reviewer.headers).json()["items"]
        return found

    assert [one["id"] for one in listed(first)] == [mine.id]
    assert [one["id"] for one in listed(first, state="started")] == [started.id]
    assert {one["id"] for one in listed(first, state="all")} == {mine.id, started.id}
    assert listed(first, mine="true") == []
    world.decide(mine.id, first)
    [one] = listed(first, mine="true")
    assert (one["first_reviewer"], one["may_decide"]) == ("甲", False)
    assert listed(second)[0]["may_decide"] is True
    page = api.client.get("/v1/reprints", params={"state": "all", "limit": 1}, headers=first.headers).json()
    rest = api.client.get("/v1/reprints", params={"state": "all", "cursor": page["next_cursor"]}, headers=first.headers).json()
    assert {page["items"][0]["id"], rest["items"][0]["id"]} == {mine.id, started.id}
    assert rest["next_cursor"] is None
    bad = api.client.get("/v1/reprints", params={"cursor": "x"}, headers=first.headers)
    assert bad.status_code == 422
    world.later = 8 * DAY_S
    late = world.reviewer("丙")
    assert listed(late)[0]["is_late"] is True
    assert 'zhengpiao_reprint_late{state="review_2"} 1.0' in api.client.get("/metrics").text
    world.work()
    assert world.case(mine.id).state == "review_2", "what waits for us does not expire"


def test_cases_expire_with_reminders_before(world: Reprinting) -> None:
    started = world.opened({"number": S10, "commitment": world.registered[1]["commitment"]})
    applicant = world.applied()
    world.work()
    assert world.case(started.id).state == "started"
    world.later = 3 * 3600
    world.work()
    assert (world.case(started.id).state, world.case(applicant.id).state) == ("expired", "materials_pending")
    sent = []
    for day in range(1, 15):
        world.later = day * DAY_S + 60
        world.work()
        world.work()
        sent.append(world.events(applicant.id).count("reminder"))
    assert sent == [0] * 10 + [1, 1, 2, 2]
    assert world.case(applicant.id).state == "expired"
    assert world.actions(applicant.id) == [("reprint_expire", "system")]
    assert world.open().status_code == 201, "somebody else may try"


def test_statistics_count_by_state_cause_and_time(world: Reprinting) -> None:
    api = world.api
    applicant = reviewable(world)
    world.later = 7200
    world.approved(applicant.id)
    world.work()
    found = api.client.get("/v1/reprints/statistics", headers=api.key("operator")).json()
    states = {row["state"]: row["cases"] for row in found["states"]}
    assert (states["completed"], states["started"], len(states)) == (1, 0, 12)
    assert found["causes"] == [{"verdict": "delivered_not_visible", "responsible": "system", "cases": 1}]
    assert found["fees"] == [{"fee": "free", "cases": 1}]
    assert (found["daily"][-1]["opened"] + found["daily"][-2]["opened"], found["whole"]["times"]) == (1, 1)
    assert next(row for row in found["times"] if row["state"] == "review_1")["median_s"] >= 7200
    assert api.client.get("/v1/reprints/statistics?days=0", headers=api.auditor).status_code == 422


def test_everything_that_staff_and_system_do_is_in_the_activity_log(lite_world: Reprinting) -> None:
    world = lite_world
    applicant, first, second = reviewable(world), world.reviewer(), world.reviewer()
    world.approved(applicant.id, first, second)
    world.work()
    assert world.actions(applicant.id) == [
        ("reprint_begin_review", "system"),
        ("looked_at_review", first.id),
        ("reprint_approve_first", first.id),
        ("looked_at_review", second.id),
        ("reprint_approve_second", second.id),
        ("reprint_complete", "system"),
    ]


def test_what_is_personal_stands_nowhere_in_the_clear(lite_world: Reprinting) -> None:
    world = lite_world
    applicant = reviewable(world)
    world.decide(applicant.id, world.reviewer(), "return", reason=f"请{NAME}本人来办")
    applicant.post("submit", {})
    world.approved(applicant.id)
    world.work()
    assert personal_places(world) == []


def personal_places(world: Reprinting) -> list[str]:
    """Columns of any table in which the applicant's name or contact can be read."""
    wanted = [text.encode() for text in (NAME, ADDRESS, NAME.encode("unicode_escape").decode())]
    found = []
    with world.api.database.read() as connection:
        tables = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        for table in tables:
            for row in connection.exec_driver_sql(f'SELECT * FROM "{table}"').mappings():
                for column, value in row.items():
                    held = value if isinstance(value, bytes) else str(value).encode()
                    if any(text in held for text in wanted):
                        found.append(f"{table}.{column}")
    return found


def test_the_same_approval_at_once_has_one_effect(world: Reprinting) -> None:
    applicant, first, second = reviewable(world), world.reviewer("甲"), world.reviewer("乙")
    shown = world.view(applicant.id, first)["shown"]
    answers = at_once(lambda: world.decide(applicant.id, first, shown=shown), 4)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert world.case(applicant.id).state == "review_2"
    shown = world.view(applicant.id, second)["shown"]
    answers = at_once(lambda: world.decide(applicant.id, second, shown=shown), 4)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert events_of(world, applicant.id, "approve_first", "approve_second") == 2


def test_two_first_reviewers_at_once_are_not_two_approvals(world: Reprinting) -> None:
    applicant = reviewable(world)
    reviewers = [world.reviewer(str(n)) for n in range(4)]
    shown = world.view(applicant.id, reviewers[0])["shown"]
    waiting = iter(reviewers)
    lock = threading.Lock()

    def decide() -> Any:
        with lock:
            reviewer = next(waiting)
        return world.decide(applicant.id, reviewer, shown=shown)

    assert 200 in {answer.status_code for answer in at_once(decide, 4)}
    case = world.case(applicant.id)
    assert events_of(world, applicant.id, "approve_first") == 1
    assert case.state in ("review_2", "approved")
    assert case.second_reviewer != case.first_reviewer


def test_the_same_submission_at_once_has_one_effect(world: Reprinting) -> None:
    applicant = world.applied()
    applicant.send_materials()
    answers = at_once(lambda: applicant.post("submit", {}), 4)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert events_of(world, applicant.id, "submit") == 1
    key = {"Idempotency-Key": "once"}
    again = [applicant.post("cancel", {}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in again] == [200, 200]
    assert events_of(world, applicant.id, "cancel") == 1


def events_of(world: Reprinting, case_id: str, *events: str) -> int:
    with world.api.database.read() as connection:
        query = select(func.count()).select_from(reprint_history)
        found = query.where(reprint_history.c.case_id == case_id, reprint_history.c.event.in_(events))
        return connection.scalar(found) or 0


def at_once(do: Callable[[], Any], count: int) -> list[Any]:
    """The answers of so many threads that begin together."""
    answers: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        start.wait()
        answers.append(do())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers
