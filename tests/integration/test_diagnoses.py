"""Every verdict of a diagnosis, brought about for real: a real chain, a real worker, a store from which things are taken away."""

import ast
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from service.diagnosis.rules import VERDICTS
from service.ledger import register_proofs
from tests.integration.diagnosing import Lost, check, evidence, facts_of, hops, lost
from tests.oracle import Kept
from tests.world import World
from verifier.question import Question
from verifier.register import root_from_absence


@pytest.fixture(scope="module")
def at_rest(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lost]:
    """A world with final invoices, of which each test spoils its own."""
    with lost(tmp_path_factory.mktemp("diagnoses"), regions="11,12") as made:
        made.world.accept(40)
        made.world.rest()
        yield made


@pytest.fixture
def one(at_rest: Lost) -> Kept:
    """A final invoice that no other test touches."""
    return at_rest.world.kept.pop()


def test_present(at_rest: Lost, one: Kept) -> None:
    found = check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")
    assert (found["status"], found["state"]) == ("valid", "final")
    assert hops(found) == {
        "shown": "done",
        "submitted": "done",
        "accepted": "done",
        "sealed": "done",
        "broadcast": "done",
        "mined": "done",
        "final": "done",
        "promise": "done",
        "content": "done",
        "status": "done",
        "delivered": "not_applicable",
        "visible": "not_applicable",
    }
    assert found["fee"] == {"kind": "charged", "rests_on": "final", "amount": "20.00", "currency": "CNY"}
    for shown in (
        at_rest.of_code(one),
        at_rest.of_receipt(one),
        at_rest.of_file(at_rest.proof(one)),
        at_rest.of_file(one.pending_file()),
    ):
        assert shown["verdict"] == "present", shown


def test_what_only_a_holder_sees(at_rest: Lost, one: Kept) -> None:
    for found, is_holder in (
        (at_rest.of_facts(one), False),
        (at_rest.of_code(one), True),
        (at_rest.of_facts(one, as_issuer=True), True),
    ):
        assert ("receipt" in evidence(found, "accepted")) == is_holder
        assert ("external_id" in evidence(found, "submitted")) == is_holder


# On the way to the chain


def test_accepted_sealed_mined(at_rest: Lost) -> None:
    world = at_rest.world
    [one] = world.accept()
    found = check(at_rest.of_facts(one), "accepted_not_sealed", "system", "wait", "none")
    assert found["next_action"]["until"] == at_rest_time(one.answer["receipt"]["deadline"])
    assert hops(found)["sealed"] == hops(found)["final"] == "missing"
    world.worker.round()
    found = check(at_rest.of_facts(one), "sealed_not_anchored", "system", "wait", "none")
    assert found["state"] == "broadcast"
    world.mine()
    world.worker.round()
    found = check(at_rest.of_facts(one), "anchored_not_final", "system", "wait", "none")
    assert found["next_action"]["until"] > at_rest_time(int(world.now * 1000))
    world.rest()
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def at_rest_time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")


def test_a_broken_promise_is_ours_and_can_be_proven(at_rest: Lost) -> None:
    world = at_rest.world
    head = world.contract.head()
    [one] = world.accept()
    world.mine(8, seconds=20)
    for found in (at_rest.of_facts(one), at_rest.of_receipt(one)):
        check(found, "receipt_breached", "system", "show_receipt", "free")
        promise = evidence(found, "promise")
        assert promise["shown_by"] == "absence"
        assert promise["last_in_time"]["seq"] == head
        assert promise["later_anchor"] is None
    shown_by_chain(world, one, head)
    world.rest()
    late = check(at_rest.of_receipt(one), "receipt_breached", "system", "show_receipt", "free")
    assert evidence(late, "promise")["later_anchor"]["seq"] == head + 1
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def shown_by_chain(world: World, one: Kept, seq: int) -> None:
    """What the holder proves: the last anchor in time has no such number, and was in time."""
    anchors = world.oracle.anchors()
    deadline = one.answer["receipt"]["deadline"]
    assert anchors[seq].time * 1000 < deadline + 1000
    assert seq + 1 not in anchors or anchors[seq + 1].time * 1000 > deadline
    with world.database.read() as connection:
        siblings, end = register_proofs.prove(connection, seq, one.entry.key)
    assert root_from_absence(one.entry.key, end, siblings) == anchors[seq].register_root


