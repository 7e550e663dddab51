"""The demo: starts everything, takes the samples from registration to a proof that stands alone, and stays until Ctrl-C."""

import argparse
import fcntl
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from scripts.tour import auditing, diagnosing, steps
from scripts.tour.processes import Processes, StepFailed
from scripts.tour.steps import Place
from scripts.tour.words import say
from service.cli import outcome

INTERRUPTED = 130


def main() -> int:
    language = outcome.language()
    said = partial(say, language)
    parser = argparse.ArgumentParser("scripts/demo", description=said("title"))
    parser.add_argument("--exit", action="store_true", help=said("option_exit"))
    parser.add_argument("--port", type=int, default=8000, help=said("option_port"))
    parser.add_argument("--var", type=Path, default=steps.ROOT / "var", metavar="DIR", help=said("option_var"))
    options = parser.parse_args()

    def stop(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    for number in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: whoever starts it in the background has it ignored
        signal.signal(number, stop)
    place = Place(options.var.resolve(), language)
    is_over = False
    try:
        with _alone(place), Processes(place.logs) as processes:
            place.say("title", style="bold")
            place.say("fresh", folder=place.folder)
            demo, around = steps.start(place, processes, _free_port(place, options.port), _free_port(place, 0))
            auditing.start(demo, around)
            steps.tour(demo, diagnosing.at_each_hop)
            auditing.tour(demo, around)
            diagnosing.tour(demo, around)
            is_over = True
            if not options.exit:
                steps.show_what_next(demo)
                place.say("running", style="bold")
                while True:
                    processes.check()
                    signal.sigtimedwait([], 0.5)
    except KeyboardInterrupt:
        place.say("stopped")
        return 0 if is_over else INTERRUPTED
    except (StepFailed, outcome.Failed) as failure:
        place.say("failed", what=failure, style="red")
        if place.logs.exists():
            place.say("see_logs", folder=place.logs)
        return 1
    return 0


@contextmanager
def _alone(place: Place) -> Iterator[None]:
    """One demo a folder, and it begins anew: what the last one left there is removed, and nothing else."""
    place.folder.mkdir(parents=True, exist_ok=True)
    with (place.folder / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise StepFailed(place.word("folder_taken", folder=place.folder)) from None
        for left in (place.logs, place.proofs, place.inbox):
            shutil.rmtree(left, ignore_errors=True)
            left.mkdir()
        databases = (f"{name}{suffix}" for name in ("demo.db", *auditing.FILES) for suffix in ("", "-wal", "-shm"))
        for name in (*steps.FILES, *databases):
            (place.folder / name).unlink(missing_ok=True)
        yield


def _free_port(place: Place, port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise StepFailed(place.word("port_taken", port=port)) from None
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
