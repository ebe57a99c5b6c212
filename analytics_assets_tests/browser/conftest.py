"""A browser, if this machine has one, and the product it looks at.

Where TESTS_NEED_ALL is set, as in continuous integration, a machine without a browser fails; elsewhere the tests are skipped and say so.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from analytics_assets_tests.browser.served import Served, served
from analytics_assets_tests.prerequisites import skip_or_fail

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MS = 90_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium without a window. It ends with the module: Playwright keeps an event loop running, in which later tests could start none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        skip_or_fail(f"no browser here: none of {', '.join(_NAMES)} is on the path")
    expect.set_options(timeout=_PATIENCE_MS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=list(_ARGUMENTS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product over an empty lake; not started where no browser could look at it."""
    with served(tmp_path_factory.mktemp("product")) as one:
        yield one


@pytest.fixture
def page(browser: Browser, product: Served, tmp_path: Path) -> Iterator[Page]:
    """A window that has not seen the product before; what it showed last is kept beside the test's files."""
    context = browser.new_context(base_url=product.url, viewport={"width": 1500, "height": 1000}, timezone_id="UTC")
    context.set_default_timeout(_PATIENCE_MS)
    page = context.new_page()
    yield page
    page.screenshot(path=tmp_path / "last.png")
    context.close()
