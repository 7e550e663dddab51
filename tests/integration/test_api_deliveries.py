"""Webhooks, notices and dead letters over the API, with couriers that send what was queued into an inbox."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import update
from standardwebhooks.webhooks import Webhook

from scripts.tour.inbox import Inbox, Servers
from service.config import Settings
from service.deliveries import courier as couriers
from service.deliveries import endpoints
from service.deliveries.courier import Courier, Rules
from service.deliveries.queue import CHANNELS
from service.deliveries.tables import deliveries
from tests.integration.api import SELLER, Api, running_api
from tests.integration.couriers import SMS_SECRET, Receiver
from tests.integration.reprinting import ADDRESS, APPLICATION, Applicant, Reprinting

OTHER = "92110101MAXXXX04XG"
PHONE = "13812345678"
ORDER: dict[str, Any] = {"url": "https://hooks.example.com/x?key=1", "events": ["reprint.*"]}


class World:
    """An API with an inbox, and the couriers that its settings make. `later` moves every clock, in seconds."""

    def __init__(self, api: Api, folder: Path, *names: str) -> None:
        self.api = api
        self.inbox = Inbox(folder)
        self.servers = Servers(self.inbox)  # the signature is of a time that a test made up
        told = self.servers.to_json()
        more = {"smtp_url": told["smtp_url"], "sms_url": told["sms_url"], "sms_secret": SMS_SECRET, "webhooks_anywhere": True}
        settings = Settings(_env_file=None, **{**api.settings.model_dump(), **more})  # type: ignore[call-arg]
        made = couriers.build(settings, api.database)
        assert made is not None
        self.reprinting = Reprinting(api, *names)
        self.courier = Courier(api.database, api.context.vault, made._senders, Rules(), lambda: api.context.clock(), lambda: 0.5)

    def send(self) -> list[dict[str, Any]]:
        """Everything that is due. Returns what arrived by that."""
        seen = len(self.inbox.arrived)
        for channel in CHANNELS:
            while self.courier.step(channel):
                pass
        return self.inbox.arrived[seen:]

    def hour(self) -> int:
        return int((self.api.context.clock() + 8 * 3600) % 86_400 // 3600)

    def at(self, hour: int) -> None:
        """Move on to the next time that it is `hour` in Beijing."""
        now = self.api.context.clock()
        self.reprinting.later += (hour * 3600 - (now + 8 * 3600)) % 86_400
        assert self.hour() == hour

    def preferences(self, applicant: Applicant, body: Any = None) -> Any:
        path = "/v1/notifications/preferences"
        if body is None:
            return self.api.client.get(path, headers=applicant.headers)
        return self.api.client.put(path, json=body, headers=applicant.headers)


@contextmanager
def by_day(api: Api, folder: Path) -> Iterator[World]:
    """With an inbox in that folder; it is ten in the morning there."""
    made = World(api, folder / "inbox")
    made.at(10)
    yield made
    made.servers.close()


@pytest.fixture
def world(api: Api, tmp_path: Path) -> Iterator[World]:
    with by_day(api, tmp_path) as made:
        yield made


@pytest.fixture
def lite_world(lite: Api, tmp_path: Path) -> Iterator[World]:
    with by_day(lite, tmp_path) as made:
        yield made


# Notices


def test_an_applicant_is_told_of_every_change_until_the_document_is_there(world: World) -> None:
    reprinting = world.reprinting
    applicant = reprinting.handed_in()
    told = world.send()
    assert [one["to"] for one in told] == [ADDRESS] * len(told)
    assert re.search(r"验证码 [0-9]{6}", told[0]["subject"])
    assert applicant.id in told[1]["subject"]
    assert "请提交材料" in told[1]["subject"]
    assert f"/reprint#case={applicant.id}" in told[1]["text"]
    assert "/unsubscribe#" not in told[0]["text"]
    assert "北京时间" not in told[0]["text"]
    assert "/unsubscribe#" in told[1]["text"]
    assert [row for row in reprinting.events(applicant.id) if row in ("open", "apply", "submit")] == []
    reprinting.decide(applicant.id, reprinting.reviewer(), "return", reason="身份证照片看不清")
    [returned] = world.send()
    assert "说明：身份证照片看不清" in returned["text"]
    assert re.search(r"请在 \d+年\d+月\d+日 \d\d:\d\d（北京时间）前完成", returned["text"])
    assert world.send() == []


def test_who_has_not_confirmed_the_contact_is_told_nothing_but_the_code(world: World) -> None:
    applicant = world.reprinting.opened()
    assert applicant.post("application", APPLICATION).status_code == 200
    assert applicant.post("cancel", {"reason": "不要了"}).status_code == 200
    assert [one["subject"][:3] for one in world.send()] == ["验证码"]


def test_channels_hours_and_language_are_the_applicants_choice(world: World) -> None:
    notices = {"channels": ["email", "sms"], "sms": PHONE, "quiet_hours": {"start": "20:00", "end": "09:00"}}
    world.at(21)
    applicant = world.reprinting.applied(language="en", notices=notices)
    [code] = world.send()  # at any hour
    assert re.fullmatch(r"Code [0-9]{6}", code["subject"])
    answer = world.preferences(applicant).json()
    hints = [{"channel": "email", "hint": "o***@example.cn"}, {"channel": "sms", "hint": "138****5678"}]
    assert answer == {
        "case": applicant.id,
        "channels": hints,
        "quiet_hours": {"start": "20:00", "end": "09:00"},
        "language": "en",
    }
    world.at(8)
    assert world.send() == []
    world.at(9)
    told = {one["channel"]: one for one in world.send()}
    assert told.keys() == {"email", "sms"}
    assert told["sms"]["to"] == PHONE
    assert "hand in your materials" in told["email"]["subject"]
    assert told["sms"]["text"].startswith(f"Reprint case {applicant.id} is open.")


def test_preferences_change_what_comes_next_and_survive_a_second_thought(world: World) -> None:
    world.at(23)
    applicant = world.reprinting.applied()
    world.send()
    assert world.preferences(applicant, {"channels": ["sms"], "sms": PHONE, "quiet_hours": None}).status_code == 200
    applicant.post("cancel", {})
    [cancelled] = world.send()  # at night, as was chosen; what was queued before is held as before
    assert (cancelled["channel"], cancelled["to"]) == ("sms", PHONE)
    wrong = world.preferences(applicant, {"channels": ["email", "sms"], "email": "no address", "sms": "12"})
    assert (wrong.status_code, {one["pointer"] for one in wrong.json()["errors"]}) == (422, {"/email", "/sms"})
    hours = world.preferences(applicant, {"channels": ["sms"], "quiet_hours": {"start": "29:00", "end": "08:00"}})
    assert hours.json()["errors"][0]["pointer"] == "/quiet_hours"
    assert [one["channel"] for one in world.preferences(applicant).json()["channels"]] == ["sms"]
    again = world.preferences(applicant, {"channels": ["email"]}).json()
    assert (again["channels"], again["quiet_hours"]) == ([{"channel": "email", "hint": "o***@example.cn"}], None)


def test_before_there_is_a_contact_there_is_nothing_to_choose(lite_world: World) -> None:
    applicant = lite_world.reprinting.opened()
    assert lite_world.preferences(applicant).json()["code"] == "no_contact_yet"


def test_unsubscribed_by_the_link_of_a_letter(world: World) -> None:
    applicant = world.reprinting.applied()
    letter = world.send()[1]
    [token] = re.findall(r"/unsubscribe#([A-Za-z0-9_-]+)", letter["text"])
    [file] = [one for one in world.inbox.folder.iterdir() if one.name == letter["file"]]
    assert f"/unsubscribe#{token}".encode() in re.sub(rb"\r\n[ \t]", b"", file.read_bytes()).partition(b"\r\n\r\n")[0]
    for _ in range(2):
        answer = world.api.client.post("/v1/notifications/unsubscribe", json={"token": token})
        assert (answer.status_code, answer.json()) == (200, {"channel": "email"})
    assert world.preferences(applicant).json()["channels"] == []
    applicant.post("cancel", {})
    assert world.send() == []
    assert world.api.client.post(f"/v1/reprints/{applicant.id}/codes", json={}).status_code == 202
    assert [one["subject"][:3] for one in world.send()] == ["验证码"]


def test_a_token_that_is_none_unsubscribes_nobody(lite_world: World) -> None:
    for token in ("A" * 60, "_" * 60, "-" * 20):
        answer = lite_world.api.client.post("/v1/notifications/unsubscribe", json={"token": token})
        assert (answer.status_code, answer.json()["code"]) == (404, "unsubscribe_unknown")


def test_a_reminder_names_what_is_owed(world: World) -> None:
    applicant = world.reprinting.applied()
    world.send()
    due = world.reprinting.case(applicant.id).due_at / 1000
    world.reprinting.later += due - world.api.context.clock() - 2 * 86_400
    world.at(10)  # a day and a moment before it is due
    world.reprinting.work()
    told = world.send()
    assert [("快到期了" in one["subject"], "上传材料" in one["text"]) for one in told] == [(True, True)]


# Webhooks


def test_an_issuer_hears_of_cases_about_its_own_invoices_alone(world: World) -> None:
    api = world.api
    with Receiver() as mine, Receiver() as others:
        api.settings.__dict__["webhooks_anywhere"] = True  # as scripts/demo has it
        made = api.client.post("/v1/webhooks", json={**ORDER, "url": f"{mine.url}/mine"}, headers=api.key("issuer", SELLER))
        assert made.status_code == 201
        api.client.post("/v1/webhooks", json={**ORDER, "url": f"{others.url}/other"}, headers=api.key("issuer", OTHER))
        applicant = world.reprinting.applied()
        world.send()
    assert others.received == []
    said = [_said(made.json()["secret"], headers, body) for _, headers, body in mine.received]
    assert [one["type"] for one in said] == ["reprint.started", "reprint.submitted", "reprint.materials_pending"]
    assert said[-1]["data"]["case"] == applicant.id
    assert said[-1]["data"]["owed_by"] == "applicant"
    assert ADDRESS not in str(said)


def test_an_applicant_has_webhooks_of_their_case(world: World) -> None:
    api = world.api
    applicant, other = world.reprinting.applied(), world.reprinting.opened(_second(world))
    with Receiver() as receiver:
        api.settings.__dict__["webhooks_anywhere"] = True
        made = api.client.post("/v1/webhooks", json={**ORDER, "url": f"{receiver.url}/a"}, headers=applicant.headers)
        assert made.status_code == 201
        assert api.client.get("/v1/webhooks", headers=other.headers).json()["items"] == []
        path = f"/v1/webhooks/{made.json()['id']}"
        assert api.client.get(path, headers=other.headers).json()["code"] == "webhook_not_found"
        other.post("cancel", {})
        applicant.post("cancel", {})
        world.send()
    said = [_said(made.json()["secret"], headers, body) for _, headers, body in receiver.received]
    assert [(one["type"], one["data"]["case"]) for one in said] == [("reprint.cancelled", applicant.id)]
    forbidden = api.client.post("/v1/webhooks", json={**ORDER, "events": ["finding.opened"]}, headers=applicant.headers)
    assert forbidden.status_code == 422


def _said(secret: str, headers: dict[str, str], body: bytes) -> Any:
    """What was signed, at whatever time a test has."""
    at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    assert headers["webhook-signature"] == Webhook(secret).sign(headers["webhook-id"], at, body.decode())
    return orjson.loads(body)


def _second(world: World) -> dict[str, str]:
    invoice = world.reprinting.registered[1]
    return {"number": invoice["number"], "commitment": invoice["commitment"]}


def test_the_life_of_a_webhook(api: Api) -> None:
    headers = api.key("operator")
    order = {**ORDER, "events": ["incident.recorded"], "label": "值班", "contact": "it@example.com"}
    made = api.client.post("/v1/webhooks", json=order, headers={**headers, "Idempotency-Key": "one"})
    assert made.status_code == 201
    again = api.client.post("/v1/webhooks", json=order, headers={**headers, "Idempotency-Key": "one"})
    assert (again.json()["id"], again.json()["secret"]) == (made.json()["id"], None)
    path = f"/v1/webhooks/{made.json()['id']}"
    shown = api.client.get(path, headers=headers).json()
    assert shown == {name: value for name, value in made.json().items() if name != "secret"}
    assert [one["id"] for one in api.client.get("/v1/webhooks", headers=headers).json()["items"]] == [shown["id"]]
    rotated = api.client.post(f"{path}/rotate", json={}, headers=headers).json()
    assert rotated["secret"] not in (None, made.json()["secret"])
    assert rotated["old_secret_until"] is not None
    queued = api.client.post(f"{path}/test", json={}, headers=headers)
    assert queued.status_code == 202
    listed = api.client.get(f"{path}/deliveries", headers=headers).json()
    assert [(one["id"], one["event"], one["state"]) for one in listed["items"]] == [
        (queued.json()["delivery"], "webhook.test", "queued")
    ]
    retry = f"{path}/deliveries/{queued.json()['delivery']}/retry"
    assert api.client.post(retry, json={}, headers=headers).json()["code"] == "delivery_not_dead"
    assert api.client.get(path, headers=api.key("auditor")).json()["code"] == "webhook_not_found"
    assert api.client.delete(path, headers=headers).json() == {"id": shown["id"], "removed": True}
    assert api.client.get(path, headers=headers).json()["code"] == "webhook_not_found"


@pytest.mark.parametrize(
    "url", ["http://a.example/", "https://127.0.0.1/", "https://a.example:8443/", "https://u:p@a.example/", "https://[::1]/", "x"]
)
def test_a_webhook_leads_to_public_addresses_alone(lite: Api, url: str) -> None:
    answer = lite.client.post("/v1/webhooks", json={**ORDER, "url": url}, headers=lite.key("operator"))
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/url")


def test_there_are_twenty_at_most(lite: Api) -> None:
    for n in range(21):
        order = {**ORDER, "url": f"https://a.example/{n}"}
        answer = lite.client.post("/v1/webhooks", json=order, headers=lite.key("operator"))
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhooks")


def test_a_revoked_key_and_a_disabled_account_hear_no_more(lite: Api) -> None:
    key = lite.key("auditor")
    person = lite.person("auditor")
    order = {**ORDER, "events": ["finding.opened"]}
    ids = [lite.client.post("/v1/webhooks", json=order, headers=headers).json()["id"] for headers in (key, person.headers)]
    operator = lite.person("operator")
    key_id = key["Authorization"].split("_")[2]
    assert lite.client.delete(f"/v1/keys/{key_id}", headers=operator.headers).status_code == 200
    assert lite.client.delete(f"/v1/users/{person.id}", headers=operator.headers).status_code == 200
    with lite.database.read() as connection:
        rows = [endpoints.find(connection, id_) for id_ in ids]
    assert [row and row.disabled_by for row in rows] == ["revoked", "revoked"]
    metrics = lite.client.get("/metrics").text
    assert "zhengpiao_webhooks_disabled 2.0" in metrics


# Dead letters


def test_staff_see_what_was_given_up_and_send_it_again(world: World) -> None:
    applicant = world.reprinting.applied()
    with world.api.database.write() as connection:
        is_one = deliveries.c.event == "confirm_contact"
        connection.execute(update(deliveries).where(is_one).values(state="dead", error="refused", status=550, failures=1))
    reviewer = world.reprinting.reviewer()
    page = world.api.client.get("/v1/deliveries?state=dead", headers=reviewer.headers).json()
    [letter] = page["items"]
    assert (letter["to"], letter["error"], letter["status"]) == ("o***@example.cn", "refused", 550)
    assert letter["object"] == applicant.id
    assert ADDRESS not in str(page)
    metrics = world.api.client.get("/metrics").text
    assert 'zhengpiao_deliveries{channel="email",state="dead"} 1.0' in metrics
    assert 'zhengpiao_delivery_failures{channel="email"} 1.0' in metrics
    again = world.api.client.post(f"/v1/deliveries/{letter['id']}/retry", json={}, headers=reviewer.headers)
    assert (again.status_code, again.json()["state"]) == (202, "queued")
    assert ("sent_again", reviewer.id) in world.reprinting.actions(applicant.id)
    assert "请提交材料" in "".join(one["subject"] for one in world.send())
    assert world.api.client.post(f"/v1/deliveries/{letter['id']}/retry", json={}, headers=reviewer.headers).status_code == 409


def test_pages_of_deliveries(lite_world: World) -> None:
    lite_world.reprinting.applied()
    headers = lite_world.api.key("operator")
    first = lite_world.api.client.get("/v1/deliveries?limit=1", headers=headers).json()
    second = lite_world.api.client.get(f"/v1/deliveries?limit=1&cursor={first['next_cursor']}", headers=headers).json()
    assert [page["items"][0]["event"] for page in (first, second)] == ["confirm_contact", "code"]
    assert second["next_cursor"] is None
    assert lite_world.api.client.get("/v1/deliveries?cursor=x", headers=headers).status_code == 422


def test_without_a_key_for_what_is_at_rest_there_is_no_courier(tmp_path: Path) -> None:
    with running_api(f"sqlite:///{tmp_path / 'x.db'}") as api:
        assert couriers.build(api.settings.model_copy(update={"data_keys": None}), api.database) is None
        only_webhooks = couriers.build(api.settings, api.database)
        assert only_webhooks is not None
        assert only_webhooks.channels == ("webhook",)
