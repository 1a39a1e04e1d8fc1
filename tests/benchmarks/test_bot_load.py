"""The benchmark of the bot measures what it says: percentiles, rows as the storage writes them, a watch that sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.discord.crowd import gaps_between
from benchmarks.discord.figures import Spread
from benchmarks.discord.filled import LONG_CHANNEL, fill
from benchmarks.discord.recalling import recall_times
from benchmarks.discord.seen import Shown, Watch
from utils.security.masterkeys import MasterKeys
from utils.storage import open_storage


def test_percentiles_are_measured_values():
    spread = Spread.of([float(number) for number in range(1, 201)])
    assert (spread.p50, spread.p99, spread.most) == (100.0, 198.0, 200.0)
    with pytest.raises(ValueError, match="nothing"):
        Spread.of([])


async def test_a_filled_database_is_the_storages_own(tmp_path: Path):
    """What was written in bulk is read, decrypted, in order and whole, as if people had said it."""
    path, keys = tmp_path / "data" / "bot.db", MasterKeys(tmp_path / "keys" / "master.key")
    assert await fill(path, keys, wanted=2_000, long_thread=1_000) == 2_000
    assert b"A sentence as people" not in path.read_bytes()
    async with open_storage(str(path), keys=keys) as storage:
        found = await storage.conversations.find_conversation(LONG_CHANNEL)
        assert found is not None
        said = await storage.conversations.history(found.id, max_messages=2_000)
        assert len(said) == 1_000
        assert [message.role for message in said[:4]] == ["user", "model", "user", "model"]
        assert said[0].text.startswith("A sentence")
        assert len(await recall_times(storage, [LONG_CHANNEL, 1])) == 2


def test_the_watch_notes_first_texts_edits_and_ends():
    """People's messages are passed over; the gap to the last state, which is shown at once, does not count."""
    watch = Watch()
    mine = {"id": "1", "channel_id": "9", "author": {"bot": True}}
    watch.publish("message_create", {**mine, "id": "2", "author": {}, "content": "#q-1x"})
    assert not watch.messages
    watch.publish("message_create", {**mine, "content": "Answer to #q-1x"})
    watch.publish("message_update", {**mine, "content": "Answer to #q-1x: more"})
    watch.publish("message_update", {**mine, "content": "Answer to #q-1x: 7 tokens read."})
    assert set(watch.first_texts) == {"#q-1x"}
    assert len(watch.messages["1"].edited_at) == 2
    assert watch.ended == {"9"}
    assert gaps_between(Shown(0.0, [1.5, 3.0, 3.1])) == [1.5, 1.5]
