"""What people do in Discord, a room per concern; ``make_bot`` puts the rooms together.

The tuple in ``_make_cogs`` is the map: asking (``ask``), conversations (``chat``, opened by ``opening``; ``buttons``,
``changes`` and ``recovery`` see to what becomes of a question later), making things (``image``, ``speak``,
``transcribe``, ``create``; all by ``making``), personas (``personas``, written in ``persona_forms``), a thread's model
(``threads``), a server's choices (``settings``), administration (``admin`` with its ``diagrams``, ``why``, ``doctor``
with its ``checkups``, ``alerts``; ``insight`` is what they look into), keys (``keys``, done by ``keychain``), people's
own data (``privacy``, written by ``exporting``; ``upkeep`` deletes by age; ``custody`` joins both). Around them:
``client`` is the bot as Discord sees it, ``answering`` the way of every question (``acknowledging`` stores it before
its command is acknowledged, ``places`` finds it again, ``afterwards`` comes after), ``incoming`` checks and fetches (by
``fetching``), ``desk`` tells people what went wrong, ``running`` lets answers end, ``access`` keeps to a server's
restrictions, ``turnstile`` to fair use (shown and set in ``usage``), ``identifies`` to Discord's limit of starts,
``vestibule`` lets acknowledgements go before work, ``timely`` ends what they would wait for too long, ``help`` lists
the commands, ``models``, ``readers``, ``translator`` and ``sync`` serve names and languages, ``tables`` draws numbers.
What always holds: a cog gets by its constructor only what it uses; nothing here knows SQL or the SDK, and HTTP only
``fetching``.
"""

from __future__ import annotations

import asyncio
import functools
import time
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import discord
from discord.ext import commands

from cogs.access import Gatekeeper
from cogs.acknowledging import Acknowledging
from cogs.admin import AdminCog, Administrators
from cogs.afterwards import Afterwards
from cogs.alerts import AlertsCog
from cogs.answering import Answering
from cogs.ask import AskCog
from cogs.branching import Branching
from cogs.buttons import ButtonsCog
from cogs.changes import ChangesCog
from cogs.chat import ChatCog
from cogs.chat_threads import ChatThreads
from cogs.checkups import Patient
from cogs.client import READY_AFTER_S, GeminiBot
from cogs.create import CreateCog
from cogs.custody import Custody
from cogs.desk import ErrorDesk
from cogs.doctor import DoctorCog
from cogs.help import HelpCog
from cogs.identifies import Identifies
from cogs.image import ImageCog
from cogs.incoming import CDN_HOSTS, Intake
from cogs.insight import Insight
from cogs.keys import KeysCog
from cogs.making import Maker
from cogs.missed import Missed
from cogs.models import ModelChoices
from cogs.opening import ChatOpeningCog
from cogs.persona_forms import PersonaChoices
from cogs.personas import PersonaCog
from cogs.places import Places
from cogs.privacy import PrivacyCog
from cogs.readers import Readers
from cogs.recovery import RecoveryCog
from cogs.running import RunningAnswers
from cogs.settings import SettingsCog
from cogs.speak import SpeakCog
from cogs.sync import Notes
from cogs.threads import ThreadCog
from cogs.transcribe import TranscribeCog
from cogs.turnstile import Turnstile
from cogs.usage import UsageCog
from cogs.vestibule import Vestibule
from cogs.why import WhyCog
from utils.conversations import Conversations
from utils.conversations.fairness import FairUse
from utils.conversations.preferences import Preferences
from utils.gemini_pool import GeminiAPIPool
from utils.rendering.pace import Pace
from utils.storage import Personas

__all__ = ["CDN_HOSTS", "GeminiBot", "make_bot"]


