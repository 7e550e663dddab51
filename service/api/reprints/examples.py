"""Examples of /openapi.json for reprint cases. The people are fictitious."""

from typing import Any

from service.api.examples import COPY, NUMBER, SECTIONS
from service.api.models.diagnosing import DIAGNOSED

CASE_ID = "R261125-7K3M9QXA"
TOKEN = f"zpc_{CASE_ID}_{'mfrggzdfmztwq2lk' * 3}abcd"
_OPENED_AT = "2026-11-25T08:26:40.000+00:00"
_CHANGED_AT = "2026-11-25T08:41:12.250+00:00"
_DUE_AT = "2026-12-02T08:41:12.250+00:00"

APPLICATION_ORDER = {
    "kind": "copy",
    "reason": "原件遗失，报销需要",
    "delivery": "download",
    "name": "张三",
    "company": "北京示例商贸有限公司",
    "contact": {"channel": "email", "address": "zhangsan@example.cn"},
    "language": "zh-CN",
}
_APPLICATION = {name: value for name, value in APPLICATION_ORDER.items() if name != "notices"}
_FEE = {
    "kind": "charged",
    "amount": "20.00",
    "currency": "CNY",
    "rests_on": "final",
    "decided_by": "evidence",
    "reason": None,
    "state": "none",
}
_NEEDED = [
    {"type": type_, "required": required, "formats": ["application/pdf", "image/jpeg"], "max_bytes": 10485760, "max_pages": 20}
    for type_, required in (("identity", True), ("company_letter", True), ("application_form", True), ("other", False))
]
_ITEM = {"id": "5f0e8a1c9d3b7e24", "type": "identity", "pages": 1, "size": 182044, "uploaded_at": _CHANGED_AT}
DIAGNOSIS = {
    **DIAGNOSED,
    "verdict": "present",
    "state": "final",
    "responsible": "nobody",
    "evidence": [],
    "next_action": {"code": "nothing"},
    "fee": {"kind": "charged", "rests_on": "final", "amount": "20.00", "currency": "CNY"},
}


def _happened(event: str, source: str | None, target: str, by: str) -> dict[str, Any]:
    return {"at": _CHANGED_AT, "event": event, "source": source, "target": target, "by": by, "reason": None}


STARTED: dict[str, Any] = {
    "id": CASE_ID,
    "state": "started",
    "step": 2,
    "owed_by": "applicant",
    "due_at": "2026-11-25T10:26:40.000+00:00",
    "number": NUMBER,
    "opened_at": _OPENED_AT,
    "changed_at": _OPENED_AT,
    "kind": None,
    "delivery": None,
    "contact_hint": None,
    "application": None,
    "diagnosis": DIAGNOSIS,
    "fee": {**_FEE, "state": "due"},
    "materials": {"needed": _NEEDED, "items": []},
    "history": [_happened("open", None, "started", "applicant")],
    "result": None,
    "actions": ["application", "cancel"],
}
OPENED = {**STARTED, "token": TOKEN}
SUBMITTED = {
    **STARTED,
    "state": "submitted",
    "kind": "copy",
    "delivery": "download",
    "contact_hint": "z***@example.cn",
    "application": _APPLICATION,
    "history": [*STARTED["history"], _happened("apply", "started", "submitted", "applicant")],
    "actions": ["application", "codes", "session", "cancel"],
}
CASE = {
    **SUBMITTED,
    "state": "review_1",
    "step": 4,
    "owed_by": "reviewer",
    "due_at": _DUE_AT,
    "changed_at": _CHANGED_AT,
    "fee": {**_FEE, "state": "paid"},
    "materials": {"needed": _NEEDED, "items": [_ITEM]},
    "actions": ["cancel"],
}
SIGNED_IN = {
    "token": TOKEN,
    "case": {**SUBMITTED, "state": "materials_pending", "step": 3, "actions": ["materials", "submit", "cancel"]},
}

QUEUE = {
    "items": [
        {
            "id": CASE_ID,
            "number": NUMBER,
            "state": "review_1",
            "step": 4,
            "owed_by": "reviewer",
            "opened_at": _OPENED_AT,
            "changed_at": _CHANGED_AT,
            "due_at": _DUE_AT,
            "is_late": False,
            "age_s": 7200,
            "kind": "copy",
            "delivery": "download",
            "verdict": "present",
            "responsible": "nobody",
            "fee": "charged",
            "fee_state": "paid",
            "first_reviewer": None,
            "second_reviewer": None,
            "may_decide": True,
        }
    ],
    "next_cursor": None,
}
_SUMMARY = {
    "number": NUMBER,
    "copy": COPY,
    "status": "valid",
    "registered_at": "2026-11-20T12:05:33.000+00:00",
    "kind": "digital_ordinary",
    "issued_on": "2026-11-20",
    "seller": SECTIONS["seller"]["name"],
    "currency": "CNY",
    "amount_with_tax": "320.00",
}
REVIEW: dict[str, Any] = {
    "case": {**CASE, "actions": ["approve", "return", "reject"]},
    "invoice": {"summary": _SUMMARY, "sections": SECTIONS, "proof": None},
    "facts": {"act": "reprint", "case": CASE_ID, **_SUMMARY, "reprint": "copy", "applicant": "张三", "materials": COPY},
    "shown": COPY,
    "replacement": None,
    "approvals": [],
    "cannot_approve": None,
}
REVIEW_ORDER = {"decision": "approve", "shown": COPY}
STATISTICS = {
    "days": 30,
    "states": [{"state": "review_1", "cases": 3, "late": 1}],
    "causes": [{"verdict": "present", "responsible": "nobody", "cases": 12}],
    "fees": [{"fee": "charged", "cases": 12}],
    "daily": [{"on": "2026-11-25", "opened": 2, "completed": 1, "ended": 0}],
    "times": [{"state": "review_1", "times": 11, "median_s": 14400, "p90_s": 86400}],
    "whole": {"state": "completed", "times": 9, "median_s": 180000, "p90_s": 400000},
}