def test_a_promised_void_is_traced_by_its_receipt(at_rest: Lost, one: Kept) -> None:
    at_rest.world.void(one)
    answer = at_rest.world.voided[-1]
    found = check(at_rest.diagnose(answer), "accepted_not_sealed", "system", "wait", "none")
    assert hops(found)["accepted"] == "done"
    # Whoever asks about the invoice is told that it is void, and how far that has come.
    found = check(at_rest.of_facts(one), "void", "issuer", "ask_issuer", "none")
    assert evidence(found, "status")["state"] == "pending"
    at_rest.world.rest()
    check(at_rest.diagnose(answer), "void", "issuer", "ask_issuer", "none")


def test_dropped_after_the_receipt_was_signed(at_rest: Lost) -> None:
    world = at_rest.world
    [one] = world.accept()
    at_rest.delete(one, "copies", "invoices", "entries")
    check(at_rest.of_receipt(one), "accepted_not_sealed", "system", "find_copy", "none")
    check(at_rest.of_file(one.pending_file()), "accepted_not_sealed", "system", "restore_from_copy", "none")
    assert at_rest.recover(one.pending_file()).json()["state"] == "restored"
    world.rest()
    check(at_rest.of_receipt(one), "present", "nobody", "nothing", "charged")
    assert at_rest.verdict(at_rest.proof(one), one.question()) == "valid"


# What it is now


def test_replaced(at_rest: Lost, one: Kept) -> None:
    before = at_rest.proof(one)
    at_rest.reprint(one)
    at_rest.world.rest()
    check(at_rest.of_code(one), "replaced", "nobody", "ask_issuer", "none")
    check(at_rest.of_file(before), "replaced", "nobody", "ask_issuer", "none")
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def test_reversed_and_partly_reversed(at_rest: Lost, one: Kept) -> None:
    at_rest.reverse(one, "-1.00")
    at_rest.world.rest()
    check(at_rest.of_facts(one), "partly_reversed", "nobody", "nothing", "charged")
    other = at_rest.world.kept.pop()
    at_rest.reverse(other, "-18339.00")
    at_rest.world.rest()
    found = check(at_rest.of_code(other), "reversed", "issuer", "ask_issuer", "none")
    assert evidence(found, "status")["other_number"] == "26112998" + other.number[-12:]
    assert "other_number" not in evidence(at_rest.of_facts(other), "status")


def test_released(at_rest: Lost, one: Kept) -> None:
    at_rest.release(one)
    at_rest.world.rest()
    check(at_rest.of_facts(one), "released", "issuer", "ask_issuer", "none")


# What was typed


@pytest.mark.parametrize(
    ("changes", "field", "slip"),
    [
        ({"issued_on": "2026-10-16"}, "issued_on", "one_digit"),
        ({"issued_on": "2026-10-51"[:8] + "05"}, "issued_on", "one_digit"),
        ({"issued_on": "2026-11-20"}, "issued_on", "other"),
        ({"amount_with_tax": "18393.00"}, "amount_with_tax", "transposed"),
        ({"amount_with_tax": "1833.90"}, "amount_with_tax", "decimal_point"),
        ({"amount_with_tax": "-18339.00"}, "amount_with_tax", "sign"),
        ({"amount_with_tax": "16229.20"}, "amount_with_tax", "with_and_without_tax"),
        ({"amount_with_tax": "", "amount": "18339.00"}, "amount", "with_and_without_tax"),
        ({"amount_with_tax": "1833.00"}, "amount_with_tax", "length"),
    ],
)
def test_which_field_is_told_to_a_holder_alone(at_rest: Lost, changes: dict[str, str], field: str, slip: str) -> None:
    one = at_rest.world.kept[0]
    typed = facts_of(one, **changes)
    for found in (at_rest.diagnose(typed, as_issuer=True), at_rest.diagnose(typed | {"commitment": one.answer["commitment"]})):
        check(found, "detail_mismatch", "applicant", "check_details", "none")
        assert [(said["field"], said["slip"]) for said in found["next_action"]["fields"]] == [(field, slip)]
        assert found["tries_left"] is None
    at_rest.sql("DELETE FROM wrong_guesses")
    stranger = check(at_rest.diagnose(typed), "detail_mismatch", "applicant", "check_details", "none")
    [shown] = stranger["evidence"]
    assert (shown["hop"], shown["state"], shown["evidence"]) == ("shown", "differs", {"material": "facts"})
    assert "fields" not in stranger["next_action"]
    assert (stranger["status"], stranger["state"], stranger["tries_left"]) == (None, None, 4)


