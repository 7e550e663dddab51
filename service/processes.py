"""Processes of our own beside the one that serves: each is a module that reads its standard input and answers on its output."""

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO


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


class Gone(Exception):
    """The process has ended, and answered nothing."""


class _Turn:
    """A lock that goes to whoever has waited for it, not to who gives it back and asks again."""

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._turn = threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._turn.acquire()

    def __exit__(self, *_: object) -> None:
        self._turn.release()


class Helper:
    """A process that answers one question after another, for the threads of this one.

    It is started with the first question, and ends with this process. `module` ends in a call of `serve`. The next question is put
    while one is being answered, and a thread takes the answers, in order: it matters to nobody when, or whether, another waits.
    """

    def __init__(self, module: str, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._command = command_of(module)
        self._turn = _Turn()
        self._answers = ThreadPoolExecutor(1, module)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """None where it does not run."""
        return None if self._process is None else self._process.pid

    def ask(self, question: bytes) -> bytes:
        """Raises Gone where no process can be started, or the one that was asked ended or took too long; ask again."""
        return self.begin(question)()

    def begin(self, question: bytes) -> Callable[[], bytes]:
        """The first half of `ask`, which raises Gone too; what it returns is the second."""
        with self._turn:
            try:
                process = self._process = self._process or start(self._command)
                answer = self._answers.submit(self._take, process)
            except (OSError, RuntimeError):  # no room for a process, or for a thread
                self._end()
                raise Gone from None
            _put(process, question)
        return answer.result

    def _take(self, process: "subprocess.Popen[bytes]") -> bytes:
        timer = threading.Timer(self.timeout_s, process.kill)
        try:
            timer.start()
            assert process.stdout is not None
            return _read(process.stdout)
        except BaseException as error:
            # Whatever it was: what is still in the pipes must not be taken for the next answer.
            if self._process is process:
                self._process = None
            end(process)
            if isinstance(error, Exception):
                raise Gone from None
            raise
        finally:
            timer.cancel()

    def close(self) -> None:
        """End the process, if there is one."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            end(self._process)
        self._process = None


def _put(process: "subprocess.Popen[bytes]", question: bytes) -> None:
    """Where it has ended, or does so meanwhile, who waits for the answer learns of it."""
    assert process.stdin is not None
    try:
        _write(process.stdin, question)
    except BaseException as error:
        process.kill()  # it has half a question
        if not isinstance(error, (OSError, ValueError)):
            raise


def serve(answer: Callable[[bytes], bytes]) -> None:
    """What a Helper's process does: answer until there are no more questions."""
    # Whoever stops a group of processes stops this one too, while the one that asks still has answers to give.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with contextlib.suppress(EOFError):
        while True:
            _write(sys.stdout.buffer, answer(_read(sys.stdin.buffer)))


_LENGTH_BYTES = 4


def _write(pipe: IO[bytes], message: bytes) -> None:
    pipe.write(len(message).to_bytes(_LENGTH_BYTES, "big"))
    pipe.write(message)
    pipe.flush()


def _read(pipe: IO[bytes]) -> bytes:
    """Raises EOFError where the other side has ended."""
    head = pipe.read(_LENGTH_BYTES)
    message = pipe.read(int.from_bytes(head, "big"))
    if len(head) < _LENGTH_BYTES or len(message) < int.from_bytes(head, "big"):
        raise EOFError
    return message
