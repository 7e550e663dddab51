"""The rule table of domain.md, row by row."""

import copy
from datetime import date
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import Finding
from service.invoices.content import Profile
from service.invoices.rules import check, examine, refuses
from service.messages import detail
from tests.unit.samples import INVOICE_IDS, NEGATIVE, TODAY, changed, removed, sections_of
from verifier.canonical import canonical_bytes
from verifier.commitment import SECTIONS

PROFILES: tuple[Profile, ...] = ("new", "as_issued")


def found(sections: Any, profile: Profile = "new", today: date = TODAY) -> list[tuple[str, str, str]]:
    return [(finding.code, finding.severity, finding.pointer) for finding in check(sections, profile, today=today)]


def codes(sections: Any, profile: Profile = "new") -> set[str]:
    return {finding.code for finding in check(sections, profile, today=TODAY)}


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("invoice_id", INVOICE_IDS)
def test_a_sample_is_clean(invoice_id: str, profile: Profile) -> None:
    assert found(sections_of(invoice_id), profile) == []


# N12 needs its original: tests/unit/test_originals.py.
@pytest.mark.parametrize("case", [case for case in NEGATIVE if case["id"] != "N12"], ids=lambda case: case["id"])
def test_a_negative_sample_gets_its_finding(case: dict[str, Any]) -> None:
    place = case["changes"][0]["pointer"]
    findings = found(sections_of(case["base"], *case["changes"]))
    assert (case["finding"], case["severity"], place) in findings
    # What is wrong besides follows from the same change: no warning turns up where the named finding is no warning.
    assert all(severity == "error" for code, severity, _ in findings if code not in {case["finding"], "number_year"})


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", ["schema", "kind", "number", "issued_on"])
def test_a_header_field_is_required_in_both_profiles(name: str, profile: Profile) -> None:
    findings = check(removed("S01", f"/header/{name}"), profile, today=TODAY)
    assert Finding("field_missing", "error", f"/header/{name}") in findings
    assert refuses(findings, profile)


@pytest.mark.parametrize(
    "pointer", ["/seller/name", "/seller/tax_id", "/totals/currency", "/totals/amount", "/totals/tax", "/lines/1/amount"]
)
def test_elsewhere_a_missing_field_refuses_only_a_new_invoice(pointer: str) -> None:
    sections = removed("S01", pointer)
    assert ("field_missing", "error", pointer) in found(sections, "new")
    assert ("field_missing", "warning", pointer) in found(sections, "as_issued")
    assert refuses(check(sections, "new", today=TODAY), "new")
    assert not refuses(check(sections, "as_issued", today=TODAY), "as_issued")


@pytest.mark.parametrize("blank", ["", " ", "\u3000"])
def test_a_required_field_that_is_blank_is_missing(blank: str) -> None:
    assert ("field_missing", "error", "/seller/name") in found(changed("S01", "/seller/name", blank))
    assert ("buyer_title_missing", "error", "/buyer/name") in found(changed("S01", "/buyer/name", blank))
    assert ("item_missing", "error", "/lines/1/item") in found(changed("S01", "/lines/1/item", blank))