def near(number: str) -> dict[str, str]:
    """Numbers that are a slip away and not registered, and which slip."""
    return {
        number[:10] + "7" + number[11:]: "one_digit",
        number[:11] + number[12] + number[11] + number[13:]: "transposed",
        number[:-2] + number[-1]: "length",
        number + "0": "length",
    }


def test_a_mistyped_number_is_told_to_a_holder_alone(at_rest: Lost) -> None:
    at_rest.sql("DELETE FROM wrong_guesses")
    one = at_rest.world.kept[0]
    for number, slip in near(one.number).items():
        typed = facts_of(one, number=number)
        for found in (
            at_rest.diagnose(typed | {"commitment": one.answer["commitment"]}),
            at_rest.diagnose({"number": number, "commitment": one.answer["commitment"]}),
            at_rest.diagnose(typed, as_issuer=True),
        ):
            check(found, "detail_mismatch", "applicant", "check_details", "none")
            assert [(said["field"], said["slip"]) for said in found["next_action"]["fields"]] == [("number", slip)]


def test_a_stranger_is_told_nothing_by_a_number_that_is_near(at_rest: Lost) -> None:
    """Whether an invoice of that day and amount has a number one digit away, the answer is the same."""
    at_rest.sql("DELETE FROM wrong_guesses")
    one = at_rest.world.kept[0]
    beside, far = one.number[:10] + "7" + one.number[11:], "26112999000099990009"
    answers = [at_rest.diagnose(facts_of(one, number=number)) for number in (beside, far)]
    for found in answers:
        check(found, "never_submitted", "undetermined", "check_details", "none")
        found["number"] = None
        proof = evidence(found, "registered").pop("proof")
        assert at_rest.verdict(json.dumps(proof).encode(), Question(proof["number"], None)) == "absent"
    assert answers[0] == answers[1]


@pytest.mark.parametrize(("number", "slip"), [("2611299900099990009", "length"), ("25112999000099990009", "year")])
def test_what_is_wrong_in_itself_is_told_to_everybody(at_rest: Lost, number: str, slip: str) -> None:
    at_rest.sql("DELETE FROM wrong_guesses")
    found = at_rest.diagnose({"number": number, "issued_on": "2026-10-15", "amount_with_tax": "1.00"})
    check(found, "detail_mismatch", "applicant", "check_details", "none")
    assert [said["slip"] for said in found["next_action"]["fields"]] == [slip]
    assert found["tries_left"] == 4


def test_guesses_share_the_count_of_lookups(at_rest: Lost) -> None:
    at_rest.sql("DELETE FROM wrong_guesses")
    one = at_rest.world.kept[0]
    wrong = [facts_of(one, issued_on=f"2026-10-{day}") for day in range(20, 26)]
    assert [at_rest.diagnose(body)["tries_left"] for body in wrong[:3]] == [4, 3, 2]
    assert at_rest.of_facts(one)["tries_left"] == 2, "what is right is not counted"
    assert [at_rest.world.client.post("/v1/lookups", json=body).json()["tries_left"] for body in wrong[2:5]] == [2, 1, 0]
    assert at_rest.diagnose(wrong[0])["tries_left"] == 0, "what was said before is told again"
    for body in (wrong[5], facts_of(one)):
        refused = at_rest.ask(body)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
    assert at_rest.of_code(one)["verdict"] == "present", "who holds the invoice guesses nothing"
    at_rest.sql("DELETE FROM wrong_guesses")


