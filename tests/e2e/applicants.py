"""An applicant for a reprint, by API: opens a case, applies, confirms the contact, hands in materials."""

import io
import time
from typing import Any

import httpx2
from PIL import Image, ImageDraw

from service.reprints import tokens
from tests.e2e.staff import Desk, Staff

COMPANY = "北京样本数据科技有限公司"
NAME = "赵某某"
ADDRESS = "zhao@example.cn"
REASON = "原件遗失，报销需要"


def paper(*lines: str) -> bytes:
    """A photograph of a paper, as PNG."""
    made = Image.new("RGB", (620, 877), "#fdfdf8")
    pen = ImageDraw.Draw(made)
    pen.rectangle((40, 40, 580, 837), outline="#556", width=3)
    for n, line in enumerate(lines):
        pen.text((80, 100 + 60 * n), line, fill="#223", font_size=36)
    for n in range(len(lines), 11):
        pen.line((80, 130 + 60 * n, 540 - 17 * n, 130 + 60 * n), fill="#bbc", width=6)
    written = io.BytesIO()
    made.save(written, "PNG")
    return written.getvalue()


IDENTITY, LETTER, FORM = paper("IDENTITY CARD", "front"), paper("COMPANY LETTER"), paper("APPLICATION FORM")


class Applicant:
    """Of one case, about the invoice with these sections."""

    def __init__(self, staff: Staff, sections: dict[str, Any]) -> None:
        self.staff = staff
        totals = sections["totals"]
        facts = {
            "number": sections["header"]["number"],
            "issued_on": sections["header"]["issued_on"],
            "amount_with_tax": totals["amount_with_tax"],
        }
        opened = staff.client.post("/v1/reprints", json=facts)
        assert opened.status_code == 201, opened.text
        self.id: str = opened.json()["id"]
        self.token: str = opened.json()["token"]

    def post(self, path: str, json: Any = None, **options: Any) -> Any:
        answer = self.staff.client.post(f"/v1/reprints/{self.id}{path}", json=json, headers=self.headers, **options)
        assert answer.status_code < 300, answer.text
        return answer.json()

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def case(self) -> Any:
        return self.staff.client.get(f"/v1/reprints/{self.id}", headers=self.headers).json()

    def apply(self, kind: str = "copy", delivery: str = "download", name: str = NAME, company: str = COMPANY) -> None:
        contact = {"channel": "email", "address": ADDRESS}
        self.post(
            "/application",
            {"kind": kind, "reason": REASON, "delivery": delivery, "name": name, "company": company, "contact": contact},
        )

    def confirm(self) -> None:
        """With the code that the contact gets: made anew here, since it is kept as a hash alone."""
        with self.staff.database.write() as connection:
            code = tokens.new_code(connection, self.id, int(time.time() * 1000))
        self.token = self.post("/session", {"code": code})["token"]

    def hand_in(self, *, identity: bytes = IDENTITY) -> None:
        """Everything that is needed, in the place of what was there, and submit it."""
        for item in self.case()["materials"]["items"]:
            self.staff.client.delete(f"/v1/reprints/{self.id}/materials/{item['id']}", headers=self.headers)
        papers = {"identity": identity, "company_letter": LETTER, "application_form": FORM}
        for type_, picture in papers.items():
            url = f"/v1/reprints/{self.id}/materials?type={type_}"
            headers = {**self.headers, "Content-Type": "image/png"}
            answer: httpx2.Response = self.staff.client.post(url, content=picture, headers=headers)
            assert answer.status_code == 201, answer.text
        self.post("/submit", {})


def submitted(staff: Staff, sections: dict[str, Any], kind: str = "copy", delivery: str = "download") -> Applicant:
    """A case that waits for its reviewers, or for its fee."""
    applicant = Applicant(staff, sections)
    applicant.apply(kind, delivery)
    applicant.confirm()
    applicant.hand_in()
    return applicant


def see_materials(desk: Desk) -> int:
    """A reviewer goes through all pages, by the key for it. Returns how many there are."""
    desk.page.wait_for_selector(".stage canvas")
    pages = 1
    while desk.page.locator(".viewer-bar .after").is_enabled():
        before = desk.page.get_attribute(".stage canvas", "aria-label")
        desk.page.keyboard.press("n")
        desk.page.wait_for_selector(f'.stage canvas:not([aria-label="{before}"])')
        pages += 1
    return pages
