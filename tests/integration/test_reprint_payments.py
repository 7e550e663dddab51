"""Payments: by bank and by a provider, once, whatever is repeated, late, altered or at the same time; and what is owed back."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import requests
from sqlalchemy import func, select, update
from sqlalchemy.exc import IntegrityError

from scripts.tour import payment_provider
from scripts.tour.payment_provider import Server
from service.reprints import payments, refunding
from service.reprints.payments import payment_calls, reprint_payments
from service.reprints.provider import CALLBACK, Provider, signature
from service.reprints.refunding import Refunder
from service.reprints.tables import reprint_cases
from tests.integration.api import Api, running_api
from tests.integration.reprinting import ADDRESS, NAME, Applicant, Reprinting

KEY, SECRET = "key-of-the-provider", "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"


@pytest.fixture
def server() -> Iterator[Server]:
    """The demo's provider, as somebody else's machine."""
    made = Server(0, payment_provider.Provider(KEY, SECRET))
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()
    thread.join()


@pytest.fixture
def world(made_url: str, server: Server) -> Iterator[Reprinting]:
    settings = {"payment_methods": ("bank_transfer", "provider"), "payment_account": "示例登记簿，示例银行，0000 1234"}
    provider = {"payment_url": server.url, "payment_key": KEY, "payment_secret": SECRET}
    with running_api(made_url, **settings, **provider) as api:
        yield Reprinting(api)


def choose(applicant: Applicant, method: str) -> Any:
    return applicant.post("payment", {"method": method})


def chosen(applicant: Applicant, method: str) -> dict[str, Any]:
    answer = choose(applicant, method)
    assert answer.status_code == 200, answer.text
    made: dict[str, Any] = answer.json()
    return made


def confirm(world: Reprinting, applicant: Applicant, reference: str, amount: str = "20.00", by: Any = None) -> Any:
    headers = (by or world.api.person("operator", name="吴运维")).headers
    body = {"reference": reference, "amount": amount}
    return world.api.client.post(f"/v1/reprints/{applicant.id}/payment/confirm", json=body, headers=headers)


def row(world: Reprinting, reference: str) -> Any:
    with world.api.database.read() as connection:
        return payments.find(connection, reference)


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


class Call:
    """A call-back of the provider's, to be sent as it is or altered."""

    def __init__(self, world: Reprinting, reference: str, **members: Any) -> None:
        self.world = world
        made = {"type": "payment.paid", "payment": "pay_1", "reference": reference, "amount": "20.00", "currency": "CNY"}
        self.members = made | members
        self.id = "evt_1"
        self.at = world.api.context.clock()
        self.secret = SECRET

    def send(self, **changes: str) -> Any:
        body = orjson.dumps(self.members)
        timestamp = str(int(self.at))
        headers = {
            "webhook-id": self.id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature(self.secret, self.id, timestamp, body)}",
            "content-type": "application/json",
        }
        content = changes.pop("body", None)
        data = content.encode() if content is not None else body
        return self.world.api.client.post(CALLBACK, content=data, headers=headers | changes)


def known(world: Reprinting, applicant: Applicant) -> str:
    """The reference of a payment that the provider calls pay_1."""
    reference = str(chosen(applicant, "provider")["reference"])
    with world.api.database.write() as connection:
        connection.execute(update(reprint_payments).where(reprint_payments.c.reference == reference).values(provider_id="pay_1"))
    return reference


# By bank


