"""The application: everything that answers over HTTP, put together from the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
from fastapi import FastAPI

from service import interpreter, logs
from service.api import (
    anchors,
    batch,
    deliveries,
    diagnoses,
    documents,
    feed,
    feedback,
    imports,
    invoices,
    keys,
    lookups,
    monitoring,
    notifications,
    operations,
    problems,
    proofs,
    reconciliations,
    recoveries,
    verifications,
    webhooks,
)
from service.api.context import Context
from service.api.envelope import Envelope
from service.api.node import NodeGate
from service.api.reprints import case, materials, opening, payments, results, reviews
from service.api.shared_metrics import Shared
from service.api.staff import activity, desk, evidence, exports, releases, session, users
from service.config import Settings
from service.web import desk as desk_pages
from service.web import missing, pages


def create_app(settings: Settings) -> FastAPI:
    """The ASGI application of one process. Raises ValueError where the settings lack the contract or the receipt key."""
    context = Context(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.threads
        async with context.waiting.running():
            yield
        context.close()

    app = FastAPI(
        title="Zhengpiao",
        version=version("zhengpiao"),
        description="Registers invoices, anchors them on chain, and proves them to anybody.",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # we have our own, and nothing personal in it
        lifespan=lifespan,
    )
    app.state.context = context
    context.metrics.registry.register(Shared(context.database, lambda: context.clock()))
    registering = (batch, invoices, documents, imports)
    asking = (proofs, verifications, lookups, diagnoses, recoveries, anchors)
    rooms = (*registering, *asking, feed, reconciliations, keys, monitoring)
    staff = (session, users, activity, releases, evidence, desk, exports)
    reprints = (opening, reviews, results, materials, payments, case)  # what has a name of its own before what has an {id}
    routers = [room.router for room in (*rooms, *staff, *reprints, feedback, webhooks, notifications, deliveries)]
    for router in routers:  # as they are: FastAPI looks at each router it includes before each of its routes, which costs a third
        app.router.routes.extend(router.routes)
    app.router.routes.extend([*pages.routes(), *desk_pages.routes()])
    problems.install(app)
    missing.install(app)
    operations.install(app, routers)
    app.add_middleware(proofs.ProofsFirst, context=context)
    if settings.follow is not None:
        app.add_middleware(NodeGate, context=context)
    app.add_middleware(Envelope, context=context)
    return app


def application() -> FastAPI:
    """The same from the environment, as uvicorn makes it in each of its processes."""
    settings = Settings()
    logs.configure(settings.env)
    app = create_app(settings)
    interpreter.settle()
    return app
