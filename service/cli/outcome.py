"""How a command ends: its exit status, and what it prints for people or, with --json, for machines."""

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from verifier.messages import Language


class Exit(IntEnum):
    """Exit statuses of `zhengpiao`; those from 64 are the ones of sysexits.h. docs/operations.md lists them."""

    DONE = 0
    REFUSED = 1
    """What was asked for was refused, wholly or in part; nothing was half-done."""
    USAGE = 64
    INPUT = 65
    """A file is not what it should be."""
    UNAVAILABLE = 69
    """The service, the database or the chain did not answer. Whether something was done is unknown, and it can be asked again."""
    INTERNAL = 70
    NOT_ALLOWED = 77
    """The key is missing, unknown, or has another role."""
    CONFIGURATION = 78


class Failed(Exception):
    """Ends a command with `sentence`; `members` go along in JSON."""

    def __init__(self, exit_: Exit, code: str, sentence: str, **members: Any) -> None:
        super().__init__(sentence)
        self.exit = exit_
        self.code = code
        self.sentence = sentence
        self.members = members


Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output, for machines.")]

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else 160)
"""For results."""
progress_console = Console(stderr=True, highlight=False)
"""For what is going on meanwhile; a terminal alone gets to see it."""


def language() -> Language:
    """Of the locale, in the order of POSIX; as zhengpiao-verify has it."""
    locale = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return "zh" if locale.lower().startswith("zh") else "en"


def moment(seconds: float | None) -> str | None:
    """RFC 3339 in UTC, from seconds since 1970."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def print_json(value: Any) -> None:
    """On a line, so that a stream of them stays one document a line."""
    sys.stdout.write(orjson.dumps(value).decode() + "\n")
    sys.stdout.flush()


def print_fields(fields: Mapping[str, Any]) -> None:
    """Name and value, a line each; never broken, so that values can be copied."""
    width = max(map(len, fields))
    for name, value in fields.items():
        console.print(Text.assemble((name.ljust(width), "bold"), "  ", "-" if value is None else str(value)))


def print_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table with a head."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    console.print(table)
