"""A headless Chromium, a web chat to look at, and an eye on everything the browser complains of."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from redis.asyncio import Redis

from bridge.queue import connect
from tests.browser import media
from tests.web.site import Site

SWITCHES = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 800}


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium_process() -> AsyncIterator[Browser]:
    """One browser for the whole run: to start one takes longer than most tests."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("chromium is not on PATH")
        pytest.skip("chromium is not on PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=[*SWITCHES])
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium_process: Browser) -> AsyncIterator[Browser]:
    """The browser, without the profiles a test opened in it once that test is over."""
    yield chromium_process
    for context in chromium_process.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def history(redis_url: str) -> AsyncIterator[Redis]:
    """A client of the real server, emptied before the test, in the browser's event loop."""
    client = connect(redis_url)
    yield client
    await client.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def site(history: Redis) -> AsyncIterator[Site]:
    site = Site(history)
    site.extra_routes = media.routes()
    async with site:
        yield site


class Complaints(list[str]):
    """What the browser held against a page: errors, uncaught exceptions, violations of its policy."""

    def watch(self, page: Page) -> Page:
        page.on("console", lambda message: self.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.append(str(error)))
        return page


@pytest.fixture
def complaints() -> Complaints:
    return Complaints()


async def opened(
    browser: Browser, url: str, complaints: Complaints, *, size: dict[str, int] = DESK, dark: bool = False
) -> Page:
    """A page in a browser profile of its own, ready to be read."""
    context: BrowserContext = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=2 if size is PHONE else 1,
        has_touch=size is PHONE,
        locale="en-GB",
        timezone_id="Europe/Athens",
    )
    page = complaints.watch(await context.new_page())
    await page.goto(url)
    await page.wait_for_selector("html.ready")
    return page
