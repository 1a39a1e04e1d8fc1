"""The places in Discord where an answer can stand.

``InteractionTarget(interaction)`` writes into a deferred interaction. Its token lives 15 minutes; a minute
before the end the answer moves to a message in the channel, where the bot may write, and the interaction
says so. ``ChannelTarget(channel, reply_to=...)`` types until there is text, then sends a message and edits
that.

What always holds: nobody is mentioned by an answer; link previews stay hidden wherever Discord lets a bot
hide them (edits by an interaction's token cannot); a file is made anew for each try; every error of
Discord's or of the way to it leaves as a ``DeliveryError`` with its numbers and without its text; nothing
is sent with a token that is over. How often and what is written is the writer's to say.
"""

from __future__ import annotations

import contextlib
import io
import time
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any

import discord
from discord.utils import MISSING

from utils.i18n import translate
from utils.rendering.errors import DeliveryError, DeliveryRefusedError, PlaceGoneError
from utils.rendering.writer import Place, TextFile

_NOBODY = discord.AllowedMentions.none()
_TOKEN_MARGIN_S = 60.0


class ChannelTarget:
    """An answer in a message of the bot's own; ``reply_to`` is the message it replies to."""

    def __init__(self, channel: discord.abc.Messageable, reply_to: discord.Message | None = None) -> None:
        self._channel = channel
        self._reply_to = reply_to
        self._message: discord.Message | None = None

    def waiting(self) -> contextlib.AbstractAsyncContextManager[object]:
        """Type until something is shown."""
        return _QuietTyping(self._channel)

    async def show(self, text: str) -> Place:
        """Send the answer's message, or edit it."""
        return await self._put(text, None)

    async def finish(self, texts: Sequence[str], file: TextFile | None) -> Place:
        """Show the last state of the answer, in as many messages as there are texts."""
        place = await self._put(texts[0], file)
        for text in texts[1:]:
            with _border():
                await self._channel.send(text, allowed_mentions=_NOBODY, suppress_embeds=True)
        return place

    async def _put(self, text: str, file: TextFile | None) -> Place:
        with _border():
            if self._message is None:
                self._message = await self._send_first(text, file)
            else:
                attachments = [_upload(file)] if file is not None else MISSING
                await self._message.edit(content=text, attachments=attachments, suppress=True, allowed_mentions=_NOBODY)
        return Place(self._message.channel.id, self._message.id)

    async def _send_first(self, text: str, file: TextFile | None) -> discord.Message:
        options: dict[str, Any] = {"allowed_mentions": _NOBODY, "suppress_embeds": True}
        if file is not None:
            options["file"] = _upload(file)
        if self._reply_to is not None:
            options["reference"] = self._reply_to.to_reference(fail_if_not_exists=False)
        return await self._channel.send(text, **options)


class InteractionTarget:
    """An answer in a deferred interaction; ``wall`` gives unix seconds."""

    def __init__(self, interaction: discord.Interaction[Any], *, wall: Callable[[], float] = time.time) -> None:
        self._interaction = interaction
        self._wall = wall
        self._moved: ChannelTarget | None = None

    def waiting(self) -> contextlib.AbstractAsyncContextManager[object]:
        """Do nothing: a deferred interaction shows by itself that an answer is coming."""
        return contextlib.nullcontext()

    async def show(self, text: str) -> Place:
        """Edit the interaction's answer, or the message it moved to."""
        moved = await self._elsewhere()
        return await moved.show(text) if moved is not None else await self._edit(text, None)

    async def finish(self, texts: Sequence[str], file: TextFile | None) -> Place:
        """Show the last state of the answer, in as many messages as there are texts."""
        moved = await self._elsewhere()
        if moved is not None:
            return await moved.finish(texts, file)
        place = await self._edit(texts[0], file)
        for text in texts[1:]:
            with _border():
                await self._interaction.followup.send(text, allowed_mentions=_NOBODY, suppress_embeds=True)
        return place

    async def _edit(self, text: str, file: TextFile | None) -> Place:
        with _border():
            attachments = [_upload(file)] if file is not None else MISSING
            message = await self._interaction.edit_original_response(
                content=text, attachments=attachments, allowed_mentions=_NOBODY
            )
        return Place(message.channel.id, message.id)

    async def _elsewhere(self) -> ChannelTarget | None:
        """Give the place in the channel once the token is about to end; raises PlaceGoneError without one."""
        left_s = self._interaction.expires_at.timestamp() - self._wall()
        if self._moved is not None or left_s > _TOKEN_MARGIN_S:
            return self._moved
        channel = _writable_channel(self._interaction)
        if channel is None:
            if left_s > 0:
                return None
            raise PlaceGoneError("the interaction's time is over and the bot may not write in its channel")
        if left_s > 0:
            await self._edit(translate("answer.continued_below", str(self._interaction.locale)), None)
        self._moved = ChannelTarget(channel)
        return self._moved


class _QuietTyping:
    """Typing that an answer does without where Discord refuses it: it is only a courtesy."""

    def __init__(self, channel: discord.abc.Messageable) -> None:
        self._typing = channel.typing()
        self._entered = False

    async def __aenter__(self) -> None:
        with contextlib.suppress(DeliveryError), _border():
            await self._typing.__aenter__()
            self._entered = True

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._entered:
            await self._typing.__aexit__(kind, error, trace)


def _writable_channel(interaction: discord.Interaction[Any]) -> discord.abc.Messageable | None:
    channel = interaction.channel
    if not isinstance(channel, discord.abc.Messageable):
        return None
    may = interaction.app_permissions
    if interaction.guild_id is None:
        return channel
    writes = may.send_messages_in_threads if isinstance(channel, discord.Thread) else may.send_messages
    return channel if may.view_channel and writes else None


def _upload(file: TextFile) -> discord.File:
    return discord.File(io.BytesIO(file.content), filename=file.name)


@contextlib.contextmanager
def _border() -> Iterator[None]:
    """Let nothing foreign out but as a DeliveryError."""
    try:
        yield
    except discord.NotFound as error:
        raise PlaceGoneError(f"Discord knows it no more (404, code {error.code})") from error
    except discord.Forbidden as error:
        raise DeliveryRefusedError(f"Discord refuses it (403, code {error.code})") from error
    except discord.HTTPException as error:
        raise DeliveryError(f"Discord did not take it ({error.status}, code {error.code})") from error
    except Exception as error:
        # the connection's own errors are of a library that only discord.py knows
        raise DeliveryError(f"Discord was not reached ({type(error).__name__})") from error
