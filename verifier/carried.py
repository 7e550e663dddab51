"""Papers that carry a proof instead of being one: a PDF with the proof file attached, a QR code on a page or in a picture.

The attachment is verified, and it must be that of the code on the page: a genuine attachment proves nothing about a page that it
does not belong to. What was not compared is said in the detail of the check *form*.
"""

import re
import unicodedata
from collections.abc import Sequence
from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from verifier.chain import ChainReader
from verifier.errors import Malformed, OtherProtocol
from verifier.proof import AnchoredProof, PendingProof, parse_proof
from verifier.question import Link, Question, parse_link
from verifier.report import Check, Report
from verifier.retrieve import renew, retrieve
from verifier.strict_json import shortened
from verifier.transport import Post
from verifier.verify import commitment_of_sections, unread, verify

MAX_FILE_BYTES = 32 * 1024 * 1024
_OFFICIAL = re.compile(r"01,[0-9]{2},((?:[0-9]{10}|[0-9]{12})?),([0-9]{8}|[0-9]{20}),.*")
"""The tax platform's own code (domain.md, "Carriers"): legacy code or nothing, number."""
_PDF = b"%PDF-"
_PDF_WITHIN = 1024  # ISO 32000-1 annex H.3.4.1: readers take the header anywhere in the first 1,024 bytes


class Carried(NamedTuple):
    """`proofs` are the attached files, `codes` the texts of the QR codes on the first `pages` of `of`; None: it cannot be drawn."""

    kind: Literal["pdf", "picture"]
    proofs: tuple[bytes, ...]
    codes: tuple[str, ...] | None
    pages: int = 1
    of: int = 1


def is_pdf(data: bytes) -> bool:
    """Whether it is to be read as one; a proof file may have the same words in it."""
    return _PDF in data[:_PDF_WITHIN] and data.lstrip()[:1] != b"{"


def verify_carried(
    carried: Carried,
    readers: Sequence[ChainReader],
    question: Question | None = None,
    *,
    mirrors: Sequence[str] = (),
    post: Post,
    home: str | None = None,
    file: str | None = None,
) -> Report:
    """Check what a paper carries, by the newest proof that is to be had about it.

    `home` is the registry that is asked: the code of another one is no question to it. None: whichever the code names.
    """
    links, others = _read_codes(carried.codes or ())
    foreign = next((link for link in links if home is not None and link.site != _site(home)), None)
    if foreign is not None and home is not None:
        host, own = host_of(foreign.site), host_of(home)
        if host == own:  # only how it is reached differs
            host, own = _printable(foreign.site), home
        return _unread("could_not_check", "carried.other_host", file, host=host, home=own)
    asked = list(dict.fromkeys(link.question for link in links))
    if len(asked) > 1:
        return _unread("could_not_check", "carried.several_codes", file, count=len(asked))
    code = asked[0] if asked else _official_question(others)
    host = host_of(links[0].site) if links else ""
    proof = _choose(carried.proofs, question or code)
    if proof is None and carried.proofs:
        return _unread("could_not_check", "carried.several_proofs", file, count=len(carried.proofs))
    if proof is None:
        return _by_code(carried, question or (code if links else None), host, others, readers, mirrors, post, file)
    report = verify(proof, readers, question or code, file=file)
    if question is not None and code is not None and report.verdict != "forged":
        report = verify(proof, readers, code, file=file)
    if code is not None and report.check("content").result == "fail":
        return _with_reason(report, code)
    report = renew(report, readers, mirrors, post, question or code)
    if carried.codes is None:
        return _with_form(report, "carried.not_looked")
    if code is None:
        return _with_form(report, "carried.no_code", pages=carried.pages, of=carried.of)
    return _with_form(report, "carried.agrees", host=host) if links else _with_form(report, "carried.official_agrees")


