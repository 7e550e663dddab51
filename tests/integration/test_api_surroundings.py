"""What every answer has and every failure becomes: ids, headers, languages, limits, logs, metrics."""

import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy.exc import OperationalError, ProgrammingError

from service.api import waiting
from service.invoices import proofs
from service.ledger import incidents
from tests.integration.api import S01, S10, SELLER, Api, running_api
from tests.unit.samples import sections_of


def raw(api: Api, content: bytes, path: str = "/v1/proofs", **headers: str) -> Any:
    return api.client.post(path, content=content, headers={"Content-Type": "application/json", **headers})


# Bodies


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"number": "1"} x', "malformed_json"),
        (b'{"number": NaN}', "malformed_json"),
        (b'\xef\xbb\xbf{"number": "1"}', "malformed_json"),
        (b'{"number": "\xff"}', "malformed_json"),
        (b'{"number": "1", "number": "2"}', "malformed_json"),
        (b'{"number": "1", "n\\u0075mber": "2"}', "malformed_json"),
        (b"[" * 60_000, "malformed_json"),
        (b'{"number": 0.5, "x": ' + b"[" * 500 + b"]" * 500 + b"}", "malformed_json"),
        (b'{"number": 0.5, "x": "' + b"[" * 600 + b'\\"["}', "invalid_request"),
        (b"null", "invalid_request"),
        (b'"x"', "invalid_request"),
    ],
)
def test_what_is_no_json_is_said_to_be_none(lite: Api, content: bytes, code: str) -> None:
    answer = raw(lite, content)
    assert answer.json()["code"] == code
    assert answer.status_code == (400 if code == "malformed_json" else 422)


def test_deep_json_is_refused_whatever_limit_a_library_has_set(lite: Api) -> None:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)  # at which what recurses in C crashes
    try:
        answer = raw(lite, b"[" * 60_000)
    finally:
        sys.setrecursionlimit(before)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


def test_unknown_and_missing_members_have_pointers(lite: Api) -> None:
    answer = raw(lite, b'{"commitmnt": "x", "seq": 0}', **{"Accept-Language": "en"})
    found = {(error["pointer"], error["code"]): error["detail"] for error in answer.json()["errors"]}
    assert found == {
        ("/number", "member_missing"): "The member number is missing.",
        ("/commitmnt", "member_unknown"): "There is no member commitmnt.",
        ("/seq", "member_invalid"): "seq is out of range.",
    }


def test_size_and_media_type_are_limited(lite: Api) -> None:
    big = raw(lite, b" " * (64 * 1024 + 1))
    assert (big.status_code, big.json()["code"]) == (413, "body_too_large")
    streamed = lite.client.post(
        "/v1/proofs", content=(b" " * 1024 for _ in range(65)), headers={"Content-Type": "application/json"}
    )
    assert streamed.status_code == 413
    assert raw(lite, b"<x/>", **{"Content-Type": "application/xml"}).json()["code"] == "media_type_unsupported"
    assert raw(lite, b"{}", **{"Content-Encoding": "gzip"}).status_code == 415
    assert raw(lite, b'{"number":"1"}', **{"Content-Type": "application/json; charset=utf-8"}).status_code == 409
    batch = lite.client.post("/v1/invoices/batch", content=b"{}", headers={**lite.issuer, "Content-Type": "application/json"})
    assert batch.json()["code"] == "media_type_unsupported"


