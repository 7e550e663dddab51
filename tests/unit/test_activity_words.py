"""Whatever the service writes into the activity log has words on the page that shows it: both lists are read from the sources."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from service.reprints.transitions import TRANSITIONS
from service.web.texts import TAGS, Tag, desk_catalogue

ROOT = Path(__file__).resolve().parent.parent.parent
Function = ast.FunctionDef | ast.AsyncFunctionDef
APPEND = ("service.activity.append", 3)
"""What writes a record: the function's full name, and which of its arguments (from 0, without self) is the action."""


class Call(NamedTuple):
    """`within` is the function it stands in, by its full name; `parameters` are that one's, without self."""

    to: str
    node: ast.Call
    within: str
    parameters: list[str]


def names_of(tree: ast.Module, module: str) -> dict[str, str]:
    """The full name of whatever a file imports, or makes itself at its top, by the name that it has there."""
    found = {node.name: f"{module}.{node.name}" for node in tree.body if isinstance(node, Function)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def callee(func: ast.expr, names: dict[str, str]) -> str:
    """A method is known by its name alone, since nothing here knows what it is called on."""
    if isinstance(func, ast.Name):
        return names.get(func.id, func.id)
    if isinstance(func, ast.Attribute):
        room = names.get(func.value.id) if isinstance(func.value, ast.Name) else None
        return f"{room}.{func.attr}" if room else f"*.{func.attr}"
    return ""


def calls_in(node: ast.AST, names: dict[str, str], within: str, parameters: list[str], module: str) -> Iterator[Call]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            arguments = [one.arg for one in (*child.args.posonlyargs, *child.args.args)]
            is_method = isinstance(node, ast.ClassDef)
            full = f"*.{child.name}" if is_method else f"{module}.{child.name}"
            yield from calls_in(child, names, full, arguments[1:] if is_method else arguments, module)
            continue
        if isinstance(child, ast.Call):
            yield Call(callee(child.func, names), child, within, parameters)
        yield from calls_in(child, names, within, parameters, module)


def all_calls() -> list[Call]:
    found: list[Call] = []
    for path in sorted((ROOT / "service").rglob("*.py")):
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_bytes())
        found += calls_in(tree, names_of(tree, module), module, [], module)
    return found


def actions_of(argument: ast.expr) -> set[str]:
    """What is written: a word, one of two, or one for each way that staff or the system move a case."""
    if isinstance(argument, ast.Constant):
        return {str(argument.value)}
    if isinstance(argument, ast.IfExp):
        return actions_of(argument.body) | actions_of(argument.orelse)
    assert ast.unparse(argument) == "f'reprint_{event}'", f"no word can be read from {ast.unparse(argument)}"
    return {f"reprint_{one.event}" for one in TRANSITIONS if one.by != "applicant"}


@cache
def recorded() -> frozenset[str]:
    """Every action that the code records; a function that only hands an action on is followed to those who call it."""
    calls = all_calls()
    found: set[str] = set()
    known, waiting = {APPEND}, [APPEND]
    while waiting:
        name, place = waiting.pop()
        for call in (one for one in calls if one.to == name):
            named = {keyword.arg: keyword.value for keyword in call.node.keywords}
            argument = call.node.args[place] if len(call.node.args) > place else named["action"]
            if isinstance(argument, ast.Name) and argument.id in call.parameters:
                further = (call.within, call.parameters.index(argument.id))
                waiting += {further} - known
                known.add(further)
            else:
                found |= actions_of(argument)
    return frozenset(found)


def test_the_sources_tell_who_writes_what() -> None:
    """By way of each of the functions that hand an action on: otherwise the comparison below would be of too few."""
    assert {
        "signed_in",
        "created_key",
        "looked_at_invoice",
        "took_evidence",
        "created_webhook",
        "reprint_approve_second",
    } <= recorded()


@pytest.mark.parametrize("tag", TAGS.values())
def test_every_action_has_its_words_and_every_word_its_action(tag: Tag) -> None:
    """The page offers all of these to choose from."""
    said = {key.removeprefix("act.") for key in desk_catalogue(tag) if key.startswith("act.")}
    assert said == recorded()
