"""A browser and the pages for each file of tests."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.browsing import PATIENCE_MS, launch
from tests.e2e.site import Site, vector_site

expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = launch(playwright.chromium, "--host-resolver-rules=MAP insecure.example 127.0.0.1")
        yield running
        running.close()


@pytest.fixture(scope="session")
def vectors() -> Iterator[Site]:
    with vector_site() as running:
        yield running


@pytest.fixture
def site(vectors: Site) -> Site:
    """As new: it knows nothing but the chain."""
    vectors.answers.clear()
    vectors.trust()
    return vectors
