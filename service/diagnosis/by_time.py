"""Finding a batch by time: times grow with the sequence number, so it is searched by halves and no column needs an index."""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Connection, select


def first_after(connection: Connection, seq: ColumnElement[int], time: ColumnElement[int], low: int, high: int, at: int) -> int:
    """The first of the seqs low … high whose time is above `at`, high + 1 where none is. Where there is no time, it is above."""

    def is_above(of: int) -> bool:
        found = connection.scalar(select(time).where(seq == of))
        return found is None or found > at

    return _bisect(low, high + 1, is_above)


def _bisect(low: int, high: int, is_above: Callable[[int], bool]) -> int:
    while low < high:
        middle = (low + high) // 2
        if is_above(middle):
            high = middle
        else:
            low = middle + 1
    return low
