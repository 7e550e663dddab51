"""QR codes and documents over HTTP, on both databases."""

import io
import json
from typing import Any

import pytest
import zxingcpp
from PIL import Image

from service.invoices.tables import wrong_guesses
from tests.integration.api import S01, S06, S10, Api
from tests.stores import reprint
from tests.unit.samples import sections_of
from tests.unit.test_invoice_document import words
from verifier.carried import verify_carried
from verifier.commitment import commitment_to_text
from verifier.pdf import read_pdf
from verifier.proof import AnchoredProof, Opened, parse_proof
from verifier.question import parse_link
from verifier.report import Report
from verifier.transport import Answer

BUYER = {"buyer_tax_id": "91110105MAXXXX023T"}
S03 = "26112999000000000003"


def post(url: str, body: bytes, max_bytes: int) -> Answer:
    raise AssertionError("nothing is to be fetched")


def document(api: Api, number: str = S01) -> Any:
    return api.client.get(f"/v1/invoices/{number}/document.pdf", headers=api.issuer)


def holders(api: Api, said: dict[str, Any], **buyer: Any) -> Any:
    return api.client.post("/v1/documents", json={"number": said["number"], "commitment": said["commitment"], **buyer})


def verdict(api: Api, pdf: bytes) -> Report:
    return verify_carried(read_pdf(pdf), [api.anchors_file()], post=post, home=api.settings.public_url)


def test_a_qr_code_is_to_be_had_at_once_and_leads_to_the_copy(api: Api) -> None:
    [said] = api.register("S01")
    link = said["links"]["verify"]
    assert parse_link(link).question.commitment == bytes.fromhex(said["commitment"])
    png = api.client.get(f"/v1/invoices/{S01}/qr.png", headers=api.issuer)
    assert png.headers["content-type"] == "image/png"
    assert [code.text for code in zxingcpp.read_barcodes(Image.open(io.BytesIO(png.content)))] == [link]
    svg = api.client.get(f"/v1/invoices/{S01}/qr.svg?size_mm=40", headers=api.issuer)
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert svg.headers["content-disposition"] == f'inline; filename="{S01}.svg"'
    assert svg.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert svg.headers["cache-control"] == "no-store"
    large = api.client.get(f"/v1/invoices/{S01}/qr.png?size_mm=40", headers=api.issuer)
    assert Image.open(io.BytesIO(large.content)).width > Image.open(io.BytesIO(png.content)).width


@pytest.mark.parametrize("size", ["24.9", "200.1", "x", "nan", "inf", "-25", ""])
def test_a_code_that_no_phone_could_read_is_not_made(lite: Api, size: str) -> None:
    lite.register("S01")
    for suffix in ("svg", "png"):
        answer = lite.client.get(f"/v1/invoices/{S01}/qr.{suffix}?size_mm={size}", headers=lite.issuer)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


def test_codes_and_documents_are_the_issuers(lite: Api) -> None:
    lite.register("S01")
    lite.anchor()
    other = lite.key("issuer", "91310115MAXXXX031J")
    for what in ("qr.svg", "qr.png", "document.pdf"):
        path = f"/v1/invoices/{S01}/{what}"
        assert lite.client.get(path).status_code == 401
        assert lite.client.get(path, headers=lite.auditor).json()["code"] == "role_not_allowed"
        assert lite.client.get(path, headers=other).json()["code"] == "not_found"
        assert lite.client.get(f"/v1/invoices/26112999000000000099/{what}", headers=lite.issuer).status_code == 404


def test_a_document_waits_until_everything_is_final_and_then_proves_itself(api: Api) -> None:
    [said] = api.register("S01")
    for state in (None, "sealed", "broadcast", "mined"):
        if state == "sealed":
            api.anchor("sealed")
        elif state:
            api.move(state)
        for answer in (document(api), holders(api, said, **BUYER)):
            assert (answer.status_code, answer.json()["state"], answer.headers["retry-after"]) == (202, state or "pending", "5")
    api.move("final")
    first = document(api)
    assert first.headers["content-type"] == "application/pdf"
    assert first.content == document(api).content == holders(api, said, **BUYER).content
    report = verdict(api, first.content)
    assert (report.verdict, report.check("form").code) == ("valid", "carried.agrees")
    [proof] = read_pdf(first.content).proofs
    parsed = parse_proof(proof)
    assert isinstance(parsed, AnchoredProof)
    assert all(isinstance(section, Opened) for section in parsed.sections)
    text = words(first.content)
    fingerprint = commitment_to_text(bytes.fromhex(said["commitment"]))
    assert fingerprint[:16] in text
    assert fingerprint not in text
    api.client.post(f"/v1/invoices/{S01}/void", json={"reason": "开票有误"}, headers=api.issuer)
    assert document(api).status_code == 202  # no document says valid while that is on its way
    api.anchor()
    voided = document(api)
    assert "已作废" in words(voided.content)
    assert verdict(api, voided.content).verdict == "void"
    assert verdict(api, first.content).verdict == "stale"


