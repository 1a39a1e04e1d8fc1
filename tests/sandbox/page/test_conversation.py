"""Talking to a bot on the page, in a real browser: commands, answers, files, buttons, forms, threads."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, expect

from sandbox.server import RunningSandbox
from tests.conversations.samples import sound

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="package")]


async def run_command(page: Page, name: str, *values: str) -> None:
    """Type a command and its options as a person does, with the keyboard alone."""
    await page.locator("#composer-text").fill(f"/{name}")
    await page.keyboard.press("Tab")
    for number, value in enumerate(values):
        if number:
            await page.keyboard.press("Tab")
        await page.keyboard.type(value)
    await page.keyboard.press("Enter")


def message(page: Page, text: str):
    return page.locator(".message", has_text=text).last


async def test_a_slash_command_is_picked_filled_and_answered_by_keyboard_alone(page: Page) -> None:
    """Slash, a few letters, Tab, the option, Enter: the streamed answer appears under what was used."""
    await run_command(page, "as", "how tall is a giraffe")
    answer = message(page, "You asked: how tall is a giraffe [gemini-4-hydrogen]")
    await expect(answer).to_be_visible()
    await expect(answer.locator(".reply-line")).to_contain_text("Ada used /ask")
    await expect(answer).to_have_class(re.compile("streaming"))
    await expect(answer.locator(".badge")).to_have_text("BOT")
    await expect(answer.locator(".edited")).to_be_visible()
    await expect(page.locator("#composer-text")).to_be_focused()
    await expect(answer).not_to_have_class(re.compile("streaming"))


async def test_a_missing_option_is_asked_for(page: Page) -> None:
    """Enter without the needed option sends nothing and says what is missing."""
    await run_command(page, "ask")
    await expect(page.locator(".composer .problem")).to_have_text("prompt is needed.")
    await expect(page.locator(".chip.invalid")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#composer-text")).to_be_focused()


async def test_options_are_suggested_by_the_bot(page: Page) -> None:
    """An option with autocomplete shows the bot's choices; an arrow and Enter take the second."""
    await page.locator("#composer-text").fill("/ask ")
    await page.keyboard.type("which model")
    await (
        page.get_by_role("button", name="add option model")
        .or_(page.locator(".add-option", has_text="model"))
        .first.click()
    )
    await expect(page.get_by_role("option", name="gemini-4-carbon")).to_be_visible()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await page.keyboard.press("Enter")
    await expect(message(page, "You asked: which model [gemini-4-carbon]")).to_be_visible()


