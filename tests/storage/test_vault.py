"""The vault of keys: encrypted, bound to their rows, every change in the audit; on both databases."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.storage.conftest import WallClock
from tests.storage.keys import FIRST, given
from tests.storage.test_sealing import all_bytes
from utils.security import Secret
from utils.storage import Storage, open_storage
from utils.storage.schema_privacy import stored_keys

KEY, OTHER = Secret("marker-key-one", "x"), Secret("marker-key-two", "x")


@pytest.fixture
async def sealed(url: str, wall: WallClock) -> AsyncIterator[Storage]:
    async with open_storage(url, wall=wall, keys=given(FIRST)) as opened:
        yield opened


async def raw(storage: Storage) -> list[dict[str, Any]]:
    async def job(connection: Any) -> list[dict[str, Any]]:
        return [dict(row) for row in (await connection.execute(select(stored_keys))).mappings()]

    return await storage._backend.read(job)


async def deeds(storage: Storage) -> list[tuple[str, str | None, int]]:
    return [(entry.action, entry.subject, entry.actor_id) for entry in reversed(await storage.audit.newest(10))]


async def test_a_key_comes_back_as_a_secret_and_stands_nowhere_in_the_open(sealed: Storage, wall: WallClock):
    """Secret, name and project are encrypted; the fingerprint finds the key."""
    assert await sealed.vault.add(KEY, name="north", project="alpha", actor_id=7)
    [found] = await sealed.vault.load()
    assert found.secret == KEY
    assert (found.name, found.project, found.enabled, found.added_at) == ("north", "alpha", True, wall.now)
    assert "marker" not in repr(found)
    [row] = await raw(sealed)
    assert not any(word in str(row) for word in ("marker", "north", "alpha"))
    assert row["fingerprint"] == KEY.fingerprint


async def test_a_key_is_stored_once(sealed: Storage):
    """The second time nothing changes, and the audit has one entry."""
    assert await sealed.vault.add(KEY, name="north", project=None, actor_id=7)
    assert not await sealed.vault.add(KEY, name="south", project=None, actor_id=8)
    [found] = await sealed.vault.load()
    assert found.name == "north"
    assert await deeds(sealed) == [("keys.add", "north", 7)]


async def test_switching_off_and_on_and_removing(sealed: Storage):
    """Each step is kept with its entry; a removed key's row is gone."""
    await sealed.vault.add(KEY, name="north", project=None, actor_id=7)
    await sealed.vault.disable(KEY.fingerprint, label="north", actor_id=7)
    assert [key.enabled for key in await sealed.vault.load()] == [False]
    await sealed.vault.enable(KEY.fingerprint, label="north", actor_id=8)
    assert [key.enabled for key in await sealed.vault.load()] == [True]
    assert await sealed.vault.remove(KEY.fingerprint, label="north", actor_id=7)
    assert not await sealed.vault.remove(KEY.fingerprint, label="north", actor_id=7)
    assert await raw(sealed) == []
    assert [deed[::2] for deed in await deeds(sealed)] == [
        ("keys.add", 7),
        ("keys.disable", 7),
        ("keys.enable", 8),
        ("keys.remove", 7),
    ]


async def test_a_key_of_the_configuration_has_a_row_only_while_it_is_off(sealed: Storage):
    """The row holds no secret, cannot be removed as a stored key, and goes when the key is switched on."""
    await sealed.vault.disable(OTHER.fingerprint, label="Key #1", actor_id=7)
    [found] = await sealed.vault.load()
    assert (found.secret, found.enabled, found.fingerprint) == (None, False, OTHER.fingerprint)
    assert not await sealed.vault.remove(OTHER.fingerprint, label="Key #1", actor_id=7)
    await sealed.vault.enable(OTHER.fingerprint, label="Key #1", actor_id=7)
    assert await raw(sealed) == []


async def test_swapped_keys_are_refused(sealed: Storage, caplog: pytest.LogCaptureFixture):
    """A key cannot be moved into another's row, so that one project pays for the other."""
    await sealed.vault.add(KEY, name="a", project=None, actor_id=7)
    await sealed.vault.add(OTHER, name="b", project=None, actor_id=7)
    rows = await raw(sealed)

    async def swap(connection: Any) -> None:
        for row, other in zip(rows, reversed(rows), strict=True):
            mine = stored_keys.c.id == row["id"]
            await connection.execute(update(stored_keys).where(mine).values(secret=other["secret"]))

    await sealed._backend.write(swap)
    assert [(key.secret, key.enabled, key.damaged) for key in await sealed.vault.load()] == [(None, False, True)] * 2
    assert r"of stored_keys.secret was changed outside" in caplog.text
    for row in rows:
        assert await sealed.vault.remove(row["fingerprint"], label="x", actor_id=7)


async def test_a_key_that_somebody_wrote_unencrypted_is_refused(sealed: Storage, caplog: pytest.LogCaptureFixture):
    """Whoever can write to the database cannot put a key of theirs into service."""
    await sealed.vault.add(KEY, name="a", project=None, actor_id=7)
    planted = update(stored_keys).values(secret=b"\0planted-key")
    await sealed._backend.write(lambda connection: connection.execute(planted))
    assert [(key.secret, key.enabled, key.damaged) for key in await sealed.vault.load()] == [(None, False, True)]
    assert "is not encrypted; remove it and add it again" in caplog.text


async def test_a_removed_key_leaves_no_bytes(tmp_path: Path):
    """Not even the ciphertext is left in a file."""
    async with open_storage(str(tmp_path / "bot.db"), keys=given(FIRST)) as storage:
        await storage.vault.add(KEY, name="a", project=None, actor_id=7)
        [row] = await raw(storage)
        await storage.vault.remove(KEY.fingerprint, label="a", actor_id=7)
        everything = all_bytes(tmp_path)
    assert row["secret"] not in everything
    assert b"marker" not in everything


async def test_old_entries_of_the_audit_are_dropped_by_age(sealed: Storage, wall: WallClock):
    """What is younger stays, newest first."""
    await sealed.audit.add(7, "one")
    wall.now += 100
    await sealed.audit.add(7, "two", "thing")
    assert await sealed.audit.count_of(7) == 2
    assert await sealed.audit.drop_before(wall.now) == 1
    [entry] = await sealed.audit.newest(5)
    assert (entry.action, entry.subject, entry.done_at) == ("two", "thing", wall.now)
    assert await sealed.audit.count_of(8) == 0
