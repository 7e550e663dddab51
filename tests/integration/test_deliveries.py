"""The queue and its couriers: everything that was queued arrives, once, whoever dies in between."""

import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.policy import default
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service import migrations
from service.cli.outcome import Exit
from service.deliveries import queue
from service.deliveries.outcomes import Failed
from service.deliveries.queue import Channel, Taken
from service.deliveries.tables import deliveries, webhook_endpoints
from service.deliveries.timing import TRIES, Quiet
from service.errors import Refused
from service.vault import Vault
from tests.integration.couriers import DATA_KEY, MAIL, VAULT, Post, begin, end, killing, post_office, start_courier

_DAY_S = 86_400


@pytest.fixture
def post(made_url: str, tmp_path: Path) -> Iterator[Post]:
    with post_office(made_url, tmp_path / "inbox") as office:
        yield office


@pytest.fixture
def lite(sqlite_schema: Path, tmp_path: Path) -> Iterator[Post]:
    """The same on SQLite alone, for what the database has no part in."""
    file = tmp_path / "lite.db"
    file.write_bytes(sqlite_schema.read_bytes())
    with post_office(f"sqlite:///{file}", tmp_path / "inbox") as running:
        running.stand_still()
        yield running


def test_a_mail_arrives_with_what_a_reader_and_a_program_need(lite: Post) -> None:
    uid = lite.put("email", {**MAIL, "unsubscribe": "https://registry.example/unsubscribe#abc"})
    assert lite.work("email") == 1
    assert (lite.row().state, lite.row().tries, lite.row().failures, lite.row().error) == ("sent", 1, 0, None)
    [arrived] = lite.inbox.arrived
    message: Any = message_from_bytes((lite.inbox.folder / arrived["file"]).read_bytes(), policy=default)
    assert message["message-id"] == f"<{uid}@registry.example>"
    assert message["from"] == "证票 <no-reply@registry.example>"
    assert (message["to"], message["subject"]) == (MAIL["to"], MAIL["subject"])
    assert message["list-unsubscribe"] == "<https://registry.example/unsubscribe#abc>"
    assert message["auto-submitted"] == "auto-generated"
    assert message.get_body(("plain",)).get_content().replace("\r\n", "\n") == MAIL["text"]
    assert "<p>正文</p>" in message.get_body(("html",)).get_content()


def test_an_sms_is_signed_and_says_what_it_is(lite: Post) -> None:
    uid = lite.put("sms")
    assert lite.work("sms") == 1
    [arrived] = lite.inbox.arrived  # the provider checks the signature, as any receiver's library does
    assert (arrived["id"], arrived["to"], arrived["subject"]) == (uid, "13812345678", "reprint_cancel")
    assert arrived["text"].startswith("补打申请 R1 已撤销")


@pytest.mark.parametrize("channel", ["email", "sms", "webhook"])
def test_what_is_sent_again_after_a_death_is_recognised(post: Post, channel: Channel) -> None:
    """The courier dies after the other side took it over, and before it could write that down."""
    options = {"endpoint_id": post.endpoint()[0].id} if channel == "webhook" else {}
    uid = post.put(channel, **options)
    process = start_courier(post, channel)
    post.inbox._on_arrival = killing(process)
    try:
        begin(process)
        assert process.wait(60) == -9
    finally:
        end(process)
    assert (post.row().state, post.row().tries) == ("sending", 1)
    assert (len(post.inbox.arrived), post.inbox.repeats) == (1, 0)
    assert post.work(channel) == 0  # its lease is not over: it might still be sending
    post.later = queue.LEASE_MS / 1000 + 1
    assert post.work(channel) == 1
    assert (post.row().state, post.row().tries) == ("sent", 2)
    assert (len(post.inbox.arrived), post.inbox.repeats) == (1, 1)
    assert uid in post.inbox.arrived[0]["id"]


def test_two_couriers_never_send_the_same(post: Post) -> None:
    uids = {post.put("sms") for _ in range(60)}
    couriers = [start_courier(post, "sms") for _ in range(2)]
    try:
        for process in couriers:
            begin(process)
        assert [process.wait(180) for process in couriers] == [0, 0]
    finally:
        for process in couriers:
            end(process)
    assert {one["id"] for one in post.inbox.arrived} == uids
    assert (len(post.inbox.arrived), post.inbox.repeats) == (60, 0)
    assert {(row.state, row.tries) for row in post.rows()} == {("sent", 1)}


