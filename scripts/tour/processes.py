"""The programs of the demo, and that none of them outlives it."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

_STOP_S = 10


class StepFailed(Exception):
    """A step of the tour did not hold; the text says what happened."""


class Processes:
    """A context in which programs run: they end with it in reverse order, and with this process whatever happens to it.

    `logs` is the folder for what they print.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):  # the impatient press Ctrl-C twice
            signal.signal(number, signal.SIG_IGN)
        while self._running:
            _end(self._running.pop()[1])

    def start(self, name: str, command: Sequence[object], environment: Mapping[str, str], folder: Path) -> Path:
        """Run a program in `folder`; returns the file with what it prints."""
        log = self._logs / f"{name}.log"
        # Ctrl-C in a terminal goes to the whole group: a session of its own, so that they end in order. If this process is
        # killed, the kernel ends them (Linux).
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*guard, *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
            )
        self._running.append((name, process))
        return log

    def stop(self, name: str) -> None:
        """End one program."""
        [process] = [process for other, process in self._running if other == name]
        self._running = [one for one in self._running if one[1] is not process]
        _end(process)

    def check(self) -> None:
        """Raises StepFailed, with the last of what it printed, if a program ended by itself."""
        for name, process in self._running:
            if process.poll() is not None:
                printed = (self._logs / f"{name}.log").read_text(errors="replace").splitlines()[-15:]
                raise StepFailed("\n".join([f"{name}: exit {process.returncode}", *printed]))

    def wait_for(self, what: str, condition: Callable[[], object], timeout_s: float) -> None:
        """Ask until `condition` holds. Raises StepFailed if a program ended or the time is over."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            self.check()
            if time.monotonic() > deadline:
                raise StepFailed(f"{what}: {timeout_s:.0f} s")
            time.sleep(0.1)


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(command: Sequence[object], environment: Mapping[str, str], folder: Path, expected: int = 0) -> str:
    """What a program prints. Raises StepFailed for another exit status than the expected one."""
    done = subprocess.run(
        [*map(str, command)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(environment),
        cwd=folder,
        timeout=120,
    )
    if done.returncode != expected:
        raise StepFailed(f"{Path(str(command[0])).name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """This one's, with none of its own settings of the service but `settings`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ZHENGPIAO_")}
    return kept | {f"ZHENGPIAO_{name}": value for name, value in settings.items()}
