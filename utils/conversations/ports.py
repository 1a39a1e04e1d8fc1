"""What conversations need of the rooms below, by shape.

``Store`` is met by ``utils.storage``'s conversations, ``Answerer`` by ``utils.gemini_pool``'s pool;
anything else of that shape will do. What always holds: a method of the store has committed when it
returns; ``Store.ask`` answers None for a source id that was stored before; steps of a turn that is
gone or final do nothing; the stream raises only errors
of the pool's tree.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any, Protocol

from utils.storage import Conversation, ConversationKind, StoredMessage, Turn


class Store(Protocol):
    """Where conversations are kept."""

    async def open_conversation(
        self,
        *,
        kind: ConversationKind,
        guild_id: int | None,
        channel_id: int,
        owner_id: int,
        model: str | None,
        temperature: float | None = None,
        instructions: str | None = None,
        title: str | None = None,
    ) -> Conversation:
        """Store a new conversation."""

    async def find_conversation(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the newest conversation of a channel."""

    async def get_conversation(self, conversation_id: int, /) -> Conversation | None:
        """Give a conversation by its id."""

    async def ask(
        self,
        conversation_id: int,
        *,
        source_id: int,
        user_id: int,
        user_name: str,
        guild_id: int | None,
        channel_id: int,
        text: str,
        attachments: Sequence[tuple[str, str, bytes]],
        locale: str,
    ) -> Turn | None:
        """Store a question as asked."""

    async def begin_answer(self, turn_id: int, *, channel_id: int, message_id: int) -> object:
        """Store where the answer is shown; an ended turn stays ended."""

    async def finish(
        self,
        turn_id: int,
        *,
        text: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        seconds: float,
    ) -> object:
        """Store the answer and end the turn."""

    async def fail(self, turn_id: int, *, kind: str, detail: str) -> object:
        """End the turn without an answer."""

    async def history(self, conversation_id: int, *, max_messages: int) -> list[StoredMessage]:
        """Give the messages of the answered turns, oldest first."""

    async def unfinished(self) -> list[Turn]:
        """Give the turns that have not ended."""

    async def get_turn(self, turn_id: int, /) -> Turn | None:
        """Give a turn by its id."""

    async def messages_of_turn(self, turn_id: int, /) -> list[StoredMessage]:
        """Give what was said in a turn."""


class Usage(Protocol):
    """Tokens of an answer so far."""

    @property
    def prompt_token_count(self) -> int | None:
        """Tokens of what was asked."""

    @property
    def candidates_token_count(self) -> int | None:
        """Tokens of what was answered."""


class Chunk(Protocol):
    """A piece of a streamed answer."""

    @property
    def text(self) -> str | None:
        """What was answered since the last chunk."""

    @property
    def usage_metadata(self) -> Usage | None:
        """What was used so far."""

    @property
    def model_version(self) -> str | None:
        """The model that answers."""


class Answerer(Protocol):
    """Who answers."""

    def stream_content(
        self,
        *,
        contents: list[dict[str, Any]] | None = None,
        model_name: str | None = None,
        temperature: float | None = None,
        system_instruction: str | None = None,
        user: str | None = None,
    ) -> AsyncGenerator[Any, None]:
        """Stream an answer; the tokens and the model stand in any chunk."""
