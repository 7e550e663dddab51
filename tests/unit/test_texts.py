"""Grams: whatever stands in a text is found by it."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.invoices.texts import MAX_WORD, TAILS, Gram, grams_of, plain, tail_gram, terms_of, text_of
from tests.unit.samples import sections_of
from verifier.canonical import canonical_bytes


def is_found(text: str, question: str) -> bool:
    """As an index and a second look decide it."""
    said, grams = plain(text), grams_of(plain(text))

    def has(gram: Gram) -> bool:
        is_there = any(known.startswith(gram.text) for known in grams) if gram.is_prefix else gram.text in grams
        return is_there or (gram.tail and tail_gram(gram.text) in grams)

    return all(all(map(has, term.grams)) and term.text in said for term in terms_of(question))


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("北京市东城区示例餐饮店（个体工商户）", "东城"),
        ("北京市东城区示例餐饮店（个体工商户）", "店"),
        ("北京市东城区示例餐饮店（个体工商户）", "户"),
        ("北京市东城区示例餐饮店（个体工商户）", "（个体"),
        ("北京市东城区示例餐饮店（个体工商户）", "示例 北京"),
        ("*信息技术服务*软件开发", "技术服务*软件"),
        ("26112999000000000010", "2611299"),
        ("26112999000000000010", "00000010"),
        ("26112999000000000010", "0010"),
        ("011002400111-99000007", "99000007"),
        ("27232.82", "27,232.82"),
        ("¥27,232.82", "27232"),
        ("Ｚ－１００", "z-100"),
        ("Beijing Sample Software Co.", "SAMPLE soft"),
        ("𠮷野家", "𠮷野"),
    ],
)
def test_what_stands_there_is_found(text: str, question: str) -> None:
    assert is_found(text, question)


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("北京市东城区", "京东"),
        ("北京市东城区", "城东"),
        ("东区城区 东城路口", "东城区"),  # each pair occurs, the word does not
        ("26112999000000000010", "0011"),
        ("北京", "上海"),
    ],
)
def test_what_does_not_stand_there_is_not_found(text: str, question: str) -> None:
    assert not is_found(text, question)


def test_signs_alone_have_no_gram() -> None:
    assert terms_of("  ") == []
    assert [term.grams for term in terms_of("*** ，")] == [(), ()]


def test_the_text_of_an_invoice_is_all_that_stands_in_it() -> None:
    sections = sections_of("S01")
    said = text_of([canonical_bytes(section) for section in sections.values()], "ERP-1")
    assert plain(sections["seller"]["name"]) in said
    assert plain(sections["lines"][0]["item"]) in said
    assert said.endswith("erp-1")
    assert text_of([None, orjson.dumps({"a": ["x", {"b": True, "c": "Y"}]})]) == "x\ny"


@given(st.text(max_size=60), st.data())
def test_every_piece_of_a_run_is_found(text: str, data: st.DataObject) -> None:
    """Of Chinese any piece; of another word any beginning, and of a number its last digits."""
    said = plain(text)
    pieces = terms_of(said)
    if not pieces:
        return
    piece = data.draw(st.sampled_from(pieces)).text
    assert is_found(text, piece)
    han = "".join(character for character in piece if "\u4e00" <= character <= "\u9fff")
    if len(han) > 1 and han in piece:
        low = data.draw(st.integers(0, len(han) - 1))
        high = data.draw(st.integers(low + 1, len(han)))
        assert is_found(text, han[low:high])


@given(st.text("0123456789", min_size=9, max_size=40), st.sampled_from(TAILS), st.integers(1, 40))
def test_a_number_is_found_by_both_ends(number: str, tail: int, head: int) -> None:
    assert is_found(f"No. {number}", number[-tail:])
    assert is_found(f"No. {number}", number[:head])


def test_a_word_without_end_is_cut() -> None:
    assert max(map(len, grams_of("x" * 10_000))) == MAX_WORD
    assert is_found("x" * 10_000, "x" * 9_000)