@dataclass(frozen=True, slots=True)
class _Parts:
    """All that cogs are made of."""

    pool: GeminiAPIPool
    conversations: Conversations
    preferences: Preferences
    personas: Personas
    custody: Custody
    insight: Insight
    gatekeeper: Gatekeeper
    intake: Intake
    models: ModelChoices
    desk: ErrorDesk
    readers: Readers
    running: RunningAnswers
    notes: Notes
    administrators: Administrators
    fair: FairUse
    turnstile: Turnstile
    vestibule: Vestibule
    default_model: str
    reads_content: bool


def make_bot(
    pool: GeminiAPIPool,
    conversations: Conversations,
    notes: Notes,
    *,
    preferences: Preferences,
    personas: Personas,
    custody: Custody,
    insight: Insight,
    fair: FairUse,
    admin_ids: Collection[int],
    default_model: str,
    reads_content: bool,
    cdn_hosts: Collection[str] = CDN_HOSTS,
    commands_epoch: str = "",
    ready_after_s: float = READY_AFTER_S,
    identifies: Identifies | None = None,
) -> GeminiBot:
    """Make the bot with all its cogs; nothing is connected.

    ``notes`` keeps small values over restarts; ``preferences`` is the guide of ``conversations``;
    ``reads_content``: the message-content intent may be asked for; ``cdn_hosts``: where attachments
    may be fetched from; a new ``commands_epoch`` sends the commands anew.
    """
    intake = Intake(cdn_hosts)
    administrators = Administrators(admin_ids)
    gatekeeper = Gatekeeper(preferences, administrators)
    desk = ErrorDesk(lambda: uuid.uuid4().hex[:8])
    parts = _Parts(
        pool=pool,
        conversations=conversations,
        preferences=preferences,
        personas=personas,
        custody=custody,
        insight=insight,
        gatekeeper=gatekeeper,
        intake=intake,
        models=ModelChoices(pool, asyncio.sleep),
        desk=desk,
        readers=Readers(preferences),
        running=RunningAnswers(),
        notes=notes,
        administrators=administrators,
        fair=fair,
        turnstile=Turnstile(fair),
        vestibule=Vestibule(),
        default_model=default_model,
        reads_content=reads_content,
    )
    return GeminiBot(
        make_cogs=lambda bot: _make_cogs(bot, parts),
        notes=notes,
        background=(parts.models.keep_fresh, functools.partial(_keep_up, custody), parts.turnstile.prepare),
        desk=desk,
        readers=parts.readers,
        running=parts.running,
        gatekeeper=gatekeeper,
        vestibule=parts.vestibule,
        reads_content=reads_content,
        commands_epoch=commands_epoch,
        ready_after_s=ready_after_s,
        identifies=identifies,
    )


async def _keep_up(custody: Custody) -> None:
    await custody.upkeep.run()


def _drop_memories(parts: _Parts, user_id: int | None) -> None:
    parts.conversations.forget_remembered()
    parts.preferences.forget()
    parts.fair.forget()
    if user_id is not None:
        parts.readers.forget(user_id)