def test_a_transfer_is_confirmed_by_reference_and_amount(world: Reprinting) -> None:
    applicant = world.handed_in()
    told = world.api.client.get(f"/v1/reprints/{applicant.id}/payment", headers=applicant.headers).json()
    assert (told["state"], told["amount"], told["methods"], told["items"]) == ("due", "20.00", ["bank_transfer", "provider"], [])
    payment = chosen(applicant, "bank_transfer")
    assert payment["instructions"] == (
        f"请转账 20.00 元至：示例登记簿，示例银行，0000 1234。附言请只写：{payment['reference']}。到账后由工作人员确认。"
    )
    assert chosen(applicant, "bank_transfer") == payment, "the same method again is the same payment"
    assert code_of(confirm(world, applicant, payment["reference"], "19.99")) == "payment_amount_differs"
    assert code_of(confirm(world, applicant, payment["reference"], "200.00")) == "payment_amount_differs"
    assert code_of(confirm(world, applicant, "P00000000000")) == "payment_unknown"
    assert applicant.get()["state"] == "fee_due"
    operator = world.api.person("operator", name="吴运维")
    done = confirm(world, applicant, payment["reference"], by=operator).json()
    assert (done["state"], done["confirmed_by_name"], done["case"]) == ("paid", "吴运维", applicant.id)
    found = applicant.get()
    assert (found["state"], found["fee"]["state"]) == ("review_1", "paid")
    again = confirm(world, applicant, payment["reference"])
    assert (again.status_code, again.json()["state"], again.json()["confirmed_by_name"]) == (200, "paid", "吴运维")
    assert code_of(choose(applicant, "bank_transfer")) == "payment_not_due"
    assert world.actions(applicant.id).count(("received_payment", operator.id)) == 1
    assert world.events(applicant.id)[-1] == "pay"
    assert world.case(applicant.id).paid_at is not None


def test_who_pays_is_told_in_their_language_and_by_methods_that_there_are(world: Reprinting) -> None:
    applicant = world.handed_in()
    said = applicant.post("payment", {"method": "bank_transfer"}, headers={"Accept-Language": "en"}).json()
    assert said["instructions"].startswith("Please transfer CNY 20.00 to: ")
    assert code_of(choose(applicant, "cash")) == "invalid_request"
    world.api.context.settings = world.api.settings.model_copy(update={"payment_methods": ("bank_transfer",)})
    assert code_of(choose(applicant, "provider")) == "payment_method_unknown"


def test_a_free_case_has_nothing_to_pay(world: Reprinting) -> None:
    applicant = world.applied()
    assert code_of(choose(applicant, "bank_transfer")) == "payment_not_due"


def test_who_reviews_takes_no_money_and_who_takes_money_reviews_not(world: Reprinting) -> None:
    applicant = world.handed_in()
    reference = chosen(applicant, "bank_transfer")["reference"]
    taker = world.reviewer("收")
    assert confirm(world, applicant, reference, by=taker).status_code == 200
    assert code_of(world.decide(applicant.id, taker)) == "reviewer_took_payment"
    with world.api.database.write() as connection:
        first = {"first_reviewer": taker.id}
        connection.execute(update(reprint_cases).where(reprint_cases.c.id == applicant.id).values(first))
    assert code_of(confirm(world, applicant, reference, by=taker)) == "payment_by_reviewer"
    for headers in (world.api.auditor, world.api.key("operator"), world.api.issuer, applicant.headers):
        body = {"reference": reference, "amount": "20.00"}
        answer = world.api.client.post(f"/v1/reprints/{applicant.id}/payment/confirm", json=body, headers=headers)
        assert answer.status_code in (401, 403)


