"""The health of a database: what a look at it finds, and what it says when the database is gone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from utils.storage import Storage, StorageError, open_storage


async def test_a_healthy_database_writes_reads_and_knows_its_size(storage: Storage):
    """Schema, size and both times are there; a file has free room beside it."""
    found = await storage.health.look()
    assert found.schema.isdigit()
    assert found.size_bytes > 0
    assert found.write_s >= 0
    assert found.read_s >= 0
    assert found.description == storage.description
    assert (found.free_bytes is None) == found.description.startswith("PostgreSQL")


async def test_a_database_that_cannot_be_written_is_an_error(tmp_path: Path):
    """A file that another program holds locked is not healthy."""
    path = tmp_path / "bot.db"
    async with open_storage(f"sqlite:///{path}", busy_timeout_s=0.05) as storage:
        other = sqlite3.connect(path)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StorageError):
                await storage.health.look()
        finally:
            other.rollback()
            other.close()
