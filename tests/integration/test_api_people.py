"""People over the API: sign in, sessions, accounts, and that everything they do is written down."""

import re
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from service import activity
from service.api import cookies
from service.auth import people, sessions
from service.ledger import notes
from tests.integration.api import S01, SELLER, Api, Signed

PASSWORD = "correct horse battery staple"
LOGIN = "li@example.cn"


@pytest.fixture(autouse=True)
def _quick_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(people, "_HASHER", quick)
    monkeypatch.setattr(people, "_NOBODY", quick.hash("nobody"))


class Clock:
    """The service's clock: standing, until a test moves it."""

    def __init__(self, api: Api) -> None:
        self.now = 1_795_600_000.0
        api.context.clock = lambda: self.now

    def code(self, secret: str) -> str:
        """Each one is good once: so half a minute later."""
        self.now += 30
        return str(pyotp.TOTP(secret).at(int(self.now)))


def actions(api: Api) -> list[tuple[str, str, str]]:
    """(action, actor, object), oldest first."""
    with api.database.read() as connection:
        return [(record.action, record.actor, record.object) for record in reversed(activity.read(connection))]


def cookie_of(answer: Any, name: str) -> str:
    found = [header for header in answer.headers.get_list("set-cookie") if header.startswith(f"{name}=")]
    assert len(found) == 1
    assert re.search("; HttpOnly", found[0])
    assert re.search("; Path=/(;|$)", found[0])
    assert re.search("; SameSite=strict", found[0])
    assert re.search("; Secure", found[0])
    assert "Domain" not in found[0]
    return str(found[0].partition(";")[0])


def invite(api: Api, operator: Signed, **changes: Any) -> Any:
    order = {"login": LOGIN, "name": "李审", "role": "auditor", **changes}
    return api.client.post("/v1/users", json=order, headers=operator.headers)


def accept(api: Api, clock: Clock, link: str) -> tuple[Any, str]:
    """The answer, and the TOTP secret."""
    token = link.partition("#")[2]
    invitation = api.client.post("/v1/invitation", json={"token": token})
    assert invitation.status_code == 200
    secret = invitation.json()["totp"]["secret"]
    body = {"token": token, "password": PASSWORD, "totp_secret": secret, "code": clock.code(secret)}
    return api.client.post("/v1/invitation/acceptance", json=body), secret


def test_from_an_invitation_to_a_session_and_out_again(api: Api) -> None:
    clock = Clock(api)
    operator = api.person("operator", purpose=None)
    made = invite(api, operator)
    assert made.status_code == 201
    assert made.json()["user"]["state"] == "invited"
    link = made.json()["link"]
    assert link.startswith("http://127.0.0.1:8000/welcome#")
    shown = api.client.post("/v1/invitation", json={"token": link.partition("#")[2]}).json()
    assert (shown["login"], shown["name"], shown["role"]) == (LOGIN, "李审", "auditor")
    assert shown["totp"]["uri"] == f"otpauth://totp/127.0.0.1:li%40example.cn?secret={shown['totp']['secret']}&issuer=127.0.0.1"
    assert shown["totp"]["qr_svg"].startswith("<svg")

    welcome, secret = accept(api, clock, link)
    assert welcome.status_code == 200
    person = welcome.json()["person"]
    device = cookie_of(welcome, cookies.DEVICE)
    first = {"Cookie": cookie_of(welcome, cookies.SESSION)}
    assert api.client.get("/v1/session", headers=first).json() == welcome.json()
    assert api.client.post("/v1/invitation", json={"token": link.partition("#")[2]}).json()["code"] == "link_expired"

    body = {"login": LOGIN.upper(), "password": PASSWORD, "code": clock.code(secret)}
    signed_in = api.client.post("/v1/session", json=body, headers={"Cookie": device})
    assert signed_in.status_code == 200
    assert cookie_of(signed_in, cookies.DEVICE) != device, "a token is used once"
    headers = {"Cookie": cookie_of(signed_in, cookies.SESSION)}
    again = api.client.post("/v1/session", json=body)
    assert (again.status_code, again.json()["code"]) == (401, "sign_in_failed")

    refused = api.client.delete("/v1/session", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "csrf_missing")
    wrong = api.client.delete("/v1/session", headers={**headers, cookies.CSRF_HEADER: welcome.json()["csrf"]})
    assert wrong.json()["code"] == "csrf_missing", "of another session"
    gone = api.client.delete("/v1/session", headers={**headers, cookies.CSRF_HEADER: signed_in.json()["csrf"]})
    assert gone.json() == {"signed_out": True}
    assert cookie_of(gone, cookies.SESSION) == f'{cookies.SESSION}=""'
    ended = api.client.get("/v1/session", headers=headers)
    assert (ended.status_code, ended.json()["code"]) == (401, "not_signed_in")
    assert api.client.get("/v1/session", headers=first).status_code == 200
    id_ = person["id"]
    assert actions(api) == [
        ("created_user", operator.id, id_),
        ("accepted_invitation", id_, id_),
        ("signed_in", id_, id_),
        ("signed_out", id_, id_),
    ]