def test_a_missing_buyer_or_item_has_its_own_code_and_as_issued_registers_it() -> None:
    sections = removed("S01", "/buyer/name", "/lines/0/item")
    findings = check(sections, "as_issued", today=TODAY)
    assert [(f.code, f.severity) for f in findings] == [("buyer_title_missing", "error"), ("item_missing", "error")]
    assert not refuses(findings, "as_issued")


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SECTIONS)
def test_an_invoice_has_all_eight_sections(name: str, profile: Profile) -> None:
    findings = check(removed("S01", f"/{name}"), profile, today=TODAY)
    assert (findings[0].code, findings[0].severity, findings[0].pointer) == ("field_missing", "error", f"/{name}")
    assert refuses(findings, profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_an_invoice_has_no_ninth_section(profile: Profile) -> None:
    findings = check({**sections_of("S01"), "shipping": {}}, profile, today=TODAY)
    assert [(f.code, f.severity, f.pointer) for f in findings] == [("field_unknown", "error", "/shipping")]
    assert refuses(findings, profile)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("", []),
        ("/header", "x"),
        ("/lines", {}),
        ("/lines", []),
        ("/lines/0", "x"),
        ("/totals/amount", 25691.34),
        ("/totals/tax", None),
        ("/seller/name", ["x"]),
        ("/lines/0/quantity", True),
        ("/payment/references", "x"),
        ("/payment/references", ["x", {}]),
        ("/notes/special", {"area": ["x"]}),
        ("/notes/extra", "x"),
        ("/provenance/original", "26112999000000000010"),
        ("/provenance/original/confirmation", []),
    ],
)
def test_what_is_not_of_its_type_is_refused_in_both_profiles(pointer: str, value: Any, profile: Profile) -> None:
    sections = changed("S06", pointer, value) if pointer else value
    findings = check(sections, profile, today=TODAY)
    assert findings[0].severity == "error"
    assert findings[0].code == ("field_missing" if value == [] and pointer == "/lines" else "text_not_allowed")
    assert findings[0].pointer == pointer
    assert refuses(findings, profile)


def test_a_value_of_the_wrong_type_is_named_once() -> None:
    assert found(changed("S01", "/totals/amount", 1)) == [("text_not_allowed", "error", "/totals/amount")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("pointer", "value", "where", "case"),
    [
        ("/seller/name", "北京\u200b示例", "/seller/name", "character"),
        ("/notes/remark", "a\tb", "/notes/remark", "character"),
        ("/buyer/address", "Cafe\u0301", "/buyer/address", "normal_form"),
        ("/notes/extra", {"a b": "x"}, "/notes/extra/a b", "key"),
        ("/notes/extra", {"a": {"b/c": "x"}}, "/notes/extra/a/b~1c", "key"),
        ("/notes/extra", {"n": [1]}, "/notes/extra/n/0", "type"),
        ("/lines/0/specification", "\ud800", "/lines/0/specification", "surrogate"),
        ("/notes/remark", "\U0001fadc", "/notes/remark", "unassigned"),  # since Unicode 16
        ("/notes/extra", {"\ud800": "x"}, "/notes/extra/?", "key"),
    ],
)
def test_text_keeps_protocol_section_1(pointer: str, value: Any, where: str, case: str, profile: Profile) -> None:
    findings = check(changed("S01", pointer, value), profile, today=TODAY)
    assert findings == [Finding("text_not_allowed", "error", where, {"case": case})]
    assert refuses(findings, profile)


def test_the_sections_are_two_mebibytes_at_most() -> None:
    sections = changed("S01", "/notes/remark", "x" * (2 * 1024 * 1024))
    assert check(sections, "as_issued", today=TODAY) == [Finding("text_not_allowed", "error", "", {"case": "size"})]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize(
    ("pointer", "value", "code"),
    [
        ("/header/schema", "zhengpiao/invoice/2", "text_not_allowed"),
        ("/header/kind", "digital", "kind_unknown"),
        ("/header/issued_on", "2026/09/01", "text_not_allowed"),
        ("/header/issued_on", "2026-02-29", "text_not_allowed"),
        ("/header/issued_on", "20260901", "text_not_allowed"),
        ("/header/issued_at", "2026-09-01 10:11:12", "text_not_allowed"),
        ("/header/issued_at", "2026-09-01T10:11:12", "text_not_allowed"),
        ("/header/issued_at", "2026-09-01T25:11:12+08:00", "text_not_allowed"),
        ("/header/issued_at", "0001-01-01T00:00:00+14:00", "text_not_allowed"),
        ("/header/check_code", "11058763070480854113", "field_unknown"),
        ("/header/machine_number", "661990000007", "field_unknown"),
        ("/header/tax_period", "2026-09", "field_unknown"),
    ],
)
def test_the_header_is_strict_in_both_profiles(pointer: str, value: str, code: str, profile: Profile) -> None:
    findings = check(changed("S01", pointer, value), profile, today=TODAY)
    assert (code, "error", pointer) in [(f.code, f.severity, f.pointer) for f in findings]
    assert refuses(findings, profile)


