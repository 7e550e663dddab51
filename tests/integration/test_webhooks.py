"""Webhooks: signed, retried, kept from where they must not go, and disabled after days of failure."""

import datetime
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from service.deliveries import endpoints, events
from service.deliveries.addresses import check_url
from service.deliveries.outcomes import Failed
from service.deliveries.posting import MAX_ANSWER, post
from service.deliveries.webhooks import Webhooks
from service.errors import Refused
from service.ledger import incidents
from service.reconciliation import findings, runs
from service.reconciliation.findings import Found
from tests.integration.couriers import VAULT, Post, Receiver, post_office

_DAY_S = 86_400
_SELLER, _OTHER = "91110108MAXXXX015B", "91440000000000000X"


@pytest.fixture
def office(made_url: str, tmp_path: Path) -> Iterator[Post]:
    with post_office(made_url, tmp_path / "inbox") as running:
        running.stand_still()
        yield running


@pytest.fixture
def lite(sqlite_schema: Path, tmp_path: Path) -> Iterator[Post]:
    """The same on SQLite alone, for what the database has no part in."""
    file = tmp_path / "lite.db"
    file.write_bytes(sqlite_schema.read_bytes())
    with post_office(f"sqlite:///{file}", tmp_path / "inbox") as running:
        running.stand_still()
        yield running


def _emit(office: Post, type_: str, object_: str = "x", *, seller: str | None = None, **data: Any) -> None:
    with office.database.write() as connection:
        events.emit(connection, type_, object_, data, office.now_ms(), seller=seller)


def test_an_event_arrives_signed_at_everybody_who_subscribes_to_it(office: Post) -> None:
    with Receiver() as receiver:
        _, secret = office.endpoint(f"{receiver.url}/hook?key=1")
        office.endpoint(f"{receiver.url}/other", role="auditor")
        _emit(office, "incident.recorded", "7", code="step_failed")
        assert office.work("webhook") == 1
    [(path, headers, body)] = receiver.received
    assert path == "/hook?key=1"
    said = Webhook(secret).verify(body, headers)
    assert (said["type"], said["data"]) == ("incident.recorded", {"code": "step_failed"})
    assert datetime.datetime.fromisoformat(said["timestamp"]).tzinfo is not None
    assert headers["webhook-id"] == office.row().uid
    assert headers["content-type"] == "application/json"
    assert headers["host"] == f"127.0.0.1:{receiver.port}"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"step", b"leap"), headers)


def test_a_repeat_has_the_same_id_and_a_new_time(lite: Post) -> None:
    statuses = [500, 204]
    with Receiver(lambda *_: (statuses.pop(0), {})) as receiver:
        lite.endpoint(f"{receiver.url}/hook")
        _emit(lite, "incident.recorded")
        assert lite.work("webhook") == 1
        assert (lite.row().state, lite.row().status) == ("queued", 500)
        assert lite.work("webhook") == 0
        lite.later = 60
        assert lite.work("webhook") == 1
    (_, first, body), (_, second, again) = receiver.received
    assert (first["webhook-id"], body) == (second["webhook-id"], again)
    assert int(second["webhook-timestamp"]) >= int(first["webhook-timestamp"]) + 59
    assert lite.row().state == "sent"
    assert lite.find_endpoint(lite.row().endpoint_id).failing_since is None


def test_who_gets_what(office: Post) -> None:
    wanted = {
        "issuer": office.endpoint("/webhooks/issuer", role="issuer", sellers=frozenset({_SELLER})),
        "other": office.endpoint("/webhooks/other", role="issuer", sellers=frozenset({_OTHER})),
        "none": office.endpoint("/webhooks/none", role="issuer", sellers=frozenset()),
        "applicant": office.endpoint("/webhooks/applicant", role="applicant", object="R1"),
        "auditor": office.endpoint("/webhooks/auditor", role="auditor"),
        "operator": office.endpoint("/webhooks/operator", events=("reprint.*", "finding.opened", "incident.recorded")),
    }
    assert len(wanted) == 6
    office.later = 1
    _emit(office, "reprint.approved", "R1", seller=_SELLER)
    _emit(office, "reprint.started", "R2", seller=_OTHER)
    _emit(office, "reprint.started", "R3")  # about an invoice whose record is lost: nobody's in particular
    _emit(office, "finding.opened", "run 1")
    _emit(office, "incident.recorded", "1")
    office.work("webhook")
    got = sorted((one["to"].rpartition("/")[2], one["subject"]) for one in office.inbox.arrived)
    assert got == [
        ("applicant", "reprint.approved"),
        ("auditor", "finding.opened"),
        ("issuer", "reprint.approved"),
        ("operator", "finding.opened"),
        ("operator", "incident.recorded"),
        ("operator", "reprint.approved"),
        ("operator", "reprint.started"),
        ("operator", "reprint.started"),
        ("other", "reprint.started"),
    ]


