"""What pages say, from the catalogues that their scripts use: one a language (verifier/web/page/texts)."""

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Literal

from service.messages import Language

Tag = Literal["zh-CN", "en"]
TAGS: dict[Language, Tag] = {"zh": "zh-CN", "en": "en"}
FOLDER = files("verifier") / "web" / "page" / "texts"
DESK_FOLDER = files("service") / "web" / "desk" / "texts"
APPLICANT_FOLDER = files("service") / "web" / "applicant" / "texts"


@cache
def catalogue(tag: Tag) -> dict[str, str | dict[str, str]]:
    """Texts by key; one that counts something has a text for each of Unicode's plural categories."""
    read: dict[str, str | dict[str, str]] = json.loads((FOLDER / f"{tag}.json").read_text(encoding="utf-8"))
    return read


@cache
def desk_catalogue(tag: Tag) -> dict[str, str | dict[str, str]]:
    """The same for a desk, whose scripts use both."""
    return {**catalogue(tag), **_more(DESK_FOLDER, tag)}


@cache
def applicant_catalogue(tag: Tag) -> dict[str, str | dict[str, str]]:
    """The same for the applicant's pages, whose scripts use both."""
    return {**catalogue(tag), **_more(APPLICANT_FOLDER, tag)}


def _more(folder: Traversable, tag: Tag) -> dict[str, str | dict[str, str]]:
    read: dict[str, str | dict[str, str]] = json.loads((folder / f"{tag}.json").read_text(encoding="utf-8"))
    return read


def text(tag: Tag, key: str, **params: str) -> str:
    """One text with its gaps filled. KeyError for a key or a gap that is not there: a defect."""
    return _filled(catalogue(tag)[key], tag, params)


def desk_text(tag: Tag, key: str, **params: str) -> str:
    """The same of a desk."""
    return _filled(desk_catalogue(tag)[key], tag, params)


def applicant_text(tag: Tag, key: str, **params: str) -> str:
    """The same of a page of the applicant's."""
    return _filled(applicant_catalogue(tag)[key], tag, params)


def _filled(found: str | dict[str, str], tag: Tag, params: dict[str, str]) -> str:
    if isinstance(found, dict):
        # Unicode's plural rules for the two languages: Chinese has one form, English one for 1.
        found = found.get("one" if tag == "en" and params["count"] == "1" else "other", found["other"])
    return found.format_map(params)
