"""What a person asks, as plain facts with no Discord in them.

``Question`` is one message or command of one person, ``Attachment`` a file that came with it, in full.
What always holds: both are frozen, and a question passed the checks of ``limits`` before it became one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file and its bytes; ``mime_type`` is the API's name for what the bytes are (see ``media.take``)."""

    name: str
    mime_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Question:
    """One question; ``source_id`` is the platform's id of the message or interaction, by which it is known again.

    ``guild_id`` is None in direct messages; ``locale`` is the asker's, as Discord writes it; ``token`` is an
    interaction's, by which its answer can be edited. ``files_due``: its files are fetched once it is stored.
    ``alone``: it is no part of a conversation between people, such as a button's; no message becomes part of it.
    """

    source_id: int
    user_id: int
    user_name: str
    guild_id: int | None
    channel_id: int
    text: str
    attachments: tuple[Attachment, ...] = ()
    locale: str = "en-US"
    token: str | None = None
    files_due: bool = False
    alone: bool = False
