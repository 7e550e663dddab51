"""Papers that carry proofs: the attachment and the code on the page must be one, and what was not compared is said."""

from typing import Any

import pytest

from tests.vector_files import anchors, proof_file
from verifier.carried import Carried, host_of, is_pdf, unread_carried, verify_carried
from verifier.errors import Malformed
from verifier.proof import parse_proof
from verifier.question import Question, parse_link
from verifier.report import Report
from verifier.transport import Answer
from verifier.verify import commitment_of_sections

HOME = "https://registry.example"
VALID = proof_file("valid")
PARSED = parse_proof(VALID)
NUMBER = PARSED.number
COPY = Question(NUMBER, commitment_of_sections(PARSED.sections))  # type: ignore[union-attr]
LINK = f"{HOME}/v#{COPY.to_text()}"
OTHER = Question(NUMBER, bytes(32))
VOID = proof_file("void")


def post(*_: object) -> Answer:
    raise AssertionError("nothing is to be fetched")


def check(carried: Carried, question: Question | None = None, **options: Any) -> Report:
    return verify_carried(carried, [anchors()], question, **{"post": post, "home": HOME, **options})


def pdf(*codes: str, proofs: tuple[bytes, ...] = (VALID,)) -> Carried:
    return Carried("pdf", proofs, codes)


def picture(*codes: str) -> Carried:
    return Carried("picture", (), codes)


def said(report: Report) -> tuple[str, str, str]:
    """Verdict, and the codes of the checks form and content."""
    return report.verdict, report.check("form").code, report.check("content").code


# The PDF and its page


def test_page_and_attachment_agree() -> None:
    report = check(pdf(LINK), file="a.pdf")
    assert said(report) == ("valid", "carried.agrees", "content.question")
    assert report.file == "a.pdf"
    assert "registry.example" in report.check("form").detail("zh")


def test_a_genuine_attachment_on_a_page_of_another_invoice_is_forged() -> None:
    for code, reason in (
        (Question("26112999000000000001", COPY.commitment), "carried.number_differs"),
        (OTHER, "carried.copy_differs"),
    ):
        assert said(check(pdf(f"{HOME}/v#{code.to_text()}"))) == ("forged", "form.anchored", reason)
    differs = check(pdf(f"{HOME}/v#{Question('26112999000000000001', bytes(32)).to_text()}"))
    assert "26112999000000000001" in differs.check("content").detail("en")
    assert NUMBER in differs.check("content").detail("en")


def test_without_a_code_the_page_was_not_compared_and_that_is_said() -> None:
    report = check(pdf()._replace(pages=5, of=9))
    assert said(report) == ("valid", "carried.no_code", "content.pass")
    assert "5" in report.check("form").detail("zh")
    assert "9" in report.check("form").detail("zh")
    assert said(check(Carried("pdf", (VALID,), None))) == ("valid", "carried.not_looked", "content.pass")


def test_the_tax_platforms_code_must_have_the_same_number() -> None:
    assert said(check(pdf(f"01,32,,{NUMBER},50000.00,20261009,,A1B2"))) == ("valid", "carried.official_agrees", "content.number")
    assert said(check(pdf(f"０１，３２，，{NUMBER}，５０００　，20261009，，"))) == (
        "valid",
        "carried.official_agrees",
        "content.number",
    )
    other = check(pdf("01,32,,26112999000000000001,50000.00,20261009,,A1B2"))
    assert said(other) == ("forged", "form.anchored", "carried.number_differs")
    legacy = check(pdf("01,10,011002400111,99000007,943.40,20240318,11058763070480854113,A1B2"))
    assert "011002400111-99000007" in legacy.check("content").detail("zh")
    both = check(pdf("01,32,,26112999000000000001,50000.00,20261009,,A1B2", LINK))
    assert said(both) == ("valid", "carried.agrees", "content.question")  # the registry's own code binds more


def test_what_the_person_asks_about_counts_beside_the_page() -> None:
    assert said(check(pdf(LINK), COPY))[0] == "valid"
    assert said(check(pdf(), OTHER))[0] == "forged"
    assert said(check(pdf(LINK), OTHER))[0] == "forged"
    assert said(check(pdf(f"{HOME}/v#{OTHER.to_text()}"), COPY)) == ("forged", "form.anchored", "carried.copy_differs")


def test_a_malformed_attachment_is_malformed() -> None:
    report = check(pdf(LINK, proofs=(b"{}",)))
    assert said(report)[:2] == ("malformed", "form.protocol")


def test_of_several_attachments_the_one_of_the_page_counts() -> None:
    assert said(check(pdf(LINK, proofs=(VOID, b"{}", VALID)))) == ("valid", "carried.agrees", "content.question")
    assert said(check(pdf(proofs=(VOID, VALID)))) == ("undecided", "carried.several_proofs", "skipped.form")
    assert said(check(pdf(f"{HOME}/v#{OTHER.to_text()}", proofs=(VOID, VALID))))[0] == "undecided"


def test_several_codes_of_different_copies_are_no_answer() -> None:
    assert said(check(pdf(LINK, f"{HOME}/v#{OTHER.to_text()}"))) == ("undecided", "carried.several_codes", "skipped.form")


# Codes of other sites


