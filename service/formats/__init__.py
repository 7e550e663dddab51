"""Files that carry invoices: tax XML, OFD, CSV and XLSX in; PDF, QR codes and exports out."""

from dataclasses import dataclass
from typing import Any

from service.errors import Finding, Refused


class FormatError(Refused):
    """A file that cannot be read as what it should be; `line` (from 1) and `file` where known."""

    def __init__(self, code: str, *, line: int | None = None, file: str = "", **params: str) -> None:
        super().__init__(code, params, extra={**({"line": line} if line else {}), **({"file": file} if file else {})})
        self.line = line
        self.file = file


@dataclass(frozen=True, slots=True)
class ImportedInvoice:
    """One invoice as a carrier gave it. The rules have not seen it yet; `findings` are what the importer itself had to assume.

    `number` is header.number, None where the carrier has none; `file` names the member of an archive.
    """

    sections: dict[str, Any]
    findings: tuple[Finding, ...]
    number: str | None
    file: str = ""
