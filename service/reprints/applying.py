"""What an applicant has given: kind, reason, delivery, who they are and how they are reached. Kept encrypted, bound to its case."""

import re
from typing import Any, Literal, NamedTuple, get_args

import orjson

from service.errors import Finding, Refused
from service.reprints.cases import Case
from service.vault import Vault
from verifier.canonical import canonical_bytes
from verifier.errors import NotCanonical

CaseKind = Literal["copy", "reissue"]
"""A new copy of the same number; or a new invoice in the place of it, which is voided."""
Delivery = Literal["download", "collect"]
Channel = Literal["email", "sms"]
CaseLanguage = Literal["zh-CN", "en"]
KINDS: tuple[CaseKind, ...] = get_args(CaseKind)

# Local part and domain as people have them (RFC 5321 section 4.5.3.1 has the lengths); whether it exists, the code tells.
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}")
_MAX_EMAIL = 254
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")


class Application(NamedTuple):
    """`company` is "" where a person applies for themselves. `notices`: channels and quiet hours as chosen (notices.py), or {}."""

    kind: CaseKind
    reason: str
    delivery: Delivery
    name: str
    company: str
    channel: Channel
    address: str
    language: CaseLanguage
    notices: dict[str, Any]


def read_contact(channel: Channel, typed: str) -> str:
    """The address as it is sent to: e-mail in lower case, or a mobile number of 11 digits. Raises Refused with a pointer."""
    plain = "".join(typed.split())
    if channel == "email" and len(plain) <= _MAX_EMAIL and _EMAIL.fullmatch(plain):
        return plain.lower()
    found = _MOBILE.fullmatch(plain.replace("-", "")) if channel == "sms" else None
    if found is None:
        raise Refused("invalid_request", findings=[Finding("member_invalid", "error", "/contact/address", {"case": channel})])
    return found[1]


def check_texts(application: Application) -> None:
    """What a reviewer is shown is hashed as canonical JSON: raises Refused with a pointer to each text that has no such form."""
    texts = (("reason", application.reason), ("name", application.name), ("company", application.company))
    wrong = [name for name, text in texts if not _is_text(text)]
    findings = [Finding("member_invalid", "error", f"/{name}", {"case": "pattern"}) for name in wrong]
    if findings:
        raise Refused("invalid_request", findings=findings)


def _is_text(text: str) -> bool:
    try:
        canonical_bytes(text)
    except NotCanonical:
        return False
    return True


def seal(case_id: str, application: Application, vault: Vault) -> bytes:
    """For the column `application`."""
    return vault.encrypt(orjson.dumps(application._asdict()), _context(case_id))


def application_of(case: Case, vault: Vault) -> Application | None:
    """What the case was applied for with; None while nothing was."""
    if case.application is None:
        return None
    return Application(**orjson.loads(vault.decrypt(case.application, _context(case.id))))


def hint(channel: str, address: str) -> str:
    """A contact as far as somebody may see it who only might be its owner: z***@x.cn, 138****5678."""
    if channel == "sms":
        return f"{address[:3]}****{address[-4:]}"
    local, _, domain = address.partition("@")
    return f"{local[:1]}***@{domain}"


def _context(case_id: str) -> str:
    return f"reprint/{case_id}/application"
