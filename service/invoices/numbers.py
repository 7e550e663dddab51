"""Invoice numbers: one spelling per kind, and no other is registered (domain.md).

Rules number_format, number_year, region_unknown.
"""

import re
from hashlib import sha256

from service.invoices.content import DIGITAL, LEGACY
from service.invoices.findings import Findings

WELL_FORMED = re.compile(r"[0-9A-Z][0-9A-Z._:-]{0,63}")
"""What protocol.md calls a number at all."""
_DIGITAL = re.compile(r"[0-9]{20}")
_LEGACY = re.compile(r"(?:[0-9]{10}|[0-9]{12})-[0-9]{8}")
_REGION = re.compile(r"[0-9]{6}")

REGIONS = frozenset(
    str(region)
    for span in ((11, 15), (21, 23), (31, 37), (41, 46), (50, 54), (61, 65), (71, 71), (81, 82), (91, 95))
    for region in range(span[0], span[1] + 1)
)
"""The first two digits of GB/T 2260, and 91 to 95, under which the five planned cities issue."""


def other_prefix(seller_tax_id: str) -> str:
    """What makes a number of kind `other` the seller's own: the first 8 hex digits of SHA-256 of tax id and colon, then a colon."""
    return sha256(f"{seller_tax_id}:".encode(errors="surrogatepass")).hexdigest()[:8].upper() + ":"


def check_number(kind: str, number: str, issued_on: str, seller_tax_id: str, findings: Findings) -> None:
    """number_format (an error in both profiles), and for digital kinds the warnings region_unknown and number_year.

    A digital number is year 2, region 2, channel 1, sequence 15 digits; the channel is never judged. `issued_on` may be "" where it
    is not known.
    """
    if kind in DIGITAL:
        if not _DIGITAL.fullmatch(number):
            findings.add("number_format", "error", "/header/number", case="digital")
            return
        if number[2:4] not in REGIONS:
            findings.add("region_unknown", "warning", "/header/number", region=number[2:4])
        if issued_on and number[:2] != issued_on[2:4]:
            findings.add("number_year", "warning", "/header/number")
    elif kind in LEGACY:
        if not _LEGACY.fullmatch(number):
            findings.add("number_format", "error", "/header/number", case="legacy")
    elif not WELL_FORMED.fullmatch(number):
        findings.add("number_format", "error", "/header/number")
    elif kind == "other" and not (number.startswith(prefix := other_prefix(seller_tax_id)) and len(number) > len(prefix)):
        findings.add("number_format", "error", "/header/number", case="other")


def check_region(region: str, findings: Findings) -> None:
    """region_unknown, for header.region."""
    if not _REGION.fullmatch(region):
        findings.add("region_unknown", "warning", "/header/region", case="format")
    elif region[:2] not in REGIONS:
        findings.add("region_unknown", "warning", "/header/region", region=region[:2])
