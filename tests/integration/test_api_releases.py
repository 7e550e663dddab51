"""A number registered in error is free again, if two operators say so, each of exactly what they were shown."""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest

from service.auth import sessions
from service.invoices import releasing
from tests.integration.api import S01, S10, Api, Signed
from tests.unit.samples import sections_of
from verifier.canonical import canonical_bytes
from verifier.entry import ZERO

REASON = "号码录入错误"
PATH = f"/v1/invoices/{S10}/release"


def look(api: Api, operator: Signed, path: str = PATH) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(path, headers=operator.headers).json()
    return found


def hash_of(shown: Mapping[str, str], reason: str = REASON) -> str:
    """As a page computes it, from what it shows."""
    return sha256(b"zhengpiao/shown\x00" + canonical_bytes({"act": "release", "reason": reason, **shown})).hexdigest()


def ask(api: Api, operator: Signed, *, path: str = PATH, **body: Any) -> Any:
    shown = hash_of(look(api, operator, path)["shown"])
    return api.client.post(path, json={"shown": shown, **body}, headers=operator.headers)


@pytest.fixture
def operators(api: Api) -> tuple[Signed, Signed]:
    api.register("S10")
    return api.person("operator", name="王运维", purpose=None), api.person("operator", name="李运维", purpose=None)


def test_two_operators_release_a_number_and_it_can_be_registered_again(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, second = operators
    asked = ask(api, first, reason=REASON)
    assert asked.status_code == 202
    request = asked.json()
    assert (request["state"], request["requested_by_name"], request["decided_by"]) == ("pending", "王运维", None)
    assert look(api, second)["request"] == request
    assert api.client.get("/v1/releases", headers=second.headers).json()["items"] == [request]
    done = ask(api, second)
    assert done.status_code == 200
    said = done.json()
    assert (said["status"], said["state"], said["entry"]["kind"]) == ("released", "pending", "release")
    assert (said["request"]["state"], said["request"]["decided_by_name"]) == ("released", "李运维")

    approvals = said["request"]["approvals"]
    assert [json.loads(approval)["by"] for approval in approvals] == [first.id, second.id]
    hashes = [sha256(b"zhengpiao/approval\x00" + approval.encode()).digest() for approval in approvals]
    assert json.loads(approvals[1])["after"] == hashes[0].hex()
    assert said["entry"]["auth"] == sha256(b"zhengpiao/approvals\x00" + b"".join(hashes)).hexdigest() != ZERO.hex()

    api.anchor()
    read = api.client.get(f"/v1/invoices/{S10}", headers=api.auditor).json()
    assert read["status"] == "released"
    timeline = api.client.get(f"/v1/invoices/{S10}/timeline", headers=api.auditor).json()["entries"]
    assert [(entry["kind"], entry.get("reason")) for entry in timeline] == [("issue", None), ("release", REASON)]
    proof = api.client.get(f"/v1/invoices/{S10}/proof", headers=api.auditor).content
    assert api.verdict(proof).verdict == "released"
    assert api.submit(sections_of("S10")).status_code == 201
    records = api.client.get(f"/v1/activity?object={S10}", headers=api.auditor).json()["items"]
    assert [record["action"] for record in records if not record["action"].startswith("looked")] == [
        "released",
        "requested_release",
    ]
    assert records[0]["details"]["auth"] == said["entry"]["auth"]


def test_one_operator_alone_releases_nothing(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, _ = operators
    assert ask(api, first, reason=REASON).status_code == 202
    alone = ask(api, first)
    assert (alone.status_code, alone.json()["code"]) == (409, "second_person_needed")
    again = ask(api, first, reason=REASON)
    assert (again.status_code, again.json()["code"]) == (409, "release_pending")
    assert api.client.get(f"/v1/invoices/{S10}", headers=api.auditor).json()["status"] == "valid"


def test_what_was_not_shown_is_not_approved(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, second = operators
    wrong = api.client.post(PATH, json={"shown": "0" * 64, "reason": REASON}, headers=first.headers)
    assert (wrong.status_code, wrong.json()["code"]) == (409, "shown_differs")
    assert ask(api, first, reason="另一个理由").json()["code"] == "shown_differs", "the hash was of another reason"
    assert ask(api, first, reason=REASON).status_code == 202
    stale = {**look(api, second)["shown"], "amount_with_tax": "1.00"}
    refused = api.client.post(PATH, json={"shown": hash_of(stale)}, headers=second.headers)
    assert refused.json()["code"] == "shown_differs"
    assert ask(api, second, reason="\u202e").json()["errors"][0]["pointer"] == "/reason"


def test_a_request_is_declined_or_lapses(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, second = operators
    assert ask(api, first, reason=REASON).status_code == 202
    declined = api.client.delete(PATH, headers=second.headers).json()
    assert (declined["state"], declined["decided_by"]) == ("declined", second.id)
    assert api.client.delete(PATH, headers=second.headers).json()["code"] == "no_release_pending"
    assert ask(api, second).json()["code"] == "no_release_pending"
    assert ask(api, first, reason=REASON).status_code == 202
    later = api.context.now_ms() / 1000 + releasing.LAPSE_MS / 1000
    api.context.clock = lambda: later
    first, second = (api.person("operator", purpose=None) for _ in range(2))
    assert look(api, second)["request"] is None
    api.write_health(seen_at=later, final_time=int(later))
    assert ask(api, second).json()["code"] == "no_release_pending"
    assert ask(api, second, reason=REASON).status_code == 202
    states = [item["state"] for item in api.client.get("/v1/releases", headers=first.headers).json()["items"]]
    assert states == ["pending", "lapsed", "declined"]


def test_only_what_is_valid_is_released(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, second = operators
    api.register("S01", "S06", "S07")  # S06 reverses a part of S01
    path = f"/v1/invoices/{S01}/release"
    refused = ask(api, first, path=path, reason=REASON)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_open")
    assert ask(api, first, reason=REASON).status_code == 202
    voided = api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    assert voided.status_code == 200
    assert ask(api, second).json()["code"] == "not_open"
    assert api.client.get("/v1/invoices/26112999000000009999/release", headers=first.headers).status_code == 404


def test_what_is_asked_twice_is_done_once(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, second = operators
    shown = hash_of(look(api, first)["shown"])

    def send(who: Signed, **body: str) -> Any:
        return api.client.post(PATH, json={"shown": shown, **body}, headers={**who.headers, "Idempotency-Key": "once"})

    once = send(first, reason=REASON)
    assert send(first, reason=REASON).json() == once.json()
    done = send(second)
    assert send(second).json() == done.json()
    again = send(first, reason=REASON)
    assert (again.status_code, again.json()["state"]) == (202, "released")


def test_it_takes_people_who_have_just_proven_who_they_are(api: Api, operators: tuple[Signed, Signed]) -> None:
    first, _ = operators
    assert api.client.get(PATH, headers=api.key("operator")).json()["code"] == "person_needed"
    assert api.client.post(PATH, json={}, headers=api.person("auditor").headers).json()["code"] == "role_not_allowed"
    later = api.context.now_ms() / 1000 + sessions.REAUTHENTICATED_MS / 1000 + 1
    api.context.clock = lambda: later
    assert ask(api, first, reason=REASON).json()["code"] == "reauthentication_required"
