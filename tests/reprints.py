"""Reprint cases for tests of what comes after the review: brought to approval by the case's own moves."""

import json
import secrets
from typing import Any

from service.api.reprints.examples import DIAGNOSIS
from service.db import Database
from service.invoices import reading
from service.reprints import applying, cases
from service.reprints.applying import Application, CaseKind, CaseLanguage, Delivery
from service.reprints.cases import Case
from service.reprints.transitions import Event
from service.vault import Vault
from verifier.canonical import canonical_bytes
from verifier.entry import number_key

REASON = "原件遗失"
NAME = "赵某某"
ADDRESS = "zhao@example.cn"
FIRST, SECOND = "a1" * 8, "b2" * 8
"""Ids of the two reviewers."""

_WAY: tuple[Event, ...] = ("apply", "confirm_contact", "submit", "begin_review", "approve_first", "approve_second")


def case_of(
    database: Database,
    vault: Vault,
    number: str,
    now_ms: int,
    *,
    until: Event = "approve_second",
    kind: CaseKind = "copy",
    delivery: Delivery = "download",
    language: CaseLanguage = "zh-CN",
    replacement: dict[str, Any] | None = None,
    replacement_by: str = "issuer",
) -> Case:
    """A free case about the current copy of `number`, as it is after `until`."""
    application = Application(kind, REASON, delivery, NAME, "", "email", ADDRESS, language, {})
    with database.write() as connection:
        id_ = cases.new_id(now_ms)
        opened = {
            "id": id_,
            "number": number,
            "key": number_key(number),
            "copy": reading.get(connection, number, None).current().entry.copy,
            "diagnosis": vault.encrypt(json.dumps({"zh": DIAGNOSIS, "en": DIAGNOSIS}).encode(), f"reprint/{id_}/diagnosis"),
            "verdict": "lost_after_anchor",
            "responsible": "system",
            "fee": "free",
            "fee_fen": 0,
            "fee_rests_on": "final",
        }
        case = cases.open_case(connection, opened, cases.APPLICANT, now_ms, vault, now_ms + 1)
        values: dict[Event, dict[str, Any]] = {
            "apply": {"application": applying.seal(id_, application, vault), "kind": kind, "delivery": delivery},
            "approve_first": {"first_reviewer": FIRST, "first_approval": _approval(FIRST, now_ms)},
            "approve_second": {"second_reviewer": SECOND, "second_approval": _approval(SECOND, now_ms)},
        }
        if replacement is not None:
            values["submit"] = {"replacement": canonical_bytes(replacement), "replacement_by": replacement_by}
        for event in _WAY[: _WAY.index(until) + 1]:
            case = cases.move(connection, case, event, cases.APPLICANT, now_ms, vault, **values.get(event, {}))
    return case


def reissued(sections: dict[str, Any], number: str) -> dict[str, Any]:
    """What the issuer of `sections` sends to be issued in their place under `number`."""
    made: dict[str, Any] = json.loads(json.dumps(sections))
    original = made["header"]["number"]
    made["header"]["number"] = number
    made["provenance"]["original"] = {"number": original, "relation": "reissues"}
    return made


def _approval(by: str, now_ms: int) -> str:
    said = {"act": "reprint", "at": str(now_ms), "by": by, "shown": "00" * 32, "blind": secrets.token_hex(32)}
    return canonical_bytes(said).decode()