def test_staff_see_what_is_waited_for_and_what_is_owed(world: Reprinting) -> None:
    applicant = world.handed_in()
    one, two = chosen(applicant, "bank_transfer"), chosen(applicant, "provider")
    operator = world.api.person("operator")

    def listed(**query: Any) -> dict[str, Any]:
        answer = world.api.client.get("/v1/payments", params=query, headers=operator.headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    assert {item["reference"] for item in listed(state="open")["items"]} == {one["reference"], two["reference"]}
    page = listed(limit=1)
    rest = listed(limit=1, cursor=page["next_cursor"])
    assert {page["items"][0]["reference"], rest["items"][0]["reference"]} == {one["reference"], two["reference"]}
    assert rest["next_cursor"] is None
    assert listed(state="refund_due")["items"] == []
    assert code_of(world.api.client.get("/v1/payments", params={"cursor": "x"}, headers=operator.headers)) == "invalid_request"
    assert code_of(world.api.client.get("/v1/payments", headers=world.api.issuer)) == "role_not_allowed"


# By the provider


def wait_for(what: Callable[[], Any]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_provider_creates_a_payment_once_and_calls_back(world: Reprinting, server: Server) -> None:
    applicant = world.handed_in()
    payment = chosen(applicant, "provider")
    assert payment["url"].startswith(f"{server.url}/pay/pay_")
    assert chosen(applicant, "provider") == payment
    [there] = server.provider.payments.values()
    assert there.asked == {
        "reference": payment["reference"],
        "amount": "20.00",
        "currency": "CNY",
        "subject": applicant.id,
        "notify_url": "http://127.0.0.1:8000/v1/payments/callback",
        "return_url": f"http://127.0.0.1:8000/reprint#case={applicant.id}",
    }
    assert NAME not in str(there.asked), "nothing of the applicant is told to it"
    assert ADDRESS not in str(there.asked)
    called: list[Any] = []
    server.provider._deliver = lambda url, id_, body: called.append((id_, body))  # type: ignore[method-assign]
    page = requests.get(payment["url"], timeout=60)
    assert "¥20.00" in page.text
    paid = requests.post(payment["url"], timeout=60, allow_redirects=False)
    assert (paid.status_code, paid.headers["Location"]) == (303, there.asked["return_url"])
    wait_for(lambda: called)
    [(id_, body)] = called
    request = server.provider._request("http://x", id_, body)
    headers = {name.lower(): value for name, value in request.header_items()}
    answer = world.api.client.post(CALLBACK, content=body, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "repeated": False}), answer.text
    assert (applicant.get()["state"], applicant.get()["fee"]["state"]) == ("review_1", "paid")
    assert requests.post(payment["url"], timeout=60, allow_redirects=False).status_code == 303
    assert len(called) == 1, "its button pays once"


def test_a_payment_that_was_created_and_not_answered_is_found_again(world: Reprinting, server: Server) -> None:
    applicant = world.handed_in()
    real = world.api.context.settings
    world.api.context.settings = real.model_copy(update={"payment_url": "http://127.0.0.1:9"})
    failed = choose(applicant, "provider")
    assert (failed.status_code, code_of(failed)) == (503, "payment_unavailable")
    assert failed.headers["retry-after"] == "20"
    world.api.context.settings = real
    first = chosen(applicant, "provider")
    with world.api.database.write() as connection:  # as if we had died before writing down what it answered
        connection.execute(update(reprint_payments).values(provider_id=None, url=None))
    assert chosen(applicant, "provider") == first
    assert len(server.provider.payments) == 1
    with world.api.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(reprint_payments)) == 1


def test_a_call_back_counts_once(world: Reprinting) -> None:
    applicant = world.handed_in()
    call = Call(world, known(world, applicant))
    assert call.send().json() == {"received": True, "repeated": False}
    assert call.send().json() == {"received": True, "repeated": True}
    call.id = "evt_2"  # another call-back of the same payment
    assert call.send().json() == {"received": True, "repeated": False}
    found = applicant.get()
    assert [one["event"] for one in found["history"]].count("pay") == 1
    assert world.actions(applicant.id).count(("received_payment", "system")) == 1


