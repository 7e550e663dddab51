"""One problem of the catalogue."""

from typing import NamedTuple


class Problem(NamedTuple):
    """What one code means: HTTP status, title and detail, each in Chinese and English."""

    status: int
    title: tuple[str, str]
    detail: tuple[str, str]