@pytest.mark.parametrize(
    "site",
    [
        "https://registry.exarnple",
        "https://registry.example.evil.example",
        "https://registry.example:8443",
        "http://registry.example",
        "https://rеgistry.example",  # a Cyrillic letter
        "https://registry.example/path",
        "https://127.0.0.1",
    ],
)
def test_a_code_of_another_host_names_that_host_and_decides_nothing(site: str) -> None:
    for carried in (pdf(f"{site}/v#{COPY.to_text()}"), picture(f"{site}/v#{COPY.to_text()}")):
        report = check(carried)
        assert said(report) == ("undecided", "carried.other_host", "skipped.form")
        detail = report.check("form").detail("zh")
        assert detail.isascii() is False
        assert host_of(site) in detail
        assert (site if host_of(site) == host_of(HOME) else HOME.removeprefix("https://")) in detail
    assert host_of("https://rеgistry.example").startswith("xn--")
    assert check(pdf(f"{site}/v#{COPY.to_text()}"), home=None).verdict == "valid"  # the command line has no home


def test_how_home_is_written_means_nothing() -> None:
    for home in ("https://Registry.Example", "https://registry.example/"):
        assert check(pdf(LINK), home=home).verdict == "valid"
    deep = f"https://registry.example/Deep/v#{COPY.to_text()}"
    assert check(pdf(deep), home="https://registry.example/Deep/").verdict == "valid"
    assert check(pdf(deep), home="https://registry.example/deep").verdict == "undecided"


def test_the_case_of_a_host_means_nothing() -> None:
    assert check(pdf(f"HTTPS://Registry.Example/v#{COPY.to_text()}")).verdict == "valid"


@pytest.mark.parametrize(
    "text",
    [
        f"https://registry.example@evil.example/v#{COPY.to_text()}",
        f"https://evil.example\\@registry.example/v#{COPY.to_text()}",
        f"https://registry.example/v?x=1#{COPY.to_text()}",
        f"https://registry.example/v#{COPY.to_text()} ",
        f"https://registry.example/v#{COPY.to_text()}\n",
        f"https://registry.example/v#{COPY.to_text()}#x",
        f"https://registry.example/v#{COPY.to_text().lower()}",
        f"https://registry.example/w#{COPY.to_text()}",
        f"https:///v#{COPY.to_text()}",
        f"javascript:alert(1)/v#{COPY.to_text()}",
        f"//registry.example/v#{COPY.to_text()}",
        COPY.to_text(),
        f"https://registry.example/v#{NUMBER}",
        "",
        "https://weixin.example/pay",
        "\x1b[31m\u202eevil",
    ],
)
def test_what_is_no_link_of_a_registry_is_none(text: str) -> None:
    with pytest.raises(Malformed):
        parse_link(text)
    report = check(picture(text))
    assert said(report) == ("malformed", "carried.other_code", "skipped.form")
    assert all(character.isprintable() for character in report.check("form").detail("en"))


# Nothing attached


def test_a_code_alone_fetches_its_proof() -> None:
    asked: list[bytes] = []

    def mirror(url: str, body: bytes, most: int) -> Answer:
        asked.append(body)
        return Answer(200, VALID)

    for carried in (picture(LINK), pdf(LINK, proofs=())):
        report = check(carried, mirrors=[HOME], post=mirror, file="photo.jpg")
        assert said(report) == ("valid", "carried.from_code", "content.question")
        assert report.file == "photo.jpg"
    assert all(COPY.commitment is not None and COPY.commitment.hex().encode() in body for body in asked)
    assert said(check(picture(LINK))) == ("undecided", "carried.code_alone", "skipped.form")
    nothing = check(picture(LINK), mirrors=[HOME], post=lambda *_: Answer(404, b""))
    assert said(nothing) == ("undecided", "fetched.none", "skipped.form")


def test_without_proof_and_code_it_is_no_proof() -> None:
    assert said(check(picture()))[:2] == ("malformed", "carried.nothing_in_picture")
    assert said(check(pdf(proofs=())))[:2] == ("malformed", "carried.nothing_in_pdf")
    official = check(picture("01,32,,26112999000000000010,50000.00,20261009,,A1B2"))
    assert said(official)[:2] == ("undecided", "carried.official_code")


@pytest.mark.parametrize(
    ("reason", "verdict"),
    [
        ("carried.pdf_unreadable", "malformed"),
        ("carried.pdf_encrypted", "malformed"),
        ("carried.picture_unreadable", "malformed"),
        ("carried.too_large", "undecided"),
        ("carried.too_many_pixels", "undecided"),
        ("carried.too_costly", "undecided"),
        ("carried.no_reader", "undecided"),
    ],
)
def test_what_was_too_much_accuses_nobody(reason: str, verdict: str) -> None:
    report = unread_carried(Malformed(reason, limit=1), "x.pdf")
    assert (report.verdict, report.file) == (verdict, "x.pdf")
    assert "{" not in report.check("form").detail("zh")


def test_a_pdf_is_told_by_its_head() -> None:
    assert is_pdf(b"%PDF-1.7\n")
    assert is_pdf(b"\n" * 1000 + b"%PDF-1.7\n")
    assert not is_pdf(b"\n" * 1024 + b"%PDF-1.7\n")
    assert not is_pdf(b' {"protocol":"%PDF-"}')
    assert not is_pdf(b"")
