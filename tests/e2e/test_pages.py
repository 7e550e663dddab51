"""`/v` and what every page has: each verdict, in both languages, in colours that it deserves, for everybody's eyes and ears."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browsing import Visit, visiting
from tests.e2e.site import Served, Site
from tests.lying_proxy import LyingProxy, lying_proxy
from tests.vector_files import PROOFS
from verifier.commitment import commitment_to_text

Visiting = Callable[..., AbstractContextManager[Visit]]

# What stands on `/v`: file, what the service states, verdict, role, the word in both languages.
COPIES = [
    ("valid.proof.json", "valid", "good", "登记有效", "Registered and valid"),
    ("partly_reversed.proof.json", "partly_reversed", "caution", "部分红冲", "Partly reversed"),
    ("replaced_original.proof.json", "valid", "bad", "已被补打替换", "Replaced by a reprint"),
    ("void.proof.json", "void", "bad", "已作废", "Void"),
    ("reversed.proof.json", "reversed", "bad", "已红冲", "Reversed"),
    ("pending.proof.json", "valid", "wait", "已受理，待上链", "Accepted, not yet anchored"),
]


def stated(status: str, **more: Any) -> dict[str, Any]:
    return {"status": status, "state": "final", "since": "2026-11-25T02:46:50+00:00", **more}


@pytest.fixture
def visit(browser: Browser, site: Site) -> Visiting:
    hosts = [site.url[7:], site.chain.url[7:], site.chain.url[7:].replace("127.0.0.1", "localhost")]

    def visit(*more_hosts: str, **options: Any) -> AbstractContextManager[Visit]:
        return visiting(browser, [*hosts, *more_hosts], **options)

    return visit


@contextmanager
def liar(site: Site) -> Iterator[tuple[LyingProxy, str]]:
    """An endpoint that a page may ask, and that lies when told to: what makes it lie, and its address."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.cors import CORSMiddleware
    from starlette.requests import Request
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    with lying_proxy(site.chain.url) as proxy:

        async def answer(request: Request) -> JSONResponse:
            return JSONResponse(proxy.answers(await request.json()))

        cors = Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["POST"], allow_headers=["*"])
        served = Served(Starlette(routes=[Route("/", answer, methods=["POST"])], middleware=[cors]))
        try:
            yield proxy, served.url
        finally:
            served.stop()


def look_again(one: Visit) -> None:
    """By its button, unless the page has looked by itself meanwhile: then a link away from it may stand in the button's place."""
    one.page.evaluate("document.querySelector('.actions button.primary')?.click()")


@pytest.mark.parametrize(("file", "status", "role", "chinese", "english"), COPIES)
def test_each_verdict_of_a_code(site: Site, visit: Visiting, file: str, status: str, role: str, chinese: str, english: str) -> None:
    """On a phone in Chinese by day; then the same page in English, on a desk by night."""
    code = site.answers.hold(file, **stated(status))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        for word in (chinese, english):
            one.wait_for(word)
            assert one.role() == role
            assert one.page.title().startswith(word)
            # Green is the valid one's alone, but for the parts of a partly reversed one that hold.
            assert (one.greens() > 0) == (role in ("good", "caution"))
            expect(one.page.locator("#live")).to_contain_text(word)
            assert one.page.locator("#answer .verdict .seal svg").count() == 1
            facts = one.page.inner_text(".compare")
            assert "北京示例软件股份有限公司" in facts
            assert "¥1,060.00" in facts
            assert one.page.locator(".tick").count() == 3
            one.check_accessible()
            if word == chinese:
                one.page.click("#language")
                one.page.emulate_media(color_scheme="dark")
                one.page.set_viewport_size({"width": 1280, "height": 900})