@pytest.mark.parametrize(
    ("pointer", "value"),
    [
        ("/totals/currency", "元"),
        ("/lines/0/nature", "gift"),
        ("/lines/0/classification_code", "304020103"),
        ("/provenance/original", {"number": "26112999000000000009", "relation": "copies"}),
    ],
)
def test_a_field_with_few_spellings_is_a_warning_as_issued(pointer: str, value: Any) -> None:
    sections = changed("S01", pointer, value)
    place = pointer + "/relation" if pointer.startswith("/provenance") else pointer
    assert ("text_not_allowed", "error", place) in found(sections, "new")
    assert ("text_not_allowed", "warning", place) in found(sections, "as_issued")


def test_the_future_begins_after_today() -> None:
    sections = changed("S11", "/header/issued_on", "2026-11-24")
    assert found(sections) == []
    assert found(sections, today=date(2026, 11, 23)) == [("issued_in_the_future", "error", "/header/issued_on")]
    sections = changed("S11", "/header/issued_at", "2026-11-23T20:00:00Z")  # the 24th in Beijing
    assert found(sections) == []
    assert found(sections, today=date(2026, 11, 23)) == [("issued_in_the_future", "error", "/header/issued_at")]
    sections["header"]["issued_on"] = "2026-11-24"
    assert found(sections, today=date(2026, 11, 23)) == [("issued_in_the_future", "error", "/header/issued_on")]


def test_a_registry_takes_a_future_invoice_that_exists_with_its_finding() -> None:
    findings = check(changed("S01", "/header/issued_on", "2030-01-01"), "as_issued", today=TODAY)
    assert "issued_in_the_future" in {f.code for f in findings}
    assert not refuses(findings, "as_issued")


@pytest.mark.parametrize(
    ("profile", "severity"), [("new", "error"), ("as_issued", "warning")], ids=["refused as new", "a warning as issued"]
)
@pytest.mark.parametrize("written", ["1060", "1060.0", "1060.000"])
def test_money_has_two_decimals(written: str, profile: Profile, severity: str) -> None:
    sections = changed("S01", "/lines/0/amount_with_tax", written)
    assert found(sections, profile) == [("amount_scale", severity, "/lines/0/amount_with_tax")]  # equal: nothing else is wrong


@pytest.mark.parametrize(
    "written", ["1,060.00", "¥1060.00", "1e3", "+1060.00", "01060.00", "１０６０.00", "1060.", ".00", "--1", "9" * 40]
)
def test_what_is_no_number_is_an_error_that_as_issued_keeps(written: str) -> None:
    for pointer in ("/lines/0/amount_with_tax", "/lines/0/quantity", "/lines/0/unit_price", "/totals/tax"):
        findings = check(changed("S01", pointer, written), "as_issued", today=TODAY)
        assert Finding("amount_scale", "error", pointer, {"case": "number"}) in findings
        assert not refuses(findings, "as_issued")


def test_an_empty_optional_amount_is_an_absent_one() -> None:
    sections = sections_of("S01", *({"pointer": f"/lines/0/{name}", "value": ""} for name in ("quantity", "unit_price", "rate")))
    assert found(sections) == []


@pytest.mark.parametrize(("amount", "clean"), [("1000.01", True), ("1000.02", False), ("999.99", True), ("999.98", False)])
def test_quantity_times_price_is_the_amount_to_a_cent(amount: str, clean: bool) -> None:
    assert ("line_amount_tolerance" not in codes(changed("S01", "/lines/0/amount", amount))) is clean


@pytest.mark.parametrize(("tax", "clean"), [("60.06", True), ("60.07", False), ("59.94", True), ("59.93", False)])
def test_tax_is_amount_times_rate_to_six_cents_a_line(tax: str, clean: bool) -> None:
    assert ("line_tax_tolerance" not in codes(changed("S01", "/lines/0/tax", tax))) is clean


