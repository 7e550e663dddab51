"""Why a delivery failed, what a webhook tells of and why one is disabled have words on the desk's pages, in both languages."""

import ast
from pathlib import Path
from typing import get_args

import orjson
import pytest

from service.api.models.deliveries import Webhook
from service.deliveries import events
from service.web.texts import DESK_FOLDER, TAGS, Tag

DELIVERIES = Path(__file__).resolve().parents[2] / "service" / "deliveries"


def words(tag: Tag, group: str) -> set[str]:
    keys = orjson.loads((DESK_FOLDER / f"deliveries.{tag}.json").read_bytes())
    return {key.removeprefix(f"{group}.") for key in keys if key.startswith(f"{group}.")}


def codes() -> set[str]:
    """What senders fail with, what a courier gives up for, and what a row is marked with outright."""
    found: set[ast.expr] = set()
    for path in DELIVERIES.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Failed":
                found.add(node.args[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "queue.give_up":
                found.add(node.args[-1])
            elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "code":
                found.add(node.value)
            elif isinstance(node, ast.Dict):
                found |= {
                    value for key, value in zip(node.keys, node.values, strict=True) if ast.unparse(key or value) == "'error'"
                }
    literals = {one for part in found for one in ast.walk(part) if isinstance(one, ast.Constant)}
    return {one.value for one in literals if isinstance(one.value, str)}


def test_the_sources_tell_what_may_go_wrong() -> None:
    """By each of the ways: otherwise the comparison below would be of too few."""
    assert {"timed_out", "redirected", "not_readable", "webhook_disabled"} <= codes()


@pytest.mark.parametrize("tag", TAGS.values())
def test_every_failure_has_its_words_and_every_word_its_failure(tag: Tag) -> None:
    assert words(tag, "delivery_error") == codes()


@pytest.mark.parametrize("tag", TAGS.values())
def test_what_a_webhook_tells_of_and_why_it_is_disabled_has_words(tag: Tag) -> None:
    assert words(tag, "webhook_event") == set(events.TYPES)
    why = Webhook.model_fields["disabled_by"].annotation
    assert words(tag, "webhook_why") == {word for part in get_args(why) for word in get_args(part)}
