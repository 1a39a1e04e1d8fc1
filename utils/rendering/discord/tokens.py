"""An answer in a message that an interaction's token edits.

``InteractionTarget(interaction)`` writes into a deferred interaction, ``TokenTarget`` into one whose interaction this
process never saw. A token lives 15 minutes; a minute before the end the answer moves to a message in the channel, where
the bot may write (``writable_channel``), and the interaction says so. What always holds is what holds for
``ChannelTarget``, but edits by a token cannot hide link previews; nothing is sent with a token that is over.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import discord
from discord.utils import MISSING

from utils.i18n import translate
from utils.rendering.discord.border import border, upload
from utils.rendering.discord.channel import ChannelTarget, all_files
from utils.rendering.discord.controls import Controls, NoControls
from utils.rendering.errors import DeliveryError, PlaceGoneError, TimeOverError
from utils.rendering.pace import Pace
from utils.rendering.writer import Place, TextFile

_NOBODY: Final = discord.AllowedMentions.none()
#: https://docs.discord.com/developers/interactions/receiving-and-responding
TOKEN_LIFE_S: Final = 15 * 60.0
_TOKEN_MARGIN_S: Final = 60.0


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
            place = await self._edited(texts[0], all_files(file, made), None if len(texts) > 1 else ended)
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