# The framework's own refusals


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing-here", 404, "no_such_resource"),
        ("GET", "/v1/invoices/" + S01 + "/", 404, "no_such_resource"),
        ("GET", "/docs", 404, "no_such_resource"),
        ("PUT", "/v1/invoices", 405, "method_not_allowed"),
        ("GET", "/v1/proofs", 405, "method_not_allowed"),
        ("GET", "/v1/anchors?limit=x", 422, "invalid_request"),
        ("GET", "/v1/anchors?limit=1&limit=2", 422, "invalid_request"),
        ("GET", "/v1/trust?x=1", 422, "invalid_request"),
    ],
)
def test_the_frameworks_refusals_are_problems_too(lite: Api, method: str, path: str, status: int, code: str) -> None:
    answer = lite.client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["code"] == code
    assert answer.json()["type"] == f"http://127.0.0.1:8000/problems/{code}"
    if status == 405:
        assert answer.headers["allow"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        (None, "zh-CN"),
        ("", "zh-CN"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("en", "en"),
        ("en-GB,en;q=0.9", "en"),
        ("fr, en;q=0.3, zh;q=0.2", "en"),
        ("fr", "zh-CN"),
        ("en;q=0.5, zh", "zh-CN"),
        ("en;q=x", "zh-CN"),
        ("en;q=0", "zh-CN"),
    ],
)
def test_the_language_is_the_readers(lite: Api, header: str | None, language: str) -> None:
    answer = lite.client.get("/v1/anchors/9", headers={} if header is None else {"Accept-Language": header})
    assert answer.headers["content-language"] == language
    assert answer.json()["detail"].isascii() is (language == "en")
    assert answer.headers["vary"] == "Accept-Language"


def test_the_type_of_a_problem_says_what_it_means(lite: Api) -> None:
    answer = lite.client.get("/problems/not_yet_known").json()
    assert (answer["status"], answer["title"]["zh"]) == (409, "暂不能确定")
    assert lite.client.get("/problems/nope").json()["code"] == "no_such_resource"


# Request-Id, headers, CORS


def test_a_request_id_is_taken_over_or_made(lite: Api) -> None:
    assert lite.client.get("/livez", headers={"Request-Id": "abcDEF-12345"}).headers["request-id"] == "abcDEF-12345"
    for bad in ("short", "x" * 65, "with space 123", 'quote"quote"'):
        made = lite.client.get("/livez", headers={"Request-Id": bad}).headers["request-id"]
        assert made != bad
    assert lite.client.get("/nope", headers={"Request-Id": "abcDEF-12345"}).headers["request-id"] == "abcDEF-12345"


def test_other_sites_may_ask_what_anybody_may_and_nothing_else(lite: Api) -> None:
    origin = {"Origin": "https://elsewhere.example"}
    asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
    for path in ("/v1/proofs", "/v1/statements"):
        preflight = lite.client.options(path, headers={**origin, **asks})
        assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, "*")
        assert "Content-Type" in preflight.headers["access-control-allow-headers"]
        answer = raw(lite, b"{}", path, **origin)
        assert answer.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in answer.headers
    for path in ("/v1/trust", "/v1/anchors", "/v1/anchors/head", "/v1/anchors/1/leaves"):
        assert lite.client.get(path, headers=origin).headers["access-control-allow-origin"] == "*"
    for path in ("/v1/invoices", "/v1/keys", "/status", "/v1/anchorsx"):
        for answer in (lite.client.options(path, headers={**origin, **asks}), lite.client.get(path, headers=origin)):
            assert "access-control-allow-origin" not in answer.headers
            assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_security_headers(tmp_path: Path, lite: Api) -> None:
    headers = lite.client.get("/v1/trust").headers
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["referrer-policy"] == "no-referrer"
    assert "strict-transport-security" not in headers
    assert lite.client.get("/livez").headers["cache-control"] == "no-store"
    with running_api(f"sqlite:///{tmp_path / 'y.db'}", public_url="https://registry.example") as secure:
        assert "max-age" in secure.client.get("/livez").headers["strict-transport-security"]


# Limits


def test_anonymous_questions_are_limited_by_network(tmp_path: Path) -> None:
    with running_api(f"sqlite:///{tmp_path / 'x.db'}", anonymous_per_minute=3) as api:
        for _ in range(3):
            assert api.ask(S01).status_code == 409
        refused = api.ask(S01)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert api.client.post("/v1/statements", json={"number": S01, "commitment": "00" * 32}).status_code == 429
        assert api.client.get("/v1/trust").status_code == 200
        assert api.submit(sections_of("S01")).status_code == 201


def test_networks_are_what_one_visitor_has() -> None:
    from service.api.context import _network

    assert _network("192.0.2.7") == "192.0.2.7"
    assert _network("::ffff:192.0.2.7") == "192.0.2.7"
    assert _network("2001:db8:1:2:3::4") == _network("2001:db8:1:2:ffff::1") == "2001:db8:1:2::/64"
    assert _network("testclient") == "testclient"


