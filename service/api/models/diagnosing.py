"""What is sent and answered about a lost invoice: diagnoses and recoveries."""

from typing import Annotated, Any, Literal

from pydantic import Field

from service.api import examples
from service.api.models.answers import Answer, EntryKind, State, Status, Time
from service.api.models.requests import Commitment, Number, Request
from service.diagnosis.case import HopName, HopState
from service.diagnosis.rules import Action, Fee, Responsible, Verdict
from service.diagnosis.typing_errors import Field as FieldName
from service.diagnosis.typing_errors import Slip

_Typed = Annotated[str, Field(min_length=1, max_length=100)]
_Hash = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
_Ms = Annotated[int, Field(ge=0, le=2**53 - 1)]


class DiagnosisQuestion(Request):
    """What stands on an invoice, as for a lookup; its commitment; or both: who has the commitment is told which field is wrong."""

    number: _Typed
    issued_on: _Typed | None = None
    amount_with_tax: _Typed | None = None
    amount: _Typed | None = None
    commitment: Commitment | None = None


class ShownEntry(Request):
    kind: EntryKind
    recorded_at: _Ms
    key: _Hash
    copy_: Annotated[_Hash, Field(alias="copy")]
    other: _Hash
    auth: _Hash


class ShownReceipt(Request):
    key_id: Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
    deadline: _Ms
    signature: Annotated[str, Field(pattern="^[0-9a-f]{128}$")]


class ShownChain(Request):
    chain_id: Annotated[int, Field(ge=0, le=2**53 - 1)]
    contract: Annotated[str, Field(pattern="^0x[0-9a-f]{40}$")]


class Acknowledgement(Request):
    """The answer of `POST /v1/invoices` or of a void, as it came; entry and receipt are enough."""

    entry: ShownEntry
    receipt: ShownReceipt
    number: Number | None = None
    chain: ShownChain | None = None
    commitment: Commitment | None = None
    salts: dict[str, Annotated[str, Field(pattern="^[0-9a-f]{32}$")]] | None = None
    sections: dict[str, Any] | None = None
    state: str | None = None
    status: str | None = None
    findings: list[Any] | None = None
    links: dict[str, str] | None = None


class RecoveryFromSections(Request):
    """What an issuer keeps: the sections that it sent, and the answer that it got, which has their salts."""

    sections: dict[str, Any]
    acknowledgement: Acknowledgement


class DiagnosisHop(Answer):
    """`missing`: it has not come to that, or is not there any more; `unknown`: who could tell did not answer."""

    hop: HopName
    state: HopState
    at: Time | None
    evidence: dict[str, Any]
    hop_name: Annotated[str, Field(description="In the language of Accept-Language, as the state's is.")]
    state_name: str


class MistypedField(Answer):
    field: FieldName
    slip: Slip
    sentence: str


class NextAction(Answer):
    """`fields`: what was mistyped, for who holds the invoice, or where what was typed tells so by itself."""

    code: Action
    until: Time | None = None
    link: str | None = None
    fields: list[MistypedField] | None = None


class DiagnosisFee(Answer):
    """What a reprint would cost, and the hop whose evidence that rests on."""

    kind: Fee
    rests_on: HopName
    amount: str | None = None
    currency: str | None = None


class Sentences(Answer):
    title: str
    verdict: str
    responsible: str
    next_action: str
    fee: str


class Diagnosis(Answer):
    """One verdict, by the last hop with evidence and the first without (docs/diagnosis.md).

    `status` and `state` are null where nothing is registered, and for who does not hold an invoice that does not match.
    """

    verdict: Verdict
    number: str | None
    status: Status | None
    state: State | None
    responsible: Responsible
    evidence: list[DiagnosisHop]
    next_action: NextAction
    fee: DiagnosisFee
    sentences: Sentences
    tries_left: Annotated[
        int | None, Field(description="Wrong tries that this network has left today, where something was guessed.")
    ]


class Recovery(Answer):
    """`restored` names sections, columns and tables; nothing where the record was sound."""

    number: str
    state: Annotated[
        Literal["sound", "restored", "restored_in_part"], Field(description="sound: nothing was missing, and nothing was changed.")
    ]
    restored: list[str]
    lost: Annotated[list[str], Field(description="Sections that are still not here.")]
    altered: Annotated[list[str], Field(description="Sections that are wrong here, and that the copy does not open.")]
    links: dict[str, str]


def _inlined(model: type[Request]) -> dict[str, Any]:
    """The schema of a model without references: in /openapi.json a body's own definitions have no place to stand."""
    schema = model.model_json_schema()
    parts = schema.pop("$defs", {})

    def put_in(value: Any) -> Any:
        if isinstance(value, list):
            return [put_in(item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" in value:
            return put_in(parts[value["$ref"].rpartition("/")[2]])
        return {name: put_in(part) for name, part in value.items()}

    inlined: dict[str, Any] = put_in(schema)
    return inlined


QUESTION_SCHEMA = {"anyOf": [_inlined(DiagnosisQuestion), _inlined(Acknowledgement)]}
SECTIONS_SCHEMA = _inlined(RecoveryFromSections)
RECEIPT_SHOWN = {"number": examples.NUMBER, "chain": examples.CHAIN, "entry": examples.ENTRY, "receipt": examples.RECEIPT}
DIAGNOSED: dict[str, Any] = {
    "verdict": "sealed_not_anchored",
    "number": examples.NUMBER,
    "status": "valid",
    "state": "broadcast",
    "responsible": "system",
    "evidence": [
        {
            "hop": "sealed",
            "state": "done",
            "at": "2026-11-25T08:26:41.250+00:00",
            "evidence": {"seq": 12, "index": 17},
            "hop_name": "封批",
            "state_name": "已完成",
        },
        {"hop": "mined", "state": "missing", "at": None, "evidence": {}, "hop_name": "上链", "state_name": "没有"},
    ],
    "next_action": {"code": "wait", "until": "2026-11-25T08:27:40.000+00:00"},
    "fee": {"kind": "none", "rests_on": "sealed"},
    "sentences": {
        "title": "已封批，待上链",
        "verdict": "已封入批次，该批次还没有上链。",
        "responsible": "下一步由本登记系统负责。",
        "next_action": "请稍候，下一个环节会自动完成。",
        "fee": "不涉及费用。",
    },
    "tries_left": 5,
}
SECTIONS_KEPT = {"sections": examples.SECTIONS, "acknowledgement": RECEIPT_SHOWN}
RECOVERED = {
    "number": examples.NUMBER,
    "state": "restored",
    "restored": ["invoices", "copies"],
    "lost": [],
    "altered": [],
    "links": examples.LINKS,
}
