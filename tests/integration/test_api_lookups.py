"""Looking invoices up and guessing at them, on both databases."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from service.invoices import guessing
from service.invoices.tables import invoices, wrong_guesses
from tests.integration.api import S01, SELLER, Api, Client
from tests.unit.samples import sections_of
from verifier.proof import AbsenceProof, PresenceProof, parse_proof
from verifier.register import State

S07 = "011002400111-99000007"
ABSENT = "26112999000000000099"
RIGHT = {"number": S01, "issued_on": "2026-09-01", "amount_with_tax": "27232.82"}
DAY_S = 86_400

Ask = Callable[..., Any]


def look_up(api: Api, client: Client | None = None, **changes: Any) -> Any:
    body = {name: value for name, value in {**RIGHT, **changes}.items() if value is not None}
    return (client or api.client).post("/v1/lookups", content=json.dumps(body), headers={"Content-Type": "application/json"})


def client_at(api: Api, host: str) -> Client:
    return Client(api.app, raise_server_exceptions=False, client=(host, 50_000))


def result(answer: Any) -> Any:
    return answer.json().get("result") or answer.json()["code"]


def proof_of(answer: Any) -> Any:
    return parse_proof(json.dumps(answer.json()["proof"]).encode())


def test_the_four_answers_with_their_proofs(api: Api) -> None:
    assert result(look_up(api)) == "not_yet_known"  # nothing is anchored
    api.anchor()
    api.register("S01")
    waiting = look_up(api)
    assert (result(waiting), waiting.headers["retry-after"], waiting.json()["proof"]) == ("not_yet_known", "5", None)
    api.anchor()
    match = look_up(api)
    assert (result(match), match.json()["status"], match.json()["tries_left"]) == ("match", "valid", 5)
    mismatch = look_up(api, amount_with_tax="27232.83")
    assert (result(mismatch), mismatch.json()["status"], mismatch.json()["tries_left"]) == ("mismatch", None, 4)
    for answer in (match, mismatch):
        proof = proof_of(answer)
        assert isinstance(proof, PresenceProof)
        assert isinstance(proof.state, bytes)
        assert api.verdict(json.dumps(answer.json()["proof"]).encode(), S01).verdict == "registered"
    absent = look_up(api, number=ABSENT)
    assert (result(absent), absent.json()["tries_left"]) == ("not_registered", 4)
    assert isinstance(proof_of(absent), AbsenceProof)
    assert api.verdict(json.dumps(absent.json()["proof"]).encode(), ABSENT).verdict == "absent"


def test_which_fact_differs_is_not_told(api: Api) -> None:
    api.register("S01")
    api.anchor()
    wrong = [
        look_up(api, client_at(api, f"198.51.{n}.1"), **changes)
        for n, changes in enumerate(
            [{"issued_on": "2026-09-02"}, {"amount_with_tax": "1.00"}, {"issued_on": "2026-09-02", "amount_with_tax": "1.00"}]
        )
    ]
    assert {answer.content for answer in wrong} == {wrong[0].content}
    assert result(wrong[0]) == "mismatch"


@pytest.mark.parametrize(
    "typed",
    [
        {"amount_with_tax": "¥27,232.82"},
        {"amount_with_tax": "２７２３２．８２"},
        {"amount_with_tax": "27232.820"},
        {"issued_on": "2026年9月1日"},
        {"issued_on": "20260901"},
        {"number": "2611 2999 0000 0000 0001"},
        {"number": "".join(chr(0xFEE0 + ord(digit)) for digit in S01)},
        {"amount_with_tax": None, "amount": "25691.34"},
    ],
)
def test_facts_are_compared_by_value(lite: Api, typed: dict[str, Any]) -> None:
    lite.register("S01")
    lite.anchor()
    assert result(look_up(lite, **typed)) == "match"


def test_a_legacy_invoice_by_its_amount_without_tax(lite: Api) -> None:
    lite.register("S07", "S06")
    lite.anchor()
    legacy: Any = {"number": S07, "issued_on": "2024-03-18", "amount_with_tax": None}
    assert result(look_up(lite, **legacy, amount="943.40")) == "match"
    assert result(look_up(lite, **legacy, amount="1000.00")) == "mismatch"
    red: Any = {"number": "26112999000000000006", "issued_on": "2026-09-20"}
    assert result(look_up(lite, **red, amount_with_tax="¥-1,060.00")) == "match"
    assert result(look_up(lite, **red, amount_with_tax="1060.00")) == "mismatch"


def test_a_match_tells_the_status(lite: Api) -> None:
    lite.register("S01")
    lite.anchor()
    lite.client.post(f"/v1/invoices/{S01}/void", json={"reason": "开票有误"}, headers=lite.issuer)
    assert result(look_up(lite)) == "not_yet_known"
    lite.anchor()
    assert (result(look_up(lite)), look_up(lite).json()["status"]) == ("match", "void")


def test_a_released_number_is_not_registered(lite: Api) -> None:
    from service.invoices import reading
    from service.ledger.entries import append
    from verifier.entry import ZERO, Entry, Kind, number_key

    lite.register("S01")
    lite.anchor()
    with lite.database.write() as connection:
        record = reading.get(connection, S01, None)
        assert record.history.state is not None
        entry = Entry(Kind.RELEASE, 1_795_600_000_000, number_key(S01), record.history.state.copy, ZERO, ZERO)
        record.history.add(entry)
        append(connection, [(entry, record.history.ordinal)], lite.context.keys, 1_795_600_060_000)
    lite.anchor()
    released = look_up(lite)
    assert result(released) == "not_registered"
    proof = proof_of(released)
    assert isinstance(proof.state, State)
    assert proof.state.status.name == "RELEASED"


@pytest.mark.parametrize(
    ("changes", "pointers"),
    [
        ({"number": "x/1"}, {("/number", "member_invalid")}),
        ({"number": ""}, {("/number", "member_invalid")}),
        ({"number": "9" * 101}, {("/number", "member_invalid")}),
        ({"issued_on": "2026-02-30"}, {("/issued_on", "member_invalid")}),
        ({"amount_with_tax": "1,23"}, {("/amount_with_tax", "member_invalid")}),
        ({"amount_with_tax": "NaN", "issued_on": "x"}, {("/amount_with_tax", "member_invalid"), ("/issued_on", "member_invalid")}),
        ({"amount_with_tax": 27232.82}, {("/amount_with_tax", "member_invalid")}),
        ({"amount_with_tax": None}, {("", "one_amount")}),
        ({"amount": "1.00"}, {("", "one_amount")}),
        ({"seller": "x"}, {("/seller", "member_unknown")}),
        ({"issued_on": None}, {("/issued_on", "member_missing")}),
        ({"amount_with_tax": "\ud800"}, {("/amount_with_tax", "member_invalid")}),
    ],
)
def test_bad_input_is_pointed_at(lite: Api, changes: dict[str, Any], pointers: set[tuple[str, str]]) -> None:
    lite.anchor()
    answer = look_up(lite, **changes)
    assert answer.status_code == 422
    assert {(error["pointer"], error["code"]) for error in answer.json()["errors"]} == pointers
    assert all(error["detail"] for error in answer.json()["errors"])
    with lite.database.read() as connection:
        assert connection.execute(wrong_guesses.select()).all() == []


# Limits


def test_five_wrong_tries_a_day_for_a_network_known_number_or_not(api: Api) -> None:
    api.register("S01")
    api.anchor()
    for number in (S01, ABSENT):
        one, neighbour, other = (client_at(api, host) for host in ("192.0.2.7", "192.0.2.200", "198.51.100.7"))
        said = [look_up(api, one, number=number, amount_with_tax=f"{n}.00").json()["tries_left"] for n in range(3)]
        said += [look_up(api, neighbour, number=number, amount_with_tax=f"{n}.00").json()["tries_left"] for n in range(3, 5)]
        assert said == [4, 3, 2, 1, 0]
        assert look_up(api, one, number=number, amount_with_tax="0.00").json()["tries_left"] == 0, "it is told nothing new"
        refused = look_up(api, one, number=number)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
        assert "二维码" in refused.json()["detail"]
        assert 0 < int(refused.headers["retry-after"]) <= DAY_S
        assert look_up(api, other, number=number, amount_with_tax="1.00").json()["tries_left"] == 4
    assert look_up(api, client_at(api, "192.0.2.7"), number="26112999000000000098").json()["tries_left"] == 4


def test_a_match_is_not_counted_and_showing_the_copy_is_never_limited(api: Api) -> None:
    [said] = api.register("S01")
    api.anchor()
    for _ in range(12):
        assert result(look_up(api)) == "match"
    for n in range(guessing.MAX_OF_NETWORK):
        look_up(api, amount_with_tax=f"{n}.00")
    assert look_up(api).status_code == 429
    for _ in range(3):
        assert api.ask(S01, said["commitment"]).status_code == 200
        assert api.ask(S01).status_code == 200


def test_the_same_wrong_guess_is_counted_once(api: Api) -> None:
    api.register("S01")
    api.anchor()
    written = ("1.00", "¥1.000", "１")
    assert [look_up(api, amount_with_tax=one).json()["tries_left"] for one in written] == [4, 4, 4]
    diagnosed = api.client.post("/v1/diagnoses", json={**RIGHT, "amount_with_tax": "1.00"}).json()
    assert diagnosed["tries_left"] == 4
    others = ({"amount_with_tax": None, "amount": "1.00"}, {"amount_with_tax": "1.00", "issued_on": "2026-09-02"})
    assert [look_up(api, **changes).json()["tries_left"] for changes in others] == [3, 2]
    assert look_up(api, client_at(api, "198.51.100.7"), amount_with_tax="1.00").json()["tries_left"] == 4, "each network for itself"


def test_fifty_wrong_tries_a_day_for_an_invoice(lite: Api) -> None:
    lite.register("S01")
    lite.anchor()
    for n in range(guessing.MAX_OF_INVOICE):
        answer = look_up(lite, client_at(lite, f"198.51.{n}.1"), amount_with_tax="1.00")
        assert answer.json()["tries_left"] == min(4, guessing.MAX_OF_INVOICE - n - 1)
    assert look_up(lite, client_at(lite, "203.0.113.1")).status_code == 429
    assert look_up(lite, client_at(lite, "203.0.113.1"), number=ABSENT).status_code == 200


def test_counts_survive_a_restart_and_end_with_the_day(api: Api) -> None:
    api.register("S01")
    api.anchor()
    for n in range(guessing.MAX_OF_NETWORK):
        look_up(api, amount_with_tax=f"{n}.00")
    again = Api(api.settings.database_url.get_secret_value())
    assert look_up(again).status_code == 429
    now = api.context.clock()
    again.context.clock = lambda: now + DAY_S
    assert result(look_up(again)) == "match"
    look_up(again, amount_with_tax="1.00")
    with again.database.read() as connection:
        assert {row.day for row in connection.execute(wrong_guesses.select())} == {int(now + 8 * 3600 + DAY_S) // DAY_S}
    again.context.close()


def test_the_day_is_beijings() -> None:
    midnight_in_beijing = 1_795_622_400_000  # 2026-11-25T16:00:00Z
    assert guessing._day(midnight_in_beijing) == guessing._day(midnight_in_beijing - 1) + 1


def test_tries_at_the_same_time_do_not_get_past_the_limit(api: Api) -> None:
    api.register("S01")
    api.anchor()
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: look_up(api, amount_with_tax=f"{n}.00"), range(16)))
    told = [answer for answer in answers if answer.status_code == 200]
    assert len(told) == guessing.MAX_OF_NETWORK
    assert sorted(answer.json()["tries_left"] for answer in told) == [0, 1, 2, 3, 4]
    assert {answer.status_code for answer in answers} == {200, 429}


def test_networks_are_24_and_48() -> None:
    assert guessing.network_of("192.0.2.7") == guessing.network_of("::ffff:192.0.2.99") == "192.0.2.0/24"
    assert guessing.network_of("2001:db8:1:2::3") == guessing.network_of("2001:db8:1:ffff::1") == "2001:db8:1::/48"
    assert guessing.network_of("2001:db8:2::1") == "2001:db8:2::/48"
    assert guessing.network_of("fe80::1%eth0") != guessing.network_of("2001:db8::1")
    assert guessing.network_of(None) == "unknown"
    assert len(guessing.network_of("x" * 400)) <= 48


def test_nothing_is_said_while_the_chain_is_in_doubt_or_content_is_lost(lite: Api) -> None:
    lite.register("S01")
    lite.anchor()
    with lite.database.write() as connection:
        connection.execute(invoices.update().values(totals=None))
    lost = look_up(lite)
    assert (lost.status_code, lost.json()["code"]) == (410, "content_lost")
    lite.write_health(trouble="final_vanished")
    assert look_up(lite).json()["code"] == "chain_in_doubt"
    with lite.database.read() as connection:
        assert connection.execute(wrong_guesses.select()).all() == []


def test_another_issuers_invoice_is_looked_up_like_any_other(lite: Api) -> None:
    sections = sections_of("S02")
    assert sections["seller"]["tax_id"] != SELLER
    lite.submit(sections)
    lite.anchor()
    answer = look_up(lite, number="26317999000000000002", issued_on="2026-10-15", amount_with_tax="18339")
    assert result(answer) == "match"
    assert sections["seller"]["tax_id"] not in answer.text
    assert sections["seller"]["name"] not in answer.text
