"""Cases by state, cause and time, for the people at the desk. Nothing personal is read."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from service.reprints.tables import reprint_cases, reprint_history
from service.reprints.transitions import STATES

_DAY_MS = 86_400_000
_BEIJING = timedelta(hours=8)
_REVIEWS = ("review_1", "review_2")


class Duration(NamedTuple):
    """How long cases were in `state` before they left it, in seconds."""

    state: str
    times: int
    median_s: int
    p90_s: int


class Statistics(NamedTuple):
    """Rows as the API shows them: `states` of all cases, the rest of the last `days`."""

    days: int
    states: list[dict[str, Any]]
    causes: list[dict[str, Any]]
    fees: list[dict[str, Any]]
    daily: list[dict[str, Any]]
    times: list[Duration]
    whole: Duration | None


def read(connection: Connection, days: int, now_ms: int) -> Statistics:
    """As of now."""
    since = now_ms - days * _DAY_MS
    times, whole, daily = _walk(connection, since, days, now_ms)
    causes = _counted(connection, since, "verdict", "responsible")
    return Statistics(days, states(connection, now_ms), causes, _counted(connection, since, "fee"), daily, times, whole)


def states(connection: Connection, now_ms: int) -> list[dict[str, Any]]:
    """Every state, those without a case too; `late` are reviews past their time (`now_ms`)."""
    table = reprint_cases
    counted = select(table.c.state, func.count()).group_by(table.c.state)
    count = {state: cases for state, cases in connection.execute(counted)}  # noqa: C416  a Row is no pair to mypy
    is_late = (table.c.state.in_(_REVIEWS), table.c.due_at < now_ms)
    late = {state: cases for state, cases in connection.execute(counted.where(*is_late))}  # noqa: C416
    return [{"state": state, "cases": count.get(state, 0), "late": late.get(state, 0)} for state in STATES]


def _counted(connection: Connection, since: int, *names: str) -> list[dict[str, Any]]:
    """Cases opened since then by the columns `names`, the most frequent first."""
    columns = [reprint_cases.c[name] for name in names]
    query = select(*columns, func.count()).where(reprint_cases.c.opened_at >= since).group_by(*columns)
    rows = sorted(connection.execute(query), key=lambda row: (-row[-1], *row[:-1]))
    return [dict(zip((*names, "cases"), row, strict=True)) for row in rows]


def _walk(
    connection: Connection, since: int, days: int, now_ms: int
) -> tuple[list[Duration], Duration | None, list[dict[str, Any]]]:
    """The history since then, streamed: how long each state took, how long a completed case took, and what happened by day."""
    inside: dict[str, list[int]] = defaultdict(list)
    whole: list[int] = []
    opened, completed, ended = Counter[str](), Counter[str](), Counter[str]()
    entered: dict[str, tuple[int, int]] = {}
    """By case that goes on: when it was opened, when it came into its state."""
    table = reprint_history
    known = select(reprint_cases.c.id).where(reprint_cases.c.changed_at >= since)
    query = select(table.c.case_id, table.c.at, table.c.source, table.c.target).where(table.c.case_id.in_(known))
    ordered = query.order_by(table.c.case_id, table.c.round).execution_options(yield_per=1000)
    for case_id, at, source, target in connection.execute(ordered):
        first, before = entered.get(case_id, (at, at))
        entered = {case_id: (first, at)}
        if at < since:
            continue
        on = _day(at)
        if source is None:
            opened[on] += 1
            continue
        inside[source].append(at - before)
        if target == "completed":
            completed[on] += 1
            whole.append(at - first)
        elif target in ("rejected", "cancelled", "expired"):
            ended[on] += 1
    daily = [{"on": on, "opened": opened[on], "completed": completed[on], "ended": ended[on]} for on in _days(days, now_ms)]
    times = [_duration(state, inside[state]) for state in STATES if inside[state]]
    return times, _duration("completed", whole) if whole else None, daily


def _duration(state: str, lengths: Iterable[int]) -> Duration:
    ordered = sorted(lengths)
    return Duration(state, len(ordered), ordered[len(ordered) // 2] // 1000, ordered[len(ordered) * 9 // 10] // 1000)


def _day(at: int) -> str:
    return (datetime.fromtimestamp(at / 1000, UTC) + _BEIJING).date().isoformat()


def _days(days: int, now_ms: int) -> list[str]:
    """Oldest first, today last."""
    return [_day(now_ms - n * _DAY_MS) for n in range(days - 1, -1, -1)]