@pytest.mark.parametrize(("tax", "clean"), [("1542.75", True), ("1542.76", False), ("1540.21", False), ("1540.22", True)])
def test_tax_is_amount_times_rate_to_127_cents_an_invoice(tax: str, clean: bool) -> None:
    # Amount × rate over both lines is 1541.4804.
    assert ("tax_tolerance" not in codes(changed("S01", "/totals/tax", tax))) is clean


@pytest.mark.parametrize("name", ["amount", "tax", "amount_with_tax"])
def test_lines_add_up_exactly(name: str) -> None:
    sections = sections_of("S01")
    sections["totals"][name] = str(Decimal(sections["totals"][name]) + Decimal("0.01"))
    assert ("lines_do_not_add_up", "error", f"/totals/{name}") in found(sections)
    assert ("totals_do_not_add_up", "error", "/totals/amount_with_tax") in found(sections)


def test_a_sum_that_a_line_does_not_tell_is_not_judged() -> None:
    sections = sections_of(
        "S01", {"pointer": "/lines/0/tax", "remove": True}, {"pointer": "/lines/0/amount_with_tax", "remove": True}
    )
    assert found(sections) == []


def test_a_line_s_amount_and_tax_add_up() -> None:
    sections = changed("S01", "/lines/1/amount_with_tax", "26172.83")
    assert ("totals_do_not_add_up", "error", "/lines/1/amount_with_tax") in found(sections)


def test_arithmetic_is_exact_whatever_the_caller_s_context() -> None:
    sections = sections_of(
        "S10",
        {"pointer": "/lines/0/quantity", "value": "1"},
        *({"pointer": f"/{place}/amount", "value": "999999999999999999.99"} for place in ("lines/0", "totals")),
        *({"pointer": f"/{place}/tax", "value": "60000000000000000.00"} for place in ("lines/0", "totals")),
        *({"pointer": f"/{place}/amount_with_tax", "value": "1059999999999999999.99"} for place in ("lines/0", "totals")),
        {"pointer": "/lines/0/unit_price", "value": "999999999999999999.97999999999999999999"},
        {"pointer": "/totals/amount_in_capitals", "remove": True},
    )
    with localcontext() as context:
        context.prec, context.rounding = 3, ROUND_DOWN
        assert found(sections) == [
            ("amount_scale", "error", "/totals/amount_with_tax"),  # 19 digits before the point are no amount
            ("amount_scale", "error", "/lines/0/amount_with_tax"),
            ("line_amount_tolerance", "error", "/lines/0/amount"),  # 0.01 and 10^-20
        ]


def discount(**changes: Any) -> dict[str, Any]:
    """S02 with its discount line changed; None removes a field."""
    sections = sections_of("S02")
    for name, value in changes.items():
        if value is None:
            del sections["lines"][1][name]
        else:
            sections["lines"][1][name] = value
    return sections


@pytest.mark.parametrize(
    ("changes", "case"),
    [
        ({"quantity": "1"}, "priced"),
        ({"unit_price": "-20.22"}, "priced"),
        ({"amount": "20.22"}, "sign"),
        ({"amount": "0.00"}, "sign"),
        ({"item": "*计算机外部设备*鼠标"}, "differs"),
        ({"rate": "0.09"}, "differs"),
        ({"rate": None}, "differs"),
    ],
)
def test_a_discount_line_is_negative_unpriced_and_of_the_same_item_and_rate(changes: dict[str, Any], case: str) -> None:
    cases = [f.params.get("case") for f in check(discount(**changes), "new", today=TODAY) if f.code == "discount_line"]
    assert cases == [case]


def test_a_discount_has_the_rate_of_its_line_however_it_is_written() -> None:
    assert found(discount(rate="0.130")) == []


def test_a_discount_line_comes_right_after_its_line() -> None:
    sections = sections_of("S02")
    one, two, three = sections["lines"]
    sections["lines"] = [two, one, three]
    findings = [(f.pointer, f.params.get("case")) for f in check(sections, "new", today=TODAY) if f.code == "discount_line"]
    assert findings == [("/lines/0", None), ("/lines/1", "undiscounted")]
    sections["lines"] = [one, three, two]
    findings = [(f.pointer, f.params.get("case")) for f in check(sections, "new", today=TODAY) if f.code == "discount_line"]
    assert findings == [("/lines/0", "undiscounted"), ("/lines/2", None)]


