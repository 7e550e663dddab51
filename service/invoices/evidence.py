"""Evidence about an invoice, as a zip that verifies on a machine that has nothing of ours (api.md, `GET /v1/evidence/{number}`)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson
from sqlalchemy import Connection, func, select

from service.errors import Refused
from service.invoices import proofs, reading
from service.invoices.issued import entry_members, receipt_members
from service.invoices.proofs import NotProven
from service.invoices.reading import Record
from service.ledger.entries import Stored
from service.ledger.tables import batches, outbox, transactions
from verifier.anchors import Anchors
from verifier.chain import Anchor
from verifier.commitment import SECTIONS
from verifier.entry import Kind
from verifier.fields import Chain
from verifier.messages import Language, verdict_title
from verifier.proof import SUFFIX, AnchoredProof, PendingProof
from verifier.summary import summary
from verifier.verify import verify

ANCHORS = "anchors.json"
VERIFIER = "zhengpiao-verify.html"
_READMES: dict[Language, str] = {"zh": "README.zh-CN.txt", "en": "README.en.txt"}
_TEMPLATES: dict[Language, str] = {"zh": "evidence.zh-CN.txt", "en": "evidence.en.txt"}
_SAID: dict[str, tuple[str, str]] = {
    "proof": ("现行一份的证明文件", "the proof file of the current copy"),
    "older": ("以前一份的证明文件（已被替换）", "the proof file of an older copy, which was replaced"),
    "anchors": ("区块链上的存证", "what the chain holds"),
    "timeline": ("登记、封存、上链的经过", "how it was registered, sealed and anchored"),
    "receipt": ("登记簿签发的受理回执", "the receipt that the registry signed"),
    "verifier": ("核验器，一个网页文件", "the verifier, one page"),
}


class Evidence(NamedTuple):
    """`verdict` is what the verifier will say of the current copy, `head` the anchor that it is as of."""

    file_name: str
    data: bytes
    verdict: str
    head: int


class _Held(NamedTuple):
    """An anchor as we saw it on chain: block, and the transactions that were signed for it."""

    seq: int
    anchor: Anchor
    block: int
    transactions: list[str]


def make(
    connection: Connection,
    chain: Chain,
    public_keys: Mapping[str, bytes],
    record: Record,
    public_url: str,
    now_ms: int,
    timeline: Sequence[dict[str, Any]] | None = None,
) -> Evidence:
    """`timeline` as diagnosis/custody.py makes it, which knows of central records; else as far as the chain.

    Raises Refused and Unavailable as proofs do, and NotProven where the verifier would not confirm what is handed out."""
    name = record.number.replace(":", "_")
    made = _proofs(connection, chain, record)
    head = connection.scalar(select(func.max(outbox.c.seq)).where(outbox.c.state == "final")) or 0
    held = _held(connection, sorted({head, *(seq for proof in made.values() for seq in _seqs(proof))} - {0}))
    anchors = Anchors(chain, public_keys, head, {one.seq: one.anchor for one in held}, (ANCHORS,))
    current, *older = made.items()
    proof_name = f"{name}{SUFFIX}"
    report = verify(current[1].to_json(), [anchors], file=proof_name)
    if report.verdict in ("forged", "malformed"):
        raise NotProven(f"the evidence about entry {current[0].id} would be called {report.verdict}")
    contents = {proof_name: current[1].to_json()}
    said = {proof_name: "proof"}
    for stored, proof in older:
        old_name = f"{name}.{stored.entry.copy.hex()[:8]}{SUFFIX}"
        contents[old_name], said[old_name] = proof.to_json(), "older"
    contents[ANCHORS], said[ANCHORS] = anchors.to_json(), "anchors"
    story = {
        "number": record.number,
        "status": record.status,
        "entries": reading.timeline(connection, record) if timeline is None else timeline,
    }
    contents["timeline.json"], said["timeline.json"] = _pretty(story), "timeline"
    contents["receipt.json"], said["receipt.json"] = _pretty(_receipt(connection, chain, record)), "receipt"
    contents[VERIFIER], said[VERIFIER] = (files("verifier") / "web" / VERIFIER).read_bytes(), "verifier"
    for language, readme in _READMES.items():
        facts = {
            "number": record.number,
            "host": urlsplit(public_url).netloc,
            "made_at": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(" ", "seconds")[:19],
            "proof": proof_name,
            "word": verdict_title(report.verdict, language),
            "summary": "\n".join(f"    {line}" for line in summary(report, language).splitlines()),
            "chain_id": str(chain.chain_id),
            "contract": "0x" + chain.contract.hex(),
            "head": str(head),
            "anchors": "\n\n".join(map(_anchor_lines, held)),
            "files": "\n".join(f"{file:<{_WIDTH}}{_SAID[key][language == 'en']}" for file, key in said.items()),
        }
        template = (files("service") / "formats" / "templates" / _TEMPLATES[language]).read_text(encoding="utf-8")
        contents[readme] = template.format_map(facts).encode()
    return Evidence(f"evidence-{name}.zip", _zip(contents, now_ms), report.verdict, head)


_WIDTH = 44


def _proofs(connection: Connection, chain: Chain, record: Record) -> dict[Stored, AnchoredProof | PendingProof]:
    """Of every copy whose content is here, the current one first."""
    current = record.current()
    made = {current: proofs.of_copy(connection, chain, record, current, SECTIONS)}
    issue = record.invoice.id
    for stored in reversed(record.stored):
        if stored.entry.kind in (Kind.ISSUE, Kind.REPRINT) and stored != current and stored.id >= issue:
            try:
                made[stored] = proofs.of_copy(connection, chain, record, stored, SECTIONS)
            except Refused as refused:
                if refused.code != "content_lost":
                    raise
    return made


def _seqs(proof: AnchoredProof | PendingProof) -> list[int]:
    return [proof.inclusion.seq, proof.register.seq] if isinstance(proof, AnchoredProof) else []


def _held(connection: Connection, seqs: list[int]) -> list[_Held]:
    query = select(batches, outbox.c.block_number, outbox.c.block_time).join(outbox, outbox.c.seq == batches.c.seq)
    signed = select(transactions.c.seq, transactions.c.hash).where(transactions.c.seq.in_(seqs)).order_by(transactions.c.signed_at)
    hashes = connection.execute(signed).all()
    return [
        _Held(
            row.seq,
            Anchor(row.log_root, row.register_root, row.size, row.block_time, True),
            row.block_number,
            ["0x" + hash_.hex() for seq, hash_ in hashes if seq == row.seq],
        )
        for row in connection.execute(query.where(batches.c.seq.in_(seqs)).order_by(batches.c.seq))
    ]


def _anchor_lines(held: _Held) -> str:
    time = datetime.fromtimestamp(held.anchor.time, UTC).isoformat(" ")[:19]
    lines = [
        f"seq           {held.seq}",
        f"logRoot       0x{held.anchor.log_root.hex()}",
        f"size          {held.anchor.size}",
        f"registerRoot  0x{held.anchor.register_root.hex()}",
        f"block         {held.block}  ({time} UTC)",
        *(f"transaction   {hash_}" for hash_ in held.transactions),
    ]
    return "\n".join(f"    {line}" for line in lines)


def _receipt(connection: Connection, chain: Chain, record: Record) -> dict[str, Any]:
    """As its issuer was answered: what a diagnosis takes."""
    made_by = record.current()
    return {
        "chain": chain.to_members(),
        "number": record.number,
        "commitment": reading.read_copy(connection, made_by.id).commitment().hex(),
        "entry": entry_members(made_by.entry),
        "receipt": receipt_members(made_by.receipt),
    }


def _pretty(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _zip(contents: Mapping[str, bytes], now_ms: int) -> bytes:
    sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(contents.items()))
    readmes = {name: contents[name] for name in _READMES.values()}
    written = BytesIO()
    moment = datetime.fromtimestamp(now_ms / 1000, UTC)
    with ZipFile(written, "w", ZIP_DEFLATED) as archive:
        for name, data in {**readmes, **contents, "SHA256SUMS": sums.encode()}.items():
            info = ZipInfo(name, moment.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return written.getvalue()
