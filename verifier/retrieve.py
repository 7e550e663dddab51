"""Proofs that are fetched, and what they decide (last paragraphs of protocol.md section 8).

Whatever a mirror sends is material that nobody presented: where it fails one of the checks 1 to 7, that says something about the
mirror and nothing about the paper. The service is asked as a mirror is; it alone knows of what is accepted and not anchored.
"""

from collections.abc import Sequence

import orjson

from verifier.chain import ChainReader
from verifier.errors import ChainUnavailable, Malformed, OtherProtocol, Unreachable
from verifier.proof import MAX_BYTES, AnchoredProof, PendingProof, parse_proof
from verifier.question import Question
from verifier.report import Check, Report
from verifier.transport import Post, origin
from verifier.verify import commitment_of_sections, unread, verify, verify_proof

_NOTHING, _UNDECIDED, _OLD, _DENIED, _PENDING, _DECIDED = range(6)


def retrieve(question: Question, readers: Sequence[ChainReader], mirrors: Sequence[str], post: Post) -> Report:
    """Nothing was presented: what the mirrors can prove about a number, or about one copy of it.

    *Absent* and *not current* are answers that a mirror can give in good faith about what was accepted since: every other one is
    asked before.
    """
    best = unread(Check("form", "could_not_check", "fetched.nothing"))
    head = _head(readers)
    for mirror in mirrors:
        material = _fetch(question, head, mirror, post)
        found = (
            unread(material)
            if isinstance(material, Check)
            else _as_fetched(verify(material, readers, question, file=origin(mirror)))
        )
        if best.checks[0].code == "fetched.nothing" or _rank(found) > _rank(best):
            best = found
        if _rank(found) == _DECIDED:
            break
    return best


def renew(
    report: Report, readers: Sequence[ChainReader], mirrors: Sequence[str], post: Post, question: Question | None = None
) -> Report:
    """A file was presented, and does not say how things are now: the report by the newest proof that is to be had about it.

    The paper's own content, entry and receipt stay; only its place in log and register is the fetched one's. `report` itself where
    that is as new as can be, or false.
    """
    proof = report.proof
    if proof is None or not mirrors or not _is_outdated(report):
        return report
    if not isinstance(proof, AnchoredProof | PendingProof):
        found = retrieve(question or Question(proof.number, None), readers, mirrors, post)
        return found._replace(file=report.file) if _rank(found) > _rank(report) else report
    head = _head(readers)
    if head is None:  # what is fetched could not be checked either
        return report
    best = report
    wanted = Question(proof.number, commitment_of_sections(proof.sections))
    for mirror in mirrors:
        newer = _anchored(_fetch(wanted, head, mirror, post))
        if newer is None or newer.register.seq <= _seq(best):
            continue
        renewed = AnchoredProof(*proof[:4], newer.inclusion, newer.register, newer.state)
        found = _as_fetched(verify_proof(renewed, readers, question, file=report.file))
        if _rank(found) > _UNDECIDED:
            best = found
        if _rank(found) == _DECIDED:
            break
    return best


def _fetch(question: Question, seq: int | None, mirror: str, post: Post) -> bytes | Check:
    """The proof file that a mirror gives at head, or else at the newest anchor that it has; or why there is none."""
    url = mirror.rstrip("/") + "/v1/proofs"
    body: dict[str, object] = {"number": question.number}
    if question.commitment is not None:
        body["commitment"] = question.commitment.hex()
    at_head = {} if seq is None else {"seq": seq}
    try:
        status, material = post(url, orjson.dumps(body | at_head), MAX_BYTES)
        if at_head and status in (400, 404, 410, 422):
            status, material = post(url, orjson.dumps(body), MAX_BYTES)
    except Unreachable as error:
        code = "fetched.timeout" if error.timed_out else "fetched.unreachable"
        return Check("form", "could_not_check", code, {"mirror": origin(mirror)})
    if status == 200:
        return material
    code = {404: "fetched.none", 409: "fetched.not_yet_known"}.get(status, "fetched.refused")
    return Check("form", "could_not_check", code, {"mirror": origin(mirror), "status_code": status})


def _anchored(material: bytes | Check) -> AnchoredProof | None:
    if isinstance(material, Check):
        return None
    try:
        proof = parse_proof(material)
    except (Malformed, OtherProtocol):
        return None
    return proof if isinstance(proof, AnchoredProof) else None


def _as_fetched(report: Report) -> Report:
    """A failure of 1 to 7 is could-not-check: a bad mirror must not brand a genuine paper."""
    if all(check.result != "fail" for check in report.checks[:7]):
        return report
    checks = [check._replace(result="could_not_check") if check.result == "fail" else check for check in report.checks[:7]]
    return report._replace(verdict="undecided", checks=(*checks, *report.checks[7:]), status=None, as_of=None)


def _is_outdated(report: Report) -> bool:
    """It is about a contract that can be read, and its head may say otherwise."""
    if report.verdict == "forged" or report.check("trust").result != "pass":
        return False
    return report.check("newest").code != "newest.pass" or report.check("final").result != "pass"


def _rank(report: Report) -> int:
    """How much a report settles."""
    if report.verdict == "pending" or report.checks[0].code == "fetched.not_yet_known":
        return _PENDING
    if report.proof is None:
        return _NOTHING
    if report.verdict == "undecided":
        return _UNDECIDED
    if report.check("newest").result != "pass":
        return _OLD
    return _DENIED if report.verdict in ("absent", "not_current") else _DECIDED


def _seq(report: Report) -> int:
    """The final anchor whose register the report is about; 0 where there is none yet."""
    return report.proof.register.seq if isinstance(report.proof, AnchoredProof) and report.verdict != "pending" else 0


def _head(readers: Sequence[ChainReader]) -> int | None:
    """The seq at which a proof is asked for."""
    if len(readers) != 1:
        return None
    try:
        return readers[0].read(()).head
    except ChainUnavailable:
        return None
