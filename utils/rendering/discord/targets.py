"""The places in Discord where an answer can stand.

``ChannelTarget(channel, ...)`` types until there is text, then sends a message and edits that, or goes on in messages
that were begun before. ``InteractionTarget(interaction)`` writes into a deferred interaction, ``TokenTarget`` into one
whose interaction this process never saw. A token lives 15 minutes; a minute before the end the answer moves to a
message in the channel, where the bot may write, and the interaction says so.

What always holds: nobody is mentioned by an answer; link previews stay hidden wherever Discord lets a bot hide them
(edits by an interaction's token cannot); a message that is sent twice under one ``nonce`` stands once; of an answer
that grows shorter no message is left over; a file is made anew for each try; every error of Discord's or of the way to
it leaves as a ``DeliveryError`` with its numbers and without its text; nothing is sent with a token that is over. How
often and what is written is the writer's to say, which buttons stand below is ``Controls``'s.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Protocol

import discord
from discord.utils import MISSING

from utils.i18n import translate
from utils.rendering.discord.border import border, upload
from utils.rendering.errors import DeliveryError, PlaceClosedError, PlaceGoneError, TimeOverError
from utils.rendering.pace import Pace, Urgency
from utils.rendering.writer import Place, TextFile

_NOBODY = discord.AllowedMentions.none()
#: https://docs.discord.com/developers/interactions/receiving-and-responding
TOKEN_LIFE_S: Final = 15 * 60.0
_TOKEN_MARGIN_S = 60.0
#: Discord shows typing for ten seconds.
_TYPING_S = 8.0


class Controls(Protocol):
    """The buttons under an answer; a view is made anew for each use, None: no buttons."""

    def running(self) -> discord.ui.View | None:
        """What stands under an answer that is being given."""

    async def ended(self) -> discord.ui.View | None:
        """What stands under one that has ended."""


class NoControls:
    """No buttons."""

    def running(self) -> discord.ui.View | None:
        """Give none."""
        return None

    async def ended(self) -> discord.ui.View | None:
        """Give none."""
        return None


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
        await self._first(texts[0], _all(file, made), None if len(texts) > 1 else ended)
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


class TokenTarget:
    """An answer in a message that an interaction's token edits.

    ``expires_at`` is a time of ``clock`` (unix seconds unless another is given), ``channel`` where the answer moves to
    before that (None: nowhere).
    """

    def __init__(
        self,
        webhook: discord.Webhook,
        message_id: int,
        *,
        expires_at: float,
        locale: str,
        channel: discord.abc.Messageable | None,
        more: Sequence[int] = (),
        nonce: str | None = None,
        controls: Controls | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._webhook = webhook
        self._message_id = message_id
        self._expires_at = expires_at
        self._locale = locale
        self._channel = channel
        self._more = list(more)
        self._nonce = nonce
        self._controls = controls or NoControls()
        self._clock = clock
        self._moved: ChannelTarget | None = None
        self._shown = False
        self._pace: Pace | None = None

    def keep_to(self, pace: Pace) -> None:
        """Write only in turn with others once the answer moved: what an interaction's token does is not counted."""
        self._pace = pace

    async def ready(self) -> None:
        """Wait for a turn, if the answer moved to the channel."""
        if self._moved is not None:
            await self._moved.ready()

    def waiting(self) -> contextlib.AbstractAsyncContextManager[object]:
        """Do nothing: a deferred interaction shows by itself that an answer is coming."""
        return contextlib.nullcontext()

    async def show(self, text: str) -> Place:
        """Edit the interaction's answer, or the message it moved to."""
        moved = await self._elsewhere()
        if moved is not None:
            return await moved.show(text)
        view = MISSING if self._shown else self._controls.running() or MISSING
        try:
            place = await self._edited(text, (), view)
        except TimeOverError:
            return await (await self._after_all()).show(text)
        self._shown = True
        return place

    async def finish(self, texts: Sequence[str], file: TextFile | None, made: Sequence[TextFile] = ()) -> Place:
        """Show the last state of the answer, in as many messages as there are texts."""
        moved = await self._elsewhere()
        if moved is not None:
            return await moved.finish(texts, file, made)
        ended = await self._controls.ended()
        try:
            place = await self._edited(texts[0], _all(file, made), None if len(texts) > 1 else ended)
        except TimeOverError:
            return await (await self._after_all()).finish(texts, file, made)
        for index, text in enumerate(texts[1:]):
            view = ended if index == len(texts) - 2 else None
            with border():
                await self._followed(index, text, view)
        surplus, self._more = self._more[len(texts) - 1 :], self._more[: len(texts) - 1]
        for message_id in surplus:
            with contextlib.suppress(DeliveryError), border():
                await self._webhook.delete_message(message_id)
        return Place(place.channel_id, place.message_id, tuple(self._more))

    async def remove(self) -> None:
        """Take all messages of the answer away; what cannot be taken stays."""
        if self._moved is not None:
            await self._moved.remove()
        for message_id in self._more:
            with contextlib.suppress(DeliveryError), border():
                await self._webhook.delete_message(message_id)
        with contextlib.suppress(DeliveryError), border():
            await self._delete()

    async def _delete(self) -> None:
        await self._webhook.delete_message(self._message_id)

    async def _followed(self, index: int, text: str, view: discord.ui.View | None) -> None:
        if index < len(self._more):
            await self._webhook.edit_message(self._more[index], content=text, view=view, allowed_mentions=_NOBODY)
            return
        sent = await self._webhook.send(
            text, wait=True, view=view or MISSING, allowed_mentions=_NOBODY, suppress_embeds=True
        )
        self._more.append(sent.id)

    async def _edited(self, text: str, files: Sequence[TextFile], view: Any) -> Place:
        with border():
            message = await self._edit(text, [upload(file) for file in files] or MISSING, view)
        return Place(message.channel.id, message.id, tuple(self._more))

    async def _edit(self, text: str, attachments: Any, view: Any) -> discord.Message:
        return await self._webhook.edit_message(
            self._message_id, content=text, attachments=attachments, view=view, allowed_mentions=_NOBODY
        )

    async def _after_all(self) -> ChannelTarget:
        """Give the place in the channel when Discord says that the token's time is over; raises PlaceGoneError."""
        self._expires_at = self._clock()
        moved = await self._elsewhere()
        if moved is None:
            raise PlaceGoneError("the interaction's time is over")
        return moved

    async def _elsewhere(self) -> ChannelTarget | None:
        """Give the place in the channel once the token is about to end; raises PlaceGoneError without one."""
        left_s = self._expires_at - self._clock()
        if self._moved is not None or left_s > _TOKEN_MARGIN_S:
            return self._moved
        if self._channel is None:
            if left_s > 0:
                return None
            raise PlaceGoneError("the interaction's time is over and the bot may not write in its channel")
        if left_s > 0:
            await self._edited(translate("answer.continued_below", self._locale), (), None)
        self._moved = ChannelTarget(self._channel, nonce=self._nonce, controls=self._controls)
        if self._pace is not None:
            self._moved.keep_to(self._pace)
        return self._moved


