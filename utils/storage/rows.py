"""What is stored, as frozen facts.

``Conversation``, ``Turn``, ``StoredMessage`` and ``StoredAttachment`` are what people said; ``KeyTotal`` and
``KeyMinute`` what the keys did; ``UsageDay`` what one user used on one day. Ids are 63-bit integers of ours, Discord's
ids 64-bit ones; every ``_at`` is unix seconds, every ``seconds`` a length. The tables are in ``schema``; these hold
decoded text, never stored bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

ConversationKind = Literal["thread", "ask", "dm", "mention"]
TurnState = Literal["asked", "answering", "answered", "failed"]
#: ``removed`` is what is left of a message that its author deleted: its id, no word of it.
Role = Literal["user", "model", "removed"]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One context: a thread, a direct-message channel, or a single question."""

    id: int
    kind: ConversationKind
    guild_id: int | None
    channel_id: int
    owner_id: int
    model: str | None
    temperature: float | None
    instructions: str | None
    title: str | None
    created_at: float
    #: What its owner chose beside model and temperature, by name; no words of people.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: The conversation and the turn, inclusive, after which this one branched off.
    parent_id: int | None = None
    parent_turn_id: int | None = None
    #: The newest of Discord's messages that was looked at here.
    seen_id: int | None = None
    #: What was said up to ``summary_turn_id``, inclusive, in short.
    summary: str | None = None
    summary_turn_id: int | None = None
    #: Grows whenever something that was said is changed or taken away.
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    """One question, which may be several messages, and what became of it.

    ``source_id`` is Discord's id of the (first) message or interaction that asked; ``attempt`` counts how often the
    answer was asked for anew; ``finish_reason`` is why an answer ended; ``delivered_at`` is when its last state was
    shown; ``owner`` is the process that answers it, until ``lease_until``; ``token`` lets an interaction's answer be
    edited.
    """

    id: int
    conversation_id: int
    source_id: int
    user_id: int
    user_name: str
    guild_id: int | None
    channel_id: int
    locale: str
    asked_at: float
    state: TurnState = "asked"
    answer_channel_id: int | None = None
    answer_message_id: int | None = None
    model: str | None = None
    error_kind: str | None = None
    error_detail: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    seconds: float | None = None
    ended_at: float | None = None
    more_message_ids: tuple[int, ...] = ()
    attempt: int = 0
    finish_reason: str | None = None
    delivered_at: float | None = None
    owner: str | None = None
    lease_until: float | None = None
    token: str | None = None


@dataclass(frozen=True, slots=True)
class StoredAttachment:
    """A file that came with a question; ``size`` is in bytes."""

    id: int
    name: str
    mime_type: str
    size: int
    content: bytes


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """What a user or the model said in a turn; of an answer, ``user_id`` is the asker's, and there is no name.

    ``source_id`` is Discord's id of a user's message; ``replaced_at`` is when an answer gave way to a newer one.
    """

    id: int
    conversation_id: int
    turn_id: int
    role: Role
    text: str
    user_id: int
    user_name: str
    created_at: float
    attachments: tuple[StoredAttachment, ...]
    source_id: int | None = None
    replaced_at: float | None = None


@dataclass(frozen=True, slots=True)
class UsageDay:
    """What one user used in one guild (None: direct messages) on one day; ``day`` counts UTC days since 1970-01-01."""

    user_id: int
    guild_id: int | None
    day: int
    requests: int
    input_tokens: int
    output_tokens: int


@dataclass(frozen=True, slots=True)
class KeyTotal:
    """What one key did with one model since the last clear; ``seconds`` sums over ``timed`` of the requests."""

    fingerprint: str
    model: str
    requests: int
    errors: int
    seconds: float
    timed: int
    input_tokens: int
    output_tokens: int
    kinds: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class KeyMinute(KeyTotal):
    """The same within one minute; ``minute`` is the unix second at which it starts."""

    minute: int


class StatisticsRow(Protocol):
    """What ``Statistics.record`` takes: the counts of one key, model and minute since they were last recorded."""

    @property
    def fingerprint(self) -> str:
        """The key's fingerprint."""
        ...

    @property
    def model(self) -> str:
        """The model asked."""
        ...

    @property
    def minute(self) -> int:
        """Unix second at which the minute starts."""
        ...

    @property
    def requests(self) -> int:
        """Requests sent."""
        ...

    @property
    def errors(self) -> int:
        """Requests that ended as the key's or the service's fault."""
        ...

    @property
    def seconds(self) -> float:
        """Sum of the timed requests' lengths."""
        ...

    @property
    def timed(self) -> int:
        """How many requests ``seconds`` sums over."""
        ...

    @property
    def input_tokens(self) -> int:
        """Tokens sent."""
        ...

    @property
    def output_tokens(self) -> int:
        """Tokens received."""
        ...

    @property
    def kinds(self) -> Mapping[str, int]:
        """How many requests ended in which kind of error."""
        ...