def test_in_a_reversal_the_discount_is_positive() -> None:
    sections = negated(sections_of("S02"))
    assert found(sections) == []
    sections["lines"][1]["amount"] = "-20.22"
    assert ("discount_line", "error", "/lines/1/amount") in found(sections)


def negated(sections: dict[str, Any]) -> dict[str, Any]:
    """The red-letter invoice that reverses all of these."""
    sections = copy.deepcopy(sections)
    for amounts in (sections["totals"], *sections["lines"]):
        for name in ("amount", "tax", "amount_with_tax", "quantity"):
            if name in amounts:
                amounts[name] = str(-Decimal(amounts[name]))
    sections["totals"]["amount_in_capitals"] = "（负数）" + sections["totals"]["amount_in_capitals"]
    sections["provenance"]["original"] = {"number": "26112999000000000099", "relation": "reverses"}
    return sections


def test_a_reversal_may_have_the_rate_of_its_time_and_a_new_invoice_not() -> None:
    old = sections_of(
        "S10",
        {"pointer": "/lines/0/rate", "value": "0.16"},
        {"pointer": "/lines/0/rate_label", "value": "16%"},
    )
    assert "rate_not_allowed" in codes(old)
    assert "rate_not_allowed" not in codes(negated(old))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"relation": "reissues"}, ("reversal_without_original", "/provenance/original")),
        ({"number": "26112999000000000006"}, ("original_not_open", "/provenance/original/number")),
    ],
)
def test_a_reversal_names_another_invoice_that_it_reverses(changes: dict[str, str], expected: tuple[str, str]) -> None:
    sections = sections_of("S06")
    sections["provenance"]["original"].update(changes)
    findings = check(sections, "as_issued", today=TODAY)
    assert [(f.code, f.pointer) for f in findings] == [expected]
    assert not refuses(findings, "as_issued")
    assert refuses(findings, "new")


def test_a_reversal_is_negative() -> None:
    sections = sections_of("S10")
    sections["provenance"]["original"] = {"number": "26112999000000000001", "relation": "reverses"}
    assert found(sections) == [("reversal_exceeds_original", "error", "/totals/amount_with_tax")]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("number", ["", "2611299900000000001 ", "abc", "A" * 65, "\n"])
def test_an_original_s_number_is_well_formed_else_the_proof_would_be_called_forged(number: str, profile: Profile) -> None:
    findings = check(changed("S06", "/provenance/original/number", number), profile, today=TODAY)
    assert ("number_format", "error", "/provenance/original/number") in [(f.code, f.severity, f.pointer) for f in findings]
    assert refuses(findings, profile)


@pytest.mark.parametrize("item", ["维护费", "*信息技术服务", "**维护费", "信息*技术*服务"])
def test_an_item_has_its_category(item: str) -> None:
    sections = changed("S01", "/lines/0/item", item)
    assert found(sections) == [("item_without_category", "warning", "/lines/0/item")]
    assert not refuses(check(sections, "new", today=TODAY), "new")
    sections["header"].update(kind="airline", number="7841234567890")
    assert found(sections) == []


@pytest.mark.parametrize("capitals", ["贰万柒仟贰佰叁拾贰元捌角贰分", "人民币贰万柒仟贰佰叁拾贰圆零捌角贰分整"])
def test_capitals_are_compared_as_a_number(capitals: str) -> None:
    assert found(changed("S01", "/totals/amount_in_capitals", capitals)) == []


def test_capitals_that_cannot_be_read_do_not_match() -> None:
    findings = check(changed("S01", "/totals/amount_in_capitals", "27232.82"), "new", today=TODAY)
    assert findings == [Finding("capitals_mismatch", "error", "/totals/amount_in_capitals", {"case": "unreadable"})]


def test_a_buyer_may_have_no_tax_id() -> None:
    assert found(removed("S01", "/buyer/tax_id")) == []
    assert found(changed("S01", "/buyer/tax_id", "")) == []