def test_a_commitment_of_another_invoice(at_rest: Lost) -> None:
    one, other = at_rest.world.kept[0], at_rest.world.kept[1]
    number = one.number[:8] + "777" + one.number[11:]
    check(at_rest.diagnose({"number": number, "commitment": "ab" * 32}), "never_submitted", "issuer", "ask_issuer", "none")
    found = at_rest.diagnose({"number": one.number, "commitment": "ab" * 32})
    check(found, "detail_mismatch", "applicant", "check_details", "none")
    assert hops(found) == {"shown": "differs"}
    assert other.number != one.number


def test_other_region(at_rest: Lost) -> None:
    found = at_rest.diagnose({"number": "26442999000000000005", "issued_on": "2026-11-01", "amount_with_tax": "1200009.00"})
    check(found, "other_region", "other_region", "ask_other_region", "none")
    found = at_rest.diagnose({"number": "044002400111-99000007", "issued_on": "2024-03-18", "amount": "943.40"})
    check(found, "other_region", "other_region", "ask_other_region", "none")


# Lost, altered, forged


@pytest.mark.parametrize("tables", [("copies",), ("invoices",), ("copies", "invoices"), ("copies", "invoices", "entries")])
def test_lost_after_anchor(at_rest: Lost, one: Kept, tables: tuple[str, ...]) -> None:
    kept, whole = at_rest.proof(one), at_rest.whole_proof(one)
    at_rest.delete(one, *tables)
    found = check(at_rest.of_facts(one), "lost_after_anchor", "system", "find_copy", "free")
    assert found["next_action"]["link"] == "/v1/recoveries"
    check(at_rest.of_receipt(one), "lost_after_anchor", "system", "find_copy", "free")
    check(at_rest.of_file(kept), "lost_after_anchor", "system", "restore_from_copy", "free")
    check(at_rest.of_file(one.pending_file()), "lost_after_anchor", "system", "restore_from_copy", "free")
    assert at_rest.recover(whole).json()["state"] == "restored"
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


@pytest.mark.parametrize(
    "change",
    [
        """UPDATE invoices SET totals = CAST(replace(totals, '18339.00', '1.00') AS BLOB) WHERE number = :number""",
        """UPDATE invoices SET totals = CAST(totals AS TEXT) WHERE number = :number""",
        """UPDATE invoices SET amount_fen = 100 WHERE number = :number""",
        """UPDATE invoices SET issued_on = '2026-10-16' WHERE number = :number""",
        """UPDATE copies SET salts = zeroblob(128) WHERE entry_id = (SELECT id FROM invoices WHERE number = :number)""",
        """UPDATE entries SET "index" = 60000 WHERE id = (SELECT id FROM invoices WHERE number = :number)""",
        """UPDATE entries SET entry = CAST(substr(entry, 1, 17) || x'ff' || substr(entry, 19) AS BLOB)
           WHERE id = (SELECT id FROM invoices WHERE number = :number)""",
    ],
)
def test_altered(at_rest: Lost, one: Kept, change: str) -> None:
    whole = at_rest.whole_proof(one)
    at_rest.sql(change, number=one.number)
    check(at_rest.of_facts(one), "altered", "system", "find_copy", "free")
    check(at_rest.of_file(whole), "altered", "system", "restore_from_copy", "free")
    answer = at_rest.recover(whole)
    assert answer.json()["state"] == "restored", answer.text
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def test_forged(at_rest: Lost, one: Kept) -> None:
    file = json.loads(at_rest.proof(one))
    file["sections"]["totals"]["value"]["amount_with_tax"] = "99999.00"
    found = check(at_rest.of_file(json.dumps(file).encode()), "forged", "undetermined", "report_forgery", "none")
    report = evidence(found, "shown")["report"]
    assert next(said["result"] for said in report["checks"] if said["name"] == "content") == "fail"
    receipt = {**one.answer["receipt"], "deadline": one.answer["receipt"]["deadline"] + 1}
    found = at_rest.diagnose({"entry": one.answer["entry"], "receipt": receipt})
    check(found, "forged", "undetermined", "report_forgery", "none")
    found = at_rest.diagnose({"entry": one.answer["entry"], "receipt": one.answer["receipt"], "number": "26112999000000000001"})
    check(found, "forged", "undetermined", "report_forgery", "none")


