"""The way of every question: fetched, stored, answered and streamed, whichever command or message it came by.

``Answering`` is what the cogs share. ``take`` stores what somebody asks (``Asked``) in its conversation, ``give``
answers a turn in a place, ``answer`` does both; where somebody waits to hear that the question came, ``note`` stores it
and ``fetch`` its files. What always holds: a question is stored before the model is asked, and
one that was stored before, or joined a turn that waits, is not answered here; where the answer stands is stored as soon
as it stands; a turn is let go of only when its end was shown, or there is no place any more where it could be. How the
text gets into Discord is ``utils.rendering.discord``'s, which turn runs when is ``utils.conversations``'s, what comes
after an answer is ``afterwards``'s. Errors: AttachmentUnreadError, and what storing the question raises; what goes
wrong after that is said by the writer.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import discord

from cogs.afterwards import Afterwards
from cogs.controls import Action, AnswerControls
from cogs.desk import ErrorDesk
from cogs.incoming import Intake
from cogs.turnstile import Turnstile
from cogs.vestibule import Vestibule
from utils.conversations import (
    CUT_OFF,
    STOPPED,
    AnswerTakenError,
    Attachment,
    Conversations,
    EmptyAnswerError,
    Question,
    StoppedAnswerError,
    Turn,
    Waiting,
)
from utils.gemini_pool import UnavailableError
from utils.i18n import translate
from utils.rendering.discord import AnswerWriter, ChannelTarget, Controls, Place, TextFile, TokenTarget, WrittenAnswer
from utils.rendering.pace import Pace
from utils.rendering.parts import MadeFile
from utils.rendering.waiting import waiting_sentence
from utils.storage import Conversation, StorageError

_log = logging.getLogger(__name__)

Target: TypeAlias = ChannelTarget | TokenTarget
#: Makes the place of an answer, given what its messages are known by when sent twice, and its buttons.
MakeTarget: TypeAlias = Callable[[str, Controls], Target]

#: Everywhere an answer can be stopped and asked for again; elsewhere only where the bot may write by itself.
ANYWHERE: frozenset[Action] = frozenset({"stop", "again"})
IN_CHANNEL: frozenset[Action] = ANYWHERE | {"more"}
IN_SERVER: frozenset[Action] = IN_CHANNEL | {"branch"}

_CLOSE_TIMEOUT_S = 2.5
#: Beside them there is room for the whole answer as a file; what every server takes.
_MOST_FILES = 9
_MOST_FILE_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks what and where, before the files are fetched. ``source_id``: the message's or interaction's id.

    ``token`` is the interaction's, where its deferred answer is to be edited. ``alone``: no message joins it.
    """

    source_id: int
    user: discord.User | discord.Member
    guild_id: int | None
    channel_id: int
    text: str
    locale: str
    files: Sequence[discord.Attachment] = ()
    token: str | None = None
    alone: bool = False


def asked_by_interaction(
    interaction: discord.Interaction, text: str, files: Sequence[discord.Attachment], *, keeps_token: bool = False
) -> Asked:
    """Take the asker, the place and the language from an interaction."""
    return Asked(
        source_id=interaction.id,
        user=interaction.user,
        guild_id=interaction.guild_id,
        channel_id=interaction.channel_id or 0,
        text=text,
        locale=str(interaction.locale),
        files=files,
        token=interaction.token if keeps_token else None,
    )


