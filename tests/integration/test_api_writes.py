"""Writes that are asked for again, in batches, or with files: on both databases."""

import threading
import time
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import orjson
import pytest
from pydantic import SecretStr
from sqlalchemy import select

from service.api import batch as batch_room
from service.invoices import submitting
from service.invoices.idempotency import Attempt
from service.invoices.importing import Importer
from service.invoices.tables import idempotency_keys
from service.worker import Worker
from tests.integration.api import S01, S06, S10, SELLER, Api, proof_file
from tests.unit.samples import SAMPLES, changed, sections_of

NDJSON = {"Content-Type": "application/x-ndjson"}


def body_of(sections: Any, profile: str = "as_issued", **more: Any) -> dict[str, Any]:
    return {"profile": profile, "sections": sections, **more}


def many(count: int, first: int = 0) -> list[dict[str, Any]]:
    """Sample S10 under `count` numbers."""
    return [body_of(changed("S10", "/header/number", f"261129990000001{n:05}")) for n in range(first, first + count)]


def send(api: Api, lines: list[Any], **headers: str) -> Any:
    content = b"".join(line if isinstance(line, bytes) else orjson.dumps(line) + b"\n" for line in lines)
    return api.client.post("/v1/invoices/batch", content=content, headers={**api.issuer, **NDJSON, **headers})


