"""What the server makes of pages: texts in both languages, the policy, which other hosts a page may ask."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from service.web import pages, policy, server_answer, static
from service.web.server_answer import Said
from service.web.texts import TAGS, applicant_text, catalogue, text

TRUST: dict[str, Any] = {
    "protocol": "zp1",
    "chain": {"chain_id": 1, "contract": "0x" + "5f" * 20},
    "rpc_urls": ["https://rpc.example/key", "https://rpc.example:8443", "http://127.0.0.1:8545/</script><script>alert(1)</script>"],
}


@pytest.fixture
def client() -> TestClient:
    app = Starlette(routes=pages.routes())
    settings = SimpleNamespace(public_url="https://registry.example")
    app.state.context = SimpleNamespace(trust=json.dumps(TRUST).encode(), settings=settings)
    return TestClient(app)


@pytest.mark.parametrize("path", ["/", "/v", "/verify"])
def test_each_page_in_each_language(client: TestClient, path: str) -> None:
    for accepted, tag in (("zh-CN", "zh-CN"), ("en-GB,en;q=0.9", "en"), ("", "zh-CN"), ("fr", "zh-CN")):
        answer = client.get(path, headers={"Accept-Language": accepted})
        assert answer.status_code == 200
        assert answer.headers["content-language"] == tag
        assert f'<html lang="{tag}">' in answer.text
        assert "Accept-Language" in answer.headers["vary"]
        assert client.get(f"{path}?lang=en", headers={"Accept-Language": accepted}).headers["content-language"] == "en"
    # What is written into the page for its script ends no element, and is what was given.
    data = answer.text.partition('id="page">')[2].partition("</script>")[0]
    assert json.loads(data)["trust"] == TRUST
    assert answer.text.count("<script") == 3


def test_the_policy_names_the_endpoints_and_what_the_visitor_chose(client: TestClient) -> None:
    given = client.get("/v?connect=https://mine.example,nonsense").headers["content-security-policy"]
    assert "connect-src 'self' https://rpc.example https://rpc.example:8443 http://127.0.0.1:8545 https://mine.example;" in given
    assert "script-src 'self' 'sha256-" in given
    assert "unsafe" not in given
    assert "'wasm-unsafe-eval'" in client.get("/").headers["content-security-policy"]


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://rpc.example/v3/key?a=b", "https://rpc.example"),
        ("HTTPS://RPC.example:443", "https://rpc.example"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://[::1]:8545/", "http://[::1]:8545"),
        ("https://user:secret@rpc.example/", "https://rpc.example"),
        ("ws://rpc.example", None),
        ("https://", None),
        ("https://rpc.example:port", None),
        ("https://rpc example", None),
        ("https://rpc.example;script-src *", None),
        ("https://rpc.example\n", "https://rpc.example"),
        ("javascript:alert(1)", None),
        ("https://例子.example", None),
        ("https://-a.example", None),
    ],
)
def test_origins(url: str, origin: str | None) -> None:
    assert policy.origin(url) == origin


def test_what_a_link_asks_for_is_taken_only_where_it_is_an_origin() -> None:
    assert policy.chosen("https://a.example,https://a.example,http://[::1]:1") == ("https://a.example", "http://[::1]:1")
    for wrong in (
        "",
        "*",
        "https:",
        "'self'",
        "https://a.example/path",
        "https://a.example;script-src *",
        "https://*.example",
        " https://a",
    ):
        assert policy.chosen(wrong) == (), wrong
    assert len(policy.chosen(",".join(f"https://a{n}.example" for n in range(20)))) == policy.MAX_CHOSEN


@pytest.mark.parametrize("path", ["/reprint", "/feedback", "/unsubscribe"])
def test_the_applicants_pages_ask_the_service_alone(client: TestClient, path: str) -> None:
    for tag in TAGS.values():
        answer = client.get(f"{path}?connect=https://mine.example", headers={"Accept-Language": tag})
        assert answer.status_code == 200
        assert f'<html lang="{tag}">' in answer.text
        assert applicant_text(tag, f"title.{path[1:]}") in answer.text
        policy_sent = answer.headers["content-security-policy"]
        assert "connect-src 'self';" in policy_sent
        assert "img-src 'self' blob:;" in policy_sent
        assert ("'wasm-unsafe-eval'" in policy_sent) == (path == "/reprint"), "only where a code is scanned"
        assert "preconnect" not in answer.text
        assert "set-cookie" not in answer.headers
        assert "applicant/applicant.css" in answer.text
        assert 'id="icon-identity"' in answer.text
    assert "/applicant/" not in client.get("/").text, "the look-up page loads nothing of theirs"


def test_static_files_are_what_is_there_and_nothing_else(client: TestClient) -> None:
    for name in sorted(static.names()):
        answer = client.get(f"/static/{static.version()}/{name}")
        assert answer.content == (Path(str(static.FOLDER)) / name).read_bytes()
        assert "immutable" in answer.headers["cache-control"]
    assert {f"parts/{Path(one).name}" for one in static.imports_of("copy.js")} <= static.names()


def test_texts_count_as_the_language_does() -> None:
    assert text("en", "found.tries", count="1") == "1 more try today."
    assert text("en", "found.tries", count="2") == "2 more tries today."
    assert text("zh-CN", "found.tries", count="1") == "今天还可以再试 1 次。"
    with pytest.raises(KeyError):
        text("en", "found.tries")
    with pytest.raises(KeyError):
        text("en", "no.such.text")


def test_every_answer_without_javascript_has_its_texts(client: TestClient) -> None:
    icons = client.get("/").text
    looks = [*server_answer._MATCH_LOOKS.values(), ("bad", "differs", "found.mismatch"), ("bad", "absent", "verdict.absent")]
    for role, shape, word in looks:
        said = Said(200, role, shape, word, "found.match.sentence", of_status="status.valid", advice="advice.absent", tries_left=1)
        for tag in TAGS.values():
            assert said.word in catalogue(tag)
            assert f'id="icon-{shape}"' in icons
    assert server_answer.form_of({"number": ["<b>" * 100], "with_tax": ["0", "1"]}) == {
        "number": ("<b>" * 100)[:100],
        "issued_on": "",
        "amount": "",
        "with_tax": "1",
    }
