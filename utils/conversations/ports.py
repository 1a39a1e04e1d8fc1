"""What conversations need of the rooms below, by shape.

``Store`` is met by ``utils.storage``'s conversations, ``Answerer`` by ``utils.gemini_pool``'s pool;
anything else of that shape will do. ``Guide`` says how a conversation is to be answered, a
``Presentation`` how what the model gives is written down. What always
holds: a method of the store has committed when it returns; ``Store.ask`` answers None for a source id that
was stored before; steps of a turn that is gone, final or another's do nothing; the stream raises only
errors of the pool's tree, and ``generate_content`` none at all.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from utils.storage import Conversation, ConversationKind, Lease, Reading, StoredMessage, Turn

T = TypeVar("T")


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
        options: Mapping[str, Any] | None = None,
        parent_id: int | None = None,
        parent_turn_id: int | None = None,
        seen_id: int | None = None,
    ) -> Conversation:
        """Store a new conversation, or give the one that a channel of direct messages has."""

    async def drop_conversation(self, conversation_id: int, /) -> None:
        """Delete a conversation."""

    async def find_conversation(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the newest conversation of a channel."""

    async def get_conversation(self, conversation_id: int, /) -> Conversation | None:
        """Give a conversation by its id."""

    async def chats(self, *, seen_after: int, limit: int) -> list[Conversation]:
        """Give the chats in which something newer than that id was seen."""

    async def note_seen(self, conversation_id: int, message_id: int, /) -> None:
        """Note that a message was looked at."""

    async def set_options(self, conversation_id: int, **fields: Any) -> object:
        """Change a conversation's ``model``, ``temperature`` or ``options``."""

    async def forget_seen(self, conversation_id: int, /) -> None:
        """Count a conversation no more among the chats in which something was seen."""

    async def set_channel(self, conversation_id: int, channel_id: int, /) -> None:
        """Let a conversation be held in another channel."""

    async def set_title(self, conversation_id: int, title: str, /) -> None:
        """Store a title."""

    async def set_summary(self, conversation_id: int, summary: str, *, turn_id: int, revision: int) -> bool:
        """Store a summary, unless something changed since that revision."""

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
        lease: Lease | None = None,
        token: str | None = None,
        joins: bool = False,
        alone: bool = False,
        files_due: bool = False,
    ) -> Turn | None:
        """Store a question as asked, or as a part of the turn that waits; to one that is ``alone`` nothing is added."""

    async def attach(self, turn: Turn, attachments: Sequence[tuple[str, str, bytes]], /) -> Turn | None:
        """Store the files of a question that was stored without them."""

    async def claim(self, turn_id: int, lease: Lease, /) -> Turn | None:
        """Take a turn that nobody holds."""

    async def renew(self, turn_ids: Sequence[int], lease: Lease, /) -> frozenset[int]:
        """Hold turns for longer; gives those that are still held."""

    async def inherit(self, owner: str, /) -> None:
        """Free what processes before this one held."""

    async def start(self, turn_id: int, *, owner: str | None = None) -> bool:
        """Begin to answer."""

    async def place(self, turn_id: int, *, channel_id: int, message_id: int, more: Sequence[int] = ()) -> object:
        """Store where the answer is shown."""

    async def finish(
        self,
        turn_id: int,
        *,
        text: str,
        model: str,
        input_tokens: int,
        output_tokens: int,
        seconds: float,
        finish_reason: str | None = None,
        owner: str | None = None,
    ) -> bool:
        """Store the answer and end the turn."""

    async def fail(self, turn_id: int, *, kind: str, detail: str, owner: str | None = None) -> object:
        """End the turn without a new answer."""

    async def delivered(self, turn_id: int, /) -> object:
        """Note that the end of a turn was shown."""

    async def reopen(self, turn_id: int, lease: Lease, *, keeps_answer: bool = True) -> Turn | None:
        """Ask for the answer of an ended turn anew."""

    async def change_message(self, source_id: int, text: str, /) -> Turn | None:
        """Give a user's message another text."""

    async def remove_message(self, source_id: int, /) -> Turn | None:
        """Delete what a user's message said."""

    async def history(
        self,
        conversation_id: int,
        *,
        max_messages: int,
        after_turn_id: int | None = None,
        before_turn_id: int | None = None,
    ) -> list[StoredMessage]:
        """Give the messages of the answered turns between two, oldest first."""

    async def unfinished(self) -> list[Turn]:
        """Give the turns that have not ended."""

    async def owed(self) -> list[Turn]:
        """Give the turns whose end was not shown and that nobody holds."""

    async def get_turn(self, turn_id: int, /) -> Turn | None:
        """Give a turn by its id."""

    async def turn_of_source(self, source_id: int, /) -> Turn | None:
        """Give the turn of a user's message."""

    async def turn_of_answer(self, message_id: int, /) -> Turn | None:
        """Give the turn of an answer's message."""

    async def read(self, job: Callable[[Reading], T], /) -> T:
        """Run a job that reads what was said, all of it in one go and maybe in a thread."""

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


class Model(Protocol):
    """What is known of a model."""

    @property
    def name(self) -> str:
        """Its id."""

    @property
    def input_token_limit(self) -> int:
        """How many tokens it takes; 0: not known."""


class Answerer(Protocol):
    """Who answers."""

    def stream_content(
        self,
        *,
        contents: list[dict[str, Any]] | None = None,
        model_name: str | None = None,
        temperature: float | None = None,
        user: str | None = None,
        **options: Any,
    ) -> AsyncGenerator[Any, None]:
        """Stream an answer; the tokens and the model stand in any chunk."""

    async def generate_content(
        self,
        *,
        contents: list[dict[str, Any]] | None = None,
        model_name: str | None = None,
        deadline_s: float | None = None,
        user: str | None = None,
        **options: Any,
    ) -> tuple[Any, bool]:
        """Give a whole answer and True, or a PoolError and False."""

    def known_models(self) -> Sequence[Model]:
        """Give what is known of models without asking anybody."""


class Presentation(Protocol):
    """Who writes down what the model gives, as it is shown and stored."""

    def text(self, piece: Any, locale: str, /) -> str:
        """Write one piece of an answer."""

    def files(self, piece: Any, /) -> Sequence[Any]:
        """Give the pictures and sounds in a piece, for whoever shows the answer; they are not stored."""

    def sources(self, metadata: Any, locale: str, /) -> str:
        """Write what an answer rests on, to stand under it; "" where there is nothing."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """How a conversation's questions are to be answered: a model (None: the default), its owner's words, options.

    ``options`` are the pool's generation options by name, such as ``tools`` or ``safety_settings``.
    """

    model: str | None
    instructions: str | None
    temperature: float | None
    options: Mapping[str, Any]


class Guide(Protocol):
    """Who knows how a conversation is to be answered, such as by a persona and a server's settings."""

    async def guidance(self, conversation: Conversation, /) -> Guidance:
        """Say it for the next question."""