def test_an_endpoint_gets_nothing_of_before_it_was_there(lite: Post) -> None:
    lite.endpoint("/webhooks/a")
    _emit(lite, "incident.recorded", code="old")
    lite.later = 10
    lite.endpoint("/webhooks/b")
    lite.work("webhook")
    assert [one["to"] for one in lite.inbox.arrived] == ["/webhooks/a"]


def test_where_nobody_subscribes_nothing_is_written(lite: Post) -> None:
    _emit(lite, "incident.recorded")
    lite.endpoint()
    assert lite.work("webhook") == 0


def test_a_role_subscribes_only_to_what_it_may_know(lite: Post) -> None:
    for role, type_ in (("auditor", "incident.recorded"), ("issuer", "finding.opened"), ("operator", "*"), ("issuer", "reprint.x")):
        with pytest.raises(Refused, match="invalid_request"):
            lite.endpoint(role=role, events=(type_,))  # type: ignore[arg-type]


def test_both_secrets_are_valid_for_a_day(lite: Post) -> None:
    with Receiver() as receiver:
        row, old = lite.endpoint(f"{receiver.url}/hook")
        with lite.database.write() as connection:
            new = endpoints.rotate(connection, row, VAULT, lite.now_ms())
        _emit(lite, "incident.recorded")
        lite.work("webhook")
        _, headers, body = receiver.received[0]
        assert len(headers["webhook-signature"].split()) == 2
        for secret in (old, new):
            Webhook(secret).verify(body, headers)
        lite.later = _DAY_S + 1
        _emit(lite, "incident.recorded")
        lite.work("webhook")
        _, headers, body = receiver.received[1]
        assert len(headers["webhook-signature"].split()) == 1


def test_a_redirect_is_not_followed(lite: Post) -> None:
    with Receiver() as inside, Receiver(lambda *_: (307, {"Location": f"{inside.url}/secret"})) as receiver:
        lite.endpoint(f"{receiver.url}/hook")
        _emit(lite, "incident.recorded")
        lite.work("webhook")
    assert (len(receiver.received), inside.received) == (1, [])
    assert (lite.row().error, lite.row().status, lite.row().state) == ("redirected", 307, "queued")


def test_what_is_gone_is_disabled_at_once_and_its_owner_told(office: Post) -> None:
    with Receiver(lambda *_: (410, {})) as receiver:
        row, _ = office.endpoint(f"{receiver.url}/hook", contact="wang@example.cn", label="ERP")
        _emit(office, "incident.recorded")
        _emit(office, "incident.recorded")
        assert office.work("webhook") == 1
    assert office.find_endpoint(row.id).disabled_by == "gone"
    assert {one.state for one in office.rows() if one.channel == "webhook"} == {"dead"}
    assert office.work("email") == 1
    [told] = office.inbox.arrived
    assert (told["to"], row.id in told["subject"], "ERP" in told["text"]) == ("wang@example.cn", True, True)


def test_days_of_failure_disable_it_and_it_can_be_enabled_again(office: Post) -> None:
    works = False
    with Receiver(lambda *_: (204 if works else 503, {})) as receiver:
        row, _ = office.endpoint(f"{receiver.url}/hook")
        for _ in range(40):
            _emit(office, "incident.recorded")
            office.work("webhook")
            office.later += 9 * 3600
            if office.find_endpoint(row.id).disabled_at is not None:
                break
        assert 5 * _DAY_S <= office.later <= 7 * _DAY_S
        assert office.find_endpoint(row.id).disabled_by == "failing"
        seen = len(receiver.received)
        _emit(office, "incident.recorded")
        assert office.work("webhook") == 0
        works = True
        with office.database.write() as connection:
            endpoints.enable(connection, row.id)
        _emit(office, "incident.recorded")
        assert office.work("webhook") == 1
        assert len(receiver.received) == seen + 1


