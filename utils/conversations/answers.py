"""One answer while it comes in: its pieces, what is known of it, and the means to end it early.

``RunningAnswer`` is what others can do to an answer: ``stop`` keeps what was said, ``take`` makes nobody wait for it
any more. ``pieces`` reads a stream in a task of its own, so that either ends it at once, wherever it is. ``Gathered``
is what has arrived. What always holds: whoever leaves ``pieces`` has closed the stream; of token counts the last ones
are the whole answer's.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from utils.conversations.ports import Chunk
from utils.conversations.tokens import text_tokens

#: Why an answer ended, beside the service's own words.
STOPPED = "STOPPED"
CUT_OFF = "MAX_TOKENS"


class RunningAnswer:
    """An answer that is being given, or waits for the one before it."""

    def __init__(self, turn_id: int) -> None:
        self.turn_id = turn_id
        self.stopped = False
        self.taken = False
        self.ended = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """End the answer where it is, and keep what was said."""
        self.stopped = True
        self._end()

    def take(self) -> None:
        """End the answer without a word: it is not the turn's any more."""
        self.taken = True
        self._end()

    def _end(self) -> None:
        if self._reading is not None:
            self._reading.cancel()

    async def pieces(self, stream: AsyncGenerator[Any, None]) -> AsyncGenerator[Chunk, None]:
        """Give what the stream gives, until it ends or somebody ends the answer; raises what the stream raises."""
        arrived: asyncio.Queue[Chunk | None] = asyncio.Queue()

        async def read() -> None:
            async with aclosing(stream):
                async for chunk in stream:
                    arrived.put_nowait(chunk)

        reading = self._reading = asyncio.create_task(read(), name=f"answer {self.turn_id}")
        reading.add_done_callback(lambda _: arrived.put_nowait(None))
        try:
            if self.stopped or self.taken:
                reading.cancel()
            while (chunk := await arrived.get()) is not None:
                yield chunk
            if not (self.stopped or self.taken):
                reading.result()
        finally:
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                reading.exception()


@dataclass(slots=True)
class Gathered:
    """What has arrived of an answer."""

    model: str
    texts: list[str] = field(default_factory=list)
    input_tokens: int = 0
    output_tokens: int = 0
    #: Paid for like the answer's own, and not part of it.
    thinking_tokens: int = 0
    finish_reason: str | None = None
    #: What the answer rests on, as the service tells it last.
    grounding: Any = None

    @property
    def text(self) -> str:
        """The whole text so far."""
        return "".join(self.texts)

    def take(self, chunk: Chunk, text: str) -> None:
        """Add a chunk, with its text as it is shown."""
        self.texts.append(text)
        self.model = chunk.model_version or self.model
        usage = chunk.usage_metadata
        if usage is not None:
            self.input_tokens = usage.prompt_token_count or self.input_tokens
            self.output_tokens = usage.candidates_token_count or self.output_tokens
            self.thinking_tokens = getattr(usage, "thoughts_token_count", None) or self.thinking_tokens
        candidates = getattr(chunk, "candidates", None)
        if candidates:
            self._take_candidate(candidates[0])

    def billed(self, guessed_input: int) -> tuple[int, int]:
        """Give the input and output tokens that are paid for; guessed where an answer ended before they were told."""
        if not self.text and not self.input_tokens:
            return 0, 0
        output = self.output_tokens or text_tokens(self.text)
        return self.input_tokens or guessed_input, output + self.thinking_tokens

    def _take_candidate(self, candidate: Any) -> None:
        reason = getattr(candidate, "finish_reason", None)
        if reason is not None:
            self.finish_reason = str(getattr(reason, "value", reason))[:32]
        self.grounding = getattr(candidate, "grounding_metadata", None) or self.grounding


class PlainTexts:
    """The plain ``Presentation``: texts alone."""

    def text(self, piece: Any, _locale: str) -> str:
        """Give the text of a piece."""
        return piece.text or ""

    def files(self, _piece: Any) -> tuple[Any, ...]:
        """Show none."""
        return ()

    def sources(self, _metadata: Any, _locale: str) -> str:
        """Show none."""
        return ""
