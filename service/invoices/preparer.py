"""Preparing the lines of a batch in a process of its own: those about which nothing is to be said, which nearly all are.

Reading a line, its rules and its hashes are half of what the interpreter's lock is held for in bulk registration. A process does
them while this one decides, signs and stores what came before. It knows no database, no key and no sentence of the catalogue: about
any line that is not plain (plain.py) it says nothing, and who asked prepares that one.
"""

import atexit
import marshal
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any, get_args

import orjson

from service import interpreter
from service.invoices.content import Profile
from service.invoices.facts import Derived, Facts
from service.invoices.preparing import Prepared, Submission, fresh_salts, prepare_plain
from service.processes import Gone, Helper, serve
from verifier.commitment import SECTIONS

TIMEOUT_S = 10.0
"""A chunk takes some hundredths of a second; who waits in vain prepares it here."""
_MANY = 32
"""Lines for which it is worth while to ask another process."""
# What api/models/requests.py has as InvoiceSubmission; a test holds that they agree.
_MEMBERS = {"profile", "sections", "external_id"}
_PROFILES = get_args(Profile)
_is_external_id = re.compile(r"[^\x00-\x1f\x7f]{1,128}").fullmatch


Plain = Callable[[], list[Prepared | None]]
"""Waits, and returns of each line what `preparing.prepare` makes of an InvoiceSubmission; None if it is none, or not plain.

Where there is no process to ask, none of the lines counts as plain.
"""


class Preparer(Helper):
    """For the threads of one process."""

    def __init__(self) -> None:
        super().__init__("service.invoices.preparer", TIMEOUT_S)

    def prepare(self, lines: Sequence[bytes], sellers: frozenset[str] | None, today: date) -> Plain:
        """Begin with it, where they are many, and go on with something else."""
        if len(lines) >= _MANY:
            with suppress(Gone):
                answer = self.begin(marshal.dumps((list(lines), sellers, today.toordinal())))
                return lambda: _read_all(answer, len(lines))
        return lambda: [None] * len(lines)


def _read_all(answer: Callable[[], bytes], count: int) -> list[Prepared | None]:
    try:
        return [None if written is None else _read(written) for written in marshal.loads(answer())]  # noqa: S302  our own process
    except Gone:
        return [None] * count


PREPARER = Preparer()
"""A process has one: it serves any issuer."""
atexit.register(PREPARER.close)


def _answer(question: bytes) -> bytes:
    lines, sellers, day = marshal.loads(question)  # noqa: S302  from the process that started this one
    today, salts = date.fromordinal(day), fresh_salts()
    made = (_prepare(line, sellers, today, salts) for line in lines)
    return marshal.dumps([None if one is None else _write(one) for one in made])


def _write(one: Prepared) -> tuple[Any, ...]:
    """As values that marshal knows: it takes a quarter of pickle's time."""
    canonical, _, _, *rest, _, derived = one
    return (list(canonical), *rest, str(one.facts.amount_with_tax), tuple(derived))


def _read(written: tuple[Any, ...]) -> Prepared:
    canonical, *rest, amount, values = written
    derived = Derived._make(values)
    # Nothing was changed or found, and there is no original: it is plain.
    facts = Facts(derived.number, derived.seller_tax_id, Decimal(amount), None)
    return Prepared._make((canonical, (), [], *rest, facts, derived))


def _prepare(line: bytes, sellers: frozenset[str] | None, today: date, salts: Iterator[bytes]) -> Prepared | None:
    try:
        sent = orjson.loads(line)
    except ValueError:
        return None
    submission = _submission(sent)
    made = None if submission is None else prepare_plain(submission, sellers, today, salts)
    return made if made is not None and _is_all_of(line, sent, made) else None


def _is_all_of(line: bytes, sent: dict[str, Any], made: Prepared) -> bool:
    """Whether no member was forgotten, for another of its name: strict_json.loads_plain, with what is written of it at hand."""
    colons = len(sent) + len(SECTIONS) + (made.external_id or "").count(":")
    for section in made.canonical:
        colons += section.count(b":")
    return line.count(b":") == colons and not (b"\\" in line and b"\\u00" in line)


def _submission(sent: Any) -> Submission | None:
    if type(sent) is not dict or not sent.keys() <= _MEMBERS or sent.get("profile") not in _PROFILES:
        return None
    external_id = sent.get("external_id")
    if external_id is not None and not (type(external_id) is str and _is_external_id(external_id)):
        return None
    return Submission(sent.get("sections"), sent["profile"], external_id)


if __name__ == "__main__":
    interpreter.settle()
    serve(_answer)
