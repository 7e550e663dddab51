"""What the asker shows, read and judged by itself: facts, the code of a copy, a proof file, an acknowledgement."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from service.diagnosis.case import Material
from service.errors import Finding, Refused
from service.invoices.lookups import Asked
from service.ledger.receipts import Receipt
from verifier.carried import Carried
from verifier.chain import ChainReader
from verifier.commitment import copy_of
from verifier.entry import Entry, Kind, number_key
from verifier.errors import Malformed
from verifier.fields import Chain
from verifier.proof import MAX_BYTES, AnchoredProof, Opened, PendingProof
from verifier.question import Question, parse_link
from verifier.receipt import is_signed, receipt_message
from verifier.report import Report
from verifier.verify import verify

Flaw = Literal["forged", "foreign"]

_CHAIN_UNREAD = ("inclusion", "register", "final")


class Shown(NamedTuple):
    """`key` is that of `number`, which a receipt alone does not tell. `receipt` is one that we signed for `entry`.

    `is_anchored`: the chain bears out that `entry` is in an anchored batch; None: that could not be read now.
    """

    material: Material
    key: bytes
    number: str | None = None
    asked: Asked | None = None
    copy: bytes | None = None
    entry: Entry | None = None
    receipt: Receipt | None = None
    flaw: Flaw | None = None
    is_anchored: bool | None = False
    has_content: bool = False
    report: Report | None = None


def facts(asked: Asked, commitment: bytes | None) -> Shown:
    """What a person typed."""
    return Shown("facts", number_key(asked.number), asked.number, asked, None if commitment is None else copy_of(commitment))


def code(question: Question) -> Shown:
    """What a QR code says."""
    copy = None if question.commitment is None else copy_of(question.commitment)
    return Shown("code", number_key(question.number), question.number, None, copy)


def proof(data: bytes, reader: ChainReader) -> Shown:
    """A proof file, by the verifier's own recipe. Raises Refused("not_a_proof") for what is none."""
    if len(data) > MAX_BYTES:
        raise Refused("not_a_proof")
    report = verify(data, [reader])
    if report.verdict == "malformed":
        check = report.checks[0]
        pointer = str(check.params.get("pointer", ""))
        raise Refused("not_a_proof", findings=[Finding("not_a_proof", "error", pointer)])
    proven = report.proof
    if proven is None:  # of another protocol
        return Shown("proof", b"", flaw="foreign", report=report)
    number, key = proven.number, number_key(proven.number)
    flaw: Flaw | None = None
    if report.verdict == "forged":
        flaw = "forged"
    elif report.check("trust").result == "fail":
        flaw = "foreign"
    if not isinstance(proven, AnchoredProof | PendingProof):
        return Shown("code", key, number, flaw=flaw, report=report)
    receipt = None
    if proven.receipt is not None and report.check("receipt").result == "pass":
        receipt = Receipt(bytes.fromhex(proven.receipt.key_id), proven.receipt.deadline, proven.receipt.signature)
    anchored = isinstance(proven, AnchoredProof)
    return Shown(
        "proof" if anchored or receipt is not None else "code",
        key,
        number,
        None,
        proven.entry.copy,
        proven.entry,
        receipt,
        flaw,
        _is_anchored(report) if anchored else False,
        any(isinstance(section, Opened) for section in proven.sections),
        report,
    )


def _is_anchored(report: Report) -> bool | None:
    if any(report.check(name).result == "could_not_check" for name in _CHAIN_UNREAD):
        return None
    return report.check("inclusion").result == "pass" and report.check("final").result == "pass"


def carried(paper: Carried) -> bytes | Question:
    """What a PDF or a picture of this registry's code shows: the proof file that is attached, or what its code asks.

    Raises Refused("not_a_proof") where it carries neither, or several.
    """
    if len(paper.proofs) == 1:
        return paper.proofs[0]
    asked = set()
    for text in paper.codes or ():
        try:
            asked.add(parse_link(text).question)
        except Malformed:
            continue
    if paper.proofs or len(asked) != 1:
        raise Refused("not_a_proof")
    return asked.pop()


def acknowledgement(
    entry: Entry,
    receipt: Receipt,
    chain: Chain | None,
    number: str | None,
    commitment: bytes | None,
    *,
    ours: Chain,
    keys: Mapping[str, bytes],
) -> Shown:
    """What `POST /v1/invoices` or a void was answered with; `keys` are our public keys by key id.

    The entry and its deadline are signed; number and commitment are ours only if they lead to the entry.
    """
    read = Shown("receipt", entry.key, number, entry=entry, receipt=receipt)
    public = keys.get(receipt.key_id.hex())
    if (chain is not None and chain != ours) or public is None:
        return read._replace(flaw="foreign", receipt=None)
    message = receipt_message(ours.chain_id, ours.contract, entry.encode(), receipt.deadline)
    fits = (number is None or number_key(number) == entry.key) and (commitment is None or copy_of(commitment) == entry.copy)
    if not fits or not is_signed(public, receipt.signature, message):
        return read._replace(flaw="forged", receipt=None)
    is_copy = entry.kind in (Kind.ISSUE, Kind.REPRINT)
    return read._replace(copy=entry.copy if is_copy else None)
