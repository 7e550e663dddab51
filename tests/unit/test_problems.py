"""Every code that is raised anywhere has its status and its sentences, in both languages."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.api import catalogue, monitoring
from service.api.catalogue import ERRORS, PROBLEMS, RELAXED
from service.config import Settings
from service.messages import FILES, FINDINGS

SERVICE = Path(__file__).parents[2] / "service"
CASES = [*PROBLEMS.items()]


def _names(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(("code", "problem"), CASES, ids=[code for code, _ in CASES])
def test_a_problem_says_the_same_in_both_languages(code: str, problem: catalogue.Problem) -> None:
    assert 400 <= problem.status < 600
    for chinese, english in (problem.title, problem.detail):
        assert _names(chinese) == _names(english)
        assert not chinese.isascii()
        assert english.isascii()
    assert problem.detail[0].endswith("。")
    assert problem.detail[1].endswith(".") or problem.detail[1].endswith(").")
    assert PROBLEMS[code.partition("/")[0]].status == problem.status


@pytest.mark.parametrize("pair", [*ERRORS.values(), *RELAXED.values()], ids=lambda pair: pair[1])
def test_a_sentence_says_the_same_in_both_languages(pair: tuple[str, str]) -> None:
    assert _names(pair[0]) == _names(pair[1])
    assert pair[0].endswith("。")
    assert pair[1].endswith(".")


def _calls(*makers: str) -> Iterator[tuple[str, ast.Call]]:
    for path in SERVICE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", None) if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and name in makers and node.args and isinstance(node.args[0], ast.Constant):
                yield f"{path.relative_to(SERVICE)}:{node.lineno}", node


RAISED = [(where, call) for where, call in _calls("Refused", "Unavailable") if isinstance(call.args[0], ast.Constant)]


def test_enough_is_looked_at() -> None:
    assert len(RAISED) > 40


@pytest.mark.parametrize(("where", "call"), RAISED, ids=[where for where, _ in RAISED])
def test_what_is_raised_has_its_problem_and_its_facts(where: str, call: ast.Call) -> None:
    code = ast.literal_eval(call.args[0])
    given: dict[str, Any] = {}
    for argument in call.args[1:]:
        if isinstance(argument, ast.Dict):
            given = {
                ast.literal_eval(key): getattr(value, "value", "x")
                for key, value in zip(argument.keys, argument.values, strict=True)
                if key
            }
    problem = catalogue.find(code, {name: str(value) for name, value in given.items()})
    assert _names(problem.detail[0]) <= given.keys(), where


FOUND = [(where, call) for where, call in _calls("Finding", "parameter_error")]


@pytest.mark.parametrize(("where", "call"), FOUND, ids=[where for where, _ in FOUND])
def test_what_is_found_has_its_sentence(where: str, call: ast.Call) -> None:
    code = ast.literal_eval(call.args[0])
    known = {key.partition("/")[0] for key in [*FINDINGS, *ERRORS]} | PROBLEMS.keys()
    assert code in known, where


def test_a_code_of_a_file_is_a_problem_too() -> None:
    for code in FILES:
        assert catalogue.find(code).status == 422


def test_a_status_is_said_in_words() -> None:
    problem = catalogue.find("not_open", {"status": "void"})
    assert catalogue.sentence(problem.detail, {"status": "void"}, "zh") == "发票的状态（作废）不允许这样做。"
    red = catalogue.find("not_open", {"status": "red_letter"})
    assert red is PROBLEMS["not_open/red_letter"]


def test_relaxed_controls_are_all_said(tmp_path: Path) -> None:
    strict = Settings(
        env="production",
        database_url="postgresql://x/y",  # type: ignore[arg-type]
        rpc_urls=("https://a", "https://b"),
        contract="0x" + "11" * 20,
        receipt_key="22" * 32,  # type: ignore[arg-type]
        public_url="https://registry.example",
    )
    assert monitoring.relaxed_controls(strict) == []
    relaxed = Settings(
        rpc_urls=("http://a",),
        confirmations=2,
        anonymous_per_minute=0,
        database_url=f"sqlite:///{tmp_path}/x",  # type: ignore[arg-type]
        webhooks_anywhere=True,
    )
    assert set(monitoring.relaxed_controls(relaxed)) == RELAXED.keys()


def test_every_code_is_in_one_room_of_the_catalogue() -> None:
    assert sum(map(len, catalogue.ROOMS)) == len(PROBLEMS)