def test_a_call_back_that_is_not_the_providers_has_no_effect(world: Reprinting) -> None:
    applicant = world.handed_in()
    reference = known(world, applicant)
    call = Call(world, reference)
    altered = orjson.dumps(call.members | {"amount": "0.01"}).decode()
    for changes in (
        {"body": altered},
        {"webhook-id": "evt_9"},
        {"webhook-timestamp": str(int(call.at) + 1)},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": ""},
        {"webhook-signature": "v2," + "A" * 44},
        {"webhook-id": ""},
    ):
        answer = call.send(**changes)
        assert (answer.status_code, code_of(answer)) == (403, "callback_unsigned"), changes
    call.secret = OTHER_SECRET
    assert code_of(call.send()) == "callback_unsigned"
    call.secret, call.at = SECRET, call.at - 301
    assert code_of(call.send()) == "callback_late"
    call.at += 700  # well after what is now, whenever that is
    assert code_of(call.send()) == "callback_late"
    assert code_of(Call(world, "P00000000000").send()) == "payment_unknown"
    assert code_of(Call(world, reference, payment="pay_2").send()) == "payment_unknown"
    assert code_of(Call(world, chosen(applicant, "bank_transfer")["reference"]).send()) == "payment_unknown"
    unreadable: tuple[dict[str, Any], ...] = (
        {"amount": 20},
        {"amount": "20"},
        {"currency": "USD"},
        {"type": "payment.gone"},
        {"refund": {}},
    )
    for members in unreadable:
        assert code_of(Call(world, reference, **members).send()) == "callback_unreadable"
    assert code_of(Call(world, reference, amount="19.99").send()) == "payment_amount_differs"
    assert applicant.get()["state"] == "fee_due"
    with world.api.database.read() as connection:
        assert connection.execute(select(payment_calls)).all() == [], "what was refused may come again, corrected"
    signed = Call(world, reference)
    both = f"v1,AAAA v1,{signature(SECRET, signed.id, str(int(signed.at)), orjson.dumps(signed.members))}"
    assert signed.send(**{"webhook-signature": both}).json()["repeated"] is False, "while the secret is being changed it sends two"


def test_a_payment_that_failed_changes_nothing(world: Reprinting) -> None:
    applicant = world.handed_in()
    reference = known(world, applicant)
    assert Call(world, reference, type="payment.failed").send().status_code == 200
    assert (applicant.get()["state"], row(world, reference).state) == ("fee_due", "open")


def test_without_a_secret_nobody_calls_back(lite: Api) -> None:
    world = Reprinting(lite)
    assert code_of(Call(world, "P00000000000").send()) == "callback_unsigned"


# At the same time


def together(*acts: Callable[[], Any]) -> list[Any]:
    gate, answers = threading.Barrier(len(acts)), list[Any]()

    def run(act: Callable[[], Any]) -> None:
        gate.wait()
        answers.append(act())

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_two_call_backs_at_once_have_one_effect(world: Reprinting) -> None:
    applicant = world.handed_in()
    reference = known(world, applicant)
    same = Call(world, reference)
    other = Call(world, reference)
    other.id = "evt_2"
    answers = together(same.send, same.send, other.send, other.send)
    assert [answer.status_code for answer in answers] == [200] * 4
    assert sorted(answer.json()["repeated"] for answer in answers) == [False, False, True, True]
    assert [one["event"] for one in applicant.get()["history"]].count("pay") == 1
    assert world.actions(applicant.id).count(("received_payment", "system")) == 1
    assert world.events(applicant.id).count("pay") == 1


def test_two_payments_at_once_are_one_payment_and_one_that_is_owed_back(world: Reprinting) -> None:
    applicant = world.handed_in()
    transfer, reference = chosen(applicant, "bank_transfer")["reference"], known(world, applicant)
    operators = [world.api.person("operator"), world.api.person("operator")]
    answers = together(
        Call(world, reference).send,
        lambda: confirm(world, applicant, transfer, by=operators[0]),
        lambda: confirm(world, applicant, transfer, by=operators[1]),
    )
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sorted([row(world, transfer).state, row(world, reference).state]) == ["paid", "refund_due"]
    found = applicant.get()
    assert (found["state"], found["fee"]["state"]) == ("review_1", "paid")
    actions = [action for action, _ in world.actions(applicant.id)]
    assert (actions.count("received_payment"), actions.count("received_payment_to_refund")) == (1, 1)


