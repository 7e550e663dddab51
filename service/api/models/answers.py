"""What is answered. Handlers write JSON straight; tests/integration/api.py holds every answer of every test to these schemas."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.auth.keys import Env, Role

Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Time = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
State = Literal["pending", "sealed", "broadcast", "mined", "final"]
Status = Literal["awaiting_approval", "valid", "void", "reversed", "partly_reversed", "released"]
EntryKind = Literal["issue", "void", "reverse", "reprint", "reverse_part", "note", "release"]


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Finding(Answer):
    """The pointer of a finding about content leads into the sections, that of any other error into the request's body."""

    pointer: str
    code: str
    severity: Literal["error", "warning"]
    detail: str


class Problem(BaseModel):
    """RFC 9457. `code` is fixed for machines, `detail` is a sentence in the language of Accept-Language (zh-CN, or en)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[Finding] = []


class Chain(Answer):
    chain_id: int
    contract: Annotated[str, Field(pattern="^0x[0-9a-f]{40}$")]


class Entry(Answer):
    """A log entry, as in a proof file."""

    kind: EntryKind
    recorded_at: Annotated[int, Field(description="ms since 1970 UTC")]
    key: Hash
    copy_: Annotated[Hash, Field(alias="copy")]
    other: Hash
    auth: Hash


class Receipt(Answer):
    """The signed promise to anchor the entry by the deadline (protocol.md section 6)."""

    key_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    deadline: Annotated[int, Field(description="ms since 1970 UTC")]
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]


class Registered(Answer):
    """With the sections that were sent it makes a complete pending proof file: sections[name] = {salt, value}, entry, receipt."""

    number: str
    chain: Chain
    commitment: Annotated[Hash, Field(description="It is in the QR code; whoever has it holds this copy.")]
    state: State
    entry: Entry
    salts: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{32}$")]]
    receipt: Receipt
    sections: Annotated[dict[str, Any], Field(description="Only those that differ from what was sent.")]
    findings: list[Finding]
    links: dict[str, str]


class Checked(Answer):
    """What registering would do now."""

    accepted: bool
    code: Annotated[str | None, Field(description="Of the problem that would refuse it.")]
    findings: list[Finding]
    sections: Annotated[dict[str, Any], Field(description="Only those that would be registered otherwise than they were sent.")]


class BatchLine(Answer):
    """The answer to one line; a bad line never harms another."""

    line: Annotated[int, Field(ge=1)]
    status: int
    result: Registered | None = None
    problem: Problem | None = None


class ImportQueued(Answer):
    id: str
    state: Literal["queued", "running", "done"]
    links: dict[str, str]


class ImportCounts(Answer):
    rows: int
    accepted: int
    refused: int


class ImportRow(Answer):
    """`problem` is null for a row that was registered, or would be in a dry run."""

    row: int
    file: str | None
    number: str | None
    problem: Problem | None
    findings: list[Finding]


class ImportJob(Answer):
    id: str
    file_name: str | None
    sha256: Hash
    profile: Literal["new", "as_issued"]
    dry_run: bool
    state: Literal["queued", "running", "done"]
    created_at: Time
    finished_at: Time | None
    counts: ImportCounts
    rows: list[ImportRow]
    next_cursor: str | None


class Party(Answer):
    name: str | None
    tax_id: str | None


class Found(Answer):
    number: str
    kind: str
    issued_on: str
    seller: Party
    buyer: Party
    amount_with_tax: str | None
    currency: str | None
    status: Status
    state: State
    accepted_at: Time
    external_id: str | None


class SearchIndex(Answer):
    """It holds every invoice up to place `index` of batch `seq`; `behind` entries are newer, counted up to 10,000."""

    seq: int
    index: int
    behind: int


class FoundPage(Answer):
    items: list[Found]
    next_cursor: str | None
    indexed: Annotated[SearchIndex | None, Field(description="Where `q` or `buyer` was given: how far the index is.")]


class Invoice(Answer):
    """`status` is of everything accepted, `state` how far the newest entry has come."""

    number: str
    status: Status
    state: State
    chain: Chain
    commitment: Annotated[Hash, Field(description="Of the current copy.")]
    sections: dict[str, Any]
    findings: list[Finding]
    profile: Literal["new", "as_issued"]
    external_id: str | None
    registered_at: Time
    links: dict[str, str]


class Hop(BaseModel):
    """`hop`: submitted, accepted, sealed, broadcast, mined, final, delivered, visible, restored; the rest is its evidence."""

    model_config = ConfigDict(extra="allow")

    hop: str
    at: Time


class TimelineEntry(Answer):
    kind: EntryKind
    state: State
    reason: str | None = None
    other_number: str | None = None
    hops: list[Hop]


class Timeline(Answer):
    number: str
    entries: list[TimelineEntry]


class Voided(Answer):
    number: str
    status: Status
    state: State
    entry: Entry
    receipt: Receipt
    links: dict[str, str]


class PendingAct(Answer):
    kind: EntryKind
    other_number: str | None = None


class Statement(Answer):
    """The service's own word, unproven. With `pending` nothing is green."""

    status: Status
    state: State
    current: Annotated[bool, Field(description="Whether this very copy is the current one.")]
    since: Time
    findings: Annotated[int, Field(ge=0, description="How many the rules had when it was registered.")]
    other_number: str | None = None
    pending: PendingAct | None = None


