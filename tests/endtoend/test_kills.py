"""The bot is killed at random moments of a conversation: every question has exactly one answer, nothing is doubled.

A person talks in a chat, and in their direct messages, without waiting; the process is killed with SIGKILL (nothing can
be tidied up) after a random moment, and started again, over and over. Some questions are asked while nobody is there.
In the end each question's mark stands in exactly one message of the bot's, no message is left half written, and the
platform had nothing to complain of. The moments come from a seed.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import sys
from collections import Counter
from typing import Any

import pytest

from tests.endtoend.conftest import StartBot
from tests.endtoend.processes import CURSOR, LOADING, BotProcess, Control, eventually

#: The longest time from a start, or a question, to the kill: an answer takes about a second.
LONGEST_S = 2.5
_OPENER = "Let us begin"


class Talk:
    """A person who asks, and counts what comes back; every question has a mark of its own."""

    def __init__(self, control: Control, dice: random.Random) -> None:
        self._control = control
        self._dice = dice
        self._asked: dict[str, str] = {}
        self.channels: list[str] = []

    async def begin(self) -> None:
        """Open the chat and the direct messages, each with a first answer."""
        found = await self._control.answered(await self._control.command("chat", {"prompt": _OPENER}))
        self.channels = [str(found[-1]["thread"]["id"]), await self._control.channel("Mina")]
        await self._control.say(self.channels[1], _OPENER)
        for channel in self.channels:
            await self._control.reply_with(channel, _OPENER)

    async def ask(self) -> None:
        """Ask one to three questions somewhere."""
        for _ in range(self._dice.randint(1, 3)):
            mark = f"(mark{len(self._asked)})"
            channel = self._dice.choice(self.channels)
            self._asked[mark] = channel
            words = self._dice.choice(["tell me", "write 200 words", "code of 20 lines"])
            await self._control.say(channel, f"{mark} {words} ")

    async def answers(self) -> list[dict[str, Any]]:
        """Give all that the bot said."""
        said = [await self._control.messages(channel) for channel in self.channels]
        return [message for messages in said for message in messages if message["author"].get("bot")]

    async def settled(self) -> bool:
        """Whether every question has an answer and no answer is being written."""
        answers = await self.answers()
        if any(message["content"].rstrip().endswith(CURSOR) or message["flags"] & LOADING for message in answers):
            return False
        return all(self._count(answers, mark) for mark in self._asked)

    def counts(self, answers: list[dict[str, Any]]) -> Counter[int]:
        """Count how many questions have how many answers."""
        return Counter(self._count(answers, mark) for mark in self._asked)

    def _count(self, answers: list[dict[str, Any]], mark: str) -> int:
        return sum(mark in message["content"] for message in answers)


async def killed_over_and_over(control: Control, start_bot: StartBot, *, kills: int, seed: int) -> None:
    """Kill the bot so many times while somebody talks with it, and count the answers in the end."""
    dice = random.Random(seed)
    talk = Talk(control, dice)
    bot = await start_bot()
    await talk.begin()
    for _ in range(kills):
        await talk.ask()
        await asyncio.sleep(dice.uniform(0, LONGEST_S))
        await kill(bot)
        if dice.random() < 0.4:
            await talk.ask()
        bot = await start_bot()
    await eventually(talk.settled, seconds=60)
    # whatever is doubled is doubled by something that comes late
    await asyncio.sleep(1.0)
    answers = await talk.answers()
    counts = talk.counts(answers)
    # for the table of a long run
    sys.stdout.write(json.dumps({"seed": seed, "kills": kills, "questions": counts.total(), "answers": counts}) + "\n")
    assert set(counts) == {1}, (seed, [message["content"][:80] for message in answers])


async def kill(bot: BotProcess) -> None:
    """End the process at once."""
    await bot.stop(signal.SIGKILL)


@pytest.mark.timeout(400)  # six starts of the bot, and the talk between them
@pytest.mark.parametrize("seed", [1, 2])
async def test_every_question_has_one_answer_through_five_kills(
    control: Control, start_bot: StartBot, seed: int
) -> None:
    """Ten kills in all, at moments that are the same each time."""
    await killed_over_and_over(control, start_bot, kills=5, seed=seed)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(100, 110))
async def test_every_question_has_one_answer_through_a_hundred_kills(
    control: Control, start_bot: StartBot, seed: int
) -> None:
    """The long form."""
    await killed_over_and_over(control, start_bot, kills=10, seed=seed)
