"""`POST /v1/invoices/batch`: NDJSON in and out, in constant memory however many lines and however slow the caller.

What was read becomes chunks, each registered in one transaction. A chunk goes through four steps (prepare, sign, register, write),
and while it is at one of them others are at theirs: what each step waits for is another process, or the disk. Answers go out while
more is read; those that the caller does not take yet wait in a file: most HTTP clients send all of a body before they read, and
must not wait for us while we wait for them.
"""

import re
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, suppress
from tempfile import SpooledTemporaryFile
from typing import Any, NamedTuple, TypeVar

import anyio
import orjson
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api import examples, problems
from service.api.bodies import MAX_INVOICE, check_media_type, parse, too_large
from service.api.context import Context, Here
from service.api.invoices import registered_members, with_links
from service.api.models.requests import InvoiceSubmission
from service.api.operations import Answered, Operations, Sent
from service.api.writes import attempt_of
from service.errors import Refused
from service.invoices import submitting
from service.invoices.idempotency import Attempt
from service.invoices.preparing import Submission
from service.invoices.submitting import Asked, Issuer, Result, Signed

router = Operations("invoices")

MAX_LINES = 10_000
CHUNK_LINES = 500
CHUNK_BYTES = 8 * 1024 * 1024
"""A chunk ends at the first of these, counted in what was sent: so it is the same chunk when the batch is sent again."""
NDJSON = "application/x-ndjson"

_NDJSON = re.compile(r"application/(?:x-)?ndjson|application/jsonl")
_IN_MEMORY = 1024 * 1024
_PIECE = 64 * 1024
_TOO_LONG = b""  # no line that is read is empty


@router.operation(
    "POST",
    "/v1/invoices/batch",
    "Register many invoices",
    Answered(
        orjson.dumps(examples.BATCH_LINE).decode() + "\n",
        {"type": "string"},
        media_type=NDJSON,
        description="A line for each that was sent, in order: `{line, status, result or problem}`, as for one invoice. "
        "A bad line never harms another.",
    ),
    roles=("issuer",),
    sent=(Sent(examples.NDJSON, {"type": "string", "description": "At most 10,000 lines, each as for one invoice."}, NDJSON),),
    is_write=True,
)
async def batch(request: Request, here: Here) -> Response:
    check_media_type(request, _NDJSON, NDJSON)
    issuer = await run_in_threadpool(here.issuer, request)
    with ExitStack() as held:
        held.enter_context(here.running.hold(attempt_of(request, issuer.id, b"")))
        work = _Batch(here, request, issuer)
        chunks = _chunks(request)
        # What refuses the whole batch (no room, another body under the same key) shows at its first chunk, as any other problem.
        first = await run_in_threadpool(_register_first, work, await anext(chunks, []))
        return _Duplex(work, chunks, first, held.pop_all())


def _register_first(work: "_Batch", lines: list[bytes]) -> bytes:
    return work.write(work.register(work.sign(work.prepare(lines)))) if lines else b""


async def _chunks(request: Request) -> AsyncIterator[list[bytes]]:
    """The body's lines in chunks; one that is too long stands as _TOO_LONG. Behind line MAX_LINES comes one more, and no other."""
    chunk: list[bytes] = []
    size = count = 0
    async for line in _lines(request):
        if chunk and (len(chunk) == CHUNK_LINES or size + len(line) > CHUNK_BYTES):
            yield chunk
            chunk, size = [], 0
        if count <= MAX_LINES:
            chunk.append(line)
            size += len(line)
        count += 1
    if chunk:
        yield chunk


async def _lines(request: Request) -> AsyncIterator[bytes]:
    """Each with its line feed; the rest of a line that is too long is read and forgotten."""
    pending = bytearray()
    is_too_long = False
    async for piece in request.stream():
        start = 0
        while (end := piece.find(b"\n", start) + 1) > 0:
            if not is_too_long and len(pending) + end - start <= MAX_INVOICE:
                yield bytes(pending) + piece[start:end]
            else:
                yield _TOO_LONG
            pending.clear()
            is_too_long = False
            start = end
        if is_too_long or len(pending) + len(piece) - start > MAX_INVOICE:
            is_too_long = True
            pending.clear()
        else:
            pending += piece[start:]
    if is_too_long or pending:
        yield _TOO_LONG if is_too_long else bytes(pending)


class _Chunk(NamedTuple):
    """Lines that were asked about, how many stand behind MAX_LINES, and the write that they are a part of."""

    asked: Asked
    too_many: int
    attempt: Attempt | None

    @property
    def size(self) -> int:
        return len(self.asked.lines) + self.too_many


T = TypeVar("T")
R = TypeVar("R")
C = TypeVar("C", _Chunk, Signed)


