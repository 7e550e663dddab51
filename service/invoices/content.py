"""The content model: which sections and fields an invoice has (domain.md, "Sections and fields"), as data.

`check_form` compares content with the table, `normalise` moves what the table does not know to notes.extra.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, NamedTuple

from service.errors import Finding, Severity
from service.invoices.findings import Findings, pointer_segment
from verifier.commitment import SECTIONS as SECTION_NAMES

Profile = Literal["new", "as_issued"]
"""`new`: an invoice that is being issued, refused on any error. `as_issued`: one that exists in the world already."""

SCHEMA = "zhengpiao/invoice/1"


class Type(Enum):
    """What a field holds. In JSON all up to RATE are text."""

    TEXT = "text"
    DATE = "2026-09-01"
    TIME = "2026-09-01T10:11:12+08:00"
    MONEY = "-1000.00"
    NUMBER = "7964.601769911504"
    RATE = "0.06"
    TEXTS = "a list of texts"
    NAMED_TEXTS = "an object of texts"
    ANYTHING = "an object of anything that protocol.md section 1 allows"


@dataclass(frozen=True)
class Shape:
    """An object's fields. `missing` names the code where it is not field_missing."""

    required: Mapping[str, Type]
    optional: "Mapping[str, Type | Shape]"
    missing: Mapping[str, str] = field(default_factory=dict)
    texts: frozenset[str] = field(init=False, repr=False)
    others: "Mapping[str, Type | Shape]" = field(init=False, repr=False)

    def __post_init__(self) -> None:
        fields = {**self.required, **self.optional}
        others = {name: kind for name, kind in fields.items() if isinstance(kind, Shape) or kind in _NOT_TEXT}
        object.__setattr__(self, "others", others)
        object.__setattr__(self, "texts", frozenset(fields.keys() - others.keys()))


_NOT_TEXT = frozenset({Type.TEXTS, Type.NAMED_TEXTS, Type.ANYTHING})

TEXT, DATE, TIME, MONEY, NUMBER, RATE = Type.TEXT, Type.DATE, Type.TIME, Type.MONEY, Type.NUMBER, Type.RATE
_CONTACT = {"address": TEXT, "phone": TEXT, "bank": TEXT, "account": TEXT}

HEADER = Shape(
    required={"schema": TEXT, "kind": TEXT, "number": TEXT, "issued_on": DATE},
    optional={"issued_at": TIME, "region": TEXT, "check_code": TEXT, "machine_number": TEXT},
)
SELLER = Shape(required={"name": TEXT, "tax_id": TEXT}, optional=_CONTACT)
TOTALS = Shape(
    required={"currency": TEXT, "amount": MONEY, "tax": MONEY, "amount_with_tax": MONEY},
    optional={"amount_in_capitals": TEXT},
)
ORIGINAL = Shape(required={"number": TEXT, "relation": TEXT}, optional={"confirmation": TEXT})
PROVENANCE = Shape(required={}, optional={"drawer": TEXT, "reviewer": TEXT, "original": ORIGINAL})
"""`reprint` is not here: the registry writes it when it logs a reprint, and an issue that had one would verify as forged."""
BUYER = Shape(required={"name": TEXT}, optional={"tax_id": TEXT, **_CONTACT}, missing={"name": "buyer_title_missing"})
LINE = Shape(
    required={"item": TEXT, "amount": MONEY},
    optional={
        "nature": TEXT,
        "classification_code": TEXT,
        "specification": TEXT,
        "unit": TEXT,
        "quantity": NUMBER,
        "unit_price": NUMBER,
        "rate": RATE,
        "rate_label": TEXT,
        "tax": MONEY,
        "amount_with_tax": MONEY,
    },
    missing={"item": "item_missing"},
)
PAYMENT = Shape(required={}, optional={"payee": TEXT, "method": TEXT, "references": Type.TEXTS})
NOTES = Shape(required={}, optional={"remark": TEXT, "special": Type.NAMED_TEXTS, "extra": Type.ANYTHING})

OBJECTS = {
    "header": HEADER,
    "seller": SELLER,
    "totals": TOTALS,
    "provenance": PROVENANCE,
    "buyer": BUYER,
    "payment": PAYMENT,
    "notes": NOTES,
}
"""Every section but `lines`, which is a list of LINE."""

DIGITAL = frozenset({"digital_special", "digital_ordinary"})
LEGACY_ELECTRONIC = frozenset({"legacy_electronic_special", "legacy_electronic_ordinary"})
LEGACY = frozenset({"legacy_special", "legacy_ordinary"}) | LEGACY_ELECTRONIC
KINDS = DIGITAL | LEGACY | {"roll", "toll", "railway", "airline", "other"}
NATURES = frozenset({"normal", "discount", "discounted"})
RELATIONS = frozenset({"reverses", "reissues"})


class Normalised(NamedTuple):
    """`sections` is the input itself where nothing was `changed`; what was changed is a copy."""

    sections: Any
    changed: tuple[str, ...]
    findings: list[Finding]


def normalise(sections: Any, profile: Profile) -> Normalised:
    """As_issued: move every field that the table does not know from its place to the same path below notes.extra.

    A finding names each by its pointer in what was sent. The input is left as it was. Unknown fields of the header and unknown
    sections stay, and so does everything where the form is wrong: `check_form` refuses those.
    """
    if profile == "new" or type(sections) is not dict:
        return Normalised(sections, (), [])
    unknown = [path for path in _unknown_paths(sections) if path[0] != "header"]
    notes = sections.get("notes")
    if not unknown or type(notes) is not dict or type(notes.get("extra", {})) is not dict:
        return Normalised(sections, (), [])
    findings = Findings()
    changed = {"notes"} | {path[0] for path in unknown}
    result = {name: _copied(value) if name in changed else value for name, value in sections.items()}
    extra = result["notes"].setdefault("extra", {})
    for path in unknown:
        holder: Any = result
        for step in path[:-1]:
            holder = holder[int(step)] if type(holder) is list else holder[step]
        case = "reprint_moved" if path == ("provenance", "reprint") else "moved"
        findings.add("field_unknown", "warning", "".join(map(pointer_segment, path)), case=case)
        _place(extra, path, holder.pop(path[-1]))
    return Normalised(result, tuple(name for name in SECTION_NAMES if name in changed), findings.listed())


