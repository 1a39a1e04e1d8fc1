"""A person at the page with the real bot behind it: what can be done in Discord can be done by hand in the browser.

The sandbox and the bot are processes of their own; everything goes over the page, with mouse and keyboard. Set
``SCREENSHOTS`` to a folder to look at each step afterwards.
"""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, async_playwright, expect

from tests.conversations.samples import sound
from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import Control, SandboxProcess
from tests.sandbox.page.conftest import BROWSER_ARGUMENTS, find_browser

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

_PATIENCE_MS = 40_000


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """A Chromium, if the machine has one."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine; install Debian's package chromium to run the browser tests")
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=path, args=BROWSER_ARGUMENTS)
        yield launched
        await launched.close()


class Person:
    """Somebody in front of the page."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self._name = name
        self._pictures = 0

    async def look(self) -> None:
        """Keep a picture, where somebody wants to see it."""
        if folder := os.environ.get("SCREENSHOTS"):
            self._pictures += 1
            await self.page.screenshot(path=Path(folder) / f"{self._name}-{self._pictures:02}.png")

    async def use(self, command: str, *values: str) -> None:
        """Type a command and its options with the keyboard."""
        await self.page.locator("#composer-text").fill(f"/{command}")
        await expect(self.page.get_by_role("option").first).to_be_visible()
        await self.page.keyboard.press("Tab")
        for number, value in enumerate(values):
            if number:
                await self.page.keyboard.press("Tab")
            await self.page.keyboard.type(value)
        await self.page.keyboard.press("Enter")

    async def say(self, text: str) -> None:
        """Write a message."""
        await self.page.locator("#composer-text").fill(text)
        await self.page.keyboard.press("Enter")

    def message(self, text: str | re.Pattern[str]) -> Locator:
        """The newest message with that text."""
        return self.page.locator(".message", has_text=text).last

    async def read(self, text: str | re.Pattern[str]) -> Locator:
        """Wait until a message with that text is there, and has come to rest."""
        found = self.message(text)
        await expect(found).to_be_visible()
        await expect(found).not_to_have_class(re.compile("streaming"))
        await self.look()
        return found

    async def press(self, message: Locator, button: str) -> None:
        """Press a button under a message."""
        await message.get_by_role("button", name=button).click()

    async def choose(self, message: Locator, app: str) -> None:
        """Choose an app from a message's menu."""
        await message.click(button="right")
        await self.page.get_by_role("menuitem", name=app).click()

    async def enter(self, channel: str) -> None:
        """Open a channel or thread."""
        await self.page.locator(".channel", has_text=channel).last.click()

    async def be(self, user: str) -> None:
        """Look through another person's eyes."""
        await self.page.locator("#who button").click()
        await self.page.get_by_role("menuitemradio", name=user).click()

    async def open_chat(self) -> None:
        """Use /chat and go into the thread."""
        before = await self.page.locator(".threads .channel").count()
        await self.use("chat")
        thread = self.page.locator(".threads .channel").nth(before)
        await thread.click()
        await expect(self.page.locator(".message", has_text="Write here").last).to_be_visible()


@asynccontextmanager
async def person_at(
    browser: Browser, sandbox: SandboxProcess, name: str, *, dark: bool = False
) -> AsyncIterator[Person]:
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme="dark" if dark else "light"
    )
    page = await context.new_page()
    page.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    await page.goto(sandbox.url)
    await page.locator("#bot-state.online").wait_for(state="attached")
    yield Person(page, name)
    await context.close()
    assert wrong == []


async def talks(ada: Person) -> None:
    await ada.use("ask", "how tall is a giraffe #q-1")
    answer = await ada.read("Answer to #q-1")
    await ada.press(answer, "Branch")
    await ada.read("Your chat is open")
    # what opened the chat quotes the answer, so it is known by its buttons now
    again = ada.page.locator(".message").get_by_role("button", name="Regenerate").last
    await again.click()
    await expect(again).to_be_visible()


async def chats(ada: Person) -> None:
    await ada.open_chat()
    await ada.say("2000 words #q-2")
    await ada.press(ada.page.locator(".message", has=ada.page.get_by_role("button", name="Stop")).last, "Stop")
    stopped = ada.page.locator(".message", has=ada.page.get_by_role("button", name="Continue")).last
    await ada.press(stopped, "Continue")
    await ada.say("tell me about wales #q-3")
    await ada.read("Answer to #q-3")
    await ada.page.keyboard.press("ArrowUp")
    await ada.say("tell me about whales #q-4")
    await ada.read("Answer to #q-4")
    question = ada.page.locator(".message:not(:has(.badge))", has_text="#q-4")
    await ada.choose(question, "Delete")
    await expect(question).to_have_count(0)