def test_the_database_itself_keeps_a_case_from_being_paid_twice(world: Reprinting) -> None:
    applicant = world.handed_in()
    for method in ("bank_transfer", "provider"):
        chosen(applicant, method)
    with pytest.raises(IntegrityError), world.api.database.write() as connection:
        connection.execute(update(reprint_payments).values(state="paid"))


# What is owed back


def refunder(world: Reprinting, server: Server) -> Refunder:
    provider = Provider(server.url, KEY, world.api.settings.public_url)
    return Refunder(world.api.database, provider, world.vault, world.api.settings, lambda: world.api.context.clock())


def paid_at_provider(world: Reprinting, server: Server) -> tuple[Applicant, str]:
    applicant = world.handed_in()
    reference = str(chosen(applicant, "provider")["reference"])
    payment = next(iter(server.provider.payments.values()))
    payment.state = "paid"
    assert Call(world, reference, payment=payment.id).send().status_code == 200
    return applicant, reference


def test_what_was_paid_is_refunded_where_a_case_is_rejected(world: Reprinting, server: Server) -> None:
    applicant, reference = paid_at_provider(world, server)
    work = refunder(world, server)
    assert not work.step(), "nothing is owed back of a case that goes on"
    assert world.decide(applicant.id, world.reviewer(), "reject", reason="与申请人无关").status_code == 200
    assert applicant.get()["fee"]["state"] == "refund_due"
    assert work.step()
    assert applicant.get()["fee"]["state"] == "refunded"
    done = row(world, reference)
    assert (done.state, done.refunded_by, done.refund_reference[:4]) == ("refunded", "system", "ref_")
    assert [payment.state for payment in server.provider.payments.values()] == ["refunded"]
    assert world.events(applicant.id)[-1] == "refunded"
    assert not work.step()
    later = Call(world, reference, payment=done.provider_id, type="refund.done", refund=done.refund_reference)
    later.id = "evt_refund"
    assert later.send().status_code == 200
    assert world.events(applicant.id).count("refunded") == 1, "its call-back comes too late to be news"


def test_a_refund_may_be_asked_for_twice(world: Reprinting, server: Server) -> None:
    applicant, reference = paid_at_provider(world, server)
    assert applicant.post("cancel", {"reason": "不需要了"}).status_code == 200
    one, two = refunder(world, server), refunder(world, server)
    asked: list[str] = []
    real = one._provider.refund

    def refund(payment: Any) -> Any:
        asked.append(payment.reference)
        return real(payment)

    for work in (one, two):
        work._provider.refund = refund  # type: ignore[method-assign]
    gate = threading.Barrier(2)
    together(lambda: (gate.wait(), one.step()), lambda: (gate.wait(), two.step()))
    assert set(asked) == {reference}
    assert row(world, reference).state == "refunded"
    assert len({payment.refund for payment in server.provider.payments.values()}) == 1
    assert world.events(applicant.id).count("refunded") == 1
    assert [action for action, _ in world.actions(applicant.id)].count("refunded_payment") == 1


def test_a_provider_that_does_not_answer_is_asked_again_later(world: Reprinting, server: Server) -> None:
    applicant, reference = paid_at_provider(world, server)
    applicant.post("cancel", {})
    nowhere = refunder(world, server)
    nowhere._provider = Provider("http://127.0.0.1:9", KEY, "http://x")
    work = refunder(world, server)
    assert nowhere.step()
    assert (row(world, reference).state, row(world, reference).refund_tries) == ("refund_due", 1)
    assert not work.step(), "its time has not come"
    world.later += 31
    assert nowhere.step()
    world.later += 31
    assert not work.step(), "each pause is longer"
    world.later += 31
    assert work.step()
    assert row(world, reference).state == "refunded"


