"""A chat's context survives what happens to the process."""

from __future__ import annotations

import signal

from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import Control, text_of


async def open_chat(control: Control, first: str) -> str:
    """Use /chat and give the id of its thread, once the first answer is there."""
    found = await control.answered(await control.command("chat", {"prompt": first}))
    thread = str(found[-1]["thread"]["id"])
    await control.reply_with(thread, first)
    return thread


async def last_history(control: Control) -> list[dict[str, object]]:
    """The turns of the newest question as the emulated Gemini received them."""
    diary = await control.get("gemini/diary")
    newest = [entry for entry in diary if entry["path"].endswith(("generateContent", "streamGenerateContent"))][-1]
    return list(newest["turns"])


async def test_the_eleventh_answer_after_a_kill_knows_the_first_turn(control: Control, start_bot: StartBot) -> None:
    """Ten turns, kill -9, start again: the history the emulator receives is the whole conversation, turn by turn."""
    bot = await start_bot()
    thread = await open_chat(control, "Remember the word cobalt #q-1")
    for number in range(2, 11):
        await control.say(thread, f"Turn #q-{number}")
        await control.reply_with(thread, f"#q-{number}:")
    said = ["Remember the word cobalt #q-1", *(f"Turn #q-{number}" for number in range(2, 11))]
    answers = [(await control.reply_with(thread, f"#q-{number}:"))["content"] for number in range(1, 11)]

    await bot.stop(signal.SIGKILL)
    await start_bot()
    await control.say(thread, "Turn #q-11")
    await control.reply_with(thread, "#q-11:")

    turns = await last_history(control)
    assert [turn["role"] for turn in turns] == ["user", "model"] * 10 + ["user"]
    assert [turn["text"] for turn in turns[0::2]] == [*said, "Turn #q-11"]
    assert [turn["text"] for turn in turns[1::2]] == answers


async def test_figures_survive_a_kill(control: Control, start_bot: StartBot) -> None:
    """What the admin commands show after kill -9 is what they showed before, but for the last second at most."""
    bot = await start_bot()
    for number in range(5):
        await control.ask(f"Question #q-{number}")
    before = text_of((await control.answered(await control.command("api-key-stats", {}, user="Ada")))[-1])
    # the figures of the last second are written within a second; the admin command says nothing of it
    await control.ask("One more #q-6")
    await bot.stop()
    await start_bot()
    after = text_of((await control.answered(await control.command("api-key-stats", {}, user="Ada")))[-1])
    assert before.splitlines()[1].startswith("5 requests")
    assert after.splitlines()[1].startswith("6 requests")
