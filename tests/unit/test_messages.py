"""Every code that the rules or the importers can say has its sentences."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.errors import Finding
from service.messages import FILES, FINDINGS, detail, place, sentence

SERVICE = Path(__file__).parents[2] / "service"

MAKERS = {"add", "_add", "Finding", "FormatError", "_refused", "_fail"}

DOMAIN_CODES = {
    "field_missing", "field_unknown", "kind_unknown", "text_not_allowed", "amount_scale", "kind_assumed", "number_format",
    "region_unknown", "number_year", "tax_id_check_digit", "tax_id_format", "buyer_title_missing", "item_missing",
    "item_without_category", "line_amount_tolerance", "line_tax_tolerance", "tax_tolerance", "lines_do_not_add_up",
    "totals_do_not_add_up", "discount_line", "rate_not_allowed", "capitals_mismatch", "issued_in_the_future", "check_code_format",
    "reversal_without_original", "reversal_exceeds_original", "reversal_of_reversal", "original_not_open",
    "original_not_registered", "number_taken", "possible_duplicate",
}  # fmt: skip


def test_the_codes_are_those_of_the_domain() -> None:
    # seller_not_bound is api.md's: said of content, but by whoever knows the key.
    assert {key.partition("/")[0] for key in FINDINGS} == DOMAIN_CODES | {"seller_not_bound"}


@pytest.mark.parametrize(
    ("key", "pair"), [*FINDINGS.items(), *FILES.items()], ids=lambda value: value if isinstance(value, str) else ""
)
def test_both_languages_say_the_same_with_the_same_facts(key: str, pair: tuple[str, str]) -> None:
    chinese, english = pair
    facts = [{name for _, name, _, _ in string.Formatter().parse(text) if name} - {"place"} for text in pair]
    assert facts[0] == facts[1]
    assert chinese.endswith("。")
    assert english.rstrip(").").isprintable()
    assert not chinese.isascii()


def _constants(node: ast.expr) -> list[str]:
    return [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]


def _said() -> Iterator[tuple[str, str, set[str]]]:
    """(where, code/case, facts given) of every call in the source that makes a finding or an error with a literal code."""
    for path in [*SERVICE.glob("invoices/*.py"), *SERVICE.glob("formats/*.py")]:
        for call in ast.walk(ast.parse(path.read_text())):
            if not isinstance(call, ast.Call) or not call.args or not isinstance(call.args[0], ast.Constant):
                continue
            code = call.args[0].value
            maker = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            if maker not in MAKERS or code not in DOMAIN_CODES | FILES.keys():
                continue
            given = {keyword.arg for keyword in call.keywords if keyword.arg}
            given |= {name for argument in call.args if isinstance(argument, ast.Dict) for name in _constants(argument)}
            splat = any(keyword.arg is None for keyword in call.keywords)
            cases = next((_constants(keyword.value) for keyword in call.keywords if keyword.arg == "case"), [""])
            for case in cases:
                facts = given | ({"rate"} if splat else set())
                yield f"{path.name}:{call.lineno}", f"{code}/{case}" if case else code, facts


@pytest.mark.parametrize(("where", "key", "facts"), list(_said()), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_said_in_the_source_has_a_sentence_and_its_facts(where: str, key: str, facts: set[str]) -> None:
    pair = FINDINGS.get(key) or FILES[key]
    needed = {name for text in pair for _, name, _, _ in string.Formatter().parse(text) if name} - {"place"}
    assert needed <= facts, where


def test_a_place_in_words() -> None:
    assert place("/seller/tax_id", "zh") == "销方税号"
    assert place("/seller/tax_id", "en") == "seller's tax id"
    assert place("/totals/amount_with_tax", "zh") == "价税合计"
    assert place("/totals/amount", "zh") == "合计金额"
    assert place("/totals/amount_with_tax", "en") == "total amount with tax"
    assert place("/lines/3/amount", "zh") == "第 4 行金额"
    assert place("/lines/3/amount", "en") == "amount of line 4"
    assert place("/lines/3", "en") == "line 4"
    assert place("/provenance/original/number", "zh") == "原发票号码"
    assert place("/header", "en") == "header"
    assert place("/notes", "zh") == "备注"
    assert place("/notes/extra/a~1b", "en") == "extra a/b"
    assert place("/shipping", "zh") == "shipping"
    assert place("", "zh") == "发票"


def test_a_sentence_is_not_a_template_of_what_users_wrote() -> None:
    finding = Finding("field_unknown", "error", "/seller/{0.__class__}")
    assert detail(finding, "en") == "The schema does not know the field seller's {0.__class__}."
    assert sentence("tax_xml_other_root", {"name": "{x}"}, "en") == "This is no tax XML: its root element is {x}."


def test_the_last_of_many_says_how_many_more() -> None:
    finding = Finding("item_missing", "error", "/lines/99/item", {"more": "7"})
    assert detail(finding, "zh") == "缺少项目名称。（另有 7 处相同）"
    assert detail(finding, "en") == "The item is missing. (7 more like this)"


def test_a_code_without_a_sentence_is_a_defect() -> None:
    with pytest.raises(KeyError):
        sentence("no_such_code", {}, "en")
