"""An address where nothing is: a page for people, in their language, and a problem for programs."""

import pytest
from starlette.testclient import TestClient

from tests.integration.api import Api

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(("language", "tag", "title"), [("zh-CN", "zh-CN", "没有这个页面"), ("en", "en", "There is no such page")])
@pytest.mark.parametrize("path", ["/nothing", "/audit/nothing/at/all", "/v2", "/reprints", "/index.html"])
def test_people_see_a_page(lite: Api, path: str, language: str, tag: str, title: str) -> None:
    visitor = TestClient(lite.app)  # pages are in no document of the API
    answer = visitor.get(path, headers={"Accept": BROWSER, "Accept-Language": language})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == tag
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert f'<html lang="{tag}">' in answer.text
    assert title in answer.text
    style = answer.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    assert visitor.get(style).status_code == 200
    assert answer.headers["request-id"]


@pytest.mark.parametrize(
    ("path", "accepted"),
    [
        ("/nothing", "application/json"),
        ("/nothing", "*/*"),
        ("/nothing", "text/htmlx"),
        ("/v1/nothing", BROWSER),
        ("/v1", BROWSER),
    ],
)
def test_programs_get_a_problem(lite: Api, path: str, accepted: str) -> None:
    answer = lite.client.get(path, headers={"Accept": accepted})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_resource")


def test_what_is_posted_where_nothing_is_gets_a_problem(lite: Api) -> None:
    answer = lite.client.post("/nothing", headers={"Accept": BROWSER})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_resource")
    assert lite.client.get("/v1/lookups", headers={"Accept": BROWSER}).json()["code"] == "method_not_allowed"
