"""Logging of a process: JSON a line in production, readable lines in dev; both to standard error.

Nothing personal is logged. Events name numbers of batches and counts, never content; API keys are masked wherever they stand; and
in production an exception is logged by its type and place alone, since its text may quote what was being stored.
"""

import logging
import re
import sys
import traceback
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

_API_KEY = re.compile(r"(zp_(?:test|live)_[a-z2-7]{1,10})[a-z2-7_]*")


def configure(env: Literal["dev", "production"], level: int = logging.INFO) -> None:
    """Send structlog's events and the standard library's records (uvicorn, alembic) through one formatter."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        mask_keys,
    ]
    renderers: list[Processor]
    if env == "production":
        renderers = [exception_place, structlog.processors.JSONRenderer(serializer=_to_json)]
        structlog.configure(
            processors=[*shared, *renderers],
            logger_factory=_Lines,
            wrapper_class=structlog.make_filtering_bound_logger(level),
        )
    else:
        renderers = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        structlog.configure(
            processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.stdlib.BoundLogger,
        )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)


class _Lines(structlog.WriteLogger):
    """Where events end in production: standard error, a line each, with a name for add_logger_name.

    A record of the standard library around each of them would cost a request as much as its metrics and its limits together.
    """

    def __init__(self, name: str = "service") -> None:
        super().__init__(sys.stderr)
        self.name = name


def mask_keys(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Cut an API key to its prefix and id, which tell whose it is and open nothing."""
    for name, value in event.items():
        if isinstance(value, str) and "zp_" in value:
            event[name] = _API_KEY.sub(r"\1…", value)
    return event


def exception_place(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """`exception`: for each exception of the chain its type and where it passed, innermost last; never its text or any variable."""
    found = event.pop("exc_info", None)
    error = sys.exc_info()[1] if found is True else found[1] if isinstance(found, tuple) else found
    if isinstance(error, BaseException):
        event["exception"] = list(_places(error))
    return event


def _places(error: BaseException | None) -> Any:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = traceback.extract_tb(error.__traceback__)
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        yield {"type": f"{type(error).__module__}.{type(error).__qualname__}", "at": places}
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=lambda value: type(value).__name__).decode()
