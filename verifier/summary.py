"""A report in words, for a person at a terminal: the verdict in one sentence, what to compare, the checks, where it comes from."""

from collections.abc import Iterator, Mapping

from verifier.commitment import SECTIONS
from verifier.messages import Language, sentence, verdict_title, word
from verifier.proof import AnchoredProof, Opened, PendingProof
from verifier.report import Check, Report

_MARKS = {"pass": "✓", "fail": "✗", "could_not_check": "?", "not_applicable": "–"}
_MAX_SHOWN = 480
_COMPARED = (("issued_on", "header", "issued_on"), ("seller", "seller", "name"), ("amount", "totals", "amount_with_tax"))


def summary(report: Report, language: Language) -> str:
    """Several lines, without a line feed at the end."""
    title = verdict_title(report.verdict, language)
    told = [sentence(code, params, language) for code, params in _verdict(report)]
    reasons = list(dict.fromkeys(check.detail(language) for check in report.checks if _is_reason(report, check)))
    lines = [
        *(reasons + told if report.verdict == "undecided" else told + reasons),
        *(sentence(code, params, language) for code, params in _facts(report, language)),
        *(f"{_MARKS[check.result]} {word(check.name, language)}: {check.detail(language)}" for check in report.checks),
        *(sentence(code, params, language) for code, params in _source(report)),
    ]
    return "\n  ".join([_shown(f"{report.file}: {title}") if report.file else title, *map(_shown, lines)])


def _verdict(report: Report) -> Iterator[tuple[str, Mapping[str, object]]]:
    """The sentence of the verdict, in the form for which everything is known."""
    code, proof = f"verdict.{report.verdict}", report.proof
    match report.verdict:
        case "valid":
            seller = _text(report, "seller", "name")
            yield (
                (code, {"seller": seller, "time": report.anchored_at})
                if seller
                else (f"{code}_unnamed", {"time": report.anchored_at})
            )
        case "partly_reversed":
            yield (code if isinstance(proof, AnchoredProof) else f"{code}_number"), {}
        case "replaced" | "void" | "reversed" | "released":
            yield (code if report.changed_at else f"{code}_undated"), {"time": report.changed_at}
        case "pending":
            receipt = proof.receipt if isinstance(proof, PendingProof) else None
            yield (code, {"deadline": receipt.deadline}) if receipt else (f"{code}_final", {})
        case "absent":
            yield code, {"time": report.as_of and report.as_of.time}
        case "stale":
            known = report.as_of if report.status else None
            yield (code, {"time": known.time, "status": report.status}) if known else (f"{code}_unknown", {})
        case _:
            yield code, {}


def _is_reason(report: Report, check: Check) -> bool:
    """Whether a check is why the verdict is what it is, where the verdict's own sentence does not say."""
    match report.verdict:
        case "forged" | "malformed":
            return check.result == "fail"
        case "undecided":
            return (
                check.result == "could_not_check"
                or (check.result == "fail" and check.name == "trust")
                or (check.name == "inclusion" and isinstance(report.proof, PendingProof))
            )
    return False


def _facts(report: Report, language: Language) -> Iterator[tuple[str, Mapping[str, object]]]:
    """What to compare with the paper, in the paper's order."""
    if report.number is None:
        return
    if report.check("content").result != "pass" or not report.disclosed:
        yield "fact.number", {"value": report.number}
    else:
        if report.verdict in ("valid", "partly_reversed", "pending", "stale"):
            yield "next.compare", {}
        yield "fact.number", {"value": report.number}
        for code, section, name in _COMPARED:
            if value := _text(report, section, name):
                yield f"fact.{code}", {"value": value}
        if withheld := [word(name, language) for name in SECTIONS if name not in report.disclosed]:
            yield "fact.withheld", {"value": ", ".join(withheld)}
    if report.as_of:
        yield "fact.as_of", {"time": report.as_of.time, "seq": report.as_of.seq}


def _source(report: Report) -> Iterator[tuple[str, Mapping[str, object]]]:
    origin = report.origin
    if origin and origin.kind == "anchors_file":
        yield ("source.anchors_file" if origin.endpoints else "source.anchors"), {"value": ", ".join(origin.endpoints)}
    elif origin and report.block is None:
        yield "source.rpc_unread", {"value": ", ".join(origin.endpoints)}
    elif origin and report.block:
        code = "source.rpc_alone" if len(origin.endpoints) == 1 else "source.rpc"
        yield code, {"value": ", ".join(origin.endpoints), "block": report.block.number}
    if report.verdict in ("valid", "partly_reversed"):
        yield "next.meaning", {}


def _text(report: Report, section: str, name: str) -> str | None:
    """A text of an open section, of which no more than its form is known."""
    if not isinstance(report.proof, AnchoredProof | PendingProof):
        return None
    shown = report.proof.sections[SECTIONS.index(section)]
    value = shown.value.get(name) if isinstance(shown, Opened) else None
    return value if isinstance(value, str) else None


def _shown(line: str) -> str:
    """On one line, whatever a file says: it must not write lines of its own."""
    printable = "".join(character if character.isprintable() or character == "\u3000" else "\ufffd" for character in line)
    return printable if len(printable) <= _MAX_SHOWN else printable[:_MAX_SHOWN] + "…"
