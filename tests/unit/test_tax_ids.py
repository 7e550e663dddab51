"""Tax ids, against the samples and against python-stdnum where that asks no more than the standard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from service.errors import Finding
from service.invoices.rules import check
from service.invoices.tax_ids import is_credit_code, judge
from tests.unit.samples import TAX_IDS, TODAY, changed

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@pytest.mark.parametrize("tax_id", TAX_IDS["valid"])
def test_a_valid_sample(tax_id: str) -> None:
    assert judge(tax_id) == "valid"
    assert check(changed("S10", "/buyer/tax_id", tax_id), "new", today=TODAY) == []


@pytest.mark.parametrize("tax_id", TAX_IDS["invalid"])
def test_an_invalid_sample(tax_id: str) -> None:
    findings = check(changed("S10", "/buyer/tax_id", tax_id), "new", today=TODAY)
    assert [(f.code, f.severity, f.pointer) for f in findings] == [("tax_id_check_digit", "error", "/buyer/tax_id")]


@pytest.mark.parametrize(
    ("tax_id", "case"),
    [
        ("110108123456789", None),
        ("11010519491231002X00", None),
        ("x", None),
        ("9111********015B", "masked"),
        ("91110108******015B", "masked"),
        ("91110108＊＊＊＊＊＊015B", "masked"),
        ("11010519491231002X", "identity_card"),
        ("440524188001010014", "identity_card"),
    ],
)
def test_what_is_no_credit_code_at_all_is_a_warning(tax_id: str, case: str | None) -> None:
    findings = check(changed("S10", "/buyer/tax_id", tax_id), "new", today=TODAY)
    assert findings == [Finding("tax_id_format", "warning", "/buyer/tax_id", {"case": case} if case else {})]


@pytest.mark.parametrize("tax_id", ["110105194912310021", "110105194913310027", "91110108maxxxx015b", "９1110108MAXXXX015B"])
def test_eighteen_characters_that_fit_neither_are_the_error(tax_id: str) -> None:
    assert [f.code for f in check(changed("S10", "/buyer/tax_id", tax_id), "new", today=TODAY)] == ["tax_id_check_digit"]


def test_a_village_collective_s_code_has_letters_where_stdnum_wants_digits() -> None:
    body = "N2110108MAXXXX015"
    valid = [body + check_digit for check_digit in ALPHABET if is_credit_code(body + check_digit)]
    assert len(valid) == 1
    assert not uscc.is_valid(valid[0])


@given(st.from_regex(rf"[0-9]{{8}}[{ALPHABET}]{{10}}", fullmatch=True))
def test_the_check_digit_agrees_with_stdnum(tax_id: str) -> None:
    assert is_credit_code(tax_id) == uscc.is_valid(tax_id)
    assert is_credit_code(tax_id[:17] + uscc.calc_check_digit(tax_id[:17]))


@given(st.text(max_size=20))
def test_any_text_is_judged(tax_id: str) -> None:
    assert judge(tax_id) in {"valid", "alphabet", "check_digit", "masked", "identity_card", "length"}
