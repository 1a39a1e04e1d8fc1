"""What was said, read at once: every statement of one reading on one connection, without a turn of the loop between.

``Reading`` is what a job of ``Conversations.read`` gets: methods that do not wait, over one state of the database. With
SQLite it lives in a thread (see ``threaded``), with PostgreSQL behind the driver's own waiting; the statements are the
same. What always holds: a history holds answered turns only, in the order of asking, without replaced answers and
removed messages; it is found by an index, however much is stored. Nothing here writes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, Select, bindparam, select

from utils.storage.records import ATTACHMENT, MESSAGE, Records
from utils.storage.rows import Conversation, StoredAttachment, StoredMessage
from utils.storage.schema import attachments, conversations, messages, turns


class Reading:
    """One state of what was said; it ends with the job it was given to."""

    __slots__ = ("_connection", "_records")

    def __init__(self, connection: Connection, records: Records) -> None:
        self._connection = connection
        self._records = records

    def conversation(self, conversation_id: int) -> Conversation | None:
        """Give a conversation by its id, or None."""
        wanted = select(conversations).where(conversations.c.id == conversation_id)
        row = self._connection.execute(wanted).mappings().first()
        return None if row is None else self._records.conversation(row)

    def history(
        self,
        conversation_id: int,
        *,
        max_messages: int,
        after_turn_id: int | None = None,
        before_turn_id: int | None = None,
    ) -> list[StoredMessage]:
        """Give the newest messages of answered turns, oldest first; never an answer without its question.

        Only those between ``after_turn_id`` and ``before_turn_id``, neither of which belongs.
        """
        limits = {"after": after_turn_id, "before": before_turn_id}
        given = {name: value for name, value in limits.items() if value is not None}
        wanted = newest_answered(after="after" in given, before="before" in given)
        found = self._messages(wanted, {"conversation": conversation_id, "most": max_messages, **given})
        found.reverse()
        return found[1:] if found and found[0].role == "model" else found

    def messages_of_turn(self, turn_id: int) -> list[StoredMessage]:
        """Give the question, message by message, and the answer if there is one."""
        return self._messages(_of_turn(), {"turn": turn_id})

    def replaced_answers(self, turn_id: int) -> list[StoredMessage]:
        """Give the answers that gave way to newer ones, oldest first."""
        wanted = _said(replaced=True).where(messages.c.turn_id == turn_id, messages.c.role == "model")
        return self._messages(wanted.order_by(messages.c.position), {})

    def _messages(self, wanted: Select[Any], given: dict[str, Any]) -> list[StoredMessage]:
        """Give the messages of one conversation that a statement selects, in its order, with their files."""
        rows = self._connection.execute(wanted, given).all()
        if not rows:
            return []
        files = self._files(rows)
        message = self._records.message
        return [message(row, files.get(row[0], ())) for row in rows]

    def _files(self, rows: Sequence[Row[Any]]) -> dict[int, list[StoredAttachment]]:
        # by range and not by list of ids: a history may hold more messages than a statement takes parameters
        turn_ids = [row.turn_id for row in rows]
        given = {"conversation": rows[0].conversation_id, "first": min(turn_ids), "last": max(turn_ids)}
        wanted = {row.id for row in rows}
        files: defaultdict[int, list[StoredAttachment]] = defaultdict(list)
        for row in self._connection.execute(_files_between(), given):
            if row.message_id in wanted:
                files[row.message_id].append(self._records.attachment(row))
        return files


# A statement that is made once is also compiled and looked up faster than one that is made for each reading.


@cache
def newest_answered(*, after: bool, before: bool) -> Select[Any]:
    """Select the messages of answered turns, newest first; takes ``conversation``, ``most``, ``after``, ``before``."""
    wanted = _said().where(messages.c.conversation_id == bindparam("conversation"), turns.c.state == "answered")
    if after:
        wanted = wanted.where(messages.c.turn_id > bindparam("after"))
    if before:
        wanted = wanted.where(messages.c.turn_id < bindparam("before"))
    return wanted.order_by(messages.c.turn_id.desc(), messages.c.position.desc()).limit(
        bindparam("most", type_=Integer)
    )


@cache
def _of_turn() -> Select[Any]:
    return _said().where(messages.c.turn_id == bindparam("turn")).order_by(messages.c.position)


@cache
def _files_between() -> Select[Any]:
    here = messages.c.conversation_id == bindparam("conversation")
    return (
        select(*ATTACHMENT)
        .join(messages, attachments.c.message_id == messages.c.id)
        .where(here, messages.c.turn_id.between(bindparam("first"), bindparam("last")))
        .order_by(attachments.c.message_id, attachments.c.position)
    )


def _said(*, replaced: bool = False) -> Select[Any]:
    """Select what was said in the end, or the answers that gave way; ``turns`` is joined."""
    gone = messages.c.replaced_at
    return (
        select(*MESSAGE)
        .join(turns, messages.c.turn_id == turns.c.id)
        .where(messages.c.role != "removed", gone.is_not(None) if replaced else gone.is_(None))
    )
