"""People's right to what is stored: what is shown, handed out and deleted is the same, and deleted is gone."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from secrets import randbits
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.storage.conftest import Asker, WallClock
from tests.storage.keys import FIRST, given
from tests.storage.test_sealing import all_bytes, stored
from utils.storage import Storage, open_storage
from utils.storage.personal import personal_tables
from utils.storage.schema import metadata

Opener = Callable[[], AbstractAsyncContextManager[Storage]]

DAY_S = 86_400.0
ME, HER = 7, 8

#: Tables that hold nothing about a person who talks to the bot. One that is not named here needs a column ``user_id``
#: (or ``owner_id``) and one ``guild_id``, both indexed; then it is exported and deleted by itself.
ABOUT_NOBODY = {
    "audit_entries",
    "key_minute_kinds",
    "key_minutes",
    "key_states",
    "key_total_kinds",
    "key_totals",
    "meta",
    "stored_keys",
}


async def exchange(
    asker: Asker, conversation: Any, user_id: int, word: str, *, file: bytes | None = None, **more: Any
) -> int:
    files = [(f"{word}.txt", "text/plain", word.encode() if file is None else file)]
    turn = await asker.ask(
        conversation, f"{word}?", user_id=user_id, user_name=word, attachments=files, source_id=randbits(60), **more
    )
    await asker.answer(turn, f"{word}!")
    return turn.id


async def counts(storage: Storage) -> dict[str, int]:
    async def job(connection: Any) -> dict[str, int]:
        found = {}
        for table, _ in personal_tables():
            number = await connection.scalar(select(func.count()).select_from(table))
            if number:
                found[table.name] = number
        return found

    return await storage._backend.read(job)


def test_every_table_is_somebodys_or_named_as_nobodys():
    """A new table cannot be forgotten: it is found by its columns, or it is named above."""
    personal = {table.name: table for table, _ in personal_tables()}
    by_guild = {table.name for table in metadata.sorted_tables if "guild_id" in table.c}
    assert set(metadata.tables) - set(personal) - by_guild == ABOUT_NOBODY
    for table, owner in personal_tables():
        indexed = {next(iter(index.columns)).name for index in table.indexes}
        indexed.add(next(iter(table.primary_key.columns)).name)
        assert {owner.name, "guild_id"} <= indexed, table.name


async def test_what_is_held_is_counted(storage: Storage, asker: Asker, wall: WallClock):
    """Rows by table, bytes of files and the age of the oldest turn; of nobody else's."""
    mine = await asker.conversation(owner_id=ME)
    await exchange(asker, mine, ME, "mine")
    wall.now += 10
    await exchange(asker, mine, ME, "more")
    await exchange(asker, mine, HER, "hers")
    held = await storage.privacy.holdings(ME)
    found = {name: count for name, count in held.rows.items() if count}
    assert found == {"conversations": 1, "turns": 2, "messages": 4, "attachments": 2, "usage_days": 1}
    assert held.file_bytes == 8
    assert held.oldest_at == wall.now - 10
    nothing = await storage.privacy.holdings(99)
    assert not any(nothing.rows.values())
    assert (nothing.file_bytes, nothing.oldest_at) == (0, None)


async def test_the_export_holds_what_is_held_in_words(storage: Storage, asker: Asker):
    """As many rows as are counted, decoded, ready for JSON, and nothing of anybody else."""
    conversation = await asker.conversation(owner_id=ME)
    await exchange(asker, conversation, ME, "mine", file=b"\xff\xfe\x00binary")
    await exchange(asker, conversation, HER, "hers")
    exported = await storage.privacy.export(ME, max_file_bytes=1_000)
    held = await storage.privacy.holdings(ME)
    assert {name: len(rows) for name, rows in exported.items()} == {n: c for n, c in held.rows.items() if c}
    text = json.dumps(exported)
    assert "hers" not in text
    assert [row["content"] for row in exported["messages"]] == ["mine?", "mine!"]
    [file] = exported["attachments"]
    assert file["name"] == "mine.txt"
    assert file["content"] == {"base64": "//4AYmluYXJ5"}
    [turn] = exported["turns"]
    assert turn["user_id"] == "7"
    assert turn["asked_at"].startswith("2026-09-21T")
    assert "token" not in turn


async def test_of_long_files_the_newest_are_exported(storage: Storage, asker: Asker):
    """What does not fit is named by its size; the texts are there in any case."""
    conversation = await asker.conversation(owner_id=ME)
    for word in ("old", "new"):
        await exchange(asker, conversation, ME, word, file=b"\xff" * 100_000)
    exported = await storage.privacy.export(ME, max_file_bytes=150_000)
    contents = {row["name"]: row["content"] for row in exported["attachments"]}
    assert list(contents["new.txt"]) == ["base64"]
    assert contents["old.txt"] == {"left_out_bytes": 100_001}
    assert len(exported["messages"]) == 4


async def test_half_a_surrogate_pair_can_be_exported(storage: Storage, asker: Asker):
    """Whatever came in, the file can be written."""
    await exchange(asker, await asker.conversation(owner_id=ME), ME, "\ud83d", file=b"")
    exported = await storage.privacy.export(ME, max_file_bytes=0)
    assert json.dumps(exported, ensure_ascii=False).encode()


