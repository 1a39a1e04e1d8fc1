"""A sandbox, a small bot and a browser, once for the folder; each test has a page of its own.

All of it lives on one loop of the package's (``loop_scope="package"`` in every test here). Tests tell their messages
apart by what they say, so that they share a world without a word between them.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, async_playwright, expect

from sandbox.gemini import GeminiEmulator
from sandbox.redirect import redirect_discord
from sandbox.server import RunningSandbox, ServerOptions, running
from tests.sandbox.page.demo_bot import make_bot

_PATIENCE_MS = 30_000
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def find_browser() -> str | None:
    """Where this machine's Chromium is; None without one."""
    return next((found for name in _BROWSERS if (found := shutil.which(name))), None)


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def box() -> AsyncIterator[RunningSandbox]:
    async with running(ServerOptions(port=0, seed=7)) as sandbox:
        yield sandbox


@pytest_asyncio.fixture(loop_scope="package")
async def gemini(box: RunningSandbox) -> AsyncIterator[GeminiEmulator]:
    """The emulated Gemini, without faults before and after."""
    assert box.gemini is not None
    box.gemini.set_faults([])
    yield box.gemini
    box.gemini.set_faults([])


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def bot(box: RunningSandbox) -> AsyncIterator[str]:
    """The bot, connected; gives its user id."""
    addresses = box.addresses()
    restore = redirect_discord(addresses["discord_api"], addresses["discord_gateway"], addresses["discord_cdn"])
    ready = asyncio.Event()
    client = make_bot(ready)
    connection = asyncio.create_task(client.start(addresses["discord_token"]))
    await ready.wait()
    assert client.user is not None
    yield str(client.user.id)
    await client.close()
    with suppress(asyncio.CancelledError):
        await connection
    restore()
    assert box.discord is not None
    assert box.discord.violations() == []


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def browser() -> AsyncIterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine; install Debian's package chromium to run the browser tests")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="package")
async def page(browser: Browser, box: RunningSandbox, bot: str) -> AsyncIterator[Page]:
    """The page at desktop width, as Ada the administrator, with the bot online; fails on any script error."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, color_scheme="light")
    async for opened in _open(context, box):
        yield opened


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def modules(browser: Browser, box: RunningSandbox) -> AsyncIterator[Page]:
    """One page for tests that only call the page's modules and leave nothing behind."""
    opened = await browser.new_page()
    await opened.goto(box.page_url)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(loop_scope="package")
async def phone(browser: Browser, box: RunningSandbox, bot: str) -> AsyncIterator[Page]:
    """The page at a phone's width, dark."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, color_scheme="dark", has_touch=True)
    async for opened in _open(context, box):
        yield opened


async def _open(context: BrowserContext, box: RunningSandbox) -> AsyncIterator[Page]:
    page = await context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if _is_mistake(message) else None)
    await page.goto(box.page_url)
    await page.locator("#bot-state.online").wait_for(state="attached")
    await page.locator("#composer-text").wait_for(state="attached")
    yield page
    await context.close()
    assert wrong == []


def _is_mistake(message: ConsoleMessage) -> bool:
    # the browser itself reports every refused request; the page shows those as sentences
    return message.type == "error" and not message.text.startswith("Failed to load resource")
