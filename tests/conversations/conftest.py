"""A real database for each test, and an answerer of our own shape that plays scripts and remembers requests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from utils.conversations import Attachment, Conversations, Question
from utils.gemini_pool import PoolError
from utils.storage import Storage, open_storage

MODEL = "gemini-test"


@dataclass(frozen=True, slots=True)
class FakeUsage:
    prompt_token_count: int | None
    candidates_token_count: int | None


@dataclass(frozen=True, slots=True)
class FakeChunk:
    text: str | None
    usage_metadata: FakeUsage | None = None
    model_version: str | None = None


@dataclass(frozen=True, slots=True)
class FakeModel:
    name: str
    input_token_limit: int


@dataclass(slots=True)
class FakeAnswerer:
    """Each request plays the next script: texts, chunks, errors to raise, events to wait for."""

    scripts: list[Sequence[str | FakeChunk | Exception | asyncio.Event]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    open_streams: int = 0
    started: asyncio.Event = field(default_factory=asyncio.Event)
    #: What whole answers are: a text, or an error to hand out.
    whole: list[str | FakeChunk | PoolError] = field(default_factory=list)
    asked_whole: list[dict[str, Any]] = field(default_factory=list)
    models: tuple[FakeModel, ...] = ()

    def known_models(self) -> Sequence[FakeModel]:
        """Give the models that a test names."""
        return self.models

    async def generate_content(self, **asked: Any) -> tuple[Any, bool]:
        """Give the next whole answer."""
        self.asked_whole.append(asked)
        answer = self.whole.pop(0) if self.whole else PoolError("nothing to say")
        if isinstance(answer, PoolError):
            return answer, False
        return (answer if isinstance(answer, FakeChunk) else FakeChunk(answer)), True

    async def stream_content(
        self,
        *,
        contents: list[dict[str, Any]] | None = None,
        model_name: str | None = None,
        temperature: float | None = None,
        system_instruction: str | None = None,
        user: str | None = None,
        **options: Any,
    ) -> AsyncGenerator[FakeChunk, None]:
        """Play a script; without one, repeat the question."""
        self.requests.append(
            {
                "contents": contents,
                "model_name": model_name,
                "temperature": temperature,
                "system_instruction": system_instruction,
                "user": user,
                **options,
            }
        )
        assert contents is not None
        script = self.scripts.pop(0) if self.scripts else [f"You said {contents[-1]['parts'][-1]['text']}"]
        self.open_streams += 1
        self.started.set()
        try:
            for step in script:
                if isinstance(step, asyncio.Event):
                    await step.wait()
                elif isinstance(step, Exception):
                    raise step
                else:
                    yield step if isinstance(step, FakeChunk) else FakeChunk(step)
        finally:
            self.open_streams -= 1


def question(source_id: int, text: str = "Hi", *, attachments: tuple[Attachment, ...] = ()) -> Question:
    return Question(source_id, 11, "Ann", 5, 77, text, attachments)


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Storage]:
    async with open_storage(f"sqlite:///{tmp_path / 'bot.db'}") as opened:
        yield opened


@pytest.fixture
def answerer() -> FakeAnswerer:
    return FakeAnswerer()


@pytest.fixture
def conversations(storage: Storage, answerer: FakeAnswerer) -> Conversations:
    return Conversations(storage.conversations, answerer, default_model=MODEL, wall=lambda: 1_795_219_200.0)
