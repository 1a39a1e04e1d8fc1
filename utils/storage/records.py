"""Between facts and stored rows: where a person's words pass the codec.

``Records`` makes the rows of conversations, turns, messages and attachments, and reads them back. What always holds: a
row's id is made before its bytes are encoded, and bytes are decoded at the place (column and row) they were encoded
for. Which rows are wanted, and in which transaction, is ``conversations``' business.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping

from utils.storage.codec import Codec, decode_text, encode_text
from utils.storage.rows import Conversation, Role, StoredAttachment, StoredMessage, Turn
from utils.storage.schema import attachments, messages, turns

Values = dict[str, Any]

#: What ``message`` reads, in its order; the last stands in for who said something and has no name of their own.
MESSAGE = (
    messages.c.id,
    messages.c.conversation_id,
    messages.c.turn_id,
    messages.c.role,
    messages.c.content,
    messages.c.user_id,
    messages.c.user_name,
    messages.c.created_at,
    messages.c.source_id,
    messages.c.replaced_at,
    turns.c.user_name.label("asker_name"),
)
#: What ``attachment`` reads, in its order.
ATTACHMENT = (
    attachments.c.id,
    attachments.c.message_id,
    attachments.c.name,
    attachments.c.mime_type,
    attachments.c.size,
    attachments.c.content,
)


class Records:
    """Makes and reads rows with a codec; ``make_id`` gives ids."""

    def __init__(self, codec: Codec, make_id: Callable[[], int]) -> None:
        self._codec = codec
        self.make_id = make_id

    def conversation_row(self, made: Conversation) -> Values:
        """Make the row of a conversation."""
        return {
            **asdict(made),
            "instructions": self._encode("conversations.instructions", made.id, made.instructions),
            "title": self.title(made.id, made.title),
            "summary": self.summary(made.id, made.summary),
            "options": json.dumps(dict(made.options), sort_keys=True) if made.options else None,
        }

    def title(self, conversation_id: int, title: str | None) -> bytes | None:
        """Encode a conversation's title."""
        return self._encode("conversations.title", conversation_id, title)

    def summary(self, conversation_id: int, summary: str | None) -> bytes | None:
        """Encode what was said in a conversation, in short."""
        return self._encode("conversations.summary", conversation_id, summary)

    def conversation(self, row: RowMapping) -> Conversation:
        """Read a conversation."""
        return Conversation(
            **{
                **row,
                "instructions": self._decode("conversations.instructions", row["id"], row["instructions"]),
                "title": self._decode("conversations.title", row["id"], row["title"]),
                "summary": self._decode("conversations.summary", row["id"], row["summary"]),
                "options": json.loads(row["options"]) if row["options"] else {},
            }
        )

    def turn_row(self, made: Turn) -> Values:
        """Make the row of a turn."""
        return {
            **asdict(made),
            "user_name": self._encode("turns.user_name", made.id, made.user_name),
            "error_detail": self.error_detail(made.id, made.error_detail),
            "more_message_ids": joined(made.more_message_ids),
            "token": self._encode("turns.token", made.id, made.token),
        }

    def turn(self, row: RowMapping) -> Turn:
        """Read a turn."""
        return Turn(
            **{
                **row,
                "user_name": self._decode("turns.user_name", row["id"], row["user_name"]),
                "error_detail": self._decode("turns.error_detail", row["id"], row["error_detail"]),
                "more_message_ids": tuple(int(one) for one in (row["more_message_ids"] or "").split()),
                "token": self._decode("turns.token", row["id"], row["token"]),
            }
        )

    def error_detail(self, turn_id: int, detail: str | None) -> bytes | None:
        """Encode what went wrong in a turn."""
        return self._encode("turns.error_detail", turn_id, detail)

    def user_name(self, turn_id: int, name: str) -> bytes | None:
        """Encode the name of who asked in a turn."""
        return self._encode("turns.user_name", turn_id, name)

    def message_row(self, turn: Turn, role: Role, text: str, created_at: float) -> Values:
        """Make the row of what ``role`` said in ``turn``; its position is for whoever stores it."""
        row_id = self.make_id()
        return {
            "id": row_id,
            "conversation_id": turn.conversation_id,
            "turn_id": turn.id,
            "position": 0,
            "user_id": turn.user_id,
            "guild_id": turn.guild_id,
            "role": role,
            "content": self.content(row_id, text),
            "created_at": created_at,
            "source_id": turn.source_id if role == "user" else None,
            "user_name": self._encode("messages.user_name", row_id, turn.user_name) if role == "user" else None,
            "replaced_at": None,
        }

    def content(self, message_id: int, text: str) -> bytes | None:
        """Encode a message's text."""
        return self._encode("messages.content", message_id, text)

    def message(self, row: Sequence[Any], files: Sequence[StoredAttachment]) -> StoredMessage:
        """Read a message from its ``MESSAGE`` columns; an answer has no name, so none is decoded for it."""
        # taken apart by place: a look-up by name costs as much as the decoding
        row_id, conversation_id, turn_id, role, content, user_id, own, created_at, source_id, replaced_at, asker = row
        name: str | None = None
        if role == "user":
            name = self._decode("messages.user_name", row_id, own) or self._decode("turns.user_name", turn_id, asker)
        return StoredMessage(
            row_id,
            conversation_id,
            turn_id,
            role,
            decode_text(self._codec, "messages.content", row_id, content),
            user_id,
            name or "",
            created_at,
            tuple(files),
            source_id,
            replaced_at,
        )

    def attachment(self, row: Sequence[Any]) -> StoredAttachment:
        """Read an attachment from its ``ATTACHMENT`` columns."""
        row_id, _, name, mime_type, size, content = row
        return StoredAttachment(
            id=row_id,
            name=decode_text(self._codec, "attachments.name", row_id, name),
            mime_type=mime_type,
            size=size,
            content=self._codec.decode("attachments.content", row_id, content),
        )

    def attachment_rows(self, message: Values, files: Iterable[tuple[str, str, bytes]]) -> list[Values]:
        """Make the rows of the files (name, MIME type, bytes) that came with ``message``."""
        return [self._attachment_row(message, position, *file) for position, file in enumerate(files)]

    def _attachment_row(self, message: Values, position: int, name: str, mime_type: str, content: bytes) -> Values:
        row_id = self.make_id()
        return {
            "id": row_id,
            "message_id": message["id"],
            "position": position,
            "user_id": message["user_id"],
            "guild_id": message["guild_id"],
            "name": self._encode("attachments.name", row_id, name),
            "mime_type": mime_type,
            "size": len(content),
            "content": self._codec.encode("attachments.content", row_id, content),
        }

    def _encode(self, place: str, row_id: int, text: str | None) -> bytes | None:
        return None if text is None else encode_text(self._codec, place, row_id, text)

    def _decode(self, place: str, row_id: int, stored: bytes | None) -> str | None:
        if not stored:
            # no bytes at all are what is left of a name that was forgotten
            return None if stored is None else ""
        return decode_text(self._codec, place, row_id, stored)


def joined(message_ids: Iterable[int]) -> str | None:
    """Write the ids of messages as they are stored; None for none."""
    return " ".join(str(one) for one in message_ids) or None
