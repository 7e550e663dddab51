"""What desks ask and are answered beside invoices."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.examples import COPY, KEY, NUMBER, ROOT, ZERO
from service.api.models.answers import Answer, EntryKind, Hash, Time
from service.api.models.reconciling import FINDING, ReconciliationFinding
from service.api.models.requests import Date, Line, Request
from service.formats.sheets import Form

_TIME = "2026-11-25T08:26:40.000+00:00"
_PLAIN = r"[^\u0000-\u001f\u007f]"
_NAME = rf"^{_PLAIN}*[^\s\u0000-\u001f\u007f]{_PLAIN}*$"


class AnchorEntry(Answer):
    index: int
    kind: EntryKind
    number: Annotated[str | None, Field(description="Null for a note.")]
    recorded_at: Time
    copy_: Annotated[Hash, Field(alias="copy")]
    auth: Hash


class AnchorEntries(Answer):
    items: list[AnchorEntry]
    next_cursor: str | None


class SignedTransaction(Answer):
    """Of several with one nonce each replaces the one before: one alone can be mined."""

    hash: Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
    nonce: int
    max_fee_gwei: float
    tip_gwei: float
    signed_at: Time


class Delivered(Answer):
    consumer: str
    label: str | None
    at: Time


class AnchorTransactions(Answer):
    items: list[SignedTransaction]
    broadcast_at: Time | None
    final_at: Time | None
    final_block: Annotated[int | None, Field(description="The final block at which the contract was seen to hold it.")]
    final_block_hash: str | None
    delivered: Annotated[list[Delivered], Field(description="Who has said that the batch arrived.")]


class DifferenceRow(Answer):
    name: str
    expected: str | None
    here: str | None


class FindingView(Answer):
    """`side`: where `expected` is from: the contract, content that leads to its anchored copy, another record, stored leaves."""

    finding: ReconciliationFinding
    side: Literal["chain", "content", "theirs", "tiles"] | None
    rows: list[DifferenceRow]


class DayOfFigures(Answer):
    on: str
    invoices: int
    entries: int
    anchors: int


class Timing(Answer):
    """Seconds from the acceptance of an anchor's first entry until it was sealed, mined and seen final; null for a heartbeat."""

    seq: int
    size: int
    sealed_at: Time
    sealed_s: float | None
    mined_s: float | None
    final_s: float | None


class Sample(Answer):
    at: Time
    waiting: int


class Follower(Answer):
    """`behind` anchors that it lacks, the first of which has been final for `lag_s` seconds."""

    consumer: str
    label: str | None
    cursor: int
    behind: int
    lag_s: int
    acknowledged_at: Time


class Figures(Answer):
    daily: list[DayOfFigures]
    recent: list[Timing]
    backlog: list[Sample]
    followers: list[Follower]


class GapsQuestion(Request):
    seller: Annotated[Line, Field(description="Tax id.")]
    issued_from: Date | None = None
    issued_to: Date | None = None


class Gap(Answer):
    first: str
    last: str
    missing: int
    before: str
    after: str


class Series(Answer):
    prefix: str
    registered: int
    first: str
    last: str
    ranges: int
    missing: int
    gaps: list[Gap]


class Gaps(Answer):
    issued_from: str
    issued_to: str
    items: list[Series]


class FilterOrder(Request):
    page: Annotated[str, Field(pattern="^[a-z_]{1,32}$")]
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=_NAME)]
    criteria: Annotated[dict[str, Any], Field(max_length=50, description="Whatever the page makes of it.")]


class KeptFilter(Answer):
    id: int
    page: str
    name: str
    criteria: dict[str, Any]
    created_at: Time


class KeptFilters(Answer):
    items: list[KeptFilter]


class Forgotten(Answer):
    forgotten: Literal[True]


# Exports.


class ExportedActivity(Request):
    actor: Line | None = None
    action: Line | None = None
    object: Line | None = None
    since: Line | None = None
    until: Line | None = None


class ExportedFindings(Request):
    run: Annotated[int, Field(ge=1, le=2**53 - 1)]
    code: Line | None = None


class ExportedAnchors(Request):
    """All of them."""


class ExportOrder(Request):
    what: Literal["invoices", "anchors", "activity", "findings"]
    form: Form
    criteria: dict[str, Any] = {}


# Examples.

ENTRIES = {
    "items": [{"index": 0, "kind": "issue", "number": NUMBER, "recorded_at": _TIME, "copy": COPY, "auth": ZERO}],
    "next_cursor": "0",
}
TRANSACTIONS = {
    "items": [{"hash": "0x" + KEY, "nonce": 11, "max_fee_gwei": 2.5, "tip_gwei": 1.0, "signed_at": _TIME}],
    "broadcast_at": _TIME,
    "final_at": _TIME,
    "final_block": 4713,
    "final_block_hash": "0x" + ROOT,
    "delivered": [{"consumer": "k4m2xq7abc", "label": "总局", "at": _TIME}],
}
FINDING_VIEW = {
    "finding": FINDING,
    "side": "content",
    "rows": [{"name": "amount_fen", "expected": "32000", "here": "320000"}],
}
FIGURES = {
    "daily": [{"on": "2026-11-25", "invoices": 12_310, "entries": 12_402, "anchors": 820}],
    "recent": [{"seq": 12, "size": 1000, "sealed_at": _TIME, "sealed_s": 0.4, "mined_s": 2.1, "final_s": 14.8}],
    "backlog": [{"at": _TIME, "waiting": 3}],
    "followers": [{"consumer": "k4m2xq7abc", "label": "总局", "cursor": 11, "behind": 1, "lag_s": 4, "acknowledged_at": _TIME}],
}
GAPS_QUESTION = {"seller": "92110101MAXXXX04XG", "issued_from": "2026-01-01", "issued_to": "2026-11-25"}
GAPS = {
    "issued_from": "2026-01-01",
    "issued_to": "2026-11-25",
    "items": [
        {
            "prefix": "011002400111-",
            "registered": 98,
            "first": "011002400111-99000001",
            "last": "011002400111-99000100",
            "ranges": 1,
            "missing": 2,
            "gaps": [
                {
                    "first": "011002400111-99000007",
                    "last": "011002400111-99000008",
                    "missing": 2,
                    "before": "011002400111-99000006",
                    "after": "011002400111-99000009",
                }
            ],
        }
    ],
}
FILTER_ORDER = {"page": "invoices", "name": "大额未上链", "criteria": {"amount_from": "100000.00", "state": "pending"}}
FILTER = {"id": 4, **FILTER_ORDER, "created_at": _TIME}
EXPORT_ORDER = {"what": "invoices", "form": "xlsx", "criteria": {"issued_from": "2026-11-01", "q": "餐饮"}}
