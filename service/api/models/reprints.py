"""What is sent and answered about reprint cases: opening, applying, codes, review, the queue and statistics."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api.models.answers import Answer, Hash, Time
from service.api.models.answers import State as InvoiceState
from service.api.models.diagnosing import Diagnosis
from service.api.models.requests import Request
from service.api.models.staff import Reason
from service.diagnosis.case import HopName
from service.diagnosis.rules import Responsible, Verdict
from service.reprints.applying import CaseKind, CaseLanguage, Channel, Delivery
from service.reprints.fees import Decision as FeeDecision
from service.reprints.fees import FeeKind
from service.reprints.materials import MaterialType
from service.reprints.reviewing import Decision
from service.reprints.transitions import Event
from service.reprints.transitions import State as CaseState

_NO_CONTROL = "\\u0000-\\u001f\\u007f"
_MANY_LINES = "\\u0000-\\u0009\\u000b\\u000c\\u000e-\\u001f\\u007f"
CASE_ID_PATTERN = "^R[0-9]{6}-[0-9A-HJKMNP-TV-Z]{8}$"

CaseId = Annotated[str, Field(pattern=CASE_ID_PATTERN, examples=["R261125-7K3M9QXA"])]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=f"^[^{_NO_CONTROL}]*[^\\s{_NO_CONTROL}][^{_NO_CONTROL}]*$")]
_Lines = Annotated[str, Field(min_length=1, max_length=500, pattern=f"^[^{_MANY_LINES}]*[^\\s{_MANY_LINES}][^{_MANY_LINES}]*$")]
By = Literal["applicant", "reviewer", "system"]
OwedBy = Literal["applicant", "reviewer", "system", "issuer", "nobody"]
Step = Annotated[int, Field(ge=1, le=5, description="1 confirm, 2 apply, 3 materials, 4 review, 5 completion.")]


# What is sent.


class ContactGiven(Request):
    channel: Channel
    address: Annotated[str, Field(min_length=1, max_length=254, description="An e-mail address, or a mobile number of 11 digits.")]


class QuietHours(Request):
    """In which nothing is sent but codes: Beijing time."""

    start: Annotated[str, Field(pattern="^[0-2][0-9]:[0-5][0-9]$")]
    end: Annotated[str, Field(pattern="^[0-2][0-9]:[0-5][0-9]$")]


class NoticeChoice(Request):
    """By which channels an applicant wants to be told, each with its address where that is not the contact's; when not."""

    channels: Annotated[list[Channel], Field(max_length=2)]
    email: Annotated[str | None, Field(max_length=254)] = None
    sms: Annotated[str | None, Field(max_length=254)] = None
    quiet_hours: QuietHours | None = None


class ApplicationOrder(Request):
    """Step 2. `company`: for whom, where the applicant does not apply for themselves."""

    kind: CaseKind
    reason: _Lines
    delivery: Delivery
    name: Name
    company: Annotated[str, Field(max_length=100, pattern=f"^[^{_NO_CONTROL}]*$")] = ""
    contact: ContactGiven
    language: CaseLanguage = "zh-CN"
    notices: Annotated[NoticeChoice | None, Field(description="By the contact's channel alone, and not at night, if left out.")] = (
        None
    )


class CodeOrder(Request):
    """Nothing: the code goes to the contact that the case has."""


class CodeGiven(Request):
    code: Annotated[str, Field(pattern="^[0-9]{6}$", description="Six digits, as they came to the contact.")]


class Submission(Request):
    """Nothing: the materials are there already."""


class Cancellation(Request):
    reason: Reason | None = None


class ReviewOrder(Request):
    """`shown` is what `GET …/review` answered, for an approval. `reason` is told to the applicant; a return or rejection needs one.

    `fee`: of the first approval, where the evidence leaves it open; with a reason.
    """

    decision: Decision
    reason: Reason | None = None
    shown: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    fee: FeeDecision | None = None


# What is answered.


class Fee(Answer):
    """`rests_on` is the hop of the diagnosis whose evidence decides; `reason` is the reviewer's, where one decided."""

    kind: FeeKind
    amount: Annotated[str | None, Field(description="Null unless charged.")]
    currency: Literal["CNY"]
    rests_on: HopName
    decided_by: Annotated[Literal["evidence", "reviewer"] | None, Field(description="Null while it is undetermined.")]
    reason: str | None
    state: Literal["none", "due", "paid", "refund_due", "refunded"]


class Contact(Answer):
    channel: Channel
    address: str


class Application(Answer):
    kind: CaseKind
    reason: str
    delivery: Delivery
    name: str
    company: str
    contact: Contact
    language: CaseLanguage


