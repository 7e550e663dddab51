"""Examples of /openapi.json for people's operations. The people are fictitious."""

from typing import Any

from service.api.examples import COPY, ENTRY, NUMBER, RECEIPT, ROOT

PERSON = {"id": "5f0e8a1c9d3b7e24", "login": "li@registry.example", "name": "李审", "role": "auditor", "sellers": []}
SIGN_IN = {"login": "li@registry.example", "password": "correct horse battery staple", "code": "492039"}
REAUTHENTICATION = {"password": "correct horse battery staple", "code": "492039"}
PURPOSE = {"purpose": "complaint", "reference": "2026-0317"}
SESSION = {
    "person": PERSON,
    "csrf": ROOT,
    "expires_at": "2026-11-25T20:26:40.000+00:00",
    "fresh_until": "2026-11-25T08:31:40.000+00:00",
    **PURPOSE,
}
SIGNED_OUT = {"signed_out": True}
TOKEN = "k3Jq0cS5sVx2mB8yH1pQ7wZ4tR6uN9aE0dF2gL5iXoY"  # noqa: S105  an example
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"  # noqa: S105  an example
INVITATION = {
    "login": PERSON["login"],
    "name": PERSON["name"],
    "role": PERSON["role"],
    "totp": {
        "secret": TOTP_SECRET,
        "uri": f"otpauth://totp/registry.example:li%40registry.example?secret={TOTP_SECRET}&issuer=registry.example",
        "qr_svg": "<svg …/>",
    },
    "min_password": 12,
}
INVITATION_QUESTION = {"token": TOKEN}
ACCEPTANCE = {"token": TOKEN, "password": SIGN_IN["password"], "totp_secret": TOTP_SECRET, "code": "492039"}

USER_ORDER = {"login": "li@registry.example", "name": "李审", "role": "auditor"}
USER = {**PERSON, "state": "active", "created_at": "2026-11-25T08:26:40.000+00:00", "disabled_at": None}
USERS = {"items": [USER], "next_cursor": None}
INVITED = {
    "user": {**USER, "state": "invited"},
    "link": f"https://registry.example/welcome#{TOKEN}",
    "expires_at": "2026-11-28T08:26:40.000+00:00",
}

RECORD: dict[str, Any] = {
    "id": 318,
    "at": "2026-11-25T08:26:40.000+00:00",
    "actor": PERSON["id"],
    "actor_name": PERSON["name"],
    "action": "looked_at_invoice",
    "object": NUMBER,
    "details": {"purpose": "complaint", "reference": "2026-0317"},
    "hash": ROOT,
}
ACTIVITY = {"items": [RECORD], "next_cursor": "318"}
ACTIVITY_NOTE = {"record": 310, "head": ROOT, "seq": 12, "index": 0, "state": "final"}
ACTIVITY_VERIFICATION: dict[str, Any] = {
    "records": 318,
    "first": 1,
    "last": 318,
    "next": None,
    "broken_at": None,
    "missing": [],
    "newest_note": ACTIVITY_NOTE,
}

SHOWN = {
    "number": NUMBER,
    "copy": COPY,
    "status": "valid",
    "registered_at": "2026-11-25T08:26:40.000+00:00",
    "kind": "digital_ordinary",
    "issued_on": "2026-11-20",
    "seller": "北京市东城区示例餐饮店（个体工商户）",
    "seller_tax_id": "92110101MAXXXX04XG",
    "buyer": "个人（张三）",
    "currency": "CNY",
    "amount_with_tax": "320.00",
}
RELEASE_ORDER = {"reason": "号码录入错误", "shown": ROOT}
RELEASE_REQUEST: dict[str, Any] = {
    "id": 3,
    "number": NUMBER,
    "reason": RELEASE_ORDER["reason"],
    "state": "pending",
    "requested_by": PERSON["id"],
    "requested_by_name": PERSON["name"],
    "requested_at": "2026-11-25T08:26:40.000+00:00",
    "decided_by": None,
    "decided_by_name": None,
    "decided_at": None,
    "lapses_at": "2026-11-28T08:26:40.000+00:00",
    "approvals": [f'{{"act":"release","at":"1795600000000","by":"{PERSON["id"]}","shown":"{ROOT}"}}'],
}
RELEASE_REQUESTS = {"items": [RELEASE_REQUEST], "next_cursor": None}
RELEASE_VIEW = {"number": NUMBER, "shown": SHOWN, "request": RELEASE_REQUEST}
RELEASED = {
    "request": {
        **RELEASE_REQUEST,
        "state": "released",
        "decided_by": "0123456789abcdef",
        "decided_at": "2026-11-25T09:00:00.000+00:00",
    },
    "status": "released",
    "state": "pending",
    "entry": {**ENTRY, "kind": "release", "auth": ROOT},
    "receipt": RECEIPT,
}