def lines_of(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-ndjson"
    return [orjson.loads(line) for line in answer.content.splitlines()]


# Idempotency-Key


def test_the_same_write_again_gets_the_same_answer(api: Api) -> None:
    sections = changed("S01", "/seller/logo", "示例")
    headers = {**api.issuer, "Idempotency-Key": "a-1"}
    first = api.submit(sections, headers=headers)
    again = api.submit(sections, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert api.submit(sections).json()["code"] == "number_taken"
    api.anchor()
    later = api.submit(sections, headers=headers).json()
    assert later == {**first.json(), "state": "final"}
    assert api.verdict(proof_file(sections, later)).verdict == "pending"


def test_keys_are_forgotten_after_their_time_some_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.worker._FORGOTTEN_AT_ONCE", 2)
    now = [api.context.clock()]
    api.context.clock = lambda: now[0]
    given = api.settings.model_copy(update={"anchor_key": SecretStr("22" * 32), "idempotency_s": 86_400})
    worker = Worker(given, api.database, lambda: now[0])

    def ask(key: str) -> Any:
        return api.submit(sections_of("S01"), headers={**api.issuer, "Idempotency-Key": key})

    def kept() -> set[str]:
        with api.database.read() as connection:
            return set(connection.scalars(select(idempotency_keys.c.key)))

    assert ask("a-1").status_code == 201
    assert not worker._forget()
    for n in range(2, 6):
        api.submit(changed("S10", "/header/number", f"2611299900000010{n:04}"), headers={**api.issuer, "Idempotency-Key": f"a-{n}"})
    now[0] += 86_300
    api.submit(sections_of("S06"), headers={**api.issuer, "Idempotency-Key": "b-1"})
    assert not worker._forget()
    assert ask("a-1").status_code == 201, "its time is not over"
    assert len(kept()) == 6
    now[0] += 3_700
    assert worker._forget(), "there is more"
    assert len(kept()) == 4
    while worker._forget():
        pass
    assert kept() == {"b-1"}
    assert ask("a-1").json()["code"] == "number_taken"


def test_another_body_or_path_under_the_same_key_is_refused(api: Api) -> None:
    headers = {**api.issuer, "Idempotency-Key": "a-1"}
    assert api.submit(sections_of("S01"), headers=headers).status_code == 201
    other = api.submit(sections_of("S10"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    voided = api.client.post(f"/v1/invoices/{S01}/void", json={"reason": "x"}, headers=headers)
    assert voided.json()["code"] == "idempotency_mismatch"
    assert send(api, [body_of(sections_of("S10"))], **{"Idempotency-Key": "a-1"}).json()["code"] == "idempotency_mismatch"
    strangers = {**api.key("issuer", SELLER, "X"), "Idempotency-Key": "a-1"}
    assert api.submit(sections_of("S10"), headers=strangers).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "x" * 256])
def test_a_key_that_cannot_be_one_is_refused(api: Api, key: str) -> None:
    answer = api.submit(sections_of("S01"), headers={**api.issuer, "Idempotency-Key": key})
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")


def test_what_was_refused_may_be_sent_again_under_its_key(api: Api) -> None:
    headers = {**api.issuer, "Idempotency-Key": "a-1"}
    assert api.submit(changed("S01", "/header/kind", "x"), headers=headers).status_code == 422
    assert api.submit(sections_of("S01"), headers=headers).status_code == 201


def test_one_that_is_running_is_409(api: Api) -> None:
    headers = {**api.issuer, "Idempotency-Key": "a-1"}
    key_id = api.issuer["Authorization"].split("_")[2]
    with api.context.running.hold(Attempt(key_id, "a-1", bytes(32))):
        answer = api.submit(sections_of("S01"), headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (409, "idempotency_running", "1")
    assert api.submit(sections_of("S01"), headers=headers).status_code == 201


def test_void_is_done_once(api: Api) -> None:
    api.register("S10")
    headers = {**api.issuer, "Idempotency-Key": "v-1"}
    path = f"/v1/invoices/{S10}/void"
    first = api.client.post(path, json={"reason": "开票有误"}, headers=headers)
    again = api.client.post(path, json={"reason": "开票有误"}, headers=headers)
    assert first.status_code == 200
    assert first.content == again.content
    assert api.client.post(path, json={"reason": "开票有误"}, headers=api.issuer).json()["code"] == "not_open"


def test_two_that_want_one_number_at_once_do_not_both_get_it(api: Api) -> None:
    statuses: list[int] = []
    barrier = threading.Barrier(6)
    headers = api.issuer

    def post() -> None:
        barrier.wait()
        statuses.append(api.submit(sections_of("S01"), headers=headers).status_code)

    threads = [threading.Thread(target=post) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [201, *[409] * 5]


# Batches


def test_a_bad_line_harms_no_other(api: Api) -> None:
    api.register("S01")
    answer = send(
        api,
        [
            body_of(sections_of("S06")),
            b'{"profile": "as_issued", "sections": \n',
            body_of(sections_of("S01")),
            b"\n",
            body_of(sections_of("S02")),
            {**body_of(sections_of("S10")), "extra": 1},
            b'{"profile":"new","profile":"as_issued","sections":{}}\r\n',
            body_of(changed("S10", "/header/kind", "x")),
            body_of(sections_of("S10")),
            body_of(sections_of("S10")),
        ],
    )
    lines = lines_of(answer)
    assert [line["line"] for line in lines] == list(range(1, 11))
    codes = [line["problem"]["code"] if "problem" in line else line["status"] for line in lines]
    assert codes == [
        201,
        "malformed_json",
        "number_taken",
        "malformed_json",
        "seller_not_bound",
        "invalid_request",
        "malformed_json",
        "invoice_refused",
        201,
        "number_taken",
    ]
    assert [line["status"] for line in lines] == [201, 400, 409, 400, 403, 422, 400, 422, 201, 409]
    assert lines[2]["problem"]["same_content"]
    api.anchor()
    for line, name in ((lines[0], "S06"), (lines[8], "S10")):
        assert api.verdict(proof_file(sections_of(name), line["result"])).verdict == "pending"
    status = api.client.get(f"/v1/invoices/{S01}", headers=api.issuer).json()["status"]
    assert status == "partly_reversed"


def test_a_batch_of_several_chunks_is_done_once_under_its_key(api: Api) -> None:
    lines = many(1100)
    lines[700] = body_of(changed("S10", "/header/number", "x"))
    first = send(api, lines, **{"Idempotency-Key": "b-1"})
    said = lines_of(first)
    assert [line["status"] for line in said] == [422 if n == 700 else 201 for n in range(1100)]
    assert send(api, lines, **{"Idempotency-Key": "b-1"}).content == first.content
    longer = lines_of(send(api, [*lines, body_of(sections_of("S01"))], **{"Idempotency-Key": "b-1"}))
    assert {line["status"] for line in longer[:700]} == {201}
    assert {line["problem"]["code"] for line in longer[1000:]} == {"idempotency_mismatch"}
    assert {line["problem"]["code"] for line in lines_of(send(api, lines[:600]))} == {"number_taken"}


def test_what_a_crash_left_undone_is_done_when_it_is_sent_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = many(1200)
    real = submitting.submit
    calls = 0

    def fail_once(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise RuntimeError("as if the process had died")
        return real(*arguments)

    monkeypatch.setattr(submitting, "submit", fail_once)
    first = lines_of(send(api, lines, **{"Idempotency-Key": "b-1"}))
    assert [line["status"] for line in first] == [*[201] * 500, *[500] * 500, *[201] * 200]
    assert {line["problem"]["code"] for line in first[500:1000]} == {"internal_error"}
    again = lines_of(send(api, lines, **{"Idempotency-Key": "b-1"}))
    assert {line["status"] for line in again} == {201}
    assert again[:500] == first[:500]
    assert again[1000:] == first[1000:]


def test_limits_of_lines_and_their_length(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_room, "MAX_LINES", 3)
    said = lines_of(send(api, many(6)))
    assert [line["status"] for line in said] == [201, 201, 201, 413]
    assert said[3]["problem"]["code"] == "too_many_lines"
    monkeypatch.setattr(batch_room, "MAX_INVOICE", 6000)
    long = body_of(changed("S10", "/notes/remark", "长" * 9000))
    said = lines_of(send(api, [long, *many(1, 10), long]))
    assert [line["status"] for line in said] == [413, 201, 413]
    unfinished = orjson.dumps(many(1, 20)[0])
    assert [line["status"] for line in lines_of(send(api, [unfinished]))] == [201]
    assert lines_of(send(api, [])) == []


def test_chunks_end_by_size_too_and_at_the_same_places(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_room, "CHUNK_BYTES", 5000)
    lines = many(12)
    first = send(api, lines, **{"Idempotency-Key": "b-1"})
    assert {line["status"] for line in lines_of(first)} == {201}

    def in_pieces() -> Any:
        data = b"".join(orjson.dumps(line) + b"\n" for line in lines)
        for start in range(0, len(data), 777):
            yield data[start : start + 777]

    headers = {**api.issuer, **NDJSON, "Idempotency-Key": "b-1"}
    assert api.client.post("/v1/invoices/batch", content=in_pieces(), headers=headers).content == first.content


def test_a_full_backlog_refuses_writes_and_says_when_to_come_back(api: Api) -> None:
    headers = {**api.issuer, "Idempotency-Key": "a-1"}
    first = api.submit(sections_of("S01"), headers=headers)
    api.context.settings.__dict__["max_backlog"] = 0
    api.context._status = None
    for answer in (
        api.submit(sections_of("S10")),
        send(api, many(2)),
        api.client.post(f"/v1/invoices/{S01}/void", json={"reason": "x"}, headers=api.issuer),
    ):
        assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "backlog_full", "10")
    assert api.submit(sections_of("S01"), headers=headers).content == first.content
    api.anchor()
    api.context._status = None
    assert api.submit(sections_of("S10")).status_code == 201


# What receipts promise


def test_receipts_promise_more_time_in_trouble_and_nothing_where_the_chain_is_in_doubt(api: Api) -> None:
    def promised(name: str) -> int:
        receipt = api.submit(sections_of(name)).json()
        return int(receipt["receipt"]["deadline"] - receipt["entry"]["recorded_at"])

    assert promised("S01") == 60_000
    api.write_health(trouble="paused")
    assert promised("S02") == 86_400_000
    api.write_health(seen_at=time.time() - 100)
    assert promised("S03") == 86_400_000
    api.write_health(trouble="final_vanished")
    refused = api.submit(sections_of("S10"))
    assert (refused.status_code, refused.json()["code"]) == (503, "chain_in_doubt")
    asked = api.ask(S01)
    assert (asked.status_code, asked.json()["code"], asked.headers["retry-after"]) == (503, "chain_in_doubt", "60")


# Imports


def work_off(api: Api) -> None:
    importer = Importer(api.database, api.context.keys, api.settings)
    while importer.step():
        pass


def test_a_file_is_imported_by_the_worker(api: Api) -> None:
    data = (SAMPLES / "tax-xml/S01.xml").read_bytes()
    headers = {**api.issuer, "Idempotency-Key": "i-1"}
    types: tuple[dict[str, str], ...] = ({"Content-Type": "application/xml"}, {})
    for more in types:
        queued = api.client.post("/v1/imports", content=data, headers={**headers, **more})
        assert queued.status_code == 202
    assert queued.json()["state"] == "queued"
    path = queued.headers["location"]
    assert api.client.get(path, headers=api.issuer).json()["counts"] == {"rows": 0, "accepted": 0, "refused": 0}
    work_off(api)
    job = api.client.get(path, headers=api.issuer).json()
    assert (job["state"], job["counts"]) == ("done", {"rows": 1, "accepted": 1, "refused": 0})
    assert (job["rows"][0]["number"], job["rows"][0]["problem"]) == (S01, None)
    assert api.client.get(f"/v1/invoices/{S01}", headers=api.issuer).json()["profile"] == "as_issued"
    assert api.client.get(path, headers=api.key("issuer", SELLER, "X")).status_code == 404
    assert api.client.get("/v1/imports/nope", headers=api.issuer).status_code == 404


def test_a_form_with_a_zip_shows_errors_by_row(api: Api) -> None:
    packed = BytesIO()
    with ZipFile(packed, "w") as archive:
        for name in ("S01", "S06", "S02"):
            archive.write(SAMPLES / f"tax-xml/{name}.xml", f"{name}.xml")
        archive.writestr("bad.xml", "<EInvoice>")
    files = {"file": ("目录/发票.zip", packed.getvalue(), "application/zip")}
    queued = api.client.post("/v1/imports", files=files, headers=api.issuer)
    work_off(api)
    path = queued.json()["links"]["self"]
    job = api.client.get(path, headers={**api.issuer, "Accept-Language": "en"}).json()
    assert job["file_name"] == "发票.zip"
    assert job["counts"] == {"rows": 4, "accepted": 2, "refused": 2}
    by_file = {row["file"]: row for row in job["rows"]}
    assert by_file["S06.xml"]["number"] == S06
    assert by_file["S02.xml"]["problem"]["code"] == "seller_not_bound"
    assert by_file["bad.xml"]["problem"]["detail"] == "This is not a well-formed XML file."
    page = api.client.get(path, params={"limit": 3}, headers=api.issuer).json()
    rest = api.client.get(path, params={"limit": 3, "cursor": page["next_cursor"]}, headers=api.issuer).json()
    assert [row["file"] for row in page["rows"] + rest["rows"]] == [row["file"] for row in job["rows"]]


def test_a_dry_run_registers_nothing(api: Api) -> None:
    data = (SAMPLES / "tax-xml/S01.xml").read_bytes()
    queued = api.client.post("/v1/imports?dry_run=true&profile=new", content=data, headers=api.issuer)
    work_off(api)
    job = api.client.get(queued.headers["location"], headers=api.issuer).json()
    assert (job["dry_run"], job["profile"], job["counts"]["accepted"]) == (True, "new", 1)
    assert api.client.get(f"/v1/invoices/{S01}", headers=api.issuer).status_code == 404


def test_what_is_no_import_is_refused(api: Api) -> None:
    empty = api.client.post("/v1/imports", content=b"", headers=api.issuer)
    assert (empty.status_code, empty.json()["errors"][0]["pointer"]) == (422, "/file")
    misspelt = api.client.post("/v1/imports?dryrun=true", content=b"x", headers=api.issuer)
    assert misspelt.json()["errors"][0]["code"] == "parameter_unknown"
    for files in ({"other": b"x"}, [("file", b"x"), ("file", b"y")]):
        refused = api.client.post("/v1/imports", files=files, headers=api.issuer)
        assert refused.status_code in (400, 422), refused.text
    broken = api.client.post(
        "/v1/imports", content=b"--x\r\nnonsense", headers={**api.issuer, "Content-Type": "multipart/form-data; boundary=x"}
    )
    assert broken.status_code in (400, 422)
    assert api.client.post("/v1/imports?profile=other", content=b"x", headers=api.issuer).status_code == 422
