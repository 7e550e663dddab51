"""Feedback on both databases: sent by anybody, followed by its token, answered by staff, and kept encrypted."""

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from service import activity
from service.deliveries import queue
from service.deliveries.tables import deliveries
from service.reprints import feedback
from tests.integration.api import Api, Signed, running_api

MESSAGE = "补打完成后，在哪里下载？"
CONTACT = {"channel": "email", "address": "ouyang@example.cn"}


def send(api: Api, **changes: Any) -> Any:
    headers = changes.pop("headers", {})
    return api.client.post("/v1/feedback", json={"message": MESSAGE, "page": "/reprint", **changes}, headers=headers)


def sent(api: Api, **changes: Any) -> dict[str, Any]:
    answer = send(api, **changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def bearer(made: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {made['token']}"}


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


@pytest.fixture
def reviewer(api: Api) -> Signed:
    return api.person("reviewer", name="林复核")


def act(api: Api, who: Signed, id_: str, what: str, body: Any) -> Any:
    return api.client.post(f"/v1/feedback/{id_}/{what}", json=body, headers=who.headers)


def test_a_message_is_sent_answered_read_and_closed(api: Api, reviewer: Signed) -> None:
    made = sent(api, case="R261125-7K3M9QXA", contact=CONTACT)
    assert (made["state"], made["page"], made["case"]) == ("open", "/reprint", "R261125-7K3M9QXA")
    path = f"/v1/feedback/{made['id']}"
    followed = api.client.get(path, headers=bearer(made)).json()
    assert [(one["by"], one["text"]) for one in followed["messages"]] == [("visitor", MESSAGE)]
    assert "token" not in followed

    [listed] = api.client.get("/v1/feedback", params={"state": "open"}, headers=reviewer.headers).json()["items"]
    assert (listed["id"], listed["message"]) == (made["id"], MESSAGE)
    seen = api.client.get(f"{path}/conversation", headers=reviewer.headers).json()
    assert (seen["contact"], seen["language"]) == (CONTACT, "zh")
    answered = act(api, reviewer, made["id"], "answers", {"text": "在补打页面下载。"}).json()
    assert (answered["state"], answered["messages"][1]["by_name"]) == ("answered", "林复核")
    followed = api.client.get(path, headers=bearer(made)).json()
    assert [(one["event"], one["by"], one["text"]) for one in followed["messages"]][1] == ("answered", "staff", "在补打页面下载。")
    assert followed["messages"][1].get("by_name") is None, "whose name it is stays at the desk"

    again = api.client.post(f"{path}/messages", json={"text": "打不开。"}, headers=bearer(made)).json()
    assert again["state"] == "open", "it waits for staff again"
    assert act(api, reviewer, made["id"], "answers", {"text": "已修复。"}).json()["state"] == "answered"
    closed = act(api, reviewer, made["id"], "close", {}).json()
    assert (closed["state"], closed["messages"][-1]["event"], closed["messages"][-1]["text"]) == ("closed", "closed", None)
    for what, body in (("close", {}), ("answers", {"text": "x"})):
        refused = act(api, reviewer, made["id"], what, body)
        assert (refused.status_code, code_of(refused)) == (409, "feedback_closed")
    with api.database.read() as connection:
        actions = [record.action for record in activity.read(connection, activity.Filter(object=made["id"]))]
    assert actions == ["closed_feedback", "answered_feedback", "answered_feedback", "looked_at_feedback"]


def told(api: Api) -> list[dict[str, Any]]:
    with api.database.read() as connection:
        rows = connection.execute(select(deliveries).order_by(deliveries.c.id)).all()
    return [orjson.loads(api.context.vault.decrypt(row.message, queue._context(row.uid))) for row in rows]


def test_whoever_left_a_contact_is_told_of_an_answer_with_a_link(api: Api, reviewer: Signed) -> None:
    silent, mailed = sent(api), sent(api, contact={"channel": "email", "address": " Ouyang@Example.CN "})
    texted = sent(api, contact={"channel": "sms", "address": "+86 138-0013-8000"}, headers={"Accept-Language": "en"})
    assert told(api) == []
    for made in (silent, mailed, texted):
        assert act(api, reviewer, made["id"], "answers", {"text": "答复"}).status_code == 200
    mail, sms = told(api)
    assert mail["to"] == "ouyang@example.cn"
    assert f"http://127.0.0.1:8000/feedback#{mailed['token']}" in mail["text"]
    assert "答复" not in mail["text"].replace("已有答复", ""), "what was said stays on the page"
    assert (sms["to"], sms["language"]) == ("13800138000", "en")
    assert mailed["id"] in mail["subject"]


def test_only_its_token_shows_it(api: Api, reviewer: Signed) -> None:
    made, other = sent(api), sent(api)
    path = f"/v1/feedback/{made['id']}"
    wrong = made["token"][:-1] + ("a" if made["token"][-1] != "a" else "b")
    for headers in (
        {},
        bearer(other),
        {"Authorization": f"Bearer {wrong}"},
        {"Authorization": "Bearer x"},
        reviewer.headers,
        api.issuer,
    ):
        for answer in (
            api.client.get(path, headers=headers),
            api.client.post(f"{path}/messages", json={"text": "x"}, headers=headers),
        ):
            assert (answer.status_code, code_of(answer)) == (404, "feedback_not_found")
    assert api.client.get("/v1/feedback/F000000-00000000", headers=bearer(made)).status_code == 404
    for headers in (api.auditor, api.issuer, api.person("auditor").headers, api.key("operator"), bearer(made)):
        assert api.client.get("/v1/feedback", headers=headers).status_code in (401, 403)
        assert api.client.get(f"{path}/conversation", headers=headers).status_code in (401, 403)
        assert api.client.post(f"{path}/answers", json={"text": "x"}, headers=headers).status_code in (401, 403)
    operator = api.person("operator")
    assert api.client.get(f"{path}/conversation", headers=operator.headers).status_code == 200


def test_what_is_said_is_kept_encrypted_and_bound_to_its_place(api: Api, reviewer: Signed) -> None:
    made = sent(api, contact=CONTACT)
    act(api, reviewer, made["id"], "answers", {"text": "在补打页面下载。"})
    with api.database.read() as connection:
        rows = [*connection.execute(select(feedback.feedback)), *connection.execute(select(feedback.feedback_messages))]
        stored = b"".join(bytes(value) for row in rows for value in row if isinstance(value, bytes))
        said = repr([value for row in rows for value in row if not isinstance(value, bytes)])
        texts = [row.text for row in connection.execute(select(feedback.feedback_messages))]
    for secret in (MESSAGE, "下载", CONTACT["address"], made["token"]):
        assert secret.encode() not in stored
        assert secret not in said
    assert len(set(texts)) == 2


def test_what_cannot_be_taken_says_why(lite: Api) -> None:
    refused: dict[str, dict[str, Any]] = {
        "/message": {"message": ""},
        "/message ": {"message": "x" * 2001},
        "/message  ": {"message": "a\u0007b"},
        "/page": {"page": "https://evil.example/x"},
        "/page ": {"page": "/x?number=1"},
        "/case": {"case": "1"},
        "/contact/address": {"contact": {"channel": "email", "address": "not an address"}},
        "/contact/channel": {"contact": {"channel": "post", "address": "x"}},
    }
    for pointer, body in refused.items():
        answer = send(lite, **body)
        assert answer.status_code == 422, pointer
        assert answer.json()["errors"][0]["pointer"] == pointer.strip()


def test_a_conversation_has_an_end(lite: Api) -> None:
    made = sent(lite)
    path = f"/v1/feedback/{made['id']}/messages"
    for n in range(feedback.MOST_ROUNDS - 1):
        assert lite.client.post(path, json={"text": str(n)}, headers=bearer(made)).status_code == 200
    full = lite.client.post(path, json={"text": "x"}, headers=bearer(made))
    assert (full.status_code, code_of(full)) == (409, "feedback_full")


def test_an_answer_is_given_once(api: Api, reviewer: Signed) -> None:
    made = sent(api)
    headers = {**reviewer.headers, "Idempotency-Key": "once"}
    path = f"/v1/feedback/{made['id']}/answers"
    once = api.client.post(path, json={"text": "答复"}, headers=headers)
    assert api.client.post(path, json={"text": "答复"}, headers=headers).json() == once.json()
    assert len(once.json()["messages"]) == 2


def test_lists_go_on_page_by_page(api: Api, reviewer: Signed) -> None:
    ids = [sent(api, message=str(n))["id"] for n in range(5)]
    found = [item["id"] for item in api.listed("/v1/feedback", reviewer.headers, 2)]
    assert sorted(found) == sorted(ids)
    assert len(found) == 5
    assert code_of(api.client.get("/v1/feedback", params={"cursor": "1.x"}, headers=reviewer.headers)) == "invalid_request"


def test_who_sends_a_lot_is_slowed_down(made_url: str) -> None:
    with running_api(made_url, anonymous_per_minute=3) as api:
        assert [send(api).status_code for _ in range(4)] == [201, 201, 201, 429]
