"""A service that says of a reprint case what a test wants: for the applicant's pages alone, in either language."""

import json
import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Request, Route

from service.diagnosis import words
from tests.e2e.codes import picture, png
from tests.e2e.test_pages_diagnosis import PENDING, said

ID = "R261125-7K3M9QXA"
TOKEN = f"zpc_{ID}_{'a' * 52}"
NUMBER = "26112999000000000003"
FACTS = {"number": NUMBER, "issued_on": "2026-09-01", "amount_with_tax": "1060.00"}
DUE = "2999-12-08T08:26:40.000+00:00"
APPLICATION = {
    "kind": "copy",
    "reason": "纸质发票在搬家时遗失，报销需要。",
    "delivery": "download",
    "name": "张三",
    "company": "北京示例软件股份有限公司",
    "contact": {"channel": "email", "address": "zhangsan@example.cn"},
    "language": "zh-CN",
}
LIMITS = {"formats": ["application/pdf", "image/jpeg", "image/png"], "max_bytes": 10 * 1024 * 1024, "max_pages": 10}
NEEDED = [
    {"type": "identity", "required": True, **LIMITS},
    {"type": "company_letter", "required": True, **LIMITS},
    {"type": "application_form", "required": True, **LIMITS},
    {"type": "other", "required": False, **LIMITS},
]
_WAY = [
    ("open", None, "started", "applicant"),
    ("apply", "started", "submitted", "applicant"),
    ("confirm_contact", "submitted", "materials_pending", "applicant"),
    ("submit", "materials_pending", "materials_submitted", "applicant"),
    ("begin_review", "materials_submitted", "review_1", "system"),
    ("approve_first", "review_1", "review_2", "reviewer"),
    ("approve_second", "review_2", "approved", "reviewer"),
    ("complete", "approved", "completed", "system"),
]
_STEPS = {"started": 2, "submitted": 2, "materials_pending": 3, "approved": 5, "completed": 5, "rejected": 5, "cancelled": 5}
_OWED = {"review_1": "reviewer", "review_2": "reviewer", "approved": "system"}
_APPLICANTS = ("started", "submitted", "materials_pending", "fee_due")
_AT = "2026-11-25T08:{:02}:40.000+00:00"


def happened(event: str, source: str | None, target: str, by: str, reason: str | None = None, minute: int = 0) -> dict[str, Any]:
    return {
        "at": _AT.format(minute),
        "event": event,
        "source": source,
        "target": target,
        "by": by,
        "by_name": None,
        "reason": reason,
    }


def history_to(state: str) -> list[dict[str, Any]]:
    """The straight way to a state that is on it."""
    targets = [target for _, _, target, _ in _WAY]
    return [happened(*row, minute=n) for n, row in enumerate(_WAY[: targets.index(state) + 1])]


def item(type_: str, n: int = 1, pages: int = 1) -> dict[str, Any]:
    return {"id": f"{n:016x}", "type": type_, "pages": pages, "size": 123_456, "uploaded_at": _AT.format(30)}


def case(state: str, **changes: Any) -> dict[str, Any]:
    """As `GET /v1/reprints/{id}` answers it."""
    is_applied = state != "started"
    is_over = state in ("completed", "rejected", "cancelled", "expired")
    fee = {"kind": "charged", "amount": "20.00", "currency": "CNY", "rests_on": "final", "decided_by": "evidence", "reason": None}
    owed = "applicant" if state in _APPLICANTS else _OWED.get(state, "nobody")
    return {
        "id": ID,
        "state": state,
        "step": _STEPS.get(state, 4),
        "owed_by": owed,
        "due_at": DUE if owed in ("applicant", "reviewer") else None,
        "number": NUMBER,
        "opened_at": _AT.format(0),
        "changed_at": _AT.format(1),
        "kind": "copy" if is_applied else None,
        "delivery": "download" if is_applied else None,
        "contact_hint": "z***@example.cn" if is_applied else None,
        "application": APPLICATION if is_applied else None,
        "diagnosis": present(),
        "fee": {**fee, "state": "none"},
        "materials": {"needed": NEEDED, "items": []},
        "history": history_to(state) if state in [target for _, _, target, _ in _WAY] else history_to("review_1"),
        "result": None,
        "actions": [] if is_over else ["cancel"],
        **changes,
    }


def present(language: str = "zh") -> dict[str, Any]:
    """What the diagnosis says of an invoice that nobody lost."""
    hops: Any = [
        (name, "done", {}) for name in ("shown", "registered", "submitted", "accepted", "sealed", "broadcast", "mined", "final")
    ]
    return in_language(
        said("present", "nothing", "nobody", "charged", hops, number=NUMBER, status="valid", state="final"), language
    )