class NotPrintable(Answer):
    """Something about the number is accepted and not final: ask again after Retry-After seconds."""

    number: str
    state: State
    links: dict[str, str]


class AsOf(Answer):
    seq: int
    time: Annotated[int, Field(description="Seconds since 1970 UTC.")]


class Block(Answer):
    number: int | None
    hash: str
    time: int


class Source(Answer):
    kind: Literal["rpc", "anchors_file"]
    endpoints: list[str]
    block: Block | None


class Check(Answer):
    name: Literal["form", "trust", "content", "entry", "receipt", "inclusion", "register", "final", "newest", "current"]
    result: Literal["pass", "fail", "could_not_check", "not_applicable"]
    detail: str


class Report(Answer):
    """The report of protocol.md section 8, made by the service's own reader of the chain."""

    file: str | None
    verdict: Literal[
        "malformed",
        "forged",
        "undecided",
        "pending",
        "replaced",
        "void",
        "reversed",
        "released",
        "stale",
        "partly_reversed",
        "valid",
        "absent",
        "not_current",
        "registered",
    ]
    number: str | None
    disclosed: list[str]
    status: Status | None
    as_of: AsOf | None
    source: Source | None
    checks: list[Check]


class LookedUp(Answer):
    """Which of the facts differs is never told. `status` is the service's word, for a match alone; the proof is a proof file."""

    result: Literal["match", "mismatch", "not_registered", "not_yet_known"]
    number: str
    status: Status | None
    proof: dict[str, Any] | None
    tries_left: Annotated[int, Field(description="Wrong tries that this network has left today; a match does not count.")]


class Anchor(Answer):
    """`transaction` is null where several were signed, or none: the chain tells which one was mined."""

    seq: int
    log_root: Hash
    register_root: Hash
    size: int
    state: Literal["sealed", "broadcast", "mined", "final"]
    foreign: Annotated[bool, Field(description="Another anchorer took this seq; in replay it counts as empty.")]
    sealed_at: Time
    block: int | None
    block_at: Time | None
    transaction: str | None
    transactions: list[str]


class AnchorPage(Answer):
    items: list[Anchor]
    next_cursor: str | None


class Key(Answer):
    id: str
    prefix: Annotated[str, Field(description="How the key begins.")]
    env: Env
    role: Role
    bound: list[str]
    label: str
    created_at: Time
    revoked_at: Time | None


class CreatedKey(Key):
    key: Annotated[str | None, Field(description="Shown this once; null where the request was repeated.")]


class KeyPage(Answer):
    items: list[Key]
    next_cursor: str | None


class Trouble(Answer):
    code: str
    since: Time | None


class Relaxed(Answer):
    """A control that is not as strict as it can be."""

    code: str
    detail: str


class NodeStatus(Answer):
    """Of a query node: whom it follows, its newest proven batch, and how many the contract is ahead."""

    follows: str
    seq: int
    behind: int


class ServiceStatus(Answer):
    env: Literal["dev", "production"]
    chain: Chain
    head: int | None
    final_head: int | None
    final_block: int | None
    final_block_at: Time | None
    sealed_head: int | None
    lag_s: Annotated[int | None, Field(description="Age of the final block.")]
    backlog: int
    oldest_pending_s: int | None
    worker_seen_at: Time | None
    trouble: Trouble | None
    endpoints_left_out: Annotated[int, Field(description="Endpoints of the chain that said nothing when the worker last asked.")]
    promise_s: Annotated[int, Field(description="What a receipt promises now.")]
    incidents: dict[str, int]
    node: NodeStatus | None
    relaxed: list[Relaxed]