# Prefer: wait


def wait_until_held(api: Api, count: int) -> None:
    deadline = time.monotonic() + 60
    while api.context.waiting._count < count:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_answer_is_held_until_the_anchor_is_mined(api: Api) -> None:
    headers = {**api.issuer, "Prefer": "respond-async, wait=30"}
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(api.submit, sections_of("S01"), headers=headers)
        wait_until_held(api, 1)
        api.anchor("sealed")
        time.sleep(0.3)
        assert not held.done()
        api.move("mined")
        answer = held.result(timeout=30)
    assert (answer.status_code, answer.json()["state"]) == (201, "mined")
    assert answer.headers["preference-applied"] == "wait=30"


def test_waiting_ends_in_time_with_what_is_then(api: Api) -> None:
    began = time.monotonic()
    answer = api.submit(sections_of("S01"), headers={**api.issuer, "Prefer": "wait=1"})
    assert 0.9 < time.monotonic() - began < 30
    assert (answer.status_code, answer.json()["state"], answer.headers["preference-applied"]) == (201, "pending", "wait=1")
    for ignored in ("wait=0", "wait", "wait=x", "wait=-1", "return=minimal"):
        again = {**api.issuer, "Prefer": ignored, "Idempotency-Key": "k"}
        assert "preference-applied" not in api.submit(sections_of("S10"), headers=again).headers


def test_many_wait_without_a_thread_each(api: Api) -> None:
    count = 3 * api.settings.threads
    names = [f"261129990000002{n:05}" for n in range(count)]

    def post(number: str) -> Any:
        sections = sections_of("S10")
        sections["header"]["number"] = number
        return api.submit(sections, headers={**headers, "Prefer": "wait=60"})

    headers = api.issuer
    with ThreadPoolExecutor(count) as pool:
        held = [pool.submit(post, name) for name in names]
        wait_until_held(api, count)
        assert api.client.get("/v1/keys", headers=headers).status_code == 200  # the threads are free
        api.anchor("mined")
        assert {answer.result(timeout=30).json()["state"] for answer in held} == {"mined"}
    assert not api.context.waiting._waiting


def test_too_many_waiting_are_answered_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITING", 0)
    began = time.monotonic()
    answer = api.submit(sections_of("S01"), headers={**api.issuer, "Prefer": "wait=30"})
    assert time.monotonic() - began < 25
    assert (answer.json()["state"], "preference-applied" in answer.headers) == ("pending", False)


# Failures