class MaterialNeeded(Answer):
    type: MaterialType
    required: bool
    formats: list[str]
    max_bytes: int
    max_pages: int


class Material(Answer):
    id: str
    type: MaterialType
    pages: int
    size: Annotated[int, Field(description="Bytes of the file that was sent.")]
    uploaded_at: Time


class Materials(Answer):
    needed: list[MaterialNeeded]
    items: list[Material]


class Happened(Answer):
    """`by_name` is the reviewer's, for people at a desk alone."""

    at: Time
    event: Event
    source: CaseState | None
    target: CaseState
    by: By
    by_name: str | None = None
    reason: str | None


class Result(Answer):
    """`number` is the reissue's own where it is one. For the applicant: `verify` is where the new copy's QR code leads;
    `pickup_code` is there while there is something to collect.
    """

    number: str
    state: InvoiceState
    document_ready: bool
    verify: Annotated[str | None, Field(pattern="^/v#")] = None
    pickup_code: str | None = None


class Case(Answer):
    """A reprint case. `application` and `materials` are null for who may not see them; `actions` is what the asker may do now."""

    id: CaseId
    state: CaseState
    step: Step
    owed_by: OwedBy
    due_at: Annotated[Time | None, Field(description="Of what is owed: the applicant's case expires then, a review is late.")]
    number: str
    opened_at: Time
    changed_at: Time
    kind: CaseKind | None
    delivery: Delivery | None
    contact_hint: str | None
    application: Application | None
    diagnosis: Diagnosis | None
    fee: Fee
    materials: Materials | None
    history: list[Happened]
    result: Result | None
    actions: list[str]


class Opened(Case):
    """`token` is shown this once: only its hash is stored."""

    token: Annotated[str, Field(pattern="^zpc_")]


class CodeSent(Answer):
    """The same whether or not there is such a case, or a code was sent."""

    sent: Literal[True]


class SignedIn(Answer):
    """`token` takes the place of the one before."""

    token: Annotated[str, Field(pattern="^zpc_")]
    case: Case


class QueueItem(Answer):
    """A case in the reviewers' queue. `may_decide`: not its applicant, nor who approved it first."""

    id: CaseId
    number: str
    state: CaseState
    step: Step
    owed_by: OwedBy
    opened_at: Time
    changed_at: Annotated[Time, Field(description="Since when it is in its state.")]
    due_at: Time | None
    is_late: bool
    age_s: Annotated[int, Field(description="Seconds since it was opened.")]
    kind: CaseKind | None
    delivery: Delivery | None
    verdict: Verdict
    responsible: Responsible
    fee: FeeKind
    fee_state: Literal["none", "due", "paid", "refund_due", "refunded"]
    first_reviewer: str | None
    second_reviewer: str | None
    may_decide: bool


class Queue(Answer):
    items: list[QueueItem]
    next_cursor: str | None


class Approval(Answer):
    by: str
    by_name: str | None
    at: Time


class Replacement(Answer):
    """The new invoice of a reissue, as the original's issuer sent it."""

    sections: dict[str, Any]


class ReviewInvoice(Answer):
    """What is registered: a summary, all sections, and a proof file that the page checks by itself; null where none can be made."""

    summary: dict[str, str]
    sections: dict[str, Any]
    proof: dict[str, Any] | None


class Review(Answer):
    """What a reviewer decides on. `shown` is SHA-256 of "zhengpiao/shown", a zero byte, and the canonical JSON of `facts`.

    `cannot_approve` is the code of what forbids an approval by the asker now, null where nothing does.
    """

    case: Case
    invoice: ReviewInvoice | None
    facts: dict[str, str] | None
    shown: Hash | None
    replacement: Replacement | None
    approvals: list[Approval]
    cannot_approve: str | None


class StateCount(Answer):
    state: CaseState
    cases: int
    late: int


class CauseCount(Answer):
    verdict: Verdict
    responsible: Responsible
    cases: int


class FeeCount(Answer):
    fee: FeeKind
    cases: int


class DayCount(Answer):
    on: Annotated[str, Field(description="A day in Beijing.")]
    opened: int
    completed: int
    ended: Annotated[int, Field(description="Rejected, cancelled or expired.")]


class StateTime(Answer):
    """How long cases were in a state before they left it."""

    state: CaseState
    times: int
    median_s: int
    p90_s: int


class Statistics(Answer):
    """`states` of all cases; the rest of those that were opened, or changed, in the last `days`."""

    days: int
    states: list[StateCount]
    causes: list[CauseCount]
    fees: list[FeeCount]
    daily: list[DayCount]
    times: list[StateTime]
    whole: Annotated[StateTime | None, Field(description="From opening to completion.")]
