"""Collecting findings: in order, and never a million of them."""

from collections.abc import Iterable

from service.errors import Finding, Severity

MAX_ALIKE = 100
"""An invoice of 100,000 wrong lines gets this many findings of one code and severity; the last one says how many more there are."""


class Findings:
    """What is dropped has the code and severity of a hundred others, so whether the invoice is refused stays the same."""

    def __init__(self) -> None:
        self._listed: list[Finding] = []
        self._alike: dict[tuple[str, Severity], int] = {}

    def add(self, code: str, severity: Severity, pointer: str, **params: str) -> None:
        """`params` fill the sentence in service/messages.py; `case` tells apart the sentences of one code. No tax id, no name."""
        count = self._alike[code, severity] = self._alike.get((code, severity), 0) + 1
        if count <= MAX_ALIKE:
            self._listed.append(Finding(code, severity, pointer, params))

    def has(self, code: str, pointer: str) -> bool:
        return any(finding.code == code and finding.pointer == pointer for finding in self._listed)

    def listed(self) -> list[Finding]:
        for (code, severity), count in self._alike.items():
            if count > MAX_ALIKE:
                last = next(f for f in reversed(self._listed) if f.code == code and f.severity == severity)
                last.params["more"] = str(count - MAX_ALIKE)
        return self._listed


def pointer_segment(name: str) -> str:
    """One step of an RFC 6901 pointer. Half a surrogate pair, which no JSON writer accepts, becomes `?`."""
    segment = "/" + name.replace("~", "~0").replace("/", "~1")
    return segment if segment.isascii() else segment.encode(errors="replace").decode()


def joined(first: Iterable[Finding], second: Iterable[Finding]) -> list[Finding]:
    """Both, in order. Where both say the same of one place, the second one's word (the rules' after an importer's) counts."""
    second = list(second)
    said = {(finding.code, finding.pointer) for finding in second}
    return [finding for finding in first if (finding.code, finding.pointer) not in said] + second
