"""The process that prepares the lines of a batch: the same as without it, and nothing is lost when somebody stops it."""

import os
import signal
from collections.abc import Iterator, Sequence

import orjson
import pytest

from service.errors import Refused
from service.invoices import submitting
from service.invoices.preparer import Preparer
from service.invoices.preparing import Prepared, Submission
from service.invoices.submitting import Issuer, ask, prepare_lines
from tests.benchmarks.data import invoices

NOW_MS = 1_795_600_000_000
ISSUER = Issuer("issuer", None)
SECTIONS = list(invoices(0, 700))
SECTIONS[40]["totals"]["tax"] = "0.01"
LINES = [orjson.dumps({"profile": "new", "sections": sections}) for sections in SECTIONS]


@pytest.fixture
def preparer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Preparer]:
    made = Preparer()
    made.timeout_s = 60  # with the first question it is started, too
    monkeypatch.setattr(submitting, "PREPARER", made)
    yield made
    made.close()


def read(line: bytes) -> Submission:
    sent = orjson.loads(line)
    return Submission(sent["sections"], sent["profile"])


def prepared() -> list[tuple[bytes, ...] | str]:
    """What became of each line, salts aside."""
    results = prepare_lines(ask(LINES, ISSUER, NOW_MS), read, ISSUER)
    assert len({one.salts for one in results if isinstance(one, Prepared)}) == len(LINES) - 1
    return [one.code if isinstance(one, Refused) else tuple(one.canonical) for one in results]


def test_it_prepares_all_but_what_something_is_to_be_said_of(preparer: Preparer) -> None:
    made = preparer.prepare(LINES, None, submitting.today_at(NOW_MS))()
    assert [at for at, one in enumerate(made) if one is None] == [40]
    first = preparer.pid
    results = prepared()
    assert results[40] == "invoice_refused"
    assert preparer.pid == first


def test_it_is_not_asked_about_a_few(preparer: Preparer) -> None:
    assert all(isinstance(one, Prepared) for one in prepare_lines(ask(LINES[:10], ISSUER, NOW_MS), read, ISSUER))
    assert preparer.pid is None


def test_a_batch_is_prepared_all_the_same_when_it_was_killed(preparer: Preparer) -> None:
    with_it = prepared()
    first = preparer.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert prepared() == with_it
    assert prepared() == with_it
    assert preparer.pid not in (None, first)


def test_and_where_it_hangs(preparer: Preparer) -> None:
    with_it = prepared()
    assert preparer.pid is not None
    preparer.timeout_s = 0.2
    os.kill(preparer.pid, signal.SIGSTOP)
    assert prepared() == with_it


def test_and_where_none_can_be_started(preparer: Preparer, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_command: Sequence[str]) -> None:
        raise OSError("Cannot allocate memory")

    with_it = prepared()
    preparer.close()
    monkeypatch.setattr("service.processes.start", refuse)
    assert prepared() == with_it