def test_undecided_of_another_registry(at_rest: Lost, one: Kept) -> None:
    file = json.loads(at_rest.proof(one))
    file["chain"]["contract"] = "0x" + "11" * 20
    check(at_rest.of_file(json.dumps(file).encode()), "undecided", "undetermined", "ask_issuer", "undetermined")
    other = b'{"protocol": "zp9"}'
    check(at_rest.of_file(other), "undecided", "undetermined", "ask_issuer", "undetermined")
    unknown = {**one.answer["receipt"], "key_id": "00" * 8}
    found = at_rest.diagnose({"entry": one.answer["entry"], "receipt": unknown})
    check(found, "undecided", "undetermined", "ask_issuer", "undetermined")


def test_undecided_while_the_chain_cannot_be_read(at_rest: Lost, one: Kept) -> None:
    kept = at_rest.proof(one)
    at_rest.world.proxies[0].go_down()
    try:
        for found in (
            at_rest.of_facts(one),
            at_rest.of_file(kept),
            at_rest.diagnose({"number": "26112999000099990009", "issued_on": "2026-10-15", "amount_with_tax": "1.00"}),
        ):
            check(found, "undecided", "system", "try_again", "undetermined")
            assert found["next_action"]["until"]
    finally:
        at_rest.world.proxies[0].tell_truth()
    at_rest.sql("DELETE FROM wrong_guesses")
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def test_a_reading_of_a_moment_ago_leaves_nothing_undecided(at_rest: Lost, one: Kept) -> None:
    """A new anchor is final, and the reading of the chain that all requests share is from before it."""
    assert at_rest.of_facts(one)["verdict"] == "present"
    [new] = at_rest.world.accept()
    at_rest.world.rest()
    unknown = {"number": "26112999000099990009", "issued_on": "2026-10-15", "amount_with_tax": "1.00"}
    at_rest.is_reading_kept = True
    try:
        check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")
        check(at_rest.of_facts(new), "anchored_not_final", "system", "wait", "none")
        check(at_rest.diagnose(unknown), "never_submitted", "undetermined", "check_details", "none")
        at_rest.world.now += 3600
        check(at_rest.of_facts(new), "undecided", "system", "try_again", "undetermined")
        at_rest.world.now -= 3600
    finally:
        at_rest.is_reading_kept = False
    check(at_rest.of_facts(new), "present", "nobody", "nothing", "charged")
    at_rest.sql("DELETE FROM wrong_guesses")


def test_undecided_where_our_register_is_damaged(at_rest: Lost, one: Kept) -> None:
    pages = at_rest.world.database
    with pages.read() as connection:
        before = connection.execute(text("SELECT seq, path, page FROM register_pages WHERE path = ''")).all()
    at_rest.sql("UPDATE register_pages SET page = x'00' WHERE path = ''")
    check(at_rest.of_facts(one), "undecided", "system", "try_again", "undetermined")
    for seq, path, page in before:
        at_rest.sql("UPDATE register_pages SET page = :page WHERE path = :path AND seq = :seq", page=page, path=path, seq=seq)
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


# The request


def test_what_is_no_question_is_refused(at_rest: Lost) -> None:
    for body, pointers in (
        ({"number": "26112999000000000001"}, ["/issued_on"]),
        ({"number": "26112999000000000001", "issued_on": "x", "amount": "y"}, ["/issued_on", "/amount"]),
        ({"number": "?", "commitment": "ab" * 32}, ["/number"]),
        ({"number": "1", "issued_on": "2026-10-15", "amount": "1", "extra": 1}, ["/extra"]),
        ({"entry": {}, "receipt": {}}, None),
    ):
        answer = at_rest.ask(body)
        assert answer.status_code == 422, body
        if pointers is not None:
            assert [found["pointer"] for found in answer.json()["errors"]] == pointers
    answer = at_rest.ask(b"{}", media_type="application/vnd.zhengpiao.proof+json")
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_proof")
    assert at_rest.ask(b"%PDF-1.7 nothing", media_type="application/pdf").json()["code"] == "not_a_proof"
    assert at_rest.ask(b"x", media_type="text/plain").status_code == 415
    assert at_rest.ask(b"x" * (5 * 1024 * 1024), media_type="application/json").status_code == 413


