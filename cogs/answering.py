"""The way of every question: fetched, stored, answered and streamed, whichever command or message it came by.

``Answering`` is what the cogs share: ``answer`` takes who asks what (``Asked``), the conversation it
belongs to and the target its answer is written to. What always holds: a question is stored before the model
is asked, and one that was stored before is not answered again; where the answer stands is stored as soon as
it stands. How the text gets into Discord is ``utils.rendering.discord``'s, which turn runs when is
``utils.conversations``'s. Errors: AttachmentUnreadError, and what storing the question raises; what goes
wrong after that is said by the writer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from cogs.desk import ErrorDesk
from cogs.incoming import Intake
from utils.conversations import Conversations, Question
from utils.rendering.discord import AnswerWriter, ChannelTarget, InteractionTarget, Place
from utils.storage import Conversation


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks what and where, before the files are fetched. ``source_id``: the message's or interaction's id."""

    source_id: int
    user: discord.User | discord.Member
    guild_id: int | None
    channel_id: int
    text: str
    locale: str
    files: Sequence[discord.Attachment] = ()


def asked_by_interaction(interaction: discord.Interaction, text: str, files: Sequence[discord.Attachment]) -> Asked:
    """Take the asker, the place and the language from an interaction."""
    return Asked(
        source_id=interaction.id,
        user=interaction.user,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        text=text,
        locale=str(interaction.locale),
        files=files,
    )


class Answering:
    """Stores questions and streams their answers."""

    def __init__(self, conversations: Conversations, intake: Intake, desk: ErrorDesk) -> None:
        self._conversations = conversations
        self._intake = intake
        self._desk = desk

    async def answer(self, asked: Asked, conversation: Conversation, target: InteractionTarget | ChannelTarget) -> bool:
        """Answer a question in its conversation; False: it had been asked before, and nothing was done."""
        attachments = await self._intake.attachments(asked.files)
        question = Question(
            source_id=asked.source_id,
            user_id=asked.user.id,
            user_name=asked.user.display_name,
            guild_id=asked.guild_id,
            channel_id=asked.channel_id,
            text=asked.text,
            attachments=attachments,
            locale=asked.locale,
        )
        turn = await self._conversations.ask(conversation, question)
        if turn is None:
            return False

        async def placed(place: Place) -> None:
            await self._conversations.begun(turn, channel_id=place.channel_id, message_id=place.message_id)

        writer = AnswerWriter(
            target,
            locale=asked.locale,
            on_place=placed,
            sentence=lambda error: self._desk.sentence(error, asked.locale, where="an answer"),
        )
        await writer.run(self._conversations.answer(turn))
        return True
