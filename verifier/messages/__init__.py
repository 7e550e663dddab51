"""Every text that a verifier shows, in Chinese and English, by code. What {names} stand for is said by their name."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from verifier.messages import carried, report, terminal
from verifier.messages.report import WORDS

__all__ = ["SENTENCES", "WORDS", "Language", "sentence", "verdict_title", "when", "word"]

Language = Literal["zh", "en"]

_COLUMN: Mapping[Language, int] = {"zh": 0, "en": 1}
SENTENCES: Mapping[str, tuple[str, str]] = {**report.SENTENCES, **carried.SENTENCES, **terminal.SENTENCES}


def sentence(code: str, params: Mapping[str, object], language: Language) -> str:
    """In words; times in this machine's time zone. A code that is none stands for itself."""
    found = SENTENCES.get(code)
    if found is None:
        return code
    return found[_COLUMN[language]].format_map({name: _shown(name, value, language) for name, value in params.items()})


def when(seconds: float) -> str:
    """A time in seconds since 1970 UTC, as the clock of this machine shows it."""
    try:
        return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):  # past the year 9999: a file may say so
        return f"{seconds:.0f} s"


def word(name: str, language: Language) -> str:
    """A status, a kind of entry, the name of a check or of a section."""
    return WORDS[name][_COLUMN[language]] if name in WORDS else name


def verdict_title(verdict: str, language: Language) -> str:
    """A verdict in a word or two."""
    return terminal.VERDICTS[verdict][_COLUMN[language]]


def _shown(name: str, value: object, language: Language) -> str:
    if name == "time" and isinstance(value, int):
        return when(value)
    if name in ("deadline", "recorded_at") and isinstance(value, int):
        return when(value / 1000)
    if name in ("status", "kind"):
        return word(str(value), language)
    return str(value) or "/" if name == "pointer" else str(value)