async def sends_and_gets_media(ada: Person) -> None:
    await ada.enter("general")
    await ada.page.locator(".composer input[type=file]").set_input_files(
        {"name": "hum.wav", "mimeType": "audio/wav", "buffer": sound(1.5)}
    )
    await ada.page.get_by_label("Send as a voice message").check()
    await ada.page.locator(".composer").get_by_role("button", name="Send").click()
    await ada.choose(ada.message("voice-message.ogg"), "Transcribe")
    await ada.read("These are the words")
    await ada.use("image", "a lighthouse at dusk")
    await expect((await ada.read("Drawn by")).locator("img").last).to_be_visible()
    await ada.use("speak", "good morning everybody")
    await expect((await ada.read("spoken by")).locator("audio")).to_be_visible()
    await ada.use("ai-art", "the sea")
    await ada.read("Written by")


async def makes_a_persona(ada: Person) -> None:
    await ada.use("persona create")
    form = ada.page.get_by_role("dialog")
    await form.get_by_role("textbox").first.fill("Pirate")
    await form.get_by_role("textbox").nth(1).fill("Speak like a pirate.")
    await form.get_by_role("button", name="Submit").click()
    await expect(form).to_have_count(0)
    await ada.use("persona list")
    await ada.read("Pirate")


async def administers(ada: Person) -> None:
    await ada.use("pool-stats")
    await expect((await ada.read("Pool statistics")).locator("img").last).to_be_visible()
    await ada.use("api-key-stats")
    await expect((await ada.read("API key statistics")).locator("img").last).to_be_visible()
    for command, shown in (
        ("why", "Why this answer?"),
        ("doctor", "Check-up"),
        ("keys list", "Keys of the pool"),
        ("settings show", "Settings of this server"),
        ("limits show", "What this server allows"),
        ("usage", "What is left"),
        ("help", "What I can do"),
    ):
        await ada.use(command)
        await ada.read(shown)


async def keeps_and_deletes(ada: Person) -> None:
    await ada.use("my-data show")
    await ada.read("What is stored about you")
    await ada.use("my-data delete")
    await ada.press(await ada.read("for good?"), "Delete everything")
    await ada.read(re.compile("deleted", re.IGNORECASE))


_DAY: tuple[Callable[[Person], Awaitable[None]], ...] = (
    talks,
    chats,
    sends_and_gets_media,
    makes_a_persona,
    administers,
    keeps_and_deletes,
)


async def test_everything_can_be_done_by_hand(sandbox: SandboxProcess, start_bot: StartBot, browser: Browser) -> None:
    """A day of an administrator: every button, menu, form and command there is, light and in English."""
    await start_bot()
    async with person_at(browser, sandbox, "day") as ada:
        for part in _DAY:
            await part(ada)


async def test_the_bot_speaks_the_readers_language_on_the_page(
    sandbox: SandboxProcess, start_bot: StartBot, browser: Browser
) -> None:
    """Commands are found by their names in Chinese, and answered in Chinese, on a dark page."""
    await start_bot()
    async with person_at(browser, sandbox, "language", dark=True) as mei:
        await mei.be("小美")
        await mei.use("提問", "長頸鹿有多高？ #q-1")
        await expect((await mei.read("#q-1")).get_by_role("button", name="重新產生")).to_be_visible()
        await mei.use("用量")
        await mei.read("剩餘用量")
        await mei.use("說明")
        await mei.read("我能做的事")


async def test_a_private_chat_is_seen_by_who_is_in_it(
    sandbox: SandboxProcess, control: Control, start_bot: StartBot, browser: Browser
) -> None:
    """Mina sees the chat she opened for herself; through another member's eyes it is not there."""
    await start_bot()
    async with person_at(browser, sandbox, "private") as person:
        await person.be("Mina")
        await control.command("chat", {"private": True}, user="Mina")
        thread = person.page.locator(".threads .channel")
        await expect(thread).to_be_visible()
        await person.be("小美")
        await expect(thread).to_have_count(0)