def test_papers_and_pictures(at_rest: Lost, one: Kept) -> None:
    """The printed document shows its proof file, and the QR code alone what it asks."""
    status, pdf = at_rest.world.ask("GET", f"/v1/invoices/{one.number}/document.pdf")
    assert status == 200
    status, png = at_rest.world.ask("GET", f"/v1/invoices/{one.number}/qr.png")
    assert status == 200
    found = check(at_rest.diagnose(pdf, media_type="application/pdf"), "present", "nobody", "nothing", "charged")
    assert evidence(found, "shown")["material"] == "proof"
    found = check(at_rest.diagnose(png, media_type="image/png"), "present", "nobody", "nothing", "charged")
    assert evidence(found, "shown")["material"] == "code"
    at_rest.delete(one, "copies", "invoices", "entries")
    found = at_rest.diagnose(pdf, media_type="application/pdf")
    check(found, "lost_after_anchor", "system", "restore_from_copy", "free")
    check(at_rest.diagnose(png, media_type="image/png"), "lost_after_anchor", "system", "find_copy", "free")
    restored = at_rest.recover(pdf, "application/pdf").json()
    assert (restored["state"], restored["lost"]) == ("restored", [])
    check(at_rest.diagnose(png, media_type="image/png"), "present", "nobody", "nothing", "charged")


def test_an_issuer_brings_back_what_it_sent(at_rest: Lost, one: Kept) -> None:
    body = {"sections": one.sections, "acknowledgement": one.answer}
    at_rest.delete(one, "copies", "invoices", "entries")
    restored = at_rest.recover(json.dumps(body).encode(), "application/json").json()
    assert (restored["state"], restored["lost"]) == ("restored", [])
    check(at_rest.of_code(one), "present", "nobody", "nothing", "charged")
    assert at_rest.recover(json.dumps(body).encode(), "application/json").json()["state"] == "sound"
    status, answer = at_rest.world.ask("GET", f"/v1/invoices/{one.number}/timeline")
    assert status == 200
    last = json.loads(answer)["entries"][0]["hops"][-1]
    assert (last["hop"], last["source"]) == ("restored", "sections")
    assert set(last["restored"]) >= {"entries", "invoices", "copies", "lines"}


def test_what_restores_nothing_is_refused(at_rest: Lost, one: Kept) -> None:
    body = {"sections": one.sections, "acknowledgement": one.answer}
    other = {**one.sections, "notes": {"remark": "另一份"}}
    for sent, media_type, code in (
        (json.dumps(body | {"sections": other}).encode(), "application/json", "copy_proves_nothing"),
        (json.dumps(body | {"sections": {}}).encode(), "application/json", "not_a_proof"),
        (b"{}", "application/json", "invalid_request"),
        (b"{}", "application/vnd.zhengpiao.proof+json", "not_a_proof"),
        (b"%PDF-1.7 nothing", "application/pdf", "not_a_proof"),
        (b"x", "text/plain", "media_type_unsupported"),
        (b" " * (9 * 1024 * 1024), "application/json", "body_too_large"),
    ):
        assert at_rest.recover(sent, media_type).json()["code"] == code, media_type
    check(at_rest.of_facts(one), "present", "nobody", "nothing", "charged")


def test_every_verdict_is_brought_about() -> None:
    """Here and in test_diagnoses_beyond.py: the second argument of each `check`."""
    expected = set()
    for file in Path(__file__).parent.glob("test_diagnoses*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "check" and isinstance(node.args[1], ast.Constant):
                expected.add(node.args[1].value)
    assert set(VERDICTS) - expected == set()
