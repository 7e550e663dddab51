"""Processes of our own beside the one that serves: each is a module that reads its standard input and answers on its output."""

import contextlib
import subprocess
import sys
from collections.abc import Sequence


def command_of(module: str) -> list[str]:
    """What runs one of our modules."""
    return [sys.executable, "-I", "-m", module]


def start(command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Raises OSError where the machine has no room for one more."""
    # No variable of ours: the environment has secrets.
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"LC_ALL": "C.UTF-8"},
        cwd="/",
    )


def end(process: "subprocess.Popen[bytes]") -> None:
    """Kill it, whatever it does, and close the pipes to it."""
    process.kill()
    for pipe in (process.stdin, process.stdout):
        with contextlib.suppress(BrokenPipeError):
            if pipe is not None:
                pipe.close()
    process.wait()