def test_of_two_that_take_the_same_one_wins(post: Post) -> None:
    post.put()
    with post.database.read() as connection:
        [id_] = queue.waiting(connection, queue.CHANNELS, post.now_ms())
    taken = [_take(post, id_) for _ in range(2)]
    assert [one is None for one in taken] == [False, True]
    # The first is too slow, another takes it over: the late word of the first changes nothing.
    post.later = queue.LEASE_MS / 1000 + 1
    second = _take(post, id_)
    assert second is not None
    assert taken[0] is not None
    with post.database.write() as connection:
        assert not queue.settle(connection, taken[0], "dead", post.now_ms(), error="refused")
        assert queue.settle(connection, second, "sent", post.now_ms())
    assert post.row().state == "sent"


def _take(post: Post, id_: int) -> Taken | None:
    with post.database.write() as connection:
        return queue.take(connection, id_, VAULT, post.now_ms())


def test_what_fails_is_tried_again_later_and_later_until_it_is_given_up(lite: Post) -> None:
    tried: list[float] = []

    def fail(_: Taken, now_ms: int) -> None:
        tried.append(now_ms / 1000)
        raise Failed("unreachable")

    lite.put()
    lite.courier = lite.new_courier(senders={"email": fail})
    for _ in range(TRIES + 3):
        lite.work("email")
        lite.later += 9 * 3600
    pauses = [b - a for a, b in pairwise(tried)]
    assert len(tried) == TRIES
    assert min(pauses) >= 8 * 3600
    assert (lite.row().state, lite.row().failures, lite.row().error) == ("dead", TRIES, "unreachable")


def test_a_retry_waits_as_long_as_it_is_asked_to(lite: Post) -> None:
    def busy(_: Taken, __: int) -> None:
        raise Failed("refused", status=429, retry_after_s=600)

    lite.put()
    lite.courier = lite.new_courier(senders={"email": busy})
    assert lite.work("email") == 1
    lite.later = 590
    assert lite.work("email") == 0
    lite.later = 610
    assert lite.work("email") == 1


def test_a_letter_that_nobody_can_send_keeps_no_other(lite: Post) -> None:
    def break_on_first(taken: Taken, _: int) -> None:
        if taken.tries == 1 and taken.message["subject"] == "first":
            raise RuntimeError("zhang@example.cn")

    lite.put("email", {**MAIL, "subject": "first"})
    second = lite.put()
    lite.courier = lite.new_courier(senders={"email": break_on_first})
    assert lite.work("email") == 2
    assert lite.row(second).state == "sent"
    assert [row.error for row in lite.rows() if row.state == "queued"] == ["internal"]


def test_a_recipient_who_is_refused_for_good_is_a_dead_letter_that_staff_can_send_again(lite: Post) -> None:
    def refuse(_: Taken, __: int) -> None:
        raise Failed("refused", status=550, is_final=True)

    uid = lite.put()
    lite.courier = lite.new_courier(senders={"email": refuse})
    lite.work("email")
    assert (lite.row().state, lite.row().status) == ("dead", 550)
    with lite.database.write() as connection:
        queue.send_again(connection, lite.row(), lite.now_ms())
    with pytest.raises(Refused, match="delivery_not_dead"), lite.database.write() as connection:
        queue.send_again(connection, lite.row(), lite.now_ms())
    lite.courier = lite.new_courier()
    assert lite.work("email") == 1
    assert uid in lite.inbox.arrived[0]["id"]


