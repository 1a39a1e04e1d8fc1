"""An answer in messages of the bot's own.

``ChannelTarget(channel, ...)`` types until there is text, then sends a message and edits that, or goes on in messages
that were begun before. What always holds: nobody is mentioned by an answer; link previews stay hidden; a message that
is sent twice under one ``nonce`` stands once; of an answer that grows shorter no message is left over; a file is made
anew for each try; every error of Discord's or of the way to it leaves as a ``DeliveryError`` with its numbers and
without its text. How often and what is written is the writer's to say, which buttons stand below is ``Controls``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final

import discord
from discord.utils import MISSING

from utils.rendering.discord.border import border, upload
from utils.rendering.discord.controls import Controls, NoControls
from utils.rendering.errors import DeliveryError, PlaceClosedError, PlaceGoneError
from utils.rendering.pace import Pace, Urgency
from utils.rendering.writer import Place, TextFile

_NOBODY: Final = discord.AllowedMentions.none()
#: Discord shows typing for ten seconds.
_TYPING_S: Final = 8.0


class ChannelTarget:
    """An answer in messages of the bot's own.

    ``reply_to`` is the message it replies to; ``begun`` are its messages from before, which are written over; ``nonce``
    (at most 23 characters) is what Discord knows a message by that is sent again because nobody heard that it arrived.
    """

    def __init__(
        self,
        channel: discord.abc.Messageable,
        reply_to: discord.Message | discord.MessageReference | None = None,
        *,
        begun: Sequence[int] = (),
        nonce: str | None = None,
        controls: Controls | None = None,
    ) -> None:
        self._channel = channel
        self._reply_to = reply_to
        self._ids = list(begun)
        self._inherited = bool(begun)
        self._nonce = nonce
        self._controls = controls or NoControls()
        self._shown = False
        self._pace: Pace | None = None

    def keep_to(self, pace: Pace) -> None:
        """Write only in turn with all other answers that keep to this pace."""
        self._pace = pace

    def waiting(self) -> contextlib.AbstractAsyncContextManager[object]:
        """Type until something is shown."""
        return _QuietTyping(self._channel, self._pace)

    async def ready(self) -> None:
        """Wait for a turn."""
        await self._turn(Urgency.BETWEEN if self._shown else Urgency.FIRST)

    async def _turn(self, urgency: Urgency) -> None:
        if self._pace is not None:
            # all kinds of channel have an id, which the abstract class does not promise
            channel: Any = self._channel
            await self._pace.turn(urgency, channel.id)

    async def show(self, text: str) -> Place:
        """Send the answer's message, or edit it."""
        view = MISSING if self._shown else self._controls.running() or MISSING
        await self._first(text, (), view)
        self._shown = True
        return self._place()

    async def finish(self, texts: Sequence[str], file: TextFile | None, made: Sequence[TextFile] = ()) -> Place:
        """Show the last state of the answer, in as many messages as there are texts."""
        ended = await self._controls.ended()
        await self._turn(Urgency.LAST)
        await self._first(texts[0], all_files(file, made), None if len(texts) > 1 else ended)
        for index, text in enumerate(texts[1:], 1):
            await self._turn(Urgency.LAST)
            await self._put(index, text, (), ended if index == len(texts) - 1 else None)
        surplus, self._ids = self._ids[len(texts) :], self._ids[: len(texts)]
        for message_id in surplus:
            with contextlib.suppress(DeliveryError), border():
                await self._message(message_id).delete()
        return self._place()

    async def remove(self) -> None:
        """Take all messages of the answer away; what cannot be taken stays."""
        for message_id in self._ids:
            with contextlib.suppress(DeliveryError), border():
                await self._message(message_id).delete()
        self._ids = []

    def _place(self) -> Place:
        # all kinds of channel have an id, which the abstract class does not promise
        channel: Any = self._channel
        return Place(channel.id, self._ids[0], tuple(self._ids[1:]))

    async def _first(self, text: str, files: Sequence[TextFile], view: Any) -> None:
        try:
            await self._put(0, text, files, view)
        except PlaceGoneError:
            if not self._inherited:
                raise
            # the message was deleted while nobody was here: the answer is made anew, and Discord must not know it
            self._ids, self._inherited, self._nonce = [], False, None
            await self._put(0, text, files, view)
        self._inherited = False

    async def _put(self, index: int, text: str, files: Sequence[TextFile], view: Any) -> None:
        try:
            await self._put_once(index, text, files, view)
        except PlaceClosedError:
            await self._open_again()
            await self._put_once(index, text, files, view)

    async def _open_again(self) -> None:
        """Wake an archived thread, as a message would; raises PlaceGoneError where only others may."""
        if not isinstance(self._channel, discord.Thread) or self._channel.locked:
            raise PlaceGoneError("the thread is archived, and is not ours to open")
        with border():
            await self._channel.edit(archived=False)

    async def _put_once(self, index: int, text: str, files: Sequence[TextFile], view: Any) -> None:
        with border():
            if index < len(self._ids):
                attachments = [upload(file) for file in files] or MISSING
                async with self._alone():
                    await self._message(self._ids[index]).edit(
                        content=text, attachments=attachments, view=view, allowed_mentions=_NOBODY
                    )
            else:
                sent = await self._channel.send(text, **self._sending(index, files, view))
                self._ids.append(sent.id)

    def _alone(self) -> contextlib.AbstractAsyncContextManager[object]:
        # all kinds of channel have an id, which the abstract class does not promise
        channel: Any = self._channel
        return self._pace.alone(channel.id) if self._pace is not None else contextlib.nullcontext()

    def _sending(self, index: int, files: Sequence[TextFile], view: Any) -> dict[str, Any]:
        options: dict[str, Any] = {"allowed_mentions": _NOBODY, "suppress_embeds": True}
        if self._nonce is not None:
            options["nonce"] = f"{self._nonce}-{index}"
        if view is not None and view is not MISSING:
            options["view"] = view
        if files:
            options["files"] = [upload(file) for file in files]
        if index == 0 and isinstance(self._reply_to, discord.Message):
            options["reference"] = self._reply_to.to_reference(fail_if_not_exists=False)
        elif index == 0 and self._reply_to is not None:
            options["reference"] = self._reply_to
        return options

    def _message(self, message_id: int) -> discord.PartialMessage:
        channel: Any = self._channel
        return discord.PartialMessage(channel=channel, id=message_id)


class _QuietTyping:
    """Typing that an answer does without where Discord refuses it, or has enough to do: it is only a courtesy."""

    def __init__(self, channel: discord.abc.Messageable, pace: Pace | None) -> None:
        self._channel = channel
        self._pace = pace
        self._again: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        await self._type()
        self._again = asyncio.create_task(self._keep_typing())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._again is not None:
            self._again.cancel()

    async def _keep_typing(self) -> None:
        while True:
            await asyncio.sleep(_TYPING_S)
            await self._type()

    async def _type(self) -> None:
        if self._pace is None or self._pace.spare():
            with contextlib.suppress(DeliveryError), border():
                await self._channel.typing()


def all_files(file: TextFile | None, made: Sequence[TextFile]) -> list[TextFile]:
    """Give the file of an answer too long for messages and those that were made, in this order."""
    return [*([file] if file is not None else []), *made]