def unread_carried(error: Malformed, file: str | None = None) -> Report:
    """The report of what could not be read: it is no proof, unless it was only too much."""
    too_much = error.reason in ("carried.too_large", "carried.too_many_pixels", "carried.too_costly", "carried.no_reader")
    return _unread("could_not_check" if too_much else "fail", error.reason, file, **error.details)


def host_of(site: str) -> str:
    """A host as it may be shown: in ASCII, so that no letter of another alphabet looks like one of ours."""
    host = urlsplit(site).netloc
    try:
        return host.encode("idna").decode()[:100]
    except UnicodeError:
        return shortened(host)


def _site(url: str) -> str:
    """As parse_link gives it."""
    scheme, host, path, *_ = urlsplit(url)
    return f"{scheme}://{host}".lower() + path.rstrip("/")


def _by_code(
    carried: Carried,
    question: Question | None,
    host: str,
    others: Sequence[str],
    readers: Sequence[ChainReader],
    mirrors: Sequence[str],
    post: Post,
    file: str | None,
) -> Report:
    """Nothing is attached: the code says which proof to fetch."""
    if question is not None and mirrors:
        found = retrieve(question, readers, mirrors, post)._replace(file=file)
        return _with_form(found, "carried.from_code", host=host) if host else found
    if question is not None:
        return _unread("could_not_check", "carried.code_alone", file)
    if _official_question(others):
        return _unread("could_not_check", "carried.official_code", file)
    if others:
        return _unread("fail", "carried.other_code", file, text=_printable(others[0]))
    if carried.kind == "pdf":
        return _unread("fail", "carried.nothing_in_pdf", file, pages=carried.pages, of=carried.of)
    return _unread("fail", "carried.nothing_in_picture", file)


def _read_codes(codes: Sequence[str]) -> tuple[list[Link], list[str]]:
    links, others = [], []
    for text in codes:
        try:
            links.append(parse_link(text))
        except Malformed:
            others.append(text)
    return links, others


def _official_question(codes: Sequence[str]) -> Question | None:
    """What the tax platform's code on a page asks about: the number alone, of which the register has one spelling."""
    for text in codes:
        found = _OFFICIAL.fullmatch("".join(unicodedata.normalize("NFKC", text[:256]).split()))
        if found and bool(found[1]) == (len(found[2]) == 8):
            return Question(f"{found[1]}-{found[2]}" if found[1] else found[2], None)
    return None


def _choose(proofs: Sequence[bytes], question: Question | None) -> bytes | None:
    """The one that there is; of several the one that is asked about, if it is one."""
    if len(proofs) < 2:
        return proofs[0] if proofs else None
    answering = [proof for proof in proofs if question is not None and _answers(proof, question)]
    return answering[0] if len(answering) == 1 else None


def _answers(proof: bytes, question: Question) -> bool:
    try:
        parsed = parse_proof(proof)
    except (Malformed, OtherProtocol):
        return False
    if parsed.number != question.number or not isinstance(parsed, AnchoredProof | PendingProof):
        return False
    return question.commitment in (None, commitment_of_sections(parsed.sections))


def _with_form(report: Report, code: str, **params: object) -> Report:
    """What was and was not compared, where the proof file itself is well formed."""
    first, *rest = report.checks
    return report._replace(checks=(first._replace(code=code, params=params), *rest)) if first.result == "pass" else report


def _with_reason(report: Report, asked: Question) -> Report:
    """Where page and attachment disagree, in those words."""
    checks = list(report.checks)
    at = [check.name for check in checks].index("content")
    if checks[at].code == "content.question_number":
        checks[at] = checks[at]._replace(code="carried.number_differs", params={"asked": asked.number, "number": report.number})
    elif checks[at].code == "content.question_commitment":
        checks[at] = checks[at]._replace(code="carried.copy_differs", params={})
    return report._replace(checks=tuple(checks))


def _unread(result: Literal["fail", "could_not_check"], code: str, file: str | None, **params: object) -> Report:
    return unread(Check("form", result, code, params), file)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text[:100])
