"""From Discord's messages and options to a question that conversations understand.

``Intake.refusal`` makes every check that needs no waiting, by what Discord declares; ``Intake.attachments``
fetches the files afterwards and judges their bytes. ``spoken_text`` takes the bot's own mention out of a
message, ``with_quote`` sets a replied-to message under a question as marked text. What always holds: a file
is fetched only when it was declared small enough, from Discord's own file servers (see ``fetching``); what it
is, its bytes decide (see ``utils.conversations.media``); a voice message is called what Discord calls one.
Errors: AttachmentUnreadError, AttachmentRefusedError.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Collection, Sequence

import discord

from cogs.fetching import Fetcher, FetchError
from utils.conversations import Attachment
from utils.conversations.limits import (
    MAX_ATTACHMENT_BYTES,
    DeclaredFile,
    Refusal,
    check_attachments,
    check_model,
    check_text,
)
from utils.conversations.media import VOICE_NAME, take

_log = logging.getLogger(__name__)

#: Where Discord keeps what its users attach.
CDN_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})

_MAX_QUOTE = 2000


class AttachmentUnreadError(Exception):
    """A file could not be fetched; ``name`` is what its sender called it."""

    def __init__(self, name: str) -> None:
        super().__init__("an attachment could not be fetched")
        self.name = name


class AttachmentRefusedError(Exception):
    """A file is here, and is not taken; ``refusal`` says why."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"an attachment is not taken: {refusal.message_id}")
        self.refusal = refusal


class Intake:
    """Checks questions and fetches their files; ``cdn_hosts`` are host names, with a port where there is one."""

    def __init__(self, cdn_hosts: Collection[str] = CDN_HOSTS, *, fetcher: Fetcher | None = None) -> None:
        self._fetcher = fetcher or Fetcher(cdn_hosts)

    def refusal(
        self,
        text: str,
        files: Sequence[discord.Attachment],
        *,
        model: str | None = None,
        known_models: Collection[str] = (),
    ) -> Refusal | None:
        """Say why a question is not taken, or None; a file may stand alone, without a text."""
        if text.strip() or not files:
            refusal = check_text(text)
            if refusal is not None:
                return refusal
        refusal = check_attachments([DeclaredFile(file.filename, file.size, file.content_type) for file in files])
        if refusal is not None or model is None:
            return refusal
        return check_model(model, known_models)

    async def attachments(self, files: Sequence[discord.Attachment]) -> tuple[Attachment, ...]:
        """Fetch the files of a question that was not refused, in their order.

        Raises AttachmentUnreadError and AttachmentRefusedError for the first file that is wrong.
        """
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._take(file)) for file in files]
        taken = []
        for task in tasks:
            found = task.result()
            if not isinstance(found, Attachment):
                raise found
            taken.append(found)
        return tuple(taken)

    async def _take(self, file: discord.Attachment) -> Attachment | AttachmentUnreadError | AttachmentRefusedError:
        try:
            content = await self._fetcher.fetch(file.url, MAX_ATTACHMENT_BYTES)
        except FetchError as error:
            _log.warning("an attachment was not fetched: %s", error)
            return AttachmentUnreadError(file.filename)
        name = VOICE_NAME if file.is_voice_message() else file.filename
        found = await asyncio.to_thread(take, name, file.content_type, content)
        return found if isinstance(found, Attachment) else AttachmentRefusedError(found)


def spoken_text(message: discord.Message, bot_id: int) -> str:
    """Give what a message says, without the mention that called the bot."""
    return re.sub(rf"<@!?{bot_id}>", "", message.content).strip()


def with_quote(text: str, quoted: discord.Message | None) -> str:
    """Set the message that a question replies to under it, so that the model knows what is spoken of."""
    if quoted is None or not quoted.content.strip():
        return text
    lines = quoted.content.strip()[:_MAX_QUOTE].splitlines()
    return "\n".join([text, "", f"(in reply to {quoted.author.display_name})", *(f"> {line}" for line in lines)])


def replied_to(message: discord.Message) -> discord.Message | None:
    """Give the message this one replies to, as far as Discord sent it along."""
    reference = message.reference
    resolved = reference.resolved if reference is not None else None
    return resolved if isinstance(resolved, discord.Message) else None


def may_answer(message: discord.Message) -> bool:
    """Tell whether the bot may write where the message stands; where the channel is unknown, Discord decides."""
    channel = message.channel
    if message.guild is None or not isinstance(channel, discord.abc.GuildChannel | discord.Thread):
        return True
    may = channel.permissions_for(message.guild.me)
    return may.send_messages_in_threads if isinstance(channel, discord.Thread) else may.send_messages


def shown_name(name: str) -> str:
    """Give a file's name or another foreign word so that it may stand between backticks in a sentence."""
    plain = "".join(char for char in name if char.isprintable() and char != "`").strip()
    return plain[:80] or "?"
