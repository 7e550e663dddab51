"""What anybody may ask: proofs of every shape, statements, anchors and the trust file, on both databases."""

import time
from hashlib import sha256

import pytest

from service.ledger.tables import entries, register_pages
from tests.integration.api import S01, S10, SELLER, Api
from tests.unit.samples import sections_of
from verifier.commitment import commitment_to_text
from verifier.merkle import leaf_hash, tree_hash
from verifier.proof import AbsenceProof, AnchoredProof, Opened, PendingProof, PresenceProof, parse_proof
from verifier.register import State
from verifier.trust import parse_trust

ABSENT = "26112999000000000099"
NOBODYS = "ab" * 32


def test_a_holder_gets_sections_0_to_3_and_a_verifier_says_valid(api: Api) -> None:
    [said] = api.register("S01")
    pending = api.ask(S01, said["commitment"])
    assert pending.headers["content-type"] == "application/vnd.zhengpiao.proof+json"
    assert isinstance(parse_proof(pending.content), PendingProof)
    seq = api.anchor()
    for spelling in (said["commitment"], commitment_to_text(bytes.fromhex(said["commitment"]))):
        answer = api.ask(S01, spelling)
        proof = parse_proof(answer.content)
        assert isinstance(proof, AnchoredProof)
        assert [isinstance(section, Opened) for section in proof.sections] == [True] * 4 + [False] * 4
        report = api.verdict(answer.content, S01, said["commitment"])
        assert (report.verdict, report.as_of and report.as_of.seq) == ("valid", seq)


def test_an_old_copys_status_is_the_numbers(api: Api) -> None:
    [said] = api.register("S10")
    api.anchor()
    api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    assert api.verdict(api.ask(S10, said["commitment"]).content, S10, said["commitment"]).verdict == "valid"
    api.anchor()
    assert api.verdict(api.ask(S10, said["commitment"]).content, S10, said["commitment"]).verdict == "void"


def test_a_number_alone_gets_absence_or_presence_by_hash(api: Api) -> None:
    api.register("S01", "S06", "S10")
    api.anchor()
    absent = api.ask(ABSENT)
    assert isinstance(parse_proof(absent.content), AbsenceProof)
    assert api.verdict(absent.content, ABSENT).verdict == "absent"
    present = api.ask(S01)
    proof = parse_proof(present.content)
    assert isinstance(proof, PresenceProof)
    assert isinstance(proof.state, bytes)
    assert api.verdict(present.content, S01).verdict == "registered"


def test_a_commitment_that_is_nobodys_gets_presence_with_the_state_or_absence(api: Api) -> None:
    api.register("S01", "S10")
    api.anchor()
    presence = api.ask(S01, NOBODYS)
    proof = parse_proof(presence.content)
    assert isinstance(proof, PresenceProof)
    assert isinstance(proof.state, State)
    assert api.verdict(presence.content, S01, NOBODYS).verdict == "not_current"
    assert api.verdict(api.ask(ABSENT, NOBODYS).content, ABSENT, NOBODYS).verdict == "absent"


def test_nothing_is_said_of_a_number_while_something_about_it_is_not_final(api: Api) -> None:
    assert api.ask(ABSENT).json()["code"] == "not_yet_known"
    api.anchor()
    api.register("S01")
    for commitment in (None, NOBODYS):
        for state in (None, "sealed", "broadcast", "mined"):
            if state == "sealed":
                api.anchor("sealed")
            elif state:
                api.move(state)
            answer = api.ask(S01, commitment)
            assert (answer.status_code, answer.json()["code"]) == (409, "not_yet_known"), state
            assert int(answer.headers["retry-after"]) > 0
    api.move("final")
    assert api.ask(S01).status_code == 200