class Answering:
    """Stores questions and streams their answers; ``wall`` gives unix seconds."""

    def __init__(
        self,
        conversations: Conversations,
        intake: Intake,
        desk: ErrorDesk,
        afterwards: Afterwards,
        *,
        turnstile: Turnstile,
        vestibule: Vestibule,
        pace: Pace,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._conversations = conversations
        self._intake = intake
        self._desk = desk
        self._afterwards = afterwards
        self._turnstile = turnstile
        self._vestibule = vestibule
        self._pace = pace
        self._wall = wall

    @property
    def is_crowded(self) -> bool:
        """Whether so many have just come that they are acknowledged before anything is stored for any of them."""
        return self._vestibule.is_crowded

    async def calm(self) -> None:
        """Wait until all who have just come are acknowledged; awaited before anything is stored for who is."""
        await self._vestibule.calm()

    async def take(self, asked: Asked, conversation: Conversation) -> Turn | None:
        """Fetch a question's files and store it; the turn that is to be answered here.

        None: it had been asked before, or joined a turn that is answered already by somebody.
        """
        await self.calm()
        try:
            return await self._store(asked, conversation, await self._intake.attachments(asked.files))
        except Exception:
            self._turnstile.give_back(asked.source_id)
            raise

    async def note(self, asked: Asked, conversation: Conversation) -> Turn | None:
        """Store a question at once, before its files are fetched (``fetch``); as ``take`` otherwise."""
        return await self._store(asked, conversation, ())

    async def fetch(self, turn: Turn, asked: Asked) -> Turn:
        """Fetch and store the files of a question that was only noted; gives the turn as it is then."""
        if not asked.files:
            return turn
        return await self._conversations.attach(turn, await self._intake.attachments(asked.files))

    async def _store(
        self, asked: Asked, conversation: Conversation, attachments: tuple[Attachment, ...]
    ) -> Turn | None:
        question = Question(
            source_id=asked.source_id,
            user_id=asked.user.id,
            user_name=asked.user.display_name,
            guild_id=asked.guild_id,
            channel_id=asked.channel_id,
            text=asked.text,
            attachments=attachments,
            locale=asked.locale,
            token=asked.token,
            files_due=len(attachments) < len(asked.files),
            alone=asked.alone,
        )
        turn = await self._conversations.ask(conversation, question)
        return turn if turn is not None and turn.source_id == asked.source_id else None

    async def give(
        self,
        turn: Turn,
        conversation: Conversation,
        make_target: MakeTarget,
        *,
        here: frozenset[Action],
        use_id: int | None = None,
    ) -> None:
        """Answer a turn that is held, or show the end of one that was answered.

        ``use_id`` is what the turnstile counted (None: the question itself), given back where nobody could answer.
        """
        with self._conversations.responsible(turn):
            target = make_target(str(turn.id), AnswerControls(self._conversations, turn, here=here))
            target.keep_to(self._pace)
            written = await self._write(turn, target)
        if _came_to_nothing(written):
            self._turnstile.give_back(turn.source_id if use_id is None else use_id)
        await self._conclude(turn, conversation, written)
        if isinstance(written.error, AnswerTakenError) and written.place is not None:
            await self._clear(turn, target)

    async def _write(self, turn: Turn, target: Target) -> WrittenAnswer:
        made: list[MadeFile] = []

        async def placed(place: Place) -> None:
            await self._conversations.begun(
                turn, channel_id=place.channel_id, message_id=place.message_id, more=place.more
            )

        writer = AnswerWriter(
            target,
            locale=turn.locale,
            on_place=placed,
            sentence=lambda error: self._desk.sentence(error, turn.locale, where="an answer"),
            silent=lambda error: isinstance(error, AnswerTakenError),
            note=lambda: self._note(turn),
            instead=await self._stored_answer(turn),
            made=lambda: attached(made),
        )
        try:
            async with aclosing(self._texts(turn, writer, made.append)) as texts:
                return await writer.run(texts)
        except asyncio.CancelledError:
            # the writer has said that it was stopped
            await _closing(self._conversations.delivered(turn))
            raise

    async def answer(
        self,
        asked: Asked,
        conversation: Conversation,
        make_target: MakeTarget,
        *,
        here: frozenset[Action],
    ) -> bool:
        """Take a question and answer it; False: there was nothing to be done."""
        turn = await self.take(asked, conversation)
        if turn is None:
            return False
        await self.give(turn, conversation, make_target, here=here)
        return True

    async def _conclude(self, turn: Turn, conversation: Conversation, written: WrittenAnswer) -> None:
        taken = isinstance(written.error, AnswerTakenError)
        if not taken and (written.delivered or written.gone):
            await self._conversations.delivered(turn)
        elif not taken:
            self._conversations.let_go(turn)
        if written.error is None and not written.gone:
            self._afterwards.follow(turn, conversation)

    async def _clear(self, turn: Turn, target: Target) -> None:
        """Take away what was written of an answer whose question was deleted meanwhile."""
        try:
            current = await self._conversations.turn(turn.id)
        except StorageError as error:
            _log.warning("what was written of an answer stays: %s", error)
            return
        if current is None or current.error_kind == "deleted":
            await target.remove()

    async def _texts(
        self, turn: Turn, writer: AnswerWriter, on_made: Callable[[MadeFile], None]
    ) -> AsyncGenerator[str, None]:
        if turn.state == "answered":
            yield await self._stored_answer(turn)
            return

        def waits(waiting: Waiting) -> None:
            writer.waits(
                waiting_sentence(
                    turn.locale,
                    place=waiting.place,
                    estimate_s=waiting.estimate_s,
                    obstacle=waiting.obstacle,
                    now=self._wall(),
                )
            )

        async with aclosing(self._conversations.answer(turn, on_wait=waits, on_made=on_made)) as texts:
            async for text in texts:
                yield text

    async def _stored_answer(self, turn: Turn) -> str:
        """Give the answer that a turn has from before, or ""."""
        if turn.attempt == 0 and turn.state != "answered":
            return ""
        return next((said.text for said in await self._conversations.said(turn) if said.role == "model"), "")

    async def _note(self, turn: Turn) -> str | None:
        """Say under an answer that it is not whole, and what to do."""
        try:
            current = await self._conversations.turn(turn.id)
        except StorageError as error:
            _log.warning("whether an answer is whole was not looked up: %s", error)
            return None
        reason = current.finish_reason if current is not None else None
        if reason == STOPPED:
            return translate("chat.stopped", turn.locale)
        return translate("chat.cut_off", turn.locale) if reason == CUT_OFF else None


def attached(made: Sequence[MadeFile]) -> list[TextFile]:
    """Give what Discord takes of the pictures and sounds that came with an answer, under names of their own."""
    taken = [file for file in made if len(file.content) <= _MOST_FILE_BYTES][:_MOST_FILES]
    return [
        TextFile(f"{file.name.partition('-')[0]}-{number}.{file.name.rpartition('.')[2]}", file.content)
        for number, file in enumerate(taken, 1)
    ]


def _came_to_nothing(written: WrittenAnswer) -> bool:
    """Tell whether nobody could answer, through no fault of who asked, so that the question need not count."""
    mine = (EmptyAnswerError, StoppedAnswerError)
    return isinstance(written.error, UnavailableError) and not isinstance(written.error, mine) and not written.text


async def _closing(write: Coroutine[Any, Any, None]) -> None:
    """Let a last write end, though the task is being cancelled, but not for long."""
    task = asyncio.ensure_future(write)
    await asyncio.wait({task}, timeout=_CLOSE_TIMEOUT_S)
