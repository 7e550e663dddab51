"""Questions for proofs that come while others are being answered are answered together, by one thread.

A proof is some ten small reads: one by one, most of the time goes to asking the database and to handing the interpreter's lock
around between threads. Whoever comes alone waits for nobody; under load the reads of many are the same few queries
(docs/performance.md).
"""

import asyncio
from collections import deque

import anyio
from sqlalchemy.exc import SQLAlchemyError

from service.db import Database
from service.invoices import proofs
from service.invoices.proofs import AnyProof, Asked
from verifier.fields import Chain

MOST = 32
"""Questions of one turn: a few ms, and no more content in memory than that of so many invoices."""

_ROUNDS = 3
"""Of the event loop, before a turn begins: so those who were answered in the last one, and ask again at once, are in it."""

Answer = bytes | Exception


class Asking:
    """Belongs to one event loop."""

    def __init__(self, database: Database, chain: Chain) -> None:
        self._database = database
        self._chain = chain
        self._waiting: deque[tuple[Asked, asyncio.Future[bytes]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked) -> bytes:
        """The proof file. Raises as proofs.answer does."""
        answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._waiting.append((asked, answered))
        if self._answering is None or self._answering.done():
            self._answering = asyncio.create_task(self._answer())
        return await answered

    async def _answer(self) -> None:
        thread = anyio.CapacityLimiter(1)  # of its own: the handlers' threads may all be busy
        while self._waiting:
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)
            turn = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
            answers: list[Answer]
            try:
                answers = await anyio.to_thread.run_sync(self._look, [asked for asked, _ in turn], limiter=thread)
            except Exception as error:  # noqa: BLE001  whatever it is, nobody waits for ever
                answers = [error] * len(turn)
            for (_, answered), answer in zip(turn, answers, strict=True):
                if answered.done():  # whoever asked has gone
                    continue
                if isinstance(answer, Exception):
                    answered.set_exception(answer)
                else:
                    answered.set_result(answer)

    def _look(self, asked: list[Asked]) -> list[Answer]:
        """In one snapshot, which is younger than each of the questions."""
        try:
            with self._database.read() as connection:
                return [_written(made) for made in proofs.answer_all(connection, self._chain, asked)]
        except SQLAlchemyError as error:  # the database is away, for all of them
            return [error] * len(asked)
        except Exception as error:  # noqa: BLE001  one that cannot be answered must not keep the others from it
            return [error] if len(asked) == 1 else [answer for one in asked for answer in self._look([one])]


def _written(made: AnyProof | Exception) -> Answer:
    return made if isinstance(made, Exception) else made.to_json()