def test_a_question_may_name_its_anchor(api: Api) -> None:
    api.anchor()
    [said] = api.register("S10")
    first = api.anchor()
    api.client.post(f"/v1/invoices/{S10}/void", json={"reason": "开票有误"}, headers=api.issuer)
    second = api.anchor()
    old = parse_proof(api.ask(S10, said["commitment"], seq=first).content)
    assert isinstance(old, AnchoredProof)
    assert (old.register.seq, old.state.status.name) == (first, "VALID")
    newest = parse_proof(api.ask(S10, said["commitment"], seq=second + 7).content)
    assert isinstance(newest, AnchoredProof)
    assert newest.register.seq == second
    assert isinstance(parse_proof(api.ask(S10, said["commitment"], seq=first - 1).content), PendingProof)
    assert isinstance(parse_proof(api.ask(S10, seq=first - 1).content), AbsenceProof)
    with api.database.write() as connection:
        connection.execute(register_pages.delete().where(register_pages.c.seq <= first))
    gone = api.ask(S10, said["commitment"], seq=first)
    assert (gone.status_code, gone.json()["code"]) == (404, "anchor_not_kept")


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"number": ""},
        {"number": "x"},
        {"number": S01, "commitment": "A" * 52 + "A"},
        {"number": S01, "commitment": "A" * 51 + "B"},  # does not encode to itself again
        {"number": S01, "commitment": "AB" * 32},
        {"number": S01, "seq": 0},
        {"number": S01, "seq": 2**53},
        {"number": S01, "seq": "1"},
        {"number": S01, "seq": 1.0},
        {"number": S01, "tax_id": "x"},
        [],
    ],
)
def test_a_question_is_read_strictly(api: Api, question: object) -> None:
    answer = api.client.post("/v1/proofs", json=question)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"]


def test_records_that_are_not_what_was_anchored_prove_nothing(api: Api) -> None:
    api.register("S01")
    api.anchor()
    with api.database.write() as connection:
        forged = bytearray(connection.scalar(entries.select().with_only_columns(entries.c.entry)))
        forged[20] ^= 1
        connection.execute(entries.update().values(entry=bytes(forged)))
    answer = api.client.get(f"/v1/invoices/{S01}/proof", headers=api.auditor)
    assert (answer.status_code, answer.json()["code"]) == (500, "not_proven")
    assert answer.headers["request-id"] in answer.json()["detail"]


def test_a_statement_is_for_holders_of_a_copy(api: Api) -> None:
    [said] = api.register("S10")

    def state() -> dict[str, object]:
        answer = api.client.post("/v1/statements", json={"number": S10, "commitment": said["commitment"]})
        assert answer.status_code == 200
        found: dict[str, object] = answer.json()
        return found

    assert (state()["status"], state()["state"], state()["findings"]) == ("valid", "pending", len(said["findings"]))
    api.anchor()
    api.register("S11")
    assert state()["pending"] == {"kind": "void", "other_number": "26112999000000000011"}
    api.anchor()
    assert (state()["status"], state()["other_number"], "pending" in state()) == ("void", "26112999000000000011", False)
    for number, commitment in ((S10, NOBODYS), (ABSENT, NOBODYS)):
        nothing = api.client.post("/v1/statements", json={"number": number, "commitment": commitment})
        assert (nothing.status_code, nothing.json()["code"]) == (404, "no_such_copy")
    assert api.client.post("/v1/statements", json={"number": S10}).status_code == 422


def test_the_trust_file_is_what_a_verifier_reads(api: Api) -> None:
    answer = api.client.get("/v1/trust")
    trust = parse_trust(answer.content)
    assert trust.chain == api.context.chain
    assert dict(trust.service_keys) == api.context.keys.public
    assert trust.rpc_urls == api.settings.rpc_urls
    assert "max-age" in answer.headers["cache-control"]