def test_what_nobody_expected_leaks_nothing_and_is_logged_under_its_id(lite: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the inside")

    monkeypatch.setattr(proofs, "answer_all", fail)
    with structlog.testing.capture_logs() as logs:
        answer = lite.ask(S01)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    request_id = answer.headers["request-id"]
    assert request_id in answer.json()["detail"]
    assert [entry["request_id"] for entry in logs if entry["event"] == "internal_error"] == [request_id]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OperationalError("select 1", {}, Exception("gone")), 503, "database_unavailable"),
        (ProgrammingError("select 1", {}, Exception("no such column")), 500, "internal_error"),
        (ProgrammingError("select 1", {}, Exception("closed"), connection_invalidated=True), 503, "database_unavailable"),
    ],
)
def test_a_database_that_is_away_is_503(
    lite: Api, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(proofs, "answer_all", fail)
    answer = lite.ask(S01)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("retry-after" in answer.headers) is (status == 503)


def test_readiness_is_the_databases(lite: Api) -> None:
    assert lite.client.get("/livez").json() == {"status": "ok"}
    assert lite.client.get("/readyz").json() == {"status": "ok"}
    with lite.database.write() as connection:
        connection.exec_driver_sql("DROP TABLE anchoring_health")
    assert lite.client.get("/readyz").status_code == 503
    assert lite.client.get("/livez").status_code == 200


# Logs, metrics, status


def test_the_log_names_routes_and_keys_and_nothing_that_was_asked(lite: Api) -> None:
    [said] = lite.register("S01")
    with structlog.testing.capture_logs() as logs:
        lite.client.get(f"/v1/invoices/{S01}/proof?disclose=seller", headers=lite.issuer)
        lite.ask(S01, said["commitment"])
        lite.submit(sections_of("S10"), headers={**lite.issuer, "Idempotency-Key": "very-own-key"})
    assert [(entry["method"], entry["route"], entry["status"]) for entry in logs] == [
        ("GET", "/v1/invoices/{number}/proof", 200),
        ("POST", "/v1/proofs", 200),
        ("POST", "/v1/invoices", 201),
    ]
    written = repr(logs)
    secret = lite.issuer["Authorization"].split("_")[-1]
    for hidden in (S01, S10, SELLER, said["commitment"], secret, "very-own-key", "disclose", "信息"):
        assert hidden not in written
    assert logs[0]["key"] == lite.issuer["Authorization"].split("_")[2]


def test_metrics_count_requests_and_tell_how_anchoring_goes(api: Api) -> None:
    api.register("S01", "S06")
    api.client.get(f"/v1/invoices/{S01}", headers=api.issuer)
    api.client.request("BREW", "/nope-1")
    with api.database.write() as connection:
        incidents.record(connection, 0, "foreign_anchor", 7, "x")
    api.write_health(trouble="paused", head=4, final_head=3, final_time=int(time.time()) - 10)
    text = api.client.get("/metrics").text
    assert 'zhengpiao_requests_total{method="POST",route="/v1/invoices",status="201"} 2.0' in text
    assert 'zhengpiao_requests_total{method="other",route="none",status="404"} 1.0' in text
    assert 'zhengpiao_request_seconds_count{method="GET",route="/v1/invoices/{number}"} 1.0' in text
    assert S01 not in text
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["zhengpiao_backlog"]) == 3
    assert 0 <= float(values["zhengpiao_oldest_pending_seconds"]) < 60
    assert (float(values["zhengpiao_head"]), float(values["zhengpiao_final_head"])) == (4, 3)
    assert 9 < float(values["zhengpiao_lag_seconds"]) < 60
    assert float(values['zhengpiao_trouble{code="paused"}']) == 1
    assert float(values['zhengpiao_incidents{code="foreign_anchor"}']) == 1


def test_status_tells_chain_backlog_trouble_and_relaxed_controls(api: Api) -> None:
    api.register("S01")
    api.write_health(trouble="paused", since=time.time() - 60, head=4, final_head=3, left_out="http://a,http://b")
    status = api.client.get("/status", headers={"Accept-Language": "en"}).json()
    assert (status["head"], status["final_head"], status["backlog"]) == (4, 3, 1)
    assert status["trouble"]["code"] == "paused"
    assert (status["promise_s"], status["endpoints_left_out"]) == (86_400, 2)
    relaxed = {control["code"] for control in status["relaxed"]}
    assert {"env_dev", "one_endpoint", "public_url_http", "anonymous_unlimited"} <= relaxed
    assert all(control["detail"].isascii() for control in status["relaxed"])
    api.anchor()
    api.write_health()
    calm = api.client.get("/status").json()
    assert (calm["trouble"], calm["backlog"], calm["oldest_pending_s"], calm["sealed_head"]) == (None, 0, None, 1)


def test_a_production_without_a_worker_promises_nothing(tmp_path: Path) -> None:
    with running_api(f"sqlite:///{tmp_path / 'x.db'}", env="production", public_url="https://registry.example") as api:
        with api.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM anchoring_health")
        api.context._status = None
        refused = api.submit(sections_of("S01"))
        assert (refused.status_code, refused.json()["code"]) == (503, "worker_never_seen")
        assert api.client.get("/v1/trust").json()["rpc_urls"] == []
        assert api.client.get("/status").json()["head"] is None


def test_requests_at_once_share_what_they_must_and_nothing_else(api: Api) -> None:
    """A few threads at once, each its own invoice: all are registered, and nobody gets another's answer."""
    numbers = [f"261129990000003{n:05}" for n in range(24)]
    headers = api.issuer
    answers: dict[str, Any] = {}

    def post(number: str) -> None:
        sections = sections_of("S10")
        sections["header"]["number"] = number
        answers[number] = api.submit(sections, headers=headers)

    threads = [threading.Thread(target=post, args=(number,)) for number in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: answer.json()["number"] for number, answer in answers.items()} == {number: number for number in numbers}
