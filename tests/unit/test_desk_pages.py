"""What the server knows of the desks' pages: scripts, texts, icons, homes, and where a sign-in may lead."""

import re

import pytest

from service.api.operations import OF_PEOPLE
from service.web import desk, shell, static
from service.web.desk import DESKS, HOME, NAVIGATION
from service.web.texts import TAGS, desk_text

PATHS = [re.sub(r"\{\w+\}", "R261125-7K3M9QXA", path) for path in DESKS]


@pytest.mark.parametrize("path", DESKS)
def test_every_page_has_its_script_and_its_words(path: str) -> None:
    page = DESKS[path]
    name = page.script.removesuffix(".js")
    assert f"desk/{page.script}" in static.names()
    for tag in TAGS.values():
        assert desk_text(tag, f"title.{name}")
        assert desk_text(tag, f"heading.{name}")
    assert page.under in {entry.href for entry in NAVIGATION}
    [entry] = [entry for entry in NAVIGATION if entry.href == page.under]
    assert set(page.roles) <= set(entry.roles), "whoever may open it finds where it stands"


def test_every_entry_of_the_navigation_leads_to_a_page_that_its_readers_may_open() -> None:
    icons = str(shell.ICONS + desk._ICONS)
    for entry in NAVIGATION:
        assert set(entry.roles) == set(DESKS[entry.href].roles)
        assert f'id="icon-{entry.icon}"' in icons
        for tag in TAGS.values():
            assert desk_text(tag, f"nav.{entry.href}")


def test_everybody_has_a_home() -> None:
    assert set(HOME) == set(OF_PEOPLE)
    for role, home in HOME.items():
        assert role in DESKS[home].roles


@pytest.mark.parametrize("path", PATHS)
def test_a_sign_in_leads_on_to_every_page(path: str) -> None:
    assert desk._NEXT.fullmatch(path)


@pytest.mark.parametrize("path", ["/staffing", "/issuer.example", "//staff", "/staff?next=x", "https://staff", "/v1/staff"])
def test_and_nowhere_else(path: str) -> None:
    assert not desk._NEXT.fullmatch(path)
