"""What the crowd does, and what is counted of it: many interactions at once, many answers at once.

``Crowd``'s methods are orders of the world's process, answered with JSON. What always holds: people come one after
another, each on time whatever the bot does; a time is taken by the emulator, never by the bot; an order ends when all
it waits for has come, or says after its patience what has not.
"""

from __future__ import annotations

import asyncio
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable
from itertools import cycle, pairwise
from typing import Any

from benchmarks.discord.seen import Shown, Watch
from sandbox.discord import DiscordEmulator

Json = dict[str, Any]
_PATIENCE_S = 60.0
_OPENED_PER_S = 8.0
#: Of a crowd that uses commands at once, who uses which: name, options, whether an administrator.
_COMMANDS: tuple[tuple[str, Json, bool], ...] = (
    ("ask", {"prompt": "Why is the sky blue?"}, False),
    ("usage", {}, False),
    ("ask", {"prompt": "What is a prime number?"}, False),
    ("pool-stats", {}, True),
    ("my-data show", {}, False),
    ("ask", {"prompt": "Who was Ada Lovelace?"}, False),
    ("api-key-stats", {}, True),
    ("persona list", {}, False),
)
_CHANNELS = ("general", "questions", "media")


class Crowd:
    """The people; ``discord`` is where they are, ``watch`` what they see."""

    def __init__(self, discord: DiscordEmulator, watch: Watch, people: int) -> None:
        self._discord = discord
        self._watch = watch
        self._people = [discord.come(f"Person {number}") for number in range(people)]
        self._marks = 0
        self._told_at = 0.0

    async def open_chats(self, count: int) -> Json:
        """Let so many people open a thread with ``/chat`` each; ends when all stand open."""
        channels = cycle(self._channel(name) for name in _CHANNELS)
        wanted = len(self._watch.threads) + count
        for person in self._people[:count]:
            self._discord.invoke(next(channels), name="chat", user=person)
            await asyncio.sleep(1 / _OPENED_PER_S)
        await self._until(lambda: len(self._watch.threads) >= wanted)
        await asyncio.sleep(1.0)
        return self._told({"threads": len(self._watch.threads)})

    async def answered_asks(self, count: int) -> Json:
        """Let so many people use ``/ask``, one after another, and wait until the answers have their buttons."""
        before = len(self._buttons("again"))
        for person in self._people[:count]:
            self._discord.invoke(self._channel("general"), name="ask", options={"prompt": "Hello"}, user=person)
            await asyncio.sleep(0.05)
        await self._until(lambda: len(self._buttons("again")) >= before + count)
        return self._told({})

    async def at_once(self, count: int) -> Json:
        """Let all use the bot in one instant, a tenth by buttons; gives how long each acknowledgement took (ms)."""
        channels = cycle(self._channel(name) for name in _CHANNELS)
        administrator = self._discord.state()["guilds"][0]["owner_id"]
        buttons = self._buttons("again")[: count // 10]
        commands = cycle(_COMMANDS)
        made: dict[str, str] = {}
        for number in range(count):
            if number % 10 == 9 and buttons:
                message_id, custom_id, asker = buttons.pop()
                made[self._discord.press(custom_id=custom_id, user=asker, message_id=message_id)] = "a button"
            else:
                name, options, is_admin = next(commands)
                user = administrator if is_admin else self._people[number % len(self._people)]
                made[self._discord.invoke(next(channels), name=name, options=options, user=user)] = f"/{name}"
            await asyncio.sleep(0)
        found = {}
        for interaction in made:
            found[interaction] = await self._acknowledged(interaction)
        times = {interaction: ms for interaction, ms in found.items() if ms is not None}
        kinds: dict[str, list[int]] = {}
        for interaction, ms in times.items():
            kinds.setdefault(made[interaction], []).append(ms)
        return self._told({"ms": list(times.values()), "missing": count - len(times), "kinds": kinds})

    async def stream(self, count: int, words: int, over_s: float) -> Json:
        """Let so many people ask in their threads within ``over_s``; ends when every answer has ended."""
        self._watch.forget()
        asked: dict[str, float] = {}
        begun = time.monotonic()
        for number, thread in enumerate(self._watch.threads[:count]):
            await asyncio.sleep(begun + number * over_s / count - time.monotonic())
            self._marks += 1
            mark = f"#q-{self._marks}x"
            asked[mark] = time.monotonic()
            self._discord.say(thread, content=f"{words} words, please {mark}", user=self._people[number])
        await self._until(lambda: len(self._watch.ended) >= count, patience_s=180.0)
        ended = time.monotonic()
        await asyncio.sleep(1.0)
        shown = [self._watch.messages[one] for mark in asked for one in self._watch.places[mark]]
        firsts = [
            self._watch.first_texts[mark] - self._watch.first_bytes[mark]
            for mark in asked
            if mark in self._watch.first_texts and mark in self._watch.first_bytes
        ]
        return self._told(
            {
                "first_text_s": firsts,
                "answers": len(self._watch.ended),
                "edits": [len(message.edited_at) for message in shown],
                "gaps_s": [gap for message in shown for gap in gaps_between(message)],
                "seconds": ended - begun,
                "per_second": self._busiest_second(),
            }
        )

    def _busiest_second(self) -> int:
        """Give how many requests that count for the limit over all routes came in one second at most."""
        diary = [one for one in self._discord.diary() if one["at"] > self._told_at]
        times = [one["at"] for one in diary if one["path"].startswith("/channels/")]
        return max((bisect_left(times, at + 1.0) - place for place, at in enumerate(times)), default=0)

    async def _acknowledged(self, interaction: str) -> int | None:
        await self._discord.interaction(interaction, wait_s=5.0)
        found = await self._discord.interaction(interaction)
        acknowledged: int | None = found["acknowledged_ms"]
        return acknowledged

    def _buttons(self, action: str) -> list[tuple[str, str, str]]:
        """Give (message, button, asker) of answers in #general that have such a button."""
        return [
            (message["id"], part["custom_id"], message["interaction_metadata"]["user"]["id"])
            for message in self._discord.messages(self._channel("general"))
            for row in message["components"]
            for part in row.get("components", ())
            if str(part.get("custom_id", "")).startswith(f"turn:{action}:")
        ]

    def _channel(self, name: str) -> str:
        return next(str(one["id"]) for one in self._discord.state()["channels"] if one["name"] == name)

    def _told(self, figures: Json) -> Json:
        """Add what was broken since the order before, and how often the bot was told to slow down."""
        diary, broken = self._discord.diary(), self._discord.violations()
        fresh = [one for one in diary if one["at"] > self._told_at]
        refused = Counter(f"{one['method']} {one['path'].split('/')[1]}" for one in fresh if one["status"] == 429)
        news = [one for one in broken if one["at"] > self._told_at]
        self._told_at = max((one["at"] for one in diary), default=0.0)
        return {**figures, "violations": news, "told_to_slow_down": dict(refused)}

    async def _until(self, look: Callable[[], bool], *, patience_s: float = _PATIENCE_S) -> None:
        until = time.monotonic() + patience_s
        while not look() and time.monotonic() < until:  # noqa: ASYNC110  # what is looked at is the other side's
            await asyncio.sleep(0.05)


def gaps_between(message: Shown) -> list[float]:
    """Give the seconds between the states of a message, the last of which does not count: it is shown at once."""
    times = [message.made_at, *message.edited_at]
    return [later - earlier for earlier, later in pairwise(times[:-1])]
