"""What the service refuses, and why. No framework is known here: api/problems.py turns these into RFC 9457 answers."""

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, at `pointer` (RFC 6901) of the sections; `params` fill the sentence of its code in the catalogue."""

    code: str
    severity: Severity
    pointer: str
    params: dict[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that cannot be done as asked. `code` is fixed for machines; `params` fill the sentence of that code.

    `extra` are further members of the answer, `findings` those of the content that refuse it.
    """

    def __init__(
        self,
        code: str,
        params: dict[str, str] | None = None,
        *,
        findings: list[Finding] | None = None,
        extra: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(code)
        self.code = code
        self.params = params or {}
        self.findings = findings or []
        self.extra = extra or {}


class Unavailable(Refused):
    """It cannot be done now and may be done later: 503 with Retry-After (seconds)."""

    def __init__(self, code: str, retry_after_s: int, params: dict[str, str] | None = None) -> None:
        super().__init__(code, params)
        self.retry_after_s = retry_after_s
