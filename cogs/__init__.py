"""What people do in Discord, a room per concern; ``make_bot`` puts the rooms together.

The tuple in ``_make_cogs`` is the map: asking (``ask``), conversations (``chat``, opened by ``opening``), making
things (``create``), administration (``admin``). Around them: ``client`` is the bot as Discord sees it,
``answering`` the way of every question, ``incoming`` checks and fetches, ``desk`` tells people what went wrong,
``running`` lets answers end, ``models``, ``readers``, ``translator`` and ``sync`` serve names and languages,
``tables`` draws numbers.
What always holds: a cog gets by its constructor only what it uses; nothing here knows HTTP, SQL or the SDK.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from discord.ext import commands

from cogs.admin import AdminCog, Administrators
from cogs.answering import Answering
from cogs.ask import AskCog
from cogs.chat import ChatCog
from cogs.client import GeminiBot
from cogs.create import CreateCog
from cogs.desk import ErrorDesk
from cogs.incoming import CDN_HOSTS, Intake
from cogs.models import ModelChoices
from cogs.opening import ChatOpeningCog
from cogs.readers import Readers
from cogs.running import RunningAnswers
from cogs.sync import Notes
from utils.conversations import Conversations
from utils.gemini_pool import GeminiAPIPool

__all__ = ["CDN_HOSTS", "GeminiBot", "make_bot"]


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that cogs are made of."""

    pool: GeminiAPIPool
    conversations: Conversations
    answering: Answering
    intake: Intake
    models: ModelChoices
    desk: ErrorDesk
    readers: Readers
    running: RunningAnswers
    notes: Notes
    administrators: Administrators
    default_model: str
    reads_content: bool


def make_bot(
    pool: GeminiAPIPool,
    conversations: Conversations,
    notes: Notes,
    *,
    admin_ids: Collection[int],
    default_model: str,
    reads_content: bool,
    cdn_hosts: Collection[str] = CDN_HOSTS,
    commands_epoch: str = "",
) -> GeminiBot:
    """Make the bot with all its cogs; nothing is connected.

    ``notes`` keeps small values over restarts; ``reads_content``: the message-content intent may be asked for;
    ``cdn_hosts``: where attachments may be fetched from; a new ``commands_epoch`` sends the commands anew.
    """
    intake = Intake(cdn_hosts)
    desk = ErrorDesk(lambda: uuid.uuid4().hex[:8])
    parts = _Parts(
        pool=pool,
        conversations=conversations,
        answering=Answering(conversations, intake, desk),
        intake=intake,
        models=ModelChoices(pool, asyncio.sleep),
        desk=desk,
        readers=Readers(),
        running=RunningAnswers(),
        notes=notes,
        administrators=Administrators(admin_ids),
        default_model=default_model,
        reads_content=reads_content,
    )
    return GeminiBot(
        make_cogs=lambda bot: _make_cogs(bot, parts),
        notes=notes,
        models=parts.models,
        desk=desk,
        readers=parts.readers,
        running=parts.running,
        reads_content=reads_content,
        commands_epoch=commands_epoch,
    )


def _make_cogs(bot: GeminiBot, parts: _Parts) -> tuple[commands.Cog, ...]:
    return (
        AskCog(bot.tree, parts.answering, parts.conversations, parts.intake, parts.models),
        ChatOpeningCog(
            parts.answering,
            parts.conversations,
            parts.intake,
            parts.models,
            notes=parts.notes,
            default_model=parts.default_model,
            reads_content=parts.reads_content,
        ),
        ChatCog(
            bot,
            parts.answering,
            parts.conversations,
            parts.intake,
            desk=parts.desk,
            readers=parts.readers,
            running=parts.running,
            notes=parts.notes,
            reads_content=parts.reads_content,
        ),
        CreateCog(parts.pool, parts.intake, parts.desk),
        AdminCog(parts.pool, parts.administrators),
    )
