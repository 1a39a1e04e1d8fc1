"""Text and bytes go through the codec and come back; foreign schemes are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.storage.conftest import Asker
from utils.storage import PlainCodec, Storage, StorageDataError, open_storage
from utils.storage.codec import decode_text, encode_text

_ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=()))


@given(_ANY_TEXT)
def test_any_text_comes_back_even_half_surrogate_pairs(text: str):
    stored = encode_text(PlainCodec(), "messages.content", 1, text)
    assert stored[:1] == b"\0"
    assert decode_text(PlainCodec(), "messages.content", 1, stored) == text


@pytest.mark.parametrize("stored", [b"", b"\x01abc", b"abc"])
def test_bytes_of_another_scheme_are_refused_by_name(stored: bytes):
    with pytest.raises(StorageDataError, match=r"Row 9 of messages\.content"):
        PlainCodec().decode("messages.content", 9, stored)


@pytest.mark.parametrize("text", ["", "\0", "\ud83d", "a\r\nb", "漢字 한국어 русский 😀", "x" * 100_000])
async def test_text_comes_back_from_both_databases(storage: Storage, asker: Asker, text: str):
    turn = await asker.ask(await asker.conversation(), text, user_name=text[:50], attachments=[(text, "a/b", b"")])
    assert turn == await storage.conversations.get_turn(turn.id)
    (message,) = await storage.conversations.messages_of_turn(turn.id)
    assert (message.text, message.user_name, message.attachments[0].name) == (text, text[:50], text)


class BindingCodec:
    """Stores the place and the row with the bytes and refuses them anywhere else, as a cipher would."""

    def encode(self, place: str, row_id: int, plain: bytes) -> bytes:
        return b"\x07" + f"{place}:{row_id}|".encode() + bytes(255 - byte for byte in plain)

    def decode(self, place: str, row_id: int, stored: bytes) -> bytes:
        head = b"\x07" + f"{place}:{row_id}|".encode()
        if not stored.startswith(head):
            raise StorageDataError("these bytes belong somewhere else")
        return bytes(255 - byte for byte in stored[len(head) :])


async def test_every_word_of_a_person_passes_the_codec_bound_to_its_place(tmp_path: Path):
    """A marker put into every field that holds a person's words is nowhere in the file."""
    path = tmp_path / "bot.db"
    async with open_storage(str(path), codec=BindingCodec()) as storage:
        kept = storage.conversations
        conversation = await kept.open_conversation(
            kind="thread",
            guild_id=1,
            channel_id=2,
            owner_id=3,
            model="m",
            instructions="MARKER instructions",
            title="MARKER title",
        )
        turn = await Asker(storage).ask(
            conversation, "MARKER text", user_name="MARKER name", attachments=[("MARKER.txt", "a/b", b"MARKER file")]
        )
        await kept.fail(turn.id, kind="x", detail="MARKER detail")
        assert b"MARKER" not in path.read_bytes() + path.with_name("bot.db-wal").read_bytes()
        found = await kept.get_conversation(conversation.id)
        assert found is not None
        assert (found.instructions, found.title) == ("MARKER instructions", "MARKER title")
        failed = await kept.get_turn(turn.id)
        assert failed is not None
        assert failed.error_detail == "MARKER detail"
        await Asker(storage).answer(turn, "MARKER answer")
        question, answer = await kept.history(conversation.id, max_messages=2)
        assert (question.text, question.user_name, answer.text) == ("MARKER text", "MARKER name", "MARKER answer")
        assert [(file.name, file.content) for file in question.attachments] == [("MARKER.txt", b"MARKER file")]
    assert b"MARKER" not in path.read_bytes()