def test_a_failed_sign_in_tells_nothing_and_slows_down(api: Api) -> None:
    Clock(api)
    body = {"login": "nobody@example.cn", "password": "x", "code": "000000"}
    for _ in range(sessions.PER_LOGIN_AND_NETWORK):
        answer = api.client.post("/v1/session", json=body, headers={"Accept-Language": "en"})
        assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_failed")
        assert "nobody" not in answer.text
    slowed = api.client.post("/v1/session", json=body)
    assert (slowed.status_code, slowed.headers["retry-after"]) == (429, "900")


def test_other_sites_cannot_sign_anybody_in(api: Api) -> None:
    for site in ("cross-site", "same-site"):
        for path in ("/v1/session", "/v1/invitation", "/v1/invitation/acceptance"):
            answer = api.client.post(path, json={}, headers={"Sec-Fetch-Site": site})
            assert (answer.status_code, answer.json()["code"]) == (403, "csrf_missing")


def test_without_a_key_for_secrets_nobody_signs_in(made_url: str) -> None:
    api = Api(made_url, data_keys=None)
    with api.client:
        body = {"login": "li@example.cn", "password": "x", "code": "000000"}
        answer = api.client.post("/v1/session", json=body)
        assert (answer.status_code, answer.json()["code"]) == (503, "people_not_set_up")
        assert invite(api, api.person("operator", purpose=None)).json()["code"] == "people_not_set_up"
    api.database.close()


def test_a_session_ends_when_it_idles_and_lasts_while_it_is_used(api: Api) -> None:
    clock = Clock(api)
    operator = api.person("operator")
    for _ in range(3):
        clock.now += sessions.IDLE_MS / 1000 - 1
        assert api.client.get("/v1/session", headers=operator.headers).status_code == 200
    clock.now += sessions.IDLE_MS / 1000
    assert api.client.get("/v1/users", headers=operator.headers).json()["code"] == "not_signed_in"


def test_what_matters_asks_who_is_there(api: Api) -> None:
    clock = Clock(api)
    operator = api.person("operator", purpose=None)
    welcome, secret = accept(api, clock, invite(api, operator, role="operator").json()["link"])
    headers = {"Cookie": cookie_of(welcome, cookies.SESSION), cookies.CSRF_HEADER: welcome.json()["csrf"]}
    clock.now += sessions.REAUTHENTICATED_MS / 1000 + 1
    id_ = welcome.json()["person"]["id"]
    other = f"/v1/users/{operator.id}"
    for method, path in (("POST", "/v1/users"), ("DELETE", other), ("PUT", f"{other}/invitation"), ("POST", "/v1/keys")):
        body = {"json": {"login": "x@example.cn", "name": "x", "role": "auditor"}} if method == "POST" else {}
        answer = api.client.request(method, path, headers=headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required"), path
    wrong = {"password": PASSWORD, "code": "000000"}
    assert api.client.post("/v1/session/reauthenticate", json=wrong, headers=headers).json()["code"] == "reauthentication_failed"
    right = {"password": PASSWORD, "code": clock.code(secret)}
    assert api.client.post("/v1/session/reauthenticate", json=right, headers=headers).status_code == 200
    assert api.client.delete(f"/v1/users/{operator.id}", headers=headers).json()["state"] == "disabled"
    own = api.client.delete(f"/v1/users/{id_}", headers=headers)
    assert (own.status_code, own.json()["code"]) == (409, "own_account")


def test_accounts_are_listed_invited_again_and_disabled(api: Api) -> None:
    operator = api.person("operator", purpose=None)
    clerk = invite(api, operator, login="clerk@example.cn", role="clerk", sellers=[SELLER]).json()["user"]
    assert clerk["sellers"] == [SELLER]
    for wrong, pointer in (
        ({"role": "clerk"}, "/sellers"),
        ({"sellers": [SELLER]}, "/sellers"),
        ({"login": "a b"}, "/login"),
        ({"name": " "}, "/name"),
        ({"role": "king"}, "/role"),
    ):
        refused = invite(api, operator, **wrong)
        assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]
    assert invite(api, operator, login="CLERK@example.cn").json()["code"] == "login_taken"
    first = api.client.get("/v1/users?limit=1", headers=operator.headers).json()
    second = api.client.get(f"/v1/users?limit=1&cursor={first['next_cursor']}", headers=operator.headers).json()
    assert {first["items"][0]["id"], second["items"][0]["id"]} == {operator.id, clerk["id"]}
    assert second["next_cursor"] is None
    again = api.client.put(f"/v1/users/{clerk['id']}/invitation", headers=operator.headers)
    assert again.json()["link"].startswith("http://127.0.0.1:8000/welcome#")
    for _ in range(2):
        assert api.client.delete(f"/v1/users/{clerk['id']}", headers=operator.headers).json()["state"] == "disabled"
    back = api.client.put(f"/v1/users/{clerk['id']}/invitation", headers=operator.headers)
    assert back.json()["user"]["state"] == "invited"
    nobody = api.client.delete(f"/v1/users/{'0' * 16}", headers=operator.headers)
    assert (nobody.status_code, nobody.json()["code"]) == (404, "user_not_found")
    assert api.client.get("/v1/users?cursor=x", headers=operator.headers).status_code == 422
    assert [action for action, _, _ in actions(api)] == ["created_user", "invited_user", "disabled_user", "invited_user"]