async def test_a_file_goes_along_with_a_command(page: Page) -> None:
    """A file chosen for an attachment option reaches the bot under its name."""
    await page.locator("#composer-text").fill("/ask ")
    await page.keyboard.type("summarise")
    await page.locator(".add-option", has_text="file").click()
    async with page.expect_file_chooser() as chooser:
        await page.locator(".chip", has_text="file").get_by_role("button").first.click()
    await (await chooser.value).set_files({"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    await page.keyboard.press("Tab")
    await page.locator(".composer").get_by_role("button", name="Send").click()
    await expect(message(page, "You asked about notes.txt: summarise")).to_be_visible()


async def test_files_are_picked_pasted_and_shown(page: Page) -> None:
    """A picture attached to a message is shown as one, with its name for those who cannot see it."""
    pixel = bytes.fromhex(
        "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf500f0003860180"
        "5a349d6e0000000049454e44ae426082"
    )
    await page.locator(".composer input[type=file]").set_input_files(
        {"name": "dot.png", "mimeType": "image/png", "buffer": pixel}
    )
    await expect(page.locator(".picked")).to_contain_text("dot.png")
    await page.locator("#composer-text").fill("a picture of a dot")
    await page.keyboard.press("Enter")
    sent = message(page, "a picture of a dot")
    await expect(sent.get_by_role("img", name="dot.png")).to_be_visible()
    assert await sent.locator("img").evaluate("image => image.naturalWidth") == 1


async def test_a_sound_can_be_sent_as_a_voice_message_and_played(page: Page) -> None:
    """A picked sound offers to go as a voice message, and stands there with a player that knows its length."""
    await page.locator(".composer input[type=file]").set_input_files(
        {"name": "hum.wav", "mimeType": "audio/wav", "buffer": sound(1.5)}
    )
    await page.get_by_label("Send as a voice message").check()
    await page.locator(".composer").get_by_role("button", name="Send").click()
    sent = message(page, "voice-message.ogg")
    player = sent.locator("audio")
    await expect(player).to_be_visible()
    await expect(player).to_have_attribute("aria-label", "voice-message.ogg")
    await expect(player).to_have_js_property("duration", 1.5)


async def test_only_one_sound_alone_can_be_a_voice_message(page: Page) -> None:
    """A picture, or a second file, takes the choice away."""
    files = page.locator(".composer input[type=file]")
    await files.set_input_files({"name": "hum.wav", "mimeType": "audio/wav", "buffer": sound()})
    await expect(page.get_by_label("Send as a voice message")).to_be_visible()
    await files.set_input_files({"name": "more.txt", "mimeType": "text/plain", "buffer": b"words"})
    await expect(page.locator(".picked")).to_have_count(2)
    await expect(page.get_by_label("Send as a voice message")).to_have_count(0)


async def test_embeds_and_files_of_the_bot_are_shown(page: Page) -> None:
    """An embed has its title, bold text and fields; a file that is no picture is a chip to download."""
    await run_command(page, "ai", "A harbour at dusk")
    answer = message(page, "A harbour at dusk")
    await expect(answer.locator(".embed .title")).to_have_text("A harbour at dusk")
    await expect(answer.locator(".embed strong")).to_have_text("quiet")
    await expect(answer.locator(".embed dt")).to_have_text(["Style", "Mood"])
    await expect(answer.locator("a.file")).to_contain_text("palette.csv")
    assert await answer.locator(".embed").evaluate("embed => embed.scrollWidth <= embed.clientWidth")


async def test_buttons_and_menus_reach_the_bot(page: Page) -> None:
    """A press is answered for the presser only; a choice carries its value; an update changes the message."""
    await run_command(page, "panel")
    panel = message(page, "Choose.")
    await panel.get_by_role("button", name="Again").click()
    note = message(page, "Pressed again.")
    await expect(note.locator(".note")).to_contain_text("Only you can see this.")
    await panel.get_by_role("combobox", name="Tone").select_option("Dry")
    await expect(message(page, "Tone: Dry")).to_be_visible()
    await panel.get_by_role("button", name="Stop").click()
    await expect(message(page, "Stopped.")).to_be_visible()
    await note.get_by_role("button", name="Dismiss").click()
    await expect(page.locator(".message", has_text="Pressed again.")).to_have_count(0)


async def test_a_form_keeps_the_focus_and_is_sent(page: Page) -> None:
    """A modal opens with its first field focused, Tab stays inside, and what was filled in arrives."""
    await run_command(page, "feedback")
    dialog = page.get_by_role("dialog", name="Feedback")
    await expect(dialog.get_by_role("textbox")).to_be_focused()
    await page.keyboard.type("The pictures")
    # between the last field and the first the browser's own window has the focus: then the body is active
    inside = "() => document.body === document.activeElement || !!document.activeElement.closest('dialog')"
    for _ in range(6):
        await page.keyboard.press("Tab")
        assert await page.evaluate(inside)
    await dialog.get_by_role("combobox").select_option("Bug")
    await dialog.get_by_role("button", name="Submit").click()
    await expect(message(page, "Thank you: The pictures (Bug)")).to_be_visible()
    await expect(dialog).to_have_count(0)


async def test_escape_closes_a_form(page: Page) -> None:
    """Escape leaves a form without sending it."""
    await run_command(page, "feedback")
    dialog = page.get_by_role("dialog", name="Feedback")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)


async def test_an_ephemeral_answer_is_hidden_from_others(page: Page) -> None:
    """What only Ada may see is gone when one looks through Mina's eyes."""
    await run_command(page, "stats")
    await expect(message(page, "Numbers for you.")).to_be_visible()
    await page.locator("#who button").click()
    await page.get_by_role("menuitemradio", name="Mina").click()
    await expect(page.locator("#who")).to_contain_text("Mina")
    await expect(page.locator(".message", has_text="Numbers for you.")).to_have_count(0)


async def test_a_member_is_offered_neither_admin_commands_nor_staff_channels(page: Page) -> None:
    """A command for administrators and a channel for them are not shown to a member."""
    await page.locator("#who button").click()
    await page.get_by_role("menuitemradio", name="Mina").click()
    await expect(page.locator(".channel", has_text="staff")).to_have_count(0)
    await page.locator("#composer-text").fill("/")
    await expect(page.get_by_role("option", name="/ask")).to_be_visible()
    await expect(page.get_by_role("option", name="/stats")).to_have_count(0)


async def test_a_message_command_runs_from_the_messages_menu(page: Page) -> None:
    """Right click on a message offers the bot's apps; the answer is about that message."""
    await page.locator("#composer-text").fill("the tallest animal")
    await page.keyboard.press("Enter")
    await message(page, "the tallest animal").click(button="right")
    await page.get_by_role("menuitem", name="Ask Gemini").click()
    await expect(message(page, "About: the tallest animal")).to_be_visible()


async def test_messages_are_walked_and_opened_by_keyboard(page: Page) -> None:
    """Arrow keys walk the messages, Enter opens the menu, Escape gives the focus back to the message."""
    for text in ("first of two", "second of two"):
        await page.locator("#composer-text").fill(text)
        await page.keyboard.press("Enter")
        await expect(message(page, text)).to_be_visible()
    await message(page, "second of two").focus()
    await page.keyboard.press("ArrowUp")
    await expect(message(page, "first of two")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("menuitem", name="Reply")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(message(page, "first of two")).to_be_focused()


async def test_a_mention_is_answered_with_a_reply_line(page: Page, bot: str) -> None:
    """A message that mentions the bot is answered as a reply; its line shows names, not ids."""
    await page.locator("#composer-text").fill(f"hello <@{bot}> and good day")
    await page.keyboard.press("Enter")
    answer = message(page, "You said: and good day")
    await expect(answer.locator(".reply-line")).to_contain_text("hello @Gemini and good day")


async def test_ones_own_message_is_edited_and_deleted(page: Page) -> None:
    """Arrow up edits the last own message; the menu deletes it."""
    await page.locator("#composer-text").fill("a mistkae")
    await page.keyboard.press("Enter")
    await expect(message(page, "a mistkae")).to_be_visible()
    await expect(page.locator("#composer-text")).to_have_value("")
    await expect(page.locator("#composer-text")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator("#composer-text")).to_have_value("a mistkae")
    await page.locator("#composer-text").fill("a mistake")
    await page.keyboard.press("Enter")
    await expect(message(page, "a mistake").locator(".edited")).to_be_visible()
    await message(page, "a mistake").click(button="right")
    await page.get_by_role("menuitem", name="Delete").click()
    await expect(page.locator(".message", has_text="a mistake")).to_have_count(0)


async def test_a_thread_appears_under_its_channel_with_an_unread_mark(page: Page) -> None:
    """A thread that the bot opens is listed under the channel, marked as unread, and opened by a click."""
    await run_command(page, "chat", "whales")
    thread = page.locator(".threads .channel", has_text="whales")
    await expect(thread).to_have_class(re.compile("unread"))
    await thread.click()
    await expect(message(page, "Let us talk about whales.")).to_be_visible()
    await expect(page.locator("#channel-title")).to_have_text("whales")
    await expect(thread).not_to_have_class(re.compile("unread"))


async def test_thinking_is_shown_until_the_answer(page: Page) -> None:
    """A deferred answer says that the bot is thinking, then becomes the answer in place."""
    await run_command(page, "wait")
    await expect(page.locator(".thinking").last).to_contain_text("Gemini is thinking")
    await expect(message(page, "Done thinking.")).to_be_visible()
    await expect(page.locator(".thinking")).to_have_count(0)


async def test_new_answers_are_announced(page: Page) -> None:
    """The live region says an answer once its text has come to rest."""
    await run_command(page, "ask", "announce this")
    await expect(page.locator("#announcer")).to_contain_text("Gemini: You asked: announce this")


async def test_a_refused_action_is_a_sentence(page: Page, box: RunningSandbox) -> None:
    """What the platform refuses is said in the conversation, and the text is kept."""
    await page.locator("#composer-text").fill("x" * 3000)
    await page.keyboard.press("Enter")
    alert = page.locator(".message.local [role=alert]").last
    await expect(alert).to_contain_text(re.compile(r"\w.*\.$"))
    await expect(page.locator("#composer-text")).to_have_value("x" * 3000)
