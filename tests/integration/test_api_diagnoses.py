"""Diagnoses and recoveries over the API on both databases, by strangers, keys and people; the chain is what the batches say."""

from typing import Any, NamedTuple

import pytest
from sqlalchemy import delete, select, update

from service import activity
from service.auth.keys import Role
from service.invoices.tables import copies, invoices
from service.ledger.tables import entries
from tests.integration.api import S01, S10, SELLER, Api, proof_file
from tests.integration.diagnosing import check, evidence, hops
from tests.unit.samples import sections_of
from verifier.anchors import Anchors
from verifier.proof import MEDIA_TYPE

BUYER = "91110105MAXXXX023T"
FACTS = {"number": S01, "issued_on": "2026-09-01", "amount_with_tax": "27232.82"}
WRONG = FACTS | {"issued_on": "2026-01-09"}


class _Readings(NamedTuple):
    api: Api

    def reader(self, at_least: int) -> Anchors:
        return self.api.anchors_file()


@pytest.fixture(autouse=True)
def final(api: Api) -> dict[str, Any]:
    """S01 and S10, final; the answer that acknowledged S01."""
    made, _ = api.register("S01", "S10")
    api.anchor()
    api.context.diagnostics._readings = _Readings(api)
    return made


def diagnose(api: Api, body: Any, headers: dict[str, str] | None = None) -> dict[str, Any]:
    answer = api.client.post("/v1/diagnoses", json=body, headers=headers or {})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def fields(found: dict[str, Any]) -> list[tuple[str, str]] | None:
    told = found["next_action"].get("fields")
    return None if told is None else [(said["field"], said["slip"]) for said in told]


def test_by_what_stands_on_it(api: Api, final: dict[str, Any]) -> None:
    found = check(diagnose(api, FACTS), "present", "nobody", "nothing", "charged")
    assert found["sentences"]["title"] == "各环节均在"
    assert hops(found)["final"] == "done"
    acknowledged = check(diagnose(api, final), "present", "nobody", "nothing", "charged")
    assert evidence(acknowledged, "accepted")["receipt"] == final["receipt"]


def test_which_keys_are_told_the_field(api: Api) -> None:
    other = "92110101MAXXXX04XG"
    keys: list[tuple[Role, tuple[str, ...], bool]] = [
        ("issuer", (SELLER,), True),
        ("issuer", (other,), False),
        ("recipient", (BUYER,), True),
        ("recipient", (other,), False),
        ("auditor", (), True),
        ("central", (), True),
        ("node", (), False),
        ("operator", (), False),
    ]
    for role, bound, is_told in keys:
        found = check(diagnose(api, WRONG, api.key(role, *bound)), "detail_mismatch", "applicant", "check_details", "none")
        assert fields(found) == ([("issued_on", "day_and_month")] if is_told else None), role
        near = diagnose(api, FACTS | {"number": S01[:-1] + "4"}, api.key(role, *bound))
        assert near["verdict"] == ("detail_mismatch" if is_told else "never_submitted"), role
        assert fields(near) == ([("number", "one_digit")] if is_told else None), role


def test_a_key_that_is_none_is_refused(api: Api) -> None:
    answer = api.client.post("/v1/diagnoses", json=FACTS, headers={"Authorization": "Bearer nonsense"})
    assert answer.status_code == 401


def test_people_are_told_and_it_is_written_down(api: Api) -> None:
    auditor = api.person("auditor")
    assert fields(diagnose(api, WRONG, auditor.headers)) == [("issued_on", "day_and_month")]
    with api.database.read() as connection:
        [record] = activity.read(connection, activity.Filter(object=S01))
    assert (record.action, record.actor) == ("diagnose", auditor.id)
    # Without the session's token the request may come from another site: it is answered as a stranger's.
    stranger = {"Cookie": auditor.headers["Cookie"]}
    assert fields(diagnose(api, WRONG, stranger)) is None
    without = api.person("auditor", purpose=None)
    answer = api.client.post("/v1/diagnoses", json=WRONG, headers=without.headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "purpose_missing")
    clerk = api.person("clerk", SELLER)
    assert fields(diagnose(api, WRONG, clerk.headers)) == [("issued_on", "day_and_month")]


def test_lost_restored_and_kept_by_whom(api: Api, final: dict[str, Any]) -> None:
    kept = proof_file(sections_of("S01"), final)
    with api.database.write() as connection:
        issue = connection.scalar(select(entries.c.id).where(entries.c.entry == _entry(api)))
        connection.execute(delete(copies).where(copies.c.entry_id == issue))
        connection.execute(delete(invoices).where(invoices.c.id == issue))
    check(diagnose(api, FACTS), "lost_after_anchor", "system", "find_copy", "free")
    headers = {"Content-Type": MEDIA_TYPE, **api.auditor}
    made = api.client.post("/v1/recoveries", content=kept, headers=headers).json()
    assert (made["state"], made["restored"][-2:]) == ("restored", ["invoices", "copies"])
    check(diagnose(api, FACTS), "present", "nobody", "nothing", "charged")
    shown = api.client.get(f"/v1/invoices/{S01}/timeline", headers=api.auditor).json()["entries"][0]
    assert [hop["hop"] for hop in shown["hops"]][-2:] == ["final", "restored"]
    assert api.client.get(f"/v1/invoices/{S01}", headers=api.auditor).json()["sections"] == sections_of("S01")


def test_altered_columns_are_put_right(api: Api, final: dict[str, Any]) -> None:
    with api.database.write() as connection:
        connection.execute(update(invoices).where(invoices.c.number == S01).values(amount_fen=1, buyer_id="x"))
    found = check(diagnose(api, FACTS), "altered", "system", "find_copy", "free")
    assert evidence(found, "content") == {"columns": ["buyer_id", "amount_fen"]}
    body = {"sections": sections_of("S01"), "acknowledgement": final}
    made = api.client.post("/v1/recoveries", json=body).json()
    assert made["restored"] == ["invoices.buyer_id", "invoices.amount_fen"]
    check(diagnose(api, FACTS), "present", "nobody", "nothing", "charged")


def test_guesses_are_counted_on_both_databases(api: Api) -> None:
    for left in (4, 4, 3, 2, 1, 0):
        assert diagnose(api, WRONG | {"amount_with_tax": f"{4 - left}.00"})["tries_left"] == left
    answer = api.client.post("/v1/diagnoses", json=FACTS)
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_guesses")
    assert int(answer.headers["retry-after"]) > 0
    assert diagnose(api, FACTS | {"number": S10})["verdict"] == "detail_mismatch"


def _entry(api: Api) -> bytes:
    with api.database.read() as connection:
        found: bytes | None = connection.scalar(
            select(entries.c.entry).join(invoices, invoices.c.id == entries.c.id).where(invoices.c.number == S01)
        )
    assert found is not None
    return found