def test_an_account_is_made_once_for_one_idempotency_key(api: Api) -> None:
    operator = api.person("operator", purpose=None)
    headers = {**operator.headers, "Idempotency-Key": "once"}
    order = {"login": LOGIN, "name": "李审", "role": "auditor"}
    first, second = (api.client.post("/v1/users", json=order, headers=headers).json() for _ in range(2))
    assert first["link"] is not None
    assert second == {**first, "link": None, "expires_at": second["expires_at"]}


def test_a_clerk_registers_for_its_sellers_and_an_approver_only_looks(api: Api) -> None:
    from tests.unit.samples import sections_of

    clerk, approver = api.person("clerk", SELLER), api.person("approver", SELLER)
    body = {"profile": "as_issued", "sections": sections_of("S01")}
    assert api.client.post("/v1/invoices", json=body, headers=clerk.headers).status_code == 201
    assert api.client.post("/v1/invoices", json=body, headers=approver.headers).json()["code"] == "role_not_allowed"
    for person in (clerk, approver):
        assert api.client.get(f"/v1/invoices/{S01}", headers=person.headers).status_code == 200
        assert api.client.post("/v1/invoices/search", json={}, headers=person.headers).json()["items"][0]["number"] == S01
    stranger = api.person("approver", "91310115MAXXXX031J")
    assert api.client.get(f"/v1/invoices/{S01}", headers=stranger.headers).status_code == 404
    reviewer = api.person("reviewer")
    assert api.client.get(f"/v1/invoices/{S01}", headers=reviewer.headers).status_code == 403
    assert api.client.post("/v1/invoices", json=body, headers={"Cookie": clerk.headers["Cookie"]}).json()["code"] == "csrf_missing"


def test_an_auditor_says_what_for_and_every_look_is_written_down(api: Api) -> None:
    api.register("S01", "S06")
    auditor = api.person("auditor", purpose=None)
    for path in (f"/v1/invoices/{S01}", f"/v1/invoices/{S01}/proof"):
        refused = api.client.get(path, headers=auditor.headers)
        assert (refused.status_code, refused.json()["code"]) == (403, "purpose_missing")
    bad = {"purpose": "complaint", "reference": "\u202e317"}
    assert api.client.post("/v1/session/purpose", json=bad, headers=auditor.headers).json()["errors"][0]["pointer"] == "/reference"
    chosen = {"purpose": "complaint", "reference": "2026 京 317"}
    answer = api.client.post("/v1/session/purpose", json=chosen, headers=auditor.headers).json()
    assert (answer["purpose"], answer["reference"]) == ("complaint", "2026 京 317")
    for path in (f"/v1/invoices/{S01}", f"/v1/invoices/{S01}/proof"):
        assert api.client.get(path, headers=auditor.headers).status_code == 200
    found = api.client.post("/v1/invoices/search", json={"seller": SELLER, "limit": 5}, headers=auditor.headers)
    assert found.status_code == 200
    assert api.client.get(f"/v1/invoices/{S01}/timeline", headers=auditor.headers).status_code == 200
    listed = api.client.get("/v1/activity", headers=auditor.headers).json()["items"]
    assert [(item["action"], item["object"]) for item in listed] == [
        ("searched_invoices", "invoices"),
        ("took_proof", S01),
        ("looked_at_invoice", S01),
        ("chose_purpose", auditor.id),
    ]
    assert listed[0]["details"] == {"by": "seller", **chosen}
    assert listed[1]["details"] == chosen
    assert {item["actor_name"] for item in listed} == {"某人"}
    assert SELLER not in str(listed)
    key_looks = api.client.get(f"/v1/invoices/{S01}", headers=api.auditor)
    assert key_looks.status_code == 200
    assert len(actions(api)) == 4