def missing_at_a_node() -> dict[str, Any]:
    hops: list[Any] = [*((name, state, {}) for name, state in PENDING), ("visible", "missing", {})]
    return said("delivered_not_visible", "apply_for_reprint", "system", "free", hops, number=NUMBER, status="valid", state="final")


def in_language(diagnosis: dict[str, Any], language: str) -> dict[str, Any]:
    """The service's own sentences in the other language."""
    if language != "en":
        return diagnosis
    verdict, action = diagnosis["verdict"], diagnosis["next_action"]["code"]
    return {
        **diagnosis,
        "evidence": [
            {**hop, "hop_name": words.HOPS[hop["hop"]][1], "state_name": words.STATES[hop["state"]][1]}
            for hop in diagnosis["evidence"]
        ],
        "sentences": {
            "title": words.TITLES[verdict][1],
            "verdict": words.DETAILS[verdict][1],
            "responsible": words.RESPONSIBLE[diagnosis["responsible"]][1],
            "next_action": words.ACTIONS[action][1],
            "fee": words.say(words.FEES[diagnosis["fee"]["kind"]], "en", amount="20.00"),
        },
    }


Answer = tuple[int, Any]
Handler = Callable[[Request], Answer | None]


class Told:
    """What a page is told; `asked` is what it asked: method, path, body. A handler that answers None answers nothing at all."""

    def __init__(self, page: Page, found: dict[str, Any] | None = None, diagnosis: dict[str, Any] | None = None) -> None:
        self.case = found
        self.diagnosis = diagnosis or present()
        self.asked: list[tuple[str, str, Any]] = []
        self.handlers: dict[tuple[str, str], Handler] = {}
        page.route(re.compile(r"/v1/(diagnoses|recoveries|reprints|feedback|notifications)"), self._answer)

    def keep(self, page: Page) -> None:
        """As if this browser's tab had opened the case before."""
        kept = json.dumps(json.dumps({"id": ID, "token": TOKEN}))
        once = f"sessionStorage.setItem('zhengpiao.reprint.case', {kept}); sessionStorage.setItem('seen', '1');"
        page.add_init_script(f"if (!sessionStorage.getItem('seen')) {{ {once} }}")

    def refuse(self, method: str, name: str, status: int, code: str, detail: str, **more: Any) -> None:
        self.handlers[method, name] = lambda _: (status, {"status": status, "code": code, "title": code, "detail": detail, **more})

    def moves(self, method: str, name: str, found: dict[str, Any], **more: Any) -> None:
        """That call brings the case there."""

        def move(_: Request) -> Answer:
            self.case = found
            return 200, {**more, "case": found} if more else found

        self.handlers[method, name] = move

    def sent(self, name: str) -> list[Any]:
        """The bodies that were sent to a path which ends so."""
        return [body for method, path, body in self.asked if method == "POST" and path.endswith(name)]

    def _answer(self, route: Route, request: Request) -> None:
        path = request.url.partition("/v1/")[2]
        self.asked.append((request.method, path, _body(request)))
        for (method, name), handler in self.handlers.items():
            if request.method == method and re.fullmatch(name, path):
                answered = handler(request)
                return _fulfil(route, answered) if answered is not None else route.abort("connectionfailed")
        return _fulfil(route, self._usual(request, path))

    def _usual(self, request: Request, path: str) -> Answer:
        language = "en" if request.headers.get("accept-language", "").startswith("en") else "zh"
        if path == "diagnoses":
            return 200, in_language(self.diagnosis, language)
        if re.search(r"/pages/\d+$", path):
            return 200, png(picture(path, scale=4))
        if path.endswith("/codes"):
            return 202, {"sent": True}
        if request.method == "GET" and path.endswith("/payment"):
            return 200, {
                "state": "due",
                "amount": "20.00",
                "currency": "CNY",
                "methods": ["bank_transfer", "provider"],
                "items": [],
            }
        if request.method == "GET" and self.case is not None:
            return 200, {**self.case, "diagnosis": in_language(self.case["diagnosis"], language)}
        return 404, {"status": 404, "code": "case_not_found", "title": "", "detail": "没有这个申请。"}


def _body(request: Request) -> Any:
    data = request.post_data_buffer
    if data is None or request.headers.get("content-type") != "application/json":
        return data and len(data)
    return json.loads(data)


def _fulfil(route: Route, answered: Answer) -> None:
    status, body = answered
    if isinstance(body, bytes):
        route.fulfill(status=status, body=body, content_type="application/pdf" if body.startswith(b"%PDF") else "image/png")
    else:
        kind = "application/json" if status < 400 else "application/problem+json"
        route.fulfill(status=status, body=json.dumps(body), content_type=kind)