def test_people_are_left_alone_at_night_also_by_a_retry(lite: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: Taken, __: int) -> None:
        raise Failed("deferred", status=451)

    begun = lite.now() // 60 * 60
    monkeypatch.setattr(lite, "now", lambda: begun + lite.later)  # a clock that stands still
    lite.courier = lite.new_courier()
    minute = (lite.now_ms() // 60_000 + 8 * 60) % 1440  # of Beijing, now
    lite.put(quiet=Quiet((minute - 60) % 1440, (minute + 60) % 1440))
    assert lite.work("email") == 0
    assert lite.row().due_at - lite.now_ms() == 60 * 60_000
    awake = lite.put(quiet=Quiet((minute + 1) % 1440, (minute + 60) % 1440))
    lite.courier = lite.new_courier(senders={"email": fail})
    lite.later = 59  # a second before it begins
    lite.courier.step("email")
    assert lite.row(awake).failures == 1
    assert lite.row(awake).due_at % (24 * 3_600_000) == ((minute + 60 - 8 * 60) % 1440) * 60_000


def test_a_code_that_has_expired_is_not_sent(lite: Post) -> None:
    lite.put(expires_at=lite.now_ms() + 600_000)
    lite.later = 601
    assert lite.work("email") == 1
    assert (lite.row().state, lite.row().error, lite.inbox.arrived) == ("dead", "too_late", [])


def test_what_was_sent_is_forgotten_and_cannot_be_sent_again(post: Post) -> None:
    post.put()
    post.put("sms")
    post.work("email")
    post.later = 31 * _DAY_S
    post.courier.forget()
    assert {row.channel: row.message is None for row in post.rows()} == {"email": True, "sms": False}
    with post.database.write() as connection:
        connection.execute(deliveries.update().values(state="dead"))
    mail = next(row for row in post.rows() if row.channel == "email")
    with pytest.raises(Refused, match="delivery_forgotten"), post.database.write() as connection:
        queue.send_again(connection, mail, post.now_ms())


def test_what_cannot_be_decrypted_any_more_keeps_nothing_waiting(post: Post) -> None:
    post.put()
    with post.database.write() as connection:
        other = Vault({2: b"\x01" * 32, 1: DATA_KEY})
        queue.enqueue(connection, queue.Wanted("email", "test", "R1", {**MAIL, "unsubscribe": None}), other, post.now_ms())
    assert post.work("email") == 1
    assert sorted((row.state, row.error) for row in post.rows() if row.state == "dead") == [("dead", "not_readable")]


def test_nothing_personal_is_readable_in_the_database(lite: Post) -> None:
    lite.put()
    lite.endpoint("/webhooks/secret-path", contact="wang@example.cn")
    with lite.database.read() as connection:
        stored = str([tuple(row) for row in connection.execute(select(deliveries))])
    for secret in (MAIL["to"], MAIL["subject"], base64.b64encode(b"zhang").decode()):
        assert secret not in stored
    with lite.database.read() as connection:
        endpoint = str(tuple(connection.execute(select(webhook_endpoints)).one()))
    assert "secret-path" not in endpoint
    assert "wang@" not in endpoint


def test_figures_count_what_waits_and_since_when(post: Post) -> None:
    post.put()
    post.put("sms")
    post.put("sms", quiet=Quiet(0, 1439))
    post.work("email")
    post.later = 30
    with post.database.read() as connection:
        figures = queue.figures(connection, post.now_ms())
    assert figures.counts["email", "sent"] == 1
    assert figures.counts["sms", "queued"] == 2
    assert 30_000 <= post.now_ms() - figures.oldest["sms"] <= 60_000
    assert "email" not in figures.oldest


_ZHENGPIAO = str(Path(sys.executable).with_name("zhengpiao"))


def _settings(office: Post, **more: str) -> dict[str, str]:
    """Of a worker process whose chain does not answer."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHENGPIAO_")}
    own = {
        "DATABASE_URL": office.url,
        "RPC_URLS": "http://127.0.0.1:9",
        "CONTRACT": "0x" + "11" * 20,
        "RECEIPT_KEY": "11" * 32,
        "ANCHOR_KEY": "11" * 32,
        "DATA_KEYS": f"1:{DATA_KEY.hex()}",
        "SMTP_URL": office.servers.smtp_url,
        "SMTP_FROM": "no-reply@registry.example",
        **more,
    }
    return kept | {f"ZHENGPIAO_{name}": value for name, value in own.items()}


def test_the_worker_sends_what_waits_whatever_its_chain_does(database_url: str, tmp_path: Path) -> None:
    with post_office(database_url, tmp_path / "inbox") as office:
        migrations.migrate(office.database)
        office.put()
        log = tmp_path / "log"
        with log.open("wb") as output:
            process = subprocess.Popen([_ZHENGPIAO, "worker"], env=_settings(office), cwd=tmp_path, stderr=output)
        try:
            _wait_for(office, 1)
            office.put("email", {**MAIL, "subject": "second", "unsubscribe": None})
            _wait_for(office, 2)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
        assert [row.state for row in office.rows()] == ["sent", "sent"]
        assert b"delivered" in log.read_bytes()
        assert b"zhang@" not in log.read_bytes()


def _wait_for(office: Post, count: int) -> None:
    deadline = time.monotonic() + 60
    while len(office.inbox.arrived) < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize(
    "wrong", [{"SMTP_URL": "ftp://x"}, {"SMTP_FROM": "nobody"}, {"SMS_SECRET": "no secret", "SMS_URL": "https://x.example"}]
)
def test_a_worker_says_no_to_settings_that_could_send_nothing(tmp_path: Path, wrong: dict[str, str]) -> None:
    with post_office(f"sqlite:///{tmp_path / 'x.db'}", tmp_path / "inbox") as office:
        migrations.migrate(office.database)
        done = subprocess.run(
            [_ZHENGPIAO, "worker"], env=_settings(office, **wrong), cwd=tmp_path, capture_output=True, timeout=60, check=False
        )
    assert done.returncode == Exit.CONFIGURATION
    assert next(iter(wrong)).encode() in done.stderr