def _unknown_paths(sections: dict[Any, Any]) -> Iterator[tuple[str, ...]]:
    for name, shape in OBJECTS.items():
        section = sections.get(name)
        if type(section) is dict and not section.keys() <= shape.texts:
            for path in _unknown_fields(section, shape):
                yield (name, *path)
    lines = sections.get("lines")
    for index, line in enumerate(lines if type(lines) is list else ()):
        if type(line) is dict and not line.keys() <= LINE.texts:
            for path in _unknown_fields(line, LINE):
                yield ("lines", str(index), *path)


def _unknown_fields(value: dict[Any, Any], shape: Shape) -> Iterator[tuple[str, ...]]:
    for name, item in value.items():
        if name in shape.texts:
            continue
        inner = shape.others.get(name)
        if inner is None:
            if type(name) is str:
                yield (name,)
        elif isinstance(inner, Shape) and type(item) is dict:
            for path in _unknown_fields(item, inner):
                yield (name, *path)


def _copied(value: Any) -> Any:
    """A copy of a section down to where a field can be moved from, or to."""
    if type(value) is list:
        return [dict(item) if type(item) is dict else item for item in value]
    return {name: dict(item) if type(item) is dict else item for name, item in value.items()}


def _place(extra: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Put `value` at `path`; where the issuer's own extra has that name already, at the same name with -2, -3 … behind it."""
    for step in path[:-1]:
        name, count = step, 1
        while type(extra.setdefault(name, {})) is not dict:
            count += 1
            name = f"{step}-{count}"
        extra[name] = extra = dict(extra[name])
    name, count = path[-1], 1
    while name in extra:
        count += 1
        name = f"{path[-1]}-{count}"
    extra[name] = value


def check_form(sections: Any, profile: Profile, findings: Findings) -> bool:
    """Compare with the table. True where every known field is of its type, so that the other rules can look at the values.

    Sections, types and the header are errors in both profiles; elsewhere a missing or unknown field is a warning in as_issued.
    """
    if type(sections) is not dict:
        findings.add("text_not_allowed", "error", "", case="sections")
        return False
    sound = True
    for name in sections:
        if name not in OBJECTS and name != "lines":
            findings.add("field_unknown", "error", pointer_segment(str(name)), case="section")
    elsewhere: Severity = "error" if profile == "new" else "warning"
    for name, shape in OBJECTS.items():
        value = sections.get(name)
        if type(value) is dict:
            severity: Severity = "error" if name == "header" else elsewhere
            sound = _check_object(value, shape, f"/{name}", severity, findings) and sound
        else:
            sound = False
            _misses_section(sections, name, "object", findings)
    lines = sections.get("lines")
    if type(lines) is not list:
        _misses_section(sections, "lines", "list", findings)
        return False
    if not lines:
        findings.add("field_missing", "error", "/lines", case="lines")
        return False
    for index, line in enumerate(lines):
        if type(line) is dict:
            sound = _check_object(line, LINE, f"/lines/{index}", elsewhere, findings) and sound
        else:
            findings.add("text_not_allowed", "error", f"/lines/{index}", case="object")
            sound = False
    return sound


def _misses_section(sections: dict[Any, Any], name: str, type_name: str, findings: Findings) -> None:
    if name in sections:
        findings.add("text_not_allowed", "error", f"/{name}", case=type_name)
    else:
        findings.add("field_missing", "error", f"/{name}", case="section")


def _check_object(value: dict[Any, Any], shape: Shape, pointer: str, severity: Severity, findings: Findings) -> bool:
    sound = True
    texts = shape.texts
    for name, item in value.items():
        if name in texts:
            if type(item) is not str:
                findings.add("text_not_allowed", "error", f"{pointer}/{name}", case="text")
                sound = False
        elif name in shape.others:
            sound = _check_nested(item, shape.others[name], f"{pointer}/{name}", severity, findings) and sound
        else:
            case = {"case": "reprint"} if name == "reprint" and shape is PROVENANCE else {}
            findings.add("field_unknown", severity, pointer + pointer_segment(str(name)), **case)
    for name in shape.required:
        item = value.get(name, "")
        if type(item) is str and (not item or item.isspace()):
            code = shape.missing.get(name)
            findings.add(code or "field_missing", "error" if code else severity, f"{pointer}/{name}")
    return sound


def _check_nested(item: Any, kind: Type | Shape, pointer: str, severity: Severity, findings: Findings) -> bool:
    if kind is Type.TEXTS:
        if type(item) is list and all(type(text) is str for text in item):
            return True
        findings.add("text_not_allowed", "error", pointer, case="texts")
    elif kind is Type.NAMED_TEXTS:
        if type(item) is dict and all(type(text) is str for text in item.values()):
            return True
        findings.add("text_not_allowed", "error", pointer, case="named_texts")
    elif type(item) is not dict:
        findings.add("text_not_allowed", "error", pointer, case="object")
    else:
        return not isinstance(kind, Shape) or _check_object(item, kind, pointer, severity, findings)
    return False
