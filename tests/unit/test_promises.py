"""What a receipt may promise, and the table of troubles that shortens or forbids it."""

import pytest

from service.config import Settings
from service.errors import Unavailable
from service.ledger.health import NOTHING_PROVEN, Health, check_may_promise, promise_s
from service.trouble import Trouble

NOW = 1_795_600_000.0
SETTINGS = Settings(_env_file=None, promise_s=60, troubled_promise_s=86_400, worker_silent_s=30)  # type: ignore[call-arg]
WELL = Health(NOW, None, None, None, 5, 4, 100, int(NOW) - 20, 10**9, "")


@pytest.mark.parametrize(
    ("last", "promised"),
    [
        (WELL, 60),
        (WELL._replace(left_out="http://127.0.0.1:8546"), 60),
        (WELL._replace(seen_at=NOW - 30), 60),
        (WELL._replace(seen_at=NOW - 31), 86_400),
        (WELL._replace(seen_at=NOW + 31), 86_400),
        (WELL._replace(trouble=str(Trouble.PAUSED)), 86_400),
        (None, 86_400),
        (WELL._replace(final_time=int(NOW) + 10), 70),
        (WELL._replace(final_time=int(NOW) + 7200, seen_at=NOW + 7200), 86_400 + 7200),
    ],
    ids=[
        "well",
        "one endpoint less",
        "quiet",
        "silent",
        "our clock went back",
        "paused",
        "never seen",
        "chain ahead",
        "clock behind",
    ],
)
def test_the_promise(last: Health | None, promised: int) -> None:
    assert promise_s(last, NOW, SETTINGS) == promised


@pytest.mark.parametrize("trouble", [None, *Trouble])
def test_nothing_is_promised_on_a_chain_that_is_not_what_it_was(trouble: Trouble | None) -> None:
    last = WELL._replace(trouble=trouble and str(trouble))
    if trouble in NOTHING_PROVEN:
        with pytest.raises(Unavailable, match="chain_in_doubt"):
            check_may_promise(last, SETTINGS)
    else:
        check_may_promise(last, SETTINGS)


def test_the_table_of_troubles_fits_where_it_is_shown() -> None:
    for trouble in Trouble:
        assert 0 < len(trouble) <= 32
        assert trouble.meaning.endswith(".")
        assert trouble.remedy.endswith(".")
    assert {trouble for trouble in NOTHING_PROVEN if not trouble.is_alarm} == {Trouble.BEHIND}