def test_the_activity_log_is_filtered_and_paged(api: Api) -> None:
    clock = Clock(api)
    operator = api.person("operator", purpose=None)
    for n in range(5):
        clock.now += 60
        invite(api, operator, login=f"user-{n}@example.cn")
    headers = api.key("operator")
    key = api.client.post("/v1/keys", json={"role": "auditor", "label": "机器"}, headers=headers).json()
    assert api.client.delete(f"/v1/keys/{key['id']}", headers=headers).status_code == 200
    everything = api.client.get("/v1/activity", headers=api.auditor).json()["items"]
    assert [item["action"] for item in everything] == ["revoked_key", "created_key", *["created_user"] * 5]

    def ids(query: str) -> list[int]:
        return [item["id"] for item in api.client.get(f"/v1/activity?{query}", headers=api.auditor).json()["items"]]

    assert ids(f"actor={operator.id}") == [5, 4, 3, 2, 1]
    assert ids("action=created_key") == [6]
    assert ids(f"object={key['id']}") == [7, 6]
    assert ids(f"since={everything[4]['at'].replace('+', '%2B')}&until={everything[2]['at'].replace('+', '%2B')}") == [3, 4][::-1]
    first = api.client.get("/v1/activity?limit=3", headers=api.auditor).json()
    assert ids(f"limit=10&cursor={first['next_cursor']}") == [4, 3, 2, 1]
    for bad in ("since=yesterday", "until=2026-11-25T08:00:00", "cursor=0", "colour=red"):
        assert api.client.get(f"/v1/activity?{bad}", headers=api.auditor).status_code == 422


def test_the_activity_log_is_verified_against_what_was_anchored(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from service.api.staff import activity as room

    operator = api.person("operator", purpose=None)
    for n in range(4):
        invite(api, operator, login=f"user-{n}@example.cn")
    with api.database.write() as connection:
        _, head = activity.head(connection)
        notes.take_down(connection, activity.LOG_NAME, head, api.context.keys, api.context.now_ms(), api.context.now_ms() + 60_000)
    api.anchor()
    invite(api, operator, login="later@example.cn")
    monkeypatch.setattr(room, "RECORDS_AT_ONCE", 3)

    def verified(after: int) -> dict[str, Any]:
        found: dict[str, Any] = api.client.get(f"/v1/activity/verification?after={after}", headers=operator.headers).json()
        return found

    first = verified(0)
    note = {"record": 4, "head": head.hex(), "seq": 1, "index": 0, "state": "final"}
    assert first == {
        "records": 5,
        "first": 1,
        "last": 3,
        "next": 3,
        "broken_at": None,
        "missing": [],
        "newest_note": note,
    }
    assert (verified(3)["next"], verified(3)["last"]) == (None, 5)
    with api.database.write() as connection:
        connection.execute(activity.activity.update().where(activity.activity.c.id == 2).values(object="x"))
    assert verified(0)["broken_at"] == 2
    assert verified(0)["next"] is None
    with api.database.write() as connection:
        connection.execute(activity.activity.delete().where(activity.activity.c.id >= 4))
    assert [(lost["seq"], lost["record"]) for lost in verified(0)["missing"]] == [(1, None)]


def test_nobody_acts_where_the_log_cannot_be_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is kept without the other."""
    operator, auditor = api.person("operator", purpose=None), api.person("auditor")
    api.register("S01")

    def fail(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(activity, "append", fail)
    assert invite(api, operator).status_code == 500
    assert api.client.get(f"/v1/invoices/{S01}", headers=auditor.headers).status_code == 500
    monkeypatch.undo()
    users = api.client.get("/v1/users", headers=operator.headers).json()["items"]
    assert {user["id"] for user in users} == {operator.id, auditor.id}