class _Batch:
    """The steps of its chunks, each of which sees them in order. A step raises what keeps a chunk from being registered at all."""

    def __init__(self, here: Context, request: Request, issuer: Issuer) -> None:
        self._here = here
        self._request = request
        self._issuer = issuer
        self._language = problems.language_of(request)
        self._prepared = 0
        self._part = 0
        self._answered = 0

    def prepare(self, lines: list[bytes]) -> _Chunk:
        """What needs nothing but the lines, of those that are plain."""
        first = self._prepared
        self._prepared += len(lines)
        attempt = attempt_of(self._request, self._issuer.id, b"".join(lines), self._part)
        self._part += 1
        allowed = lines[: MAX_LINES - first]
        return _Chunk(submitting.ask(allowed, self._issuer, self._here.now_ms()), len(lines) - len(allowed), attempt)

    def sign(self, chunk: _Chunk) -> Signed:
        """All else that can be done before the chunk's turn in the database."""
        here = self._here
        prepared = submitting.prepare_lines(chunk.asked, _read, self._issuer)
        prepared += [Refused("too_many_lines", {"limit": f"{MAX_LINES:,}"}) for _ in range(chunk.too_many)]
        return submitting.sign_ahead(here.database, here.keys, prepared, chunk.attempt, here.now_ms(), here.deadline)

    def register(self, signed: Signed) -> list[Result]:
        """A transaction."""
        return submitting.submit(self._here.database, self._here.keys, signed, self._issuer)

    def write(self, results: list[Result]) -> bytes:
        """The answers to a chunk."""
        written = []
        for result in results:
            self._answered += 1
            said: dict[str, Any] = {"line": self._answered}
            if isinstance(result, Refused):
                url = self._here.settings.public_url
                said["problem"] = problem = problems.members(with_links(result), self._language, url)
                said["status"] = problem["status"]
            else:
                said["status"] = 201
                said["result"] = registered_members(self._here, result, self._language)
            written.append(orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE))
        return b"".join(written)

    # Behind the first chunk it is too late for a problem of the whole: each line then has it as its own, as a result that the steps
    # which are left pass on.

    def prepare_or_say_why(self, lines: list[bytes]) -> _Chunk | list[Result]:
        """The first step, there."""
        try:
            return self.prepare(lines)
        except Exception as error:  # noqa: BLE001  the boundary of a chunk: logged, and answered as any failure is
            return self._why(error, len(lines))

    def or_say_why(self, step: Callable[[C], R]) -> Callable[[C | list[Result]], R | list[Result]]:
        """A step between the first and the last, there."""

        def run(chunk: C | list[Result]) -> R | list[Result]:
            if isinstance(chunk, list):
                return chunk
            try:
                return step(chunk)
            except Exception as error:  # noqa: BLE001  as above
                return self._why(error, chunk.size)

        return run

    def _why(self, error: Exception, count: int) -> list[Result]:
        return [problems.refusal_of(error, self._request.scope["request_id"])] * count


def _read(line: bytes) -> Submission | Refused:
    if line is _TOO_LONG:
        return too_large(MAX_INVOICE)
    try:
        sent = parse(InvoiceSubmission, line.rstrip(b"\r\n"))
    except Refused as refused:
        return refused
    return Submission(sent.sections, sent.profile, sent.external_id)


class _Duplex(Response):
    """Reads and registers on one side, sends on the other; neither waits for the other."""

    media_type = NDJSON

    def __init__(self, work: _Batch, chunks: AsyncIterator[list[bytes]], first: bytes, held: ExitStack) -> None:
        self.status_code = 200
        self.background = None
        self.init_headers({"Content-Type": NDJSON, "X-Accel-Buffering": "no"})
        self._work = work
        self._chunks = chunks
        self._first = first
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        with self._held, SpooledTemporaryFile(_IN_MEMORY) as spool:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            answers = _Answers(spool)
            answers.add(self._first)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._register, answers)
                while piece := await answers.next():
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    async def _register(self, answers: "_Answers") -> None:
        work = self._work
        try:
            async with anyio.create_task_group() as tasks:
                send, prepared = anyio.create_memory_object_stream[_Chunk | list[Result]]()
                tasks.start_soon(self._prepare, send)
                signed = _then(tasks, prepared, work.or_say_why(work.sign))
                async with _then(tasks, signed, work.or_say_why(work.register)) as registered:
                    async for results in registered:
                        answers.add(await run_in_threadpool(work.write, results))
        finally:
            answers.close()

    async def _prepare(self, send: MemoryObjectSendStream[_Chunk | list[Result]]) -> None:
        async with send:
            with suppress(ClientDisconnect):  # what was registered stays; the same Idempotency-Key tells what that was
                async for lines in self._chunks:
                    await send.send(await run_in_threadpool(self._work.prepare_or_say_why, lines))


def _then(tasks: TaskGroup, items: MemoryObjectReceiveStream[T], step: Callable[[T], R]) -> MemoryObjectReceiveStream[R]:
    """What `step` makes of each, one after another, while others are made into `items`."""
    send, receive = anyio.create_memory_object_stream[R]()

    async def run() -> None:
        async with items, send:
            async for item in items:
                await send.send(await run_in_threadpool(step, item))

    tasks.start_soon(run)
    return receive


class _Answers:
    """Bytes that wait for their reader, in memory up to _IN_MEMORY and then on disk."""

    def __init__(self, spool: "SpooledTemporaryFile[bytes]") -> None:
        self._spool = spool
        self._written = self._read = 0
        self._changed = anyio.Event()
        self._is_closed = False

    def add(self, data: bytes) -> None:
        self._spool.seek(self._written)
        self._written += self._spool.write(data)
        self._wake()

    def close(self) -> None:
        self._is_closed = True
        self._wake()

    async def next(self) -> bytes:
        """The next piece; b"" at the end."""
        while self._read == self._written and not self._is_closed:
            await self._changed.wait()
        self._spool.seek(self._read)
        piece = self._spool.read(min(_PIECE, self._written - self._read))
        self._read += len(piece)
        return piece

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
