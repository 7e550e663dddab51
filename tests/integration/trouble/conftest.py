"""Short log lines: what a test prints when it fails should be readable."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
import structlog


@pytest.fixture(autouse=True, scope="session")
def short_log_lines() -> Iterator[None]:
    structlog.configure(processors=[structlog.processors.add_log_level, structlog.processors.format_exc_info, _without_requests])
    yield
    structlog.reset_defaults()


def _without_requests(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    if event.get("event") == "request" and str(event.get("status")) < "500":
        raise structlog.DropEvent
    return " ".join(f"{name}={value}" for name, value in event.items())
