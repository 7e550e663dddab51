"""Every text in both languages, and every code that is used has one."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

from verifier.errors import ChainUnavailable, Malformed, NotCanonical
from verifier.messages import SENTENCES, WORDS, sentence, verdict_title, when, word
from verifier.register import Status
from verifier.report import CHECKS, EXIT_STATUS

VERIFIER = Path(__file__).parents[3] / "verifier"
CODE = re.compile(r"(form|canonical|trust|content|entry|receipt|inclusion|register|final|newest|current|pending|skipped|chain|fetched|verdict|next|fact|source|cli|carried)\.[a-z_]+")  # fmt: skip  # noqa: E501


def codes_in_source() -> set[str]:
    found = set()
    for path in VERIFIER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
                found.add(node.value)
    return found


@pytest.mark.parametrize("code", sorted(codes_in_source() - {"chain.py"}))
def test_a_code_has_a_sentence(code: str) -> None:
    assert code in SENTENCES


@pytest.mark.parametrize("code", sorted(SENTENCES))
def test_both_languages_say_the_same(code: str) -> None:
    chinese, english = ({name for _, name, _, _ in Formatter().parse(text) if name} for text in SENTENCES[code])
    assert chinese == english
    assert re.search("[\u4e00-\u9fff]", SENTENCES[code][0])
    assert not re.search("[\u4e00-\u9fff]", SENTENCES[code][1])


def test_names() -> None:
    for name in (*CHECKS, *(status.name.lower() for status in Status)):
        assert name in WORDS
    for verdict in EXIT_STATUS:
        assert verdict_title(verdict, "zh") != verdict_title(verdict, "en")
    for reason in NotCanonical.REASONS:
        assert f"canonical.{reason}" in SENTENCES or reason in ("unassigned", "size")  # asked at issue only
    assert word("no such word", "zh") == "no such word"


def test_params_are_shown_by_their_name() -> None:
    assert sentence("form.range", {"pointer": ""}, "en") == "/ is not an integer within its range."
    assert sentence("entry.kind", {"kind": "void"}, "zh") == "这个条目（作废）不登记任何一份发票。"
    shown = sentence("receipt.pass", {"deadline": 1_795_600_060_000}, "en")
    assert when(1_795_600_060) in shown
    assert "{" not in sentence("form.unknown", {"pointer": "/{0}", "name": "{1.__class__}"}, "en").replace("{0}", "").replace(
        "{1.__class__}", ""
    )


@pytest.mark.parametrize("seconds", [0, 2**53 - 1, -(2**53), 2**63])
def test_any_time_can_be_shown(seconds: int) -> None:
    assert when(seconds)


def test_errors_speak_both_languages() -> None:
    error = Malformed("form.missing", "/a", name="b")
    assert str(error) == "/a has no member “b”."
    assert error.sentence("zh") == "/a 缺少成员“b”。"
    assert str(Malformed("as it is")) == "as it is"
    assert str(ChainUnavailable("chain.lag", block=1, age=2)) == "The final block 1 is 2 seconds old: too old."