def _talking_cogs(bot: GeminiBot, parts: _Parts, choices: PersonaChoices) -> tuple[commands.Cog, ...]:
    """Make the rooms of questions and conversations, which share the way of every question."""
    conversations, running, desk = parts.conversations, parts.running, parts.desk
    pace = Pace()
    afterwards = Afterwards(bot, conversations, running, pace)
    answering = Answering(
        conversations, parts.intake, desk, afterwards, turnstile=parts.turnstile, vestibule=parts.vestibule, pace=pace
    )
    acknowledging = Acknowledging(answering, conversations, parts.turnstile)
    places = Places(bot, functools.partial(discord.Webhook.partial, client=bot))
    threads = ChatThreads(bot, conversations)
    chat = ChatCog(
        bot,
        answering,
        conversations,
        parts.intake,
        desk=desk,
        readers=parts.readers,
        running=running,
        notes=parts.notes,
        gatekeeper=parts.gatekeeper,
        turnstile=parts.turnstile,
        reads_content=parts.reads_content,
    )
    opening = ChatOpeningCog(
        answering,
        conversations,
        threads,
        parts.intake,
        parts.models,
        notes=parts.notes,
        reads_content=parts.reads_content,
        personas=choices,
        gatekeeper=parts.gatekeeper,
        turnstile=parts.turnstile,
        acknowledging=acknowledging,
    )
    buttons = ButtonsCog(
        bot,
        conversations,
        answering,
        places,
        Branching(conversations, desk),
        desk=desk,
        readers=parts.readers,
        running=running,
        gatekeeper=parts.gatekeeper,
        turnstile=parts.turnstile,
    )
    changes = ChangesCog(
        bot,
        conversations,
        answering,
        places,
        parts.intake,
        desk=desk,
        readers=parts.readers,
        running=running,
        gatekeeper=parts.gatekeeper,
        turnstile=parts.turnstile,
        reads_content=parts.reads_content,
    )
    missed = Missed(bot, conversations, parts.notes, chat=chat, running=running)
    recovery = RecoveryCog(conversations, answering, places, chat=chat, threads=threads, running=running, missed=missed)
    ask = AskCog(
        bot.tree,
        answering,
        conversations,
        parts.intake,
        parts.models,
        gatekeeper=parts.gatekeeper,
        turnstile=parts.turnstile,
        acknowledging=acknowledging,
    )
    return ask, opening, chat, buttons, changes, recovery


def _making_cogs(bot: GeminiBot, parts: _Parts) -> tuple[commands.Cog, ...]:
    """Make the rooms of what is made in one go."""
    maker, intake, desk = Maker(parts.pool, parts.preferences, parts.turnstile), parts.intake, parts.desk
    return (
        CreateCog(maker, intake, desk),
        ImageCog(maker, intake, desk),
        SpeakCog(maker, intake, desk),
        TranscribeCog(bot.tree, maker, intake, desk),
    )


def _make_cogs(bot: GeminiBot, parts: _Parts) -> tuple[commands.Cog, ...]:
    choices = PersonaChoices(parts.personas)
    return (
        *_talking_cogs(bot, parts, choices),
        PrivacyCog(
            bot,
            parts.custody,
            parts.notes,
            parts.desk,
            functools.partial(_drop_memories, parts),
            vestibule=parts.vestibule,
        ),
        KeysCog(parts.custody, parts.administrators, parts.desk),
        *_making_cogs(bot, parts),
        PersonaCog(
            parts.personas,
            parts.preferences,
            parts.conversations,
            choices=choices,
            intake=parts.intake,
            desk=parts.desk,
            gatekeeper=parts.gatekeeper,
        ),
        ThreadCog(parts.conversations, parts.gatekeeper, parts.models),
        SettingsCog(
            bot.tree,
            parts.preferences,
            choices,
            parts.models,
            administrators=parts.administrators,
            default_model=parts.default_model,
        ),
        UsageCog(parts.fair, parts.administrators),
        HelpCog(bot.tree, reads_content=parts.reads_content),
        *_admin_cogs(bot, parts),
    )


def _admin_cogs(bot: GeminiBot, parts: _Parts) -> tuple[commands.Cog, ...]:
    """Make the rooms from which administrators look into the bot."""
    custody, preferences, insight = parts.custody, parts.preferences, parts.insight
    patient = Patient(
        bot=bot,
        custody=custody,
        health=insight.health,
        model_names=parts.models.names,
        choices=preferences,
        sentence=lambda error, locale: parts.desk.sentence(error, locale, where="/doctor"),
        wall=time.time,
        default_model=parts.default_model,
        reads_content=parts.reads_content,
    )

    def key_labels() -> dict[str, str]:
        return {key.fingerprint: key.label for key in custody.keychain.shown()}

    return (
        AdminCog(parts.pool, parts.administrators, insight, key_labels, parts.vestibule),
        WhyCog(bot.tree, parts.conversations, parts.administrators, insight.watch),
        DoctorCog(patient, parts.administrators),
        AlertsCog(bot, insight, preferences),
    )
