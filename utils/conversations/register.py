"""Which conversations there are: opened, found by their channels, looked up, moved and left.

``Register`` is the half of ``Conversations`` that gives no answers. What always holds: whether a channel is a chat is
asked of the store once and then remembered, for the channels used last; a channel of direct messages has one
conversation. Errors are the store's own.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from utils.conversations.ports import Store
from utils.storage import Conversation, ConversationKind, StoredMessage, Turn

#: The kinds in which every message of a channel is a question.
CHAT_KINDS: tuple[ConversationKind, ...] = ("thread", "dm")

_REMEMBERED_CHANNELS = 10_000


class Register:
    """All conversations that are stored, and the chats among them that are remembered."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._chats: OrderedDict[int, Conversation | None] = OrderedDict()

    async def open(
        self,
        *,
        kind: ConversationKind,
        guild_id: int | None,
        channel_id: int,
        owner_id: int,
        model: str | None = None,
        temperature: float | None = None,
        instructions: str | None = None,
        title: str | None = None,
        options: Mapping[str, Any] | None = None,
        after: Turn | None = None,
        seen_id: int | None = None,
    ) -> Conversation:
        """Store a new conversation; ``model`` None: the default one, whichever it is when a question comes.

        ``after``: it begins with all that was said up to this turn. ``seen_id``: Discord's messages up to this one
        need not be looked at. A channel of direct messages keeps the conversation it has.
        """
        conversation = await self._store.open_conversation(
            kind=kind,
            guild_id=guild_id,
            channel_id=channel_id,
            owner_id=owner_id,
            model=model,
            temperature=temperature,
            instructions=instructions,
            title=title,
            options=options,
            parent_id=after.conversation_id if after is not None else None,
            parent_turn_id=after.id if after is not None else None,
            seen_id=seen_id,
        )
        if kind in CHAT_KINDS:
            self._remember(channel_id, conversation)
        return conversation

    async def drop(self, conversation: Conversation) -> None:
        """Delete a conversation that came to nothing, with all that was said in it."""
        await self._store.drop_conversation(conversation.id)
        self._chats.pop(conversation.channel_id, None)

    async def get(self, conversation_id: int) -> Conversation | None:
        """Give a conversation as it is stored now, or None."""
        return await self._store.get_conversation(conversation_id)

    async def find(self, channel_id: int, kind: ConversationKind | None = None) -> Conversation | None:
        """Give the chat that a thread or direct-message channel is, or None; remembered after the first time.

        With a ``kind``, the newest conversation of that kind in the channel, asked of the store each time.
        """
        if kind is not None:
            return await self._store.find_conversation(channel_id, kind)
        if channel_id in self._chats:
            self._chats.move_to_end(channel_id)
            return self._chats[channel_id]
        found = None
        for chat_kind in CHAT_KINDS:
            found = found or await self._store.find_conversation(channel_id, chat_kind)
        if channel_id not in self._chats:  # a chat opened in the meantime is newer than what was found
            self._remember(channel_id, found)
        return self._chats[channel_id]

    def forget_remembered(self) -> None:
        """Ask the store anew which channels are chats, after some were deleted there."""
        self._chats.clear()

    async def choose(self, conversation: Conversation, **choices: Any) -> None:
        """Choose ``model``, ``temperature`` or some ``options`` of a conversation for what is asked from now on."""
        if "options" in choices:
            current = await self.get(conversation.id) or conversation
            choices["options"] = {**current.options, **choices["options"]}
        await self._store.set_options(conversation.id, **choices)
        self._chats.pop(conversation.channel_id, None)

    async def chats(self, *, seen_after: int, limit: int) -> list[Conversation]:
        """Give the chats in which one of Discord's messages newer than that id was seen, newest first."""
        return await self._store.chats(seen_after=seen_after, limit=limit)

    async def move(self, conversation: Conversation, channel_id: int) -> Conversation:
        """Let a conversation be held in another channel from now on."""
        await self._store.set_channel(conversation.id, channel_id)
        self._chats.pop(conversation.channel_id, None)
        moved = replace(conversation, channel_id=channel_id)
        self._remember(channel_id, moved)
        return moved

    async def leave(self, conversation: Conversation) -> None:
        """Look for missed messages in a chat no more: its channel is gone."""
        await self._store.forget_seen(conversation.id)

    async def note_seen(self, conversation: Conversation, message_id: int) -> None:
        """Note that a message was looked at, and need not be again."""
        await self._store.note_seen(conversation.id, message_id)

    async def turn(self, turn_id: int) -> Turn | None:
        """Give a turn as it is stored now, or None."""
        return await self._store.get_turn(turn_id)

    async def turn_of_source(self, source_id: int) -> Turn | None:
        """Give the turn that a message or interaction of Discord's is part of, or None."""
        return await self._store.turn_of_source(source_id)

    async def turn_of_answer(self, message_id: int) -> Turn | None:
        """Give the turn whose answer begins in a message of Discord's, or None."""
        return await self._store.turn_of_answer(message_id)

    async def said(self, turn: Turn) -> list[StoredMessage]:
        """Give the question, message by message, and the answer if there is one."""
        return await self._store.messages_of_turn(turn.id)

    async def unfinished(self) -> list[Turn]:
        """Give the turns that were neither answered nor failed, as a stopped process leaves them."""
        return await self._store.unfinished()

    def _remember(self, channel_id: int, conversation: Conversation | None) -> None:
        self._chats[channel_id] = conversation
        self._chats.move_to_end(channel_id)
        if len(self._chats) > _REMEMBERED_CHANNELS:
            self._chats.popitem(last=False)