def test_reversals_show_on_both_documents(lite: Api) -> None:
    lite.register("S01", "S06")
    lite.anchor()
    assert "部分红冲（截至" in words(document(lite).content)
    assert verdict(lite, document(lite).content).verdict == "partly_reversed"
    red = document(lite, S06)
    assert "¥-1060.00" in words(red.content)
    assert verdict(lite, red.content).verdict == "valid"


def test_a_replaced_copys_document_says_so(lite: Api) -> None:
    [said] = lite.register("S10")
    lite.anchor()
    old = document(lite, S10)
    reprint(lite.database, lite.context.keys, S10)
    assert document(lite, S10).status_code == 202
    lite.anchor()
    new = document(lite, S10)
    assert "补打第1次" in words(new.content)
    assert verdict(lite, new.content).verdict == "valid"
    replaced = holders(lite, said, **BUYER)
    assert replaced.status_code == 200
    assert "已被补打替换" in words(replaced.content)
    assert verdict(lite, replaced.content).verdict == "replaced"
    assert verdict(lite, old.content).verdict == "stale"


@pytest.mark.parametrize(
    ("given", "is_right"),
    [
        ({"buyer_tax_id": "91110105MAXXXX023T"}, True),
        ({"buyer_tax_id": " ９１１１０１０５maxxxx023t "}, True),
        ({"buyer_name": "北京样本数据科技有限公司"}, True),
        ({"buyer_name": "北京 样本数据科技有限公司　"}, True),
        ({"buyer_name": "北京样本数据科技有限公司", "buyer_tax_id": "91110105MAXXXX023T"}, True),
        ({"buyer_name": "北京样本数据科技有限公司", "buyer_tax_id": "91110108MAXXXX015B"}, False),
        ({"buyer_name": "北京"}, False),
        ({"buyer_name": "　"}, False),
        ({"buyer_tax_id": "91110108MAXXXX015B"}, False),
    ],
)
def test_who_knows_the_buyer(lite: Api, given: dict[str, str], is_right: bool) -> None:
    [said] = lite.register("S01")
    lite.anchor()
    answer = holders(lite, said, **given)
    if is_right:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"], answer.json()["tries_left"]) == (403, "buyer_differs", 4)
        assert "样本数据" not in answer.text


def test_a_buyer_without_tax_id_is_known_by_name_alone(lite: Api) -> None:
    [said] = lite.register("S03")
    lite.anchor()
    assert holders(lite, said, buyer_name="个人(张三)").status_code == 200
    assert holders(lite, said, buyer_tax_id="91110105MAXXXX023T").status_code == 403


def test_wrong_buyers_are_limited(api: Api) -> None:
    [said] = api.register("S01")
    api.anchor()
    for left in (4, 3, 2, 1, 0):
        assert holders(api, said, buyer_name="别人").json()["tries_left"] == left
    refused = holders(api, said, **BUYER)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_guesses")
    assert document(api).status_code == 200
    facts = {"number": S01, "issued_on": "2026-09-01", "amount_with_tax": "27232.82"}
    assert api.client.post("/v1/lookups", json=facts).json()["result"] == "match"  # counted apart


@pytest.mark.parametrize(
    "body",
    [
        {"commitment": "00" * 32, **BUYER},
        {"number": S03, **BUYER},
    ],
)
def test_who_has_no_copy_gets_nothing_and_guesses_nothing(lite: Api, body: dict[str, str]) -> None:
    [said] = lite.register("S01")
    lite.anchor()
    answer = lite.client.post("/v1/documents", json={"number": S01, "commitment": said["commitment"], **body})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_copy")
    with lite.database.read() as connection:
        assert connection.execute(wrong_guesses.select()).all() == []


@pytest.mark.parametrize(
    "buyer",
    [{}, {"buyer_name": ""}, {"buyer_tax_id": 1}, {"buyer_name": "x" * 401}, {"buyer": "x"}, {"buyer_name": "x", "x": 1}],
)
def test_bad_questions_are_pointed_at(lite: Api, buyer: dict[str, Any]) -> None:
    [said] = lite.register("S01")
    answer = holders(lite, said, **buyer)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["errors"]


def test_half_a_character_is_no_buyer(lite: Api) -> None:
    [said] = lite.register("S01")
    lite.anchor()
    body = json.dumps({"number": S01, "commitment": said["commitment"], "buyer_name": "\ud800"})
    answer = lite.client.post("/v1/documents", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (403, 422)


def test_hostile_fields_are_printed_as_they_are(lite: Api) -> None:
    sections = sections_of("S01")
    sections["notes"]["remark"] = '<script>alert(1)</script> #panic("x") $x$ @y \\ `z`'
    sections["buyer"]["name"] = "<img src=x onerror=alert(1)>"
    lite.submit(sections)
    lite.anchor()
    text = words(document(lite).content)
    assert '<script>alert(1)</script>#panic("x")$x$@y\\`z`' in text
    assert "<imgsrc=xonerror=alert(1)>" in text
