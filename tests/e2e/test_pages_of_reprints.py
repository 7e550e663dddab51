"""Where QR codes of old copies lead: "being replaced" without green from acknowledgement on, then to what it came to."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.chain import Chain
from tests.e2e.browsing import Visit, visiting
from tests.e2e.service import Service, serving
from tests.integration import approved
from tests.integration.api import S01, S10
from tests.reprints import reissued
from tests.unit.samples import sections_of
from verifier.commitment import commitment_to_text

S02, NEW = "26317999000000000002", "26317999000000000777"


@pytest.fixture(scope="module")
def service(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(chain, tmp_path_factory.mktemp("reprints")) as running:
        yield running


@pytest.fixture
def visit(browser: Browser, service: Service) -> Iterator[Visit]:
    with visiting(browser, service.hosts) as one:
        yield one


def complete(service: Service, number: str, **options: Any) -> None:
    """A case about it, approved and completed."""
    assert approved.complete(service.api, approved.case_about(service.api, number, **options))


def link_to_current(service: Service, number: str) -> str:
    """Where the QR code of the newest copy leads."""
    commitment = service.client.get(f"/v1/invoices/{number}", headers=service.api.auditor).json()["commitment"]
    return f"{service.served.url}/v#{number}.{commitment_to_text(bytes.fromhex(commitment))}"


def announced(visit: Visit) -> str:
    visit.page.wait_for_selector(".announcement")
    return visit.page.inner_text(".announcement")


def test_an_old_copy_is_being_replaced_and_then_replaced(service: Service, visit: Visit) -> None:
    first = service.link(service.register(sections_of("S10")))
    service.finish(S10)
    visit.page.goto(first)
    visit.wait_for("登记有效")
    complete(service, S10)
    visit.page.reload()
    assert "这一份正在被补打的新一份替换" in announced(visit)
    assert visit.greens() == 0
    assert visit.role() == "wait"
    second = link_to_current(service, S10)
    with visit.page.context.new_page() as other:
        other.goto(second)
        other.wait_for_selector('.word:text-is("已受理，待上链")')
    service.finish(S10)
    visit.wait_for("已被补打替换")  # by itself
    expect(visit.page.locator(".announcement")).to_have_count(0)
    assert visit.greens() == 0
    assert visit.role() == "bad"
    visit.page.goto(second)
    visit.wait_for("登记有效")
    assert visit.role() == "good"

    complete(service, S10)
    visit.page.reload()
    assert "这一份正在被补打的新一份替换" in announced(visit)
    assert visit.greens() == 0
    visit.page.goto(first)
    visit.page.reload()
    visit.wait_for("已被补打替换")
    assert visit.page.locator(".announcement").count() == 0, "to the first copy the second reprint is no matter"
    service.finish(S10)
    visit.page.goto(link_to_current(service, S10))
    visit.page.reload()
    visit.wait_for("登记有效")


def test_a_partly_reversed_one_loses_its_green_ticks(service: Service, visit: Visit) -> None:
    link = service.link(service.register(sections_of("S01")))
    service.register(sections_of("S06"))
    service.finish(S01)
    visit.page.goto(link)
    visit.wait_for("部分红冲")
    assert visit.greens() > 0
    complete(service, S01)
    visit.page.reload()
    assert "这一份正在被补打的新一份替换" in announced(visit)
    assert visit.greens() == 0
    service.finish(S01)
    visit.wait_for("已被补打替换")


def test_a_reissued_one_is_being_voided_and_leads_to_the_new_number(service: Service, visit: Visit) -> None:
    link = service.link(service.register(sections_of("S02")))
    service.finish(S02)
    complete(service, S02, kind="reissue", replacement=reissued(sections_of("S02"), NEW))
    visit.page.goto(link)
    said = announced(visit)
    assert "正在作废" in said
    assert NEW in said
    assert visit.greens() == 0
    service.finish(S02)
    visit.wait_for("已作废")
    expect(visit.page.locator("main")).to_contain_text(NEW)
    visit.page.goto(link_to_current(service, NEW))
    visit.page.reload()
    visit.wait_for("登记有效")