def test_who_says_so_stands_apart(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid"))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        browser, service = one.page.locator(".source").all_inner_texts()
        block = int(site.chain.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16)
        assert "本浏览器核对" in browser
        assert f"区块 {block}" in browser
        assert "2026年11月25日" in browser
        assert "2 个节点" in browser
        assert "登记服务称" in service
        assert "有效" in service


def test_steps_open_by_keyboard(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json")
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        one.page.focus(".tick:nth-of-type(2) summary")
        one.page.keyboard.press("Enter")
        steps = one.page.locator(".tick:nth-of-type(2) .steps li").all_inner_texts()
        assert [step.split("\n")[0].split(" ")[0] for step in steps] == [
            "链与合约通过",
            "上链存证通过",
            "登记簿通过",
            "最终确定通过",
            "最新通过",
            "现行通过",
        ]
        assert "第 9 号存证" in steps[2]
        # A look at the chain that ends the same leaves open what was opened, and the focus where it was.
        one.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        assert one.page.locator(".tick[open]").count() == 1


def test_it_leads_on_only_to_what_is_proven(site: Site, visit: Visiting) -> None:
    other, invented = "26112754987794378563", "26112754987794378564"
    for named, is_shown in ((other, True), (invented, False)):
        code = site.answers.hold("void.proof.json", **stated("void", other_number=named))
        with visit() as one:
            one.page.goto(f"{site.url}/v#{code}")
            one.wait_for("已作废")
            assert "2026年11月25日" in one.page.inner_text(".sentence")
            assert (named in one.page.inner_text("#answer").replace(" ", "").replace("\n", "")) == is_shown
            if is_shown:
                one.page.click(".lead-number")
                expect(one.page.locator("#field-number")).to_have_value(re.compile(" ?".join(other)))


def test_nothing_is_green_while_something_is_pending(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid", pending={"kind": "void"}))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        assert one.greens() == 0
        assert one.role() == "wait"
        box = one.page.locator(".announcement").bounding_box()
        verdict = one.page.locator(".verdict").bounding_box()
        assert box
        assert verdict
        assert box["y"] < verdict["y"]
        assert "正在作废" in one.page.inner_text(".announcement")
        one.check_accessible()
        site.answers.hold("valid.proof.json", **stated("valid"))
        look_again(one)
        one.page.wait_for_selector('.verdict[data-role="good"]')
        expect(one.page.locator(".announcement")).to_have_count(0)


def test_a_statement_that_contradicts_takes_the_green_away(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("void"))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        assert one.greens() == 0
        assert "不同" in one.page.inner_text(".announcement")


def test_what_is_pending_comes_right_by_itself(site: Site, visit: Visiting) -> None:
    """The same invoice, first with the proof of an older register, then with the newest."""
    code = site.answers.hold("stale_valid.proof.json")
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("内容属实，状态待更新")
        assert one.role() == "wait"
        assert one.greens() == 0
        site.answers.hold("valid.proof.json")
        one.wait_for("登记有效")


def test_the_server_may_go_once_the_page_is_there(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid"))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        site.served.pause()
        try:
            block = one.page.inner_text(".source >> nth=0")
            site.chain.mine()
            one.page.evaluate("dispatchEvent(new Event('hashchange'))")
            # From the beginning, with nobody to ask for the proof: undecided, and it says why.
            one.wait_for("暂不能确定")
            assert "没有回答" in one.page.inner_text(".sentence") or "没有得到回答" in one.page.inner_text(".sentence")
            assert one.greens() == 0
            assert block
        finally:
            site.served.start()
        one.wait_for("登记有效")


def test_a_look_again_needs_the_chain_alone(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid", pending={"kind": "void"}))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        site.chain.mine()
        block = int(site.chain.rpc("eth_getBlockByNumber", "finalized", False)["number"], 16)
        site.served.pause()
        try:
            look_again(one)
            # The service is not there to say that anything is pending any more.
            expect(one.page.locator(".source")).to_have_count(1)
            assert f"区块 {block}" in one.page.inner_text(".source")
            assert one.word() == "登记有效"
        finally:
            site.served.start()


LIES: dict[str, Callable[[LyingProxy], None]] = {
    "another root": lambda proxy: proxy.lie("eth_call", lambda call, ask: {"result": "0x" + "ab" * 160}),
    "another block": lambda proxy: proxy.lie(
        "eth_getBlockByNumber",
        lambda call, ask: {"result": {**ask(call["method"], *call["params"])["result"], "hash": "0x" + "ab" * 32}},
    ),
    "another chain": lambda proxy: proxy.answer("eth_chainId", "0x1"),
    "nothing": lambda proxy: proxy.answer("eth_call", "0x"),
    "no JSON": lambda proxy: proxy.lie("eth_call", lambda call, ask: {}),
    "zeros": lambda proxy: proxy.answer("eth_call", "0x" + "00" * 160),
}


@pytest.mark.parametrize("beside", [True, False], ids=["beside an honest one", "alone"])
def test_an_endpoint_that_lies_never_makes_green(site: Site, visit: Visiting, beside: bool) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid"))
    with liar(site) as (proxy, url), visit(url[7:]) as one:
        site.trust(*([site.chain.url] if beside else []), url)
        for name, lie in LIES.items():
            proxy.tell_truth()
            lie(proxy)
            one.page.goto("about:blank")
            one.page.goto(f"{site.url}/v#{code}")
            one.wait_for("暂不能确定")
            assert one.role() == "neutral", name
            assert one.greens() == 0, name
            assert "并不表示发票有问题" in one.page.inner_text(".verdict")
        proxy.tell_truth()
        look_again(one)
        one.wait_for("登记有效")


def test_a_trust_file_without_endpoints(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json", **stated("valid"))
    site.trust(without=True)
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("暂不能确定")
        assert one.greens() == 0
        assert "加入您信任的节点" in one.page.inner_text(".next")
        one.page.goto(f"{site.url}/verify")
        one.page.click("details.details summary")
        expect(one.page.locator("#endpoints-listed")).to_contain_text("没有列出节点")
        one.page.fill("#endpoints-own", site.chain.url)
        one.page.click("#endpoints button")
        one.page.wait_for_url(f"{site.url}/verify?connect=*")
        one.page.goto("about:blank")
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")


def test_another_copy_is_not_current(site: Site, visit: Visiting) -> None:
    data = (PROOFS / "not_current.proof.json").read_bytes()
    site.answers.proofs["26112394759488566181", "ab" * 32] = data
    with visit() as one:
        one.page.goto(f"{site.url}/v#26112394759488566181.{commitment_to_text(bytes.fromhex('ab' * 32))}")
        one.wait_for("不是现行的一份")
        assert one.role() == "bad"


@pytest.mark.parametrize(
    "fragment", ["", "#", "#26112983965558933682", "#26112983965558933682.ABC", "#<img src=x onerror=alert(1)>.A"]
)
def test_an_address_that_is_cut(site: Site, visit: Visiting, fragment: str) -> None:
    with visit() as one:
        one.page.goto(f"{site.url}/v{fragment}")
        one.wait_for("无法识别")
        assert one.role() == "neutral"
        assert not [url for url in one.requested if "/v1/" in url]


def test_the_language_is_the_visitors(site: Site, visit: Visiting) -> None:
    with visit(locale="en-GB") as one:
        one.page.goto(f"{site.url}/")
        expect(one.page.locator("html")).to_have_attribute("lang", "en")
        expect(one.page.locator("h1")).to_have_text("Check an invoice")
        one.page.fill("#field-number", "2611 2983")
        one.page.click("#language")
        expect(one.page.locator("h1")).to_have_text("查一张发票")
        expect(one.page).to_have_title("查询发票 · 证票")
        assert one.page.input_value("#field-number") == "2611 2983"
        one.page.goto(f"{site.url}/verify")
        expect(one.page.locator("h1")).to_have_text("核验文件")
        expect(one.page.locator("html")).to_have_attribute("lang", "zh-CN")
        assert not one.page.evaluate("document.documentElement.classList.contains('switching')")
        one.check_accessible()


def test_pages_without_an_answer_are_for_everybody(site: Site, visit: Visiting) -> None:
    with visit(locale="en-US", viewport={"width": 320, "height": 640}) as one:
        for path in ("/", "/verify"):
            one.page.emulate_media(color_scheme="light")
            one.page.goto(site.url + path)
            one.check_accessible()
            assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
            one.page.keyboard.press("Tab")
            assert one.page.evaluate("document.activeElement.className") == "skip"
            one.page.emulate_media(color_scheme="dark")
            one.check_accessible()


def test_a_printed_answer_is_one_page_that_can_be_scanned(site: Site, visit: Visiting) -> None:
    import pypdfium2
    import zxingcpp

    code = site.answers.hold("valid.proof.json", **stated("valid"))
    with visit() as one:
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        one.page.wait_for_selector(".printed-code svg", state="attached")
        printed = pypdfium2.PdfDocument(one.page.pdf(format="A4"))
        assert len(printed) == 1
        text = printed[0].get_textpage().get_text_range()
        assert "登记有效" in text
        assert "区块" in text
        assert re.search("2026年11月25日", text)
        (found,) = zxingcpp.read_barcodes(printed[0].render(scale=3).to_pil())
        assert found.text == f"{site.url}/v#{code}"
        printed.close()


def test_without_tls_there_is_no_camera_and_all_the_same_an_answer(site: Site, browser: Browser) -> None:
    """Plain http to a name that is not localhost: the browser withholds WebCrypto and the camera."""
    code = site.answers.hold("valid.proof.json")
    loopback = Served(site.served.app)
    try:
        host = f"insecure.example:{loopback.port}"
        chain = site.chain.url[7:]
        with visiting(browser, [host, chain, chain.replace("127.0.0.1", "localhost")]) as one:
            one.page.goto(f"http://{host}/v#{code}")
            one.wait_for("登记有效")
            one.page.goto(f"http://{host}/")
            expect(one.page.locator("#scan-trouble")).to_contain_text("HTTPS")
            expect(one.page.locator("#scan")).to_be_hidden()
            expect(one.page.locator('label[for="photo"]')).to_be_visible()
    finally:
        loopback.stop()


def test_an_endpoint_of_the_visitors_own(site: Site, visit: Visiting) -> None:
    code = site.answers.hold("valid.proof.json")
    with liar(site) as (proxy, url), visit(url[7:]) as one:
        # A link alone makes the page ask nobody.
        one.page.goto(f"{site.url}/v?connect={url}#{code}")
        one.wait_for("登记有效")
        assert url[7:] not in one.asked_hosts()
        one.page.goto(f"{site.url}/verify")
        one.page.click("details.details summary")
        one.page.fill("#endpoints-own", f"{url}/?key=secret\nnonsense")
        one.page.click("#endpoints button")
        expect(one.page.locator("#endpoints-said")).to_contain_text("第 2 行")
        one.page.fill("#endpoints-own", f"{url}/?key=secret")
        one.page.click("#endpoints button")
        one.page.wait_for_url(f"{site.url}/verify?connect=*")
        assert "secret" not in one.page.url
        one.page.goto("about:blank")
        one.page.goto(f"{site.url}/v#{code}")
        one.wait_for("登记有效")
        assert url[7:] in one.asked_hosts()
        assert "3 个节点" in one.page.inner_text(".source >> nth=0")
        proxy.answer("eth_chainId", "0x1")
        one.page.reload()
        one.wait_for("暂不能确定")


BREACHES = """
async () => {
  const made = (tag, members) => Object.assign(document.createElement(tag), members);
  const image = (src) => new Promise((onload, onerror) => made("img", { onload, onerror, src }));
  const tried = {
    script: () => document.body.append(made("script", { textContent: "globalThis.ran = 1" })),
    html: () => { document.body.innerHTML = "<img src=x onerror='globalThis.ran = 1'>"; },
    text: () => setTimeout("globalThis.ran = 1"),
    worker: () => new Worker("/static/x/copy.js"),
    request: () => fetch("http://example.test/"),
    picture: () => image("http://example.test/a.png"),
  };
  const passed = [];
  for (const [name, attempt] of Object.entries(tried)) {
    try { await attempt(); passed.push(name); } catch {}
  }
  document.head.append(made("style", { textContent: "* { color: red }" }));
  await new Promise((done) => setTimeout(done, 50));
  return [passed, "ran" in globalThis, getComputedStyle(document.body).color];
}
"""


def test_the_policy_holds_and_a_breach_is_seen(site: Site, visit: Visiting) -> None:
    """The control of every other visit: what is asserted of each of them does not hold of this one."""
    with pytest.raises(AssertionError, match="POLICY"), visit() as one:  # noqa: PT012  raised when the visit ends
        one.page.goto(f"{site.url}/v")
        passed, ran, color = one.page.evaluate(BREACHES)
        assert passed == []
        assert not ran
        assert color != "rgb(255, 0, 0)"


def test_the_policy_is_strict(site: Site) -> None:
    from urllib.request import urlopen

    for path in ("/", "/v", "/verify"):
        with urlopen(site.url + path) as answer:
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
            assert "Set-Cookie" not in answer.headers
        assert policy["default-src"] == "'none'"
        assert set(policy["connect-src"].split()) == {"'self'", site.chain.url, site.chain.url.replace("127.0.0.1", "localhost")}
        assert "unsafe-inline" not in str(policy)
        assert ("wasm-unsafe-eval" in policy["script-src"]) == (path != "/v")
        assert policy["require-trusted-types-for"] == "'script'"