def test_anchors_are_listed_with_their_state_and_leaves(api: Api) -> None:
    assert api.client.get("/v1/anchors/head").status_code == 404
    api.register("S01", "S06")
    first = api.anchor()
    for _ in range(3):
        api.anchor()
    last = api.anchor("mined")
    page = api.client.get("/v1/anchors?limit=2").json()
    rest = api.client.get("/v1/anchors", params={"cursor": page["next_cursor"]}).json()
    assert [item["seq"] for item in page["items"] + rest["items"]] == list(range(last, 0, -1))
    assert rest["next_cursor"] is None
    assert (page["items"][0]["state"], page["items"][1]["state"]) == ("mined", "final")
    assert api.client.get("/v1/anchors/head").json()["seq"] == last - 1
    anchor = api.client.get(f"/v1/anchors/{first}").json()
    leaves = api.client.get(f"/v1/anchors/{first}/leaves")
    assert (anchor["size"], len(leaves.content)) == (3, 96)
    assert tree_hash([leaves.content[i : i + 32] for i in range(0, 96, 32)]).hex() == anchor["log_root"]
    entry = api.client.get(f"/v1/invoices/{S01}/timeline", headers=api.auditor).json()["entries"][0]["hops"][1]["entry"]
    assert leaves.content[:32] == leaf_hash(bytes.fromhex(entry)) == sha256(b"\x00" + bytes.fromhex(entry)).digest()
    assert "immutable" in leaves.headers["cache-control"]
    assert api.client.get(f"/v1/anchors/{last}/leaves").headers["cache-control"] == "no-store"
    for nothing in ("99", "99/leaves"):
        assert api.client.get(f"/v1/anchors/{nothing}").json()["code"] == "no_such_anchor"
    for bad in ("0", "x", str(2**53)):
        assert api.client.get(f"/v1/anchors/{bad}").status_code == 422


def test_keys_are_made_shown_once_listed_and_revoked(api: Api) -> None:
    operator = api.key("operator")
    order = {"role": "issuer", "bound": [SELLER], "label": "收银系统"}
    headers = {**operator, "Idempotency-Key": "k-1"}
    made = api.client.post("/v1/keys", json=order, headers=headers).json()
    assert made["key"].startswith(made["prefix"] + "_")
    again = api.client.post("/v1/keys", json=order, headers=headers).json()
    assert again == {**made, "key": None}
    own = {"Authorization": f"Bearer {made['key']}"}
    assert api.submit(sections_of("S01"), headers=own).status_code == 201
    listed = api.client.get("/v1/keys", headers=operator).json()["items"]
    assert made["id"] in {key["id"] for key in listed}
    assert not any("key" in key or "secret_hash" in key for key in listed)
    assert [key["id"] for key in api.client.get("/v1/keys", headers=own).json()["items"]] == [made["id"]]
    page = api.client.get("/v1/keys?limit=1", headers=operator).json()
    after = api.client.get("/v1/keys", params={"cursor": page["next_cursor"]}, headers=operator).json()
    assert len(page["items"]) + len(after["items"]) == len(listed)
    revoked = api.client.delete(f"/v1/keys/{made['id']}", headers=operator).json()
    assert revoked["revoked_at"]
    assert api.client.delete(f"/v1/keys/{made['id']}", headers=operator).json() == revoked
    deadline = time.monotonic() + 30
    while api.client.get("/v1/keys", headers=own).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    for bad in (
        {"role": "issuer"},
        {"role": "auditor", "bound": ["x"]},
        {"role": "king"},
        {"role": "issuer", "bound": [""]},
        {"role": "issuer", "bound": ["a b"]},
        {"role": "issuer", "bound": "x"},
    ):
        assert api.client.post("/v1/keys", json=bad, headers=operator).json()["code"] == "invalid_request"
    assert api.client.delete("/v1/keys/aaaaaaaaaa", headers=operator).json()["code"] == "key_not_found"
    assert api.client.get("/v1/keys?cursor=x", headers=operator).json()["errors"][0]["code"] == "parameter_invalid"


def test_a_key_is_refused_without_saying_why(api: Api) -> None:
    good = api.issuer["Authorization"]
    swapped = good[:-8] + ("a" if good[-8] != "a" else "b") + good[-7:]
    live = good.replace("zp_test_", "zp_live_")
    for bad in (swapped, good[:-1], good + "a", live, good.replace("Bearer", "Basic"), "Bearer x", "Bearer zp_test_" + "a" * 70):
        answer = api.client.get("/v1/keys", headers={"Authorization": bad})
        assert (answer.status_code, answer.json()["code"]) == (401, "key_invalid")
        assert answer.headers["www-authenticate"] == "Bearer"
    assert api.client.get("/v1/keys").json()["code"] == "not_authenticated"
    assert api.client.get("/v1/keys", headers={"Authorization": good.replace("Bearer", "bearer")}).status_code == 200