def test_a_check_code_is_asked_of_electronic_invoices_only() -> None:
    assert found(changed("S08", "/header/check_code", "123")) == []
    assert found(removed("S07", "/header/check_code")) == []


def test_one_hostile_invoice_makes_no_million_findings() -> None:
    sections = sections_of("S01")
    sections["lines"] = [{"x": "y"}] * 50_000
    findings = check(sections, "new", today=TODAY)
    assert len(findings) < 500
    assert next(f for f in findings if f.code == "item_missing" and "more" in f.params).params["more"] == "49900"
    assert refuses(findings, "new")


def test_what_is_dropped_never_hides_a_refusal() -> None:
    sections = sections_of("S01")
    sections["lines"] = [{"item": "x", "amount": "1.00"}] * 500 + [{"item": "x", "amount": 1}]
    assert refuses(check(sections, "as_issued", today=TODAY), "as_issued")


def test_examine_hands_out_the_bytes_that_are_hashed() -> None:
    sections = sections_of("S01")
    examined = examine(sections, "new", today=TODAY)
    assert examined.sections is sections
    assert examined.changed == ()
    assert examined.canonical == {name: canonical_bytes(sections[name]) for name in SECTIONS}


def test_an_importer_s_finding_is_not_said_twice() -> None:
    sections = changed("S10", "/lines/0/amount", "47169.810")
    imported = [Finding("amount_scale", "warning", "/lines/0/amount"), Finding("kind_assumed", "warning", "/header/kind")]
    findings = examine(sections, "new", today=TODAY, found=imported).findings
    assert [(f.code, f.severity) for f in findings] == [("kind_assumed", "warning"), ("amount_scale", "error")]


@pytest.mark.parametrize(
    ("code", "severity", "new", "as_issued"),
    [
        ("capitals_mismatch", "error", True, False),
        ("capitals_mismatch", "warning", False, False),
        ("field_missing", "error", True, True),
        ("field_missing", "warning", False, False),
        ("field_unknown", "error", True, True),
        ("kind_unknown", "error", True, True),
        ("text_not_allowed", "error", True, True),
        ("number_format", "error", True, True),
        ("number_taken", "error", True, True),
        ("original_not_open", "error", True, False),
        ("tax_id_format", "warning", False, False),
    ],
)
def test_what_refuses(code: str, severity: Any, new: bool, as_issued: bool) -> None:
    findings = [Finding(code, severity, "")]
    assert refuses(findings, "new") is new
    assert refuses(findings, "as_issued") is as_issued
    assert not refuses([], "new")


texts = (
    st.text()
    | st.text(st.characters(categories=["Cs", "Lo", "Nd"]), max_size=3)
    | st.sampled_from(["1.00", "0.06", "-0.00", "6%", "2026-01-01"])
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(anything, st.sampled_from(PROFILES))
def test_no_json_raises(value: Any, profile: Profile) -> None:
    assert refuses(check(value, profile, today=TODAY), profile)


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, child in children for deeper in _paths(child, (*path, key)))]


@given(st.data(), st.sampled_from(["S02", "S06", "S07"]), st.sampled_from(PROFILES))
def test_no_change_of_an_invoice_raises(data: st.DataObject, invoice_id: str, profile: Profile) -> None:
    sections = sections_of(invoice_id)
    for _ in range(data.draw(st.integers(1, 4))):
        path = data.draw(st.sampled_from(_paths(sections)[1:]))
        holder: Any = sections
        for step in path[:-1]:
            holder = holder[step]
        if isinstance(holder, dict) and data.draw(st.booleans()):
            holder[data.draw(texts)] = data.draw(anything)
        else:
            holder[path[-1]] = data.draw(anything)
    before = copy.deepcopy(sections)
    examined = examine(sections, profile, today=TODAY)
    assert repr(sections) == repr(before)
    for finding in examined.findings:
        assert detail(finding, "zh").encode()
        assert detail(finding, "en").encode()
        orjson.dumps([finding.pointer, finding.params])
    if not refuses(examined.findings, profile):
        assert examined.canonical == {name: canonical_bytes(examined.sections[name]) for name in SECTIONS}
