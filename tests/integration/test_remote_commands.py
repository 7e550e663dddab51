"""issue, import, proof and status: what they send, and what they make of every kind of answer."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from service import migrations
from service.cli import main
from service.cli.outcome import Exit
from service.db import Database
from service.ledger import health, incidents

SECTIONS = {"header": {"number": "26112999000000000001"}, "lines": [{"item": "茶"}]}
REGISTERED = {
    "number": "26112999000000000001",
    "state": "pending",
    "receipt": {"key_id": "8a88e3dd7409f195", "deadline": 1795600060000},
    "links": {"verify": "https://registry.example/v#26112999000000000001.AAAA"},
    "findings": [{"pointer": "/lines/0/item", "code": "item_without_category", "severity": "warning", "detail": "…"}],
}
PROBLEM = {"title": "The number is taken", "status": 409, "code": "number_taken", "detail": "It is registered already."}
KINDS: dict[type, str] = {bytes: "application/octet-stream", str: "text/html", dict: "application/json"}

Answer = tuple[int, dict[str, str], Any]


class Service:
    """Answers as it is told, in order, the last answer for ever; and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.asked: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                outer.asked.append((f"{self.command} {self.path}", dict(self.headers), body))
                status, headers, value = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                text = json.dumps(value) if isinstance(value, dict) else value
                data = text.encode() if isinstance(text, str) else text
                self.send_response(status)
                for name, said in {"Content-Type": KINDS[type(value)], **headers}.items():
                    self.send_header(name, said)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer  # noqa: N815  the names of http.server

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Service]:
    running = Service()
    monkeypatch.setenv("ZHENGPIAO_URL", running.url)
    monkeypatch.setenv("ZHENGPIAO_KEY", "zp_test_key")
    monkeypatch.setenv("LANG", "en")
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.delenv("LC_MESSAGES", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("service.cli.remote.time.sleep", lambda _: None)
    Path("invoice.json").write_text(json.dumps(SECTIONS))
    yield running
    running.stop()


def test_issuing_sends_the_sections_once_and_for_all(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers = [(201, {}, REGISTERED)]
    assert main(["issue", "invoice.json", "--wait", "5"]) == Exit.DONE
    printed = capsys.readouterr().out
    assert "https://registry.example/v#26112999000000000001.AAAA" in printed
    assert "item_without_category" in printed
    assert main(["issue", "invoice.json", "--json"]) == Exit.DONE
    assert json.loads(capsys.readouterr().out) == REGISTERED
    assert main(["issue", "invoice.json", "--profile", "as_issued"]) == Exit.DONE
    (path, first, body), (_, second, _), (_, third, other) = service.asked
    assert path == "POST /v1/invoices"
    assert json.loads(body) == {"profile": "new", "sections": SECTIONS}
    assert json.loads(other)["profile"] == "as_issued"
    assert (first["Authorization"], first["Prefer"], first["Accept-Language"]) == ("Bearer zp_test_key", "wait=5", "en")
    assert first["Idempotency-Key"] == second["Idempotency-Key"] != third["Idempotency-Key"]


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ((409, {}, PROBLEM), Exit.REFUSED, "It is registered already."),
        ((422, {}, {**PROBLEM, "errors": [{"pointer": "/a", "detail": "b", "code": "c"}]}), Exit.REFUSED, "/a: b (c)"),
        ((401, {}, {**PROBLEM, "code": "key_invalid"}), Exit.NOT_ALLOWED, "registered"),
        ((403, {}, {**PROBLEM, "code": "role_not_allowed"}), Exit.NOT_ALLOWED, "registered"),
        ((500, {}, {**PROBLEM, "code": "internal_error"}), Exit.UNAVAILABLE, "registered"),
        ((502, {}, "<h1>Bad Gateway</h1>"), Exit.UNAVAILABLE, "answered with 502"),
        ((302, {"Location": "https://elsewhere.example"}, "moved"), Exit.UNAVAILABLE, "answered with 302"),
        ((404, {}, "no such page"), Exit.REFUSED, "not as this service does"),
        ((200, {}, "<h1>Welcome</h1>"), Exit.UNAVAILABLE, "not as this service does"),
    ],
)
def test_every_failure_has_its_status_and_a_sentence(
    answer: Answer, status: Exit, said: str, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    service.answers = [answer]
    assert main(["issue", "invoice.json"]) == status
    assert said in capsys.readouterr().err
    assert len(service.asked) == 1


def test_what_can_be_repeated_is_repeated_a_few_times(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    service.answers = [(503, {"Retry-After": "1"}, PROBLEM), (429, {"Retry-After": "soon"}, PROBLEM), (201, {}, REGISTERED)]
    assert main(["issue", "invoice.json"]) == Exit.DONE
    service.answers = [(503, {"Retry-After": "1"}, {**PROBLEM, "code": "backlog_full"})]
    assert main(["issue", "invoice.json", "--json"]) == Exit.UNAVAILABLE
    assert json.loads(capsys.readouterr().err)["error"]["code"] == "backlog_full"
    assert len(service.asked) == 3 + 4


def test_a_service_that_is_not_there_leaves_the_outcome_unknown(
    service: Service, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ZHENGPIAO_URL", "http://127.0.0.1:9")
    assert main(["issue", "invoice.json"]) == Exit.UNAVAILABLE
    assert "whether it was done is unknown" in capsys.readouterr().err
    monkeypatch.setenv("ZHENGPIAO_URL", "registry.example")
    assert main(["issue", "invoice.json"]) == Exit.CONFIGURATION
    assert service.asked == []


@pytest.mark.parametrize(
    ("content", "options", "status"),
    [
        ("{", [], Exit.INPUT),
        ("[]", [], Exit.INPUT),
        ('{"number": "1"}', [], Exit.INPUT),
        ('{"profile": "new", "sections": {}}', ["--profile", "as_issued"], Exit.USAGE),
        (None, [], Exit.INPUT),
    ],
)
def test_what_is_no_invoice_is_not_sent(content: str | None, options: list[str], status: Exit, service: Service) -> None:
    Path("invoice.json").unlink()
    if content is not None:
        Path("invoice.json").write_text(content)
    assert main(["issue", "invoice.json", *options]) == status
    assert service.asked == []


def test_without_a_key_nothing_is_asked(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZHENGPIAO_KEY")
    assert main(["proof", "1"]) == Exit.NOT_ALLOWED
    monkeypatch.setenv("ZHENGPIAO_KEY_FILE", "absent")
    assert main(["proof", "1"]) == Exit.CONFIGURATION
    Path("present").write_text("zp_test_other\n")
    monkeypatch.setenv("ZHENGPIAO_KEY_FILE", "present")
    service.answers = [(200, {}, b"{}")]
    assert main(["proof", "1"]) == Exit.DONE
    assert service.asked[0][1]["Authorization"] == "Bearer zp_test_other"


def job(state: str, refused: int, rows: list[dict[str, Any]], cursor: str | None = None) -> Answer:
    counts = {"rows": 2, "accepted": 2 - refused, "refused": refused}
    return 200, {}, {"id": "j", "dry_run": False, "state": state, "counts": counts, "rows": rows, "next_cursor": cursor}


def row(number: str, problem: Any = None) -> dict[str, Any]:
    return {"row": 0, "file": None, "number": number, "problem": problem, "findings": REGISTERED["findings"]}


def test_an_import_is_followed_to_its_last_row(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    Path("发票.xml").write_text("<EInvoice/>")
    queued: Answer = 202, {}, {"id": "j", "state": "queued", "links": {"self": "/v1/imports/j"}}
    answers = [queued, job("running", 0, []), job("done", 1, [row("A")], "0"), job("done", 1, [row("B", PROBLEM)])]
    service.answers = list(answers)
    assert main(["import", "发票.xml"]) == Exit.REFUSED
    printed = capsys.readouterr().out
    assert "发票.xml: 1 accepted, 1 refused" in printed
    assert "It is registered already. (number_taken)" in printed
    path, headers, body = service.asked[0]
    assert path == "POST /v1/imports?profile=as_issued&dry_run=false"
    assert headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E5%8F%91%E7%A5%A8.xml"
    assert body == b"<EInvoice/>"
    assert service.asked[-1][0] == "GET /v1/imports/j?cursor=0"

    service.answers = list(answers)
    assert main(["import", "发票.xml", "--json"]) == Exit.REFUSED
    assert [one["number"] for one in json.loads(capsys.readouterr().out)["rows"]] == ["A", "B"]


def test_a_mistyped_file_keeps_all_from_being_sent(service: Service) -> None:
    assert main(["import", "invoice.json", "absent.xml"]) == Exit.INPUT
    assert service.asked == []


def test_a_proof_is_written_under_the_name_of_its_number(service: Service, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    service.answers = [(200, {}, b'{"inclusion":1}')]
    assert main(["proof", "A1B2:/..", "--disclose", "header,seller"]) == Exit.DONE
    assert service.asked[0][0] == "GET /v1/invoices/A1B2%3A%2F../proof?disclose=header%2Cseller"
    assert Path("A1B2__...proof.json").read_bytes() == b'{"inclusion":1}'
    assert b"anchored" in capsysbinary.readouterr().out
    assert main(["proof", "1", "--output", "-"]) == Exit.DONE
    assert capsysbinary.readouterr().out == b'{"inclusion":1}'
    assert main(["proof", "1", "--output", "no/such/folder"]) == Exit.REFUSED


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("ZHENGPIAO_DATABASE_URL", database_url)
    opened = Database(database_url)
    migrations.migrate(opened)
    yield opened
    opened.close()


def seen(trouble: str | None, ago_s: float = 0) -> Callable[[Any], None]:
    def write(connection: Any) -> None:
        now = time.time()
        since = now if trouble else None
        health.write(connection, health.Health(now - ago_s, trouble, since, trouble and "…", 7, 6, 5, int(now), 10**9, ""))

    return write


@pytest.mark.parametrize(
    ("written", "status", "said"),
    [
        (None, Exit.REFUSED, "working             False"),
        (seen(None), Exit.DONE, "final_head          6"),
        (seen(None, ago_s=3600), Exit.REFUSED, "working             False"),
        (seen("paused"), Exit.REFUSED, "The contract is paused. Its pauser knows why, and can unpause it."),
    ],
)
def test_status_says_whether_anchoring_goes_on(
    written: Callable[[Any], None] | None, status: Exit, said: str, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    if written:
        with database.write() as connection:
            written(connection)
    assert main(["status"]) == status
    assert said in capsys.readouterr().out
    assert main(["status", "--json"]) == status
    assert json.loads(capsys.readouterr().out)["backlog"] == 0


def test_status_lists_incidents(database: Database, capsys: pytest.CaptureFixture[str]) -> None:
    with database.write() as connection:
        incidents.record(connection, 1795600000000, "foreign_anchor", 3, "not ours")
        seen(None)(connection)
    assert main(["status"]) == Exit.DONE
    assert "foreign_anchor" in capsys.readouterr().out
    main(["status", "--json"])
    assert json.loads(capsys.readouterr().out)["incidents"] == [
        {"at": "2026-11-25T09:46:40+00:00", "code": "foreign_anchor", "seq": 3, "detail": "not ours"}
    ]
