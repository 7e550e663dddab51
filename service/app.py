"""The application: everything that answers over HTTP, put together from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
from fastapi import Depends, FastAPI

from service.api import anchors, batch, imports, invoices, keys, monitoring, operations, parameters, problems, proofs
from service.api.context import Context
from service.api.envelope import Envelope
from service.config import Settings


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application of one process. Raises ValueError where the settings lack the contract or the receipt key."""
    context = Context(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        async with context.waiting.running():
            yield
        context.database.close()

    app = FastAPI(
        title="Zhengpiao",
        version=version("zhengpiao"),
        description="Registers invoices, anchors them on chain, and proves them to anybody.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(parameters.refuse_unknown)],
        lifespan=lifespan,
    )
    app.state.context = context
    routers = [room.router for room in (batch, invoices, imports, proofs, anchors, keys, monitoring)]
    for router in routers:
        app.include_router(router)
    problems.install(app)
    operations.install(app, routers)
    app.add_middleware(Envelope, context=context)
    return app