async def test_forgetting_a_person_leaves_nothing_of_theirs(storage: Storage, asker: Asker):
    """Nothing is held afterwards, others keep theirs, and the count is that of the rows shown before."""
    mine, hers = await asker.conversation(owner_id=ME), await asker.conversation(owner_id=HER, channel_id=12)
    for conversation in (mine, hers):
        await exchange(asker, conversation, ME, "mine")
    await exchange(asker, hers, HER, "hers")
    held = await storage.privacy.holdings(ME)
    kept = await storage.privacy.export(HER, max_file_bytes=0)
    assert await storage.privacy.forget_user(ME) == sum(held.rows.values())
    assert not any((await storage.privacy.holdings(ME)).rows.values())
    assert await storage.privacy.export(ME, max_file_bytes=0) == {}
    left = await storage.privacy.export(HER, max_file_bytes=0)
    assert {name: len(rows) for name, rows in left.items()} == {name: len(rows) for name, rows in kept.items()}
    assert await storage.privacy.forget_user(ME) == 0


async def test_forgetting_a_guild_leaves_other_guilds_and_direct_messages(storage: Storage, asker: Asker):
    """Everything of the guild goes, whoever said it."""
    for guild_id, channel_id in ((5, 1), (6, 2), (None, 3)):
        conversation = await asker.conversation(guild_id=guild_id, channel_id=channel_id)
        await exchange(asker, conversation, ME, "mine")
        await exchange(asker, conversation, HER, "hers")
    before = await counts(storage)
    assert await storage.privacy.forget_guild(5) == sum(before.values()) // 3
    assert await counts(storage) == {name: number * 2 // 3 for name, number in before.items()}


async def test_the_sweep_deletes_by_age(storage: Storage, asker: Asker, wall: WallClock):
    """Turns before the date go with their messages, files and usage; conversations that are empty then go too."""
    old = await asker.conversation(channel_id=1)
    going_on = await asker.conversation(channel_id=2)
    for conversation in (old, going_on):
        await exchange(asker, conversation, ME, "old")
    wall.now += 31 * DAY_S
    young = await exchange(asker, going_on, ME, "young")
    assert await storage.privacy.sweep(wall.now - 30 * DAY_S) == 2
    assert await counts(storage) == {"conversations": 1, "turns": 1, "messages": 2, "attachments": 1, "usage_days": 1}
    assert await storage.conversations.get_turn(young) is not None
    assert await storage.privacy.sweep(wall.now - 30 * DAY_S) == 0
    assert await storage.privacy.sweep(0) == 0


async def test_a_sweep_of_many_goes_in_steps(
    storage: Storage, asker: Asker, wall: WallClock, monkeypatch: pytest.MonkeyPatch
):
    """However many there are, all go, and a step that is the last one of a killed process loses nothing."""
    monkeypatch.setattr("utils.storage.privacy._BATCH", 3)
    conversation = await asker.conversation()
    for number in range(10):
        await exchange(asker, conversation, ME, f"word {number}")
    assert await storage.privacy.sweep(wall.now + 1) == 10
    assert await counts(storage) == {"usage_days": 1}


@pytest.mark.parametrize("how", ["user", "guild", "age"])
@pytest.mark.parametrize("encrypted", [True, False], ids=["sealed", "plain"])
async def test_no_forgotten_byte_is_left_in_the_files(tmp_path: Path, how: str, encrypted: bool):
    """Neither words nor their ciphertexts are in the database or its log, before and after a restart."""
    wall = WallClock()
    keys = given(FIRST) if encrypted else None
    async with open_storage(str(tmp_path / "bot.db"), wall=wall, keys=keys) as storage:
        asker = Asker(storage)
        kept = await asker.conversation(owner_id=HER, guild_id=6, channel_id=2)
        if how != "age":
            await exchange(asker, kept, HER, "hers")
        others = {value for of_place in (await stored(storage)).values() for value in of_place}
        conversation = await asker.conversation(owner_id=ME, guild_id=5)
        for number in range(20):
            await exchange(asker, conversation, ME, f"MARKER{number}" * 60)
        mine = {value for of_place in (await stored(storage)).values() for value in of_place} - others
        assert len(mine) >= 80
        if how == "user":
            await storage.privacy.forget_user(ME)
        elif how == "guild":
            await storage.privacy.forget_guild(5)
        else:
            wall.now += 40 * DAY_S
            await storage.privacy.sweep(wall.now - 30 * DAY_S)
        _assert_gone(tmp_path, mine)
    _assert_gone(tmp_path, mine)
    async with open_storage(str(tmp_path / "bot.db"), wall=wall, keys=keys) as storage:
        assert not any((await storage.privacy.holdings(ME)).rows.values())
        assert (await storage.privacy.holdings(HER)).rows["turns"] == (how != "age")


def _assert_gone(folder: Path, values: set[bytes]) -> None:
    everything = all_bytes(folder)
    assert b"MARKER" not in everything
    # short ones may stand there by chance, or be others' too
    assert not [value for value in values if len(value) > 30 and value in everything]