def test_money_that_comes_too_late_is_owed_back_at_once(world: Reprinting, server: Server) -> None:
    applicant = world.handed_in()
    transfer = chosen(applicant, "bank_transfer")["reference"]
    reference = chosen(applicant, "provider")["reference"]
    applicant.post("cancel", {})
    assert (row(world, transfer).state, applicant.get()["fee"]["state"]) == ("closed", "none")
    there = next(iter(server.provider.payments.values()))
    there.state = "paid"
    assert Call(world, reference, payment=there.id).send().status_code == 200
    operator = world.api.person("operator")
    assert confirm(world, applicant, transfer, by=operator).json()["state"] == "refund_due"
    assert applicant.get()["fee"]["state"] == "refund_due"
    assert refunder(world, server).step()
    assert row(world, reference).state == "refunded"
    assert not refunder(world, server).step(), "a bank transfer is sent back by people"
    body = {"reference": transfer, "bank_reference": "20261125001"}
    path = f"/v1/reprints/{applicant.id}/payment/refund"
    for _ in range(2):
        done = world.api.client.post(path, json=body, headers=operator.headers).json()
        assert (done["state"], done["refund_reference"]) == ("refunded", "20261125001")
    assert world.events(applicant.id).count("refunded") == 2, "one for each payment"
    assert (
        code_of(world.api.client.post(path, json={**body, "reference": reference}, headers=operator.headers)) == "payment_unknown"
    )
    assert code_of(world.api.client.post(path, json=body, headers=world.api.person("auditor").headers)) == "role_not_allowed"


def test_nothing_is_sent_back_that_is_not_owed(world: Reprinting) -> None:
    applicant = world.handed_in()
    transfer = chosen(applicant, "bank_transfer")["reference"]
    operator = world.api.person("operator")
    path, body = f"/v1/reprints/{applicant.id}/payment/refund", {"reference": transfer, "bank_reference": "x"}
    assert code_of(world.api.client.post(path, json=body, headers=operator.headers)) == "refund_not_due"
    confirm(world, applicant, transfer)
    assert code_of(world.api.client.post(path, json=body, headers=operator.headers)) == "refund_not_due"


def test_an_expired_case_gives_back_what_came_before(world: Reprinting) -> None:
    """Paid, sent back for correction, and never handed in again."""
    applicant = world.handed_in()
    transfer = chosen(applicant, "bank_transfer")["reference"]
    confirm(world, applicant, transfer)
    assert world.decide(applicant.id, world.reviewer(), "return", reason="照片看不清").status_code == 200
    assert applicant.get()["fee"]["state"] == "paid"
    assert applicant.post("submit", {}).json()["state"] == "review_1", "what was paid stays paid"
    world.decide(applicant.id, world.reviewer(), "return", reason="照片看不清")
    world.later += 15 * 86_400
    world.work()
    found = world.case(applicant.id)
    assert (found.state, row(world, transfer).state) == ("expired", "refund_due")


def test_a_case_that_was_sent_back_while_its_fee_was_due_is_paid_all_the_same(world: Reprinting) -> None:
    applicant = world.handed_in()
    transfer = chosen(applicant, "bank_transfer")["reference"]
    assert world.decide(applicant.id, world.reviewer(), "return", reason="缺公章").status_code == 200
    assert confirm(world, applicant, transfer).json()["state"] == "paid"
    found = applicant.get()
    assert (found["state"], found["fee"]["state"]) == ("materials_pending", "paid")
    assert applicant.post("submit", {}).json()["state"] == "review_1"


# The worker's thread


def test_the_refunder_works_until_it_is_told_to_stop(world: Reprinting, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refunding, "POLL_S", 0.02)
    stop = threading.Event()
    thread = refunding.start(world.api.settings, world.api.database, stop)
    assert thread is not None
    applicant, reference = paid_at_provider(world, server)
    applicant.post("cancel", {})
    wait_for(lambda: row(world, reference).state == "refunded")
    stop.set()
    thread.join(60)
    assert not thread.is_alive()
    without = world.api.settings.model_copy(update={"payment_url": None})
    assert refunding.start(without, world.api.database, stop) is None