class InteractionTarget(TokenTarget):
    """An answer in an interaction of this process, made within a minute after it; ``clock`` gives monotonic seconds.

    How long its token lives is not read off the interaction's id: this machine's clock may be hours off Discord's.
    """

    def __init__(
        self,
        interaction: discord.Interaction[Any],
        *,
        nonce: str | None = None,
        controls: Controls | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(
            interaction.followup,
            0,
            expires_at=clock() + TOKEN_LIFE_S,
            locale=str(interaction.locale),
            channel=None,
            nonce=nonce,
            controls=controls,
            clock=clock,
        )
        self._interaction = interaction

    async def _edit(self, text: str, attachments: Any, view: Any) -> discord.Message:
        return await self._interaction.edit_original_response(
            content=text, attachments=attachments, view=view, allowed_mentions=_NOBODY
        )

    async def _delete(self) -> None:
        await self._interaction.delete_original_response()

    async def _elsewhere(self) -> ChannelTarget | None:
        self._channel = writable_channel(self._interaction)
        return await super()._elsewhere()


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


def _all(file: TextFile | None, made: Sequence[TextFile]) -> list[TextFile]:
    return [*([file] if file is not None else []), *made]


def writable_channel(interaction: discord.Interaction[Any]) -> discord.abc.Messageable | None:
    """Give the interaction's channel where the bot may write in it by itself, else None."""
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable) or isinstance(channel, discord.GroupChannel):
        return None
    if interaction.guild_id is None:
        return channel if interaction.context.dm_channel else None
    if not interaction.is_guild_integration():
        return None
    may = interaction.app_permissions
    writes = may.send_messages_in_threads if isinstance(channel, discord.Thread) else may.send_messages
    return channel if may.view_channel and writes else None
