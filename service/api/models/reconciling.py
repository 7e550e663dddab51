"""What auditors send and are answered about reconciliations."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.models.answers import Answer, Hash, Time
from service.api.models.requests import Request
from service.reconciliation.findings import Code


class ReconciliationOrder(Request):
    kind: Literal["store", "node"] = "store"
    node: Annotated[str | None, Field(max_length=200, description="URL of a node, as in the settings.")] = None


class ReconciledBlock(Answer):
    """The finalised block as of which everything was compared."""

    number: int | None
    hash: Annotated[str, Field(pattern="^0x[0-9a-f]{64}$")]
    time: Annotated[int, Field(description="s since 1970 UTC")]


class Reconciliation(Answer):
    """`matches` is null until the run is done, and where the chain or the node could not be read: `problem` says why."""

    id: int
    kind: Literal["store", "record", "node"]
    source: str | None
    state: Literal["queued", "running", "done", "failed"]
    created_at: Time
    finished_at: Time | None
    seq: Annotated[int | None, Field(description="The newest final anchor at that block.")]
    block: ReconciledBlock | None
    total: Annotated[int, Field(description="Records to look at, each once in every pass: an estimate until it is done.")]
    done: int
    matches: bool | None
    counts: Annotated[dict[Code, int], Field(description="Findings by code.")]
    problem: dict[str, Any] | None
    links: dict[str, str]


class ReconciliationPage(Answer):
    items: list[Reconciliation]
    next_cursor: str | None


class ReconciliationFinding(Answer):
    """Names its record as exactly as what is left allows: number and section or column, else key, place in a batch, or batch."""

    id: int
    code: Code
    place: Annotated[str | None, Field(description="Section, table.column, or for an external record the fields.")]
    number: str | None
    key: Hash | None
    seq: int | None
    index: int | None
    detail: dict[str, Any]
    state: Literal["open", "resolved"]
    repaired: Annotated[bool, Field(description="It was queued again by the run that found it.")]
    first_run: int
    last_run: int
    found_at: Time
    resolved_at: Time | None


class ReconciliationFindingPage(Answer):
    items: list[ReconciliationFinding]
    next_cursor: str | None


RUN: dict[str, Any] = {
    "id": 3,
    "kind": "store",
    "source": None,
    "state": "done",
    "created_at": "2026-11-25T02:00:00.000+00:00",
    "finished_at": "2026-11-25T02:00:31.500+00:00",
    "seq": 812,
    "block": {"number": 19_204, "hash": "0x" + "5c" * 32, "time": 1_795_600_000},
    "total": 300_000,
    "done": 300_000,
    "matches": False,
    "counts": {"altered": 1},
    "problem": None,
    "links": {"self": "/v1/reconciliations/3", "findings": "/v1/reconciliations/3/findings"},
}
FINDING: dict[str, Any] = {
    "id": 7,
    "code": "altered",
    "place": "totals",
    "number": "26112999000000000003",
    "key": "4c1f0e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1",
    "seq": 12,
    "index": 17,
    "detail": {"told_by": "mirror"},
    "state": "open",
    "repaired": False,
    "first_run": 3,
    "last_run": 3,
    "found_at": "2026-11-25T02:00:12.000+00:00",
    "resolved_at": None,
}