def test_one_that_fails_rests_and_keeps_no_other_waiting(office: Post) -> None:
    with Receiver(lambda path, *_: (204 if path == "/good" else 500, {})) as receiver:
        office.endpoint(f"{receiver.url}/bad")
        office.endpoint(f"{receiver.url}/good")
        for _ in range(5):
            _emit(office, "incident.recorded")
        office.work("webhook")
    paths = [path for path, _, _ in receiver.received]
    assert paths.count("/good") == 5
    assert paths.count("/bad") == 1


@pytest.mark.parametrize(
    ("url", "code"),
    [("https://127.0.0.1/x", "address_not_public"), ("http://example.com/", "url_not_allowed"), ("https://localhost/", None)],
)
def test_without_leave_nothing_leads_to_neighbours(lite: Post, url: str, code: str | None) -> None:
    """What the API refuses is refused by the courier too: a row may have been written by other hands, or before."""
    lite.endpoint(url)
    _emit(lite, "incident.recorded")
    lite.courier = lite.new_courier(senders={"webhook": Webhooks(lite.database, VAULT)})
    lite.work("webhook")
    assert lite.row().error == (code or "address_not_public")


def test_who_answers_a_byte_a_second_is_left_in_time(lite: Post) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = server.accept()
            with connection:
                for byte in b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1000:
                    if stop.wait(0.1):
                        return
                    try:
                        connection.send(bytes([byte]))
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        started = time.monotonic()
        target = check_url(f"http://127.0.0.1:{server.getsockname()[1]}/", anywhere=True)
        with pytest.raises(Failed, match="timed_out"):
            post(target, b"{}", {}, anywhere=True, timeout_s=0.5)
        assert time.monotonic() - started < 30, "it would have taken 100 s"
        stop.set()
        thread.join()


def test_an_endless_answer_is_not_read_to_its_end(lite: Post) -> None:
    sent = 0
    with socket.create_server(("127.0.0.1", 0)) as server:

        def pour() -> None:
            nonlocal sent
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                try:
                    for _ in range(2000):
                        sent += connection.send(b"x" * 65_536)
                except OSError:
                    return

        thread = threading.Thread(target=pour, daemon=True)
        thread.start()
        target = check_url(f"http://127.0.0.1:{server.getsockname()[1]}/", anywhere=True)
        assert post(target, b"{}", {}, anywhere=True, timeout_s=30).status == 200
        thread.join()
    assert sent < 100 * MAX_ANSWER


def test_the_certificate_must_be_of_the_name_that_was_asked_for(
    lite: Post, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection is made to the address that was looked at, and the other side is who the URL names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(_certificate(tmp_path / "server.pem", "hook.example"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))

    def resolver(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]

    with Receiver(tls=context) as receiver:
        right = check_url(f"https://hook.example:{receiver.port}/x", anywhere=True)
        wrong = check_url(f"https://other.example:{receiver.port}/x", anywhere=True)
        assert post(right, b"{}", {}, anywhere=True, resolver=resolver).status == 204
        with pytest.raises(Failed, match="not_secure"):
            post(wrong, b"{}", {}, anywhere=True, resolver=resolver)
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(Failed, match="not_secure"):
            post(right, b"{}", {}, anywhere=True, resolver=resolver)
    assert [headers["host"] for _, headers, _ in receiver.received] == [f"hook.example:{receiver.port}"]


def _certificate(path: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ipaddress.ip_address("10.1.2.3"))])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
    builder = builder.not_valid_after(now + datetime.timedelta(days=1)).add_extension(names, critical=False)
    made = builder.sign(key, hashes.SHA256())
    formats = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(key.private_bytes(*formats) + made.public_bytes(serialization.Encoding.PEM))
    return path


def test_a_new_finding_and_an_incident_are_told_once(office: Post) -> None:
    office.endpoint("/webhooks/a", events=("finding.opened", "incident.recorded"))
    with office.database.write() as connection:
        run = runs.create(connection, runs.STORE, "", {}, office.now_ms(), "cli")
        for _ in range(2):
            findings.store(connection, "store", run, [Found("missing", number="1"), Found("altered", "seller", number="2")])
            incidents.record(connection, office.now_ms(), "step_failed", None, "Zhang's detail")
    office.work("webhook")
    told = {one["subject"]: orjson.loads(one["text"]) for one in office.inbox.arrived}
    assert len(office.inbox.arrived) == 2
    assert (told["finding.opened"]["count"], told["finding.opened"]["by_code"]) == (2, {"missing": 1, "altered": 1})
    assert told["incident.recorded"]["code"] == "step_failed"
    assert "Zhang" not in str(told)
