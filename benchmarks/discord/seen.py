"""What the emulators saw of the bot, by one clock: when a question's first byte left, and what became visible when.

``Watch`` is the bus of the emulated Discord and notes every message of the bot's as it is published; ``first_byte`` is
a signal for the emulated Gemini's application. Times are ``time.monotonic`` of the emulators' process. A question is
known by its mark, ``#q-`` and letters or digits, which the emulated model repeats at the head of its answer.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sandbox.events import EventBus

MARK = re.compile(r"#q-[A-Za-z0-9]+")
_LAST_WORDS = "tokens read."


@dataclass(slots=True)
class Shown:
    """One message of the bot's: when it was made, when it was edited, and what it says now."""

    made_at: float
    edited_at: list[float] = field(default_factory=list)
    content: str = ""


class Watch(EventBus):
    """Notes what becomes visible, and hands it on."""

    def __init__(self) -> None:
        super().__init__()
        #: The bot's messages by id.
        self.messages: dict[str, Shown] = {}
        #: By mark: when the first byte of the answer left the emulated Gemini.
        self.first_bytes: dict[str, float] = {}
        #: By mark: when the first text of the answer was visible.
        self.first_texts: dict[str, float] = {}
        #: By mark: the messages in which it stands.
        self.places: defaultdict[str, set[str]] = defaultdict(set)
        #: The channels in which an answer stands whole: its last sentence is the emulated model's last.
        self.ended: set[str] = set()
        #: Threads in the order in which they were opened.
        self.threads: list[str] = []

    def forget(self) -> None:
        """Begin anew; threads stay."""
        self.messages.clear()
        self.first_bytes.clear()
        self.first_texts.clear()
        self.places.clear()
        self.ended.clear()

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Note it, and tell all subscribers."""
        if kind == "thread_create":
            self.threads.append(str(data["id"]))
        elif kind in ("message_create", "message_update") and data["author"].get("bot"):
            self._note(kind, data)
        super().publish(kind, data)

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        now = time.monotonic()
        message = self.messages.get(data["id"])
        if message is None:
            message = self.messages[data["id"]] = Shown(now)
        elif kind == "message_update":
            message.edited_at.append(now)
        message.content = data["content"]
        mark = MARK.search(message.content)
        if mark is not None:
            self.first_texts.setdefault(mark[0], now)
            self.places[mark[0]].add(data["id"])
        if _LAST_WORDS in message.content:
            self.ended.add(str(data["channel_id"]))

    async def first_byte(self, request: web.Request, _response: web.StreamResponse) -> None:
        """Note when an answer begins to leave; a signal of the emulated Gemini's application."""
        if request.method == "POST":
            asked = MARK.findall((await request.read()).decode("utf-8", "replace"))
            if asked:
                self.first_bytes.setdefault(asked[-1], time.monotonic())
