"""The samples of tests/samples, read once."""

import copy
import json
from datetime import date
from pathlib import Path
from typing import Any

SAMPLES = Path(__file__).parents[1] / "samples"
TODAY = date(2026, 11, 24)

_FILE = json.loads((SAMPLES / "invoices.json").read_text())
NEGATIVE: list[dict[str, Any]] = _FILE["negative"]
TAX_IDS: dict[str, list[str]] = _FILE["tax_ids"]
CAPITALS: list[dict[str, str]] = _FILE["capitals"]
INVOICE_IDS: list[str] = [invoice["id"] for invoice in _FILE["invoices"]]
_SECTIONS = {invoice["id"]: invoice["sections"] for invoice in _FILE["invoices"]}


def sections_of(invoice_id: str, *changes: dict[str, Any]) -> dict[str, Any]:
    """A fresh copy of a sample, changed as its negative cases are: [{"pointer", "value" or "remove"}]."""
    sections: dict[str, Any] = copy.deepcopy(_SECTIONS[invoice_id])
    for change in changes:
        *path, last = change["pointer"].split("/")[1:]
        holder: Any = sections
        for step in path:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        last = int(last) if isinstance(holder, list) else last
        if change.get("remove"):
            del holder[last]
        else:
            holder[last] = change["value"]
    return sections


def changed(invoice_id: str, pointer: str, value: Any) -> dict[str, Any]:
    return sections_of(invoice_id, {"pointer": pointer, "value": value})


def removed(invoice_id: str, *pointers: str) -> dict[str, Any]:
    return sections_of(invoice_id, *({"pointer": pointer, "remove": True} for pointer in pointers))
