"""The default pool: built on first use from the environment and ``.env``, one per process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import utils.gemini_pool as front
from tests.gemini_pool.conftest import PROJECT_ROOT, Running, run_script
from utils.gemini_pool import GeminiAPIPool, KeyFormatError, NoKeysError


@pytest.fixture(autouse=True)
def no_default_pool(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Start each test without a default pool, in an empty folder, with nothing configured."""
    for name in list(os.environ):
        if name.startswith(("GEMINI_", "GOOGLE_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    front.install_default_pool(None)
    yield
    front.install_default_pool(None)


async def test_keys_come_from_the_file_and_never_enter_the_environment(running: Running, tmp_path: Path):
    """``.env`` in the working folder is enough, and ``os.environ`` stays as it was."""
    (tmp_path / ".env").write_text(
        f"GEMINI_API_KEYS={','.join(running.specs)}\nGOOGLE_GEMINI_BASE_URL={running.address}\n", "utf-8"
    )
    before = dict(os.environ)
    response, success = await front.generate_content(prompt="Hello #q-1", model_name="gemini-4-hydrogen")
    assert success, response
    assert (await front.gemini_pool.generate_content(prompt="Hello #q-2", temperature=0.3, max_retries=1))[1]
    assert dict(os.environ) == before
    assert front.get_api_key_stats()["total_keys"] == 4
    assert front.get_pool_stats()["gemini-4-hydrogen"]["total_usage"] == 2
    assert front.gemini_pool.get_api_key_stats() == front.get_api_key_stats()
    await front.gemini_pool.aclose()


async def test_the_environment_wins_over_the_file(running: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What stands in both is taken from the environment."""
    (tmp_path / ".env").write_text("GEMINI_API_KEYS=from-file\n", "utf-8")
    monkeypatch.setenv("GEMINI_API_KEYS", ",".join(running.specs[:2]))
    figures = await asyncio.to_thread(front.get_api_key_stats)
    assert [entry["name"] for entry in figures["key_usage"].values()] == ["k1", "k2"]


async def test_a_key_added_to_the_file_is_taken_in_by_a_reset(running: Running, tmp_path: Path):
    """The file is read again by ``reset_api_pool``; no restart is needed."""
    file = tmp_path / ".env"
    file.write_text(f"GEMINI_API_KEYS={running.specs[0]}\nGOOGLE_GEMINI_BASE_URL={running.address}\n", "utf-8")
    assert (await asyncio.to_thread(front.get_api_key_stats))["total_keys"] == 1
    with file.open("a", encoding="utf-8") as more:
        more.write(f"GEMINI_API_KEY_7={running.specs[1].rpartition(':')[2]}\nGEMINI_API_KEY_7_PROJECT=p9\n")
    assert front.get_api_key_stats()["total_keys"] == 1
    await asyncio.to_thread(front.reset_api_pool)
    assert [entry["project"] for entry in front.get_api_key_stats()["key_usage"].values()] == ["p1", "p9"]


async def test_nothing_configured_is_an_answer(running: Running):
    """Without keys the functions work and say what is missing."""
    error, success = await front.generate_content(prompt="Hello")
    assert not success
    assert isinstance(error, NoKeysError)
    assert await front.create_chat() == (None, -1)
    assert front.get_pool_stats() == {}
    assert front.get_api_key_stats()["total_keys"] == 0
    await asyncio.to_thread(front.reset_api_pool)
    front.reset_api_stats()
    with pytest.raises(NoKeysError):
        await anext(front.stream_content(prompt="Hello"))


async def test_a_malformed_key_never_makes_a_question_raise(tmp_path: Path):
    """Asking hands the sentence out; the plain functions raise it."""
    (tmp_path / ".env").write_text("GEMINI_API_KEY_2=not a key\n", "utf-8")
    error, success = await front.generate_content(prompt="Hello")
    assert not success
    assert isinstance(error, KeyFormatError)
    assert error.text is None
    assert "GEMINI_API_KEY_2" in str(error)
    with pytest.raises(KeyFormatError):
        await asyncio.to_thread(front.get_api_key_stats)


async def test_a_reset_with_a_malformed_key_changes_nothing(running: Running, tmp_path: Path):
    """The keys that were good go on serving."""
    file = tmp_path / ".env"
    file.write_text(f"GEMINI_API_KEYS={running.specs[0]}\nGOOGLE_GEMINI_BASE_URL={running.address}\n", "utf-8")
    assert (await front.generate_content(prompt="Hello"))[1]
    file.write_text("GEMINI_API_KEYS=not a key\n", "utf-8")
    with pytest.raises(KeyFormatError):
        await asyncio.to_thread(front.reset_api_pool)
    assert (await front.generate_content(prompt="Hello"))[1]
    await front.gemini_pool.aclose()


async def test_an_installed_pool_is_the_default(running: Running):
    """A program that composes its own pool makes it the one all functions use."""
    pool = running.pool()
    front.install_default_pool(pool)
    assert (await front.generate_content(prompt="Hello"))[1]
    pieces = [piece async for piece in front.stream_content(prompt="Hello")]
    assert pieces
    chat, index = await front.create_chat()
    assert chat is not None
    assert index >= 0
    assert front.get_api_key_stats()["total_requests"] == len(running.asked()) == 2
    front.reset_api_stats()
    assert pool.get_api_key_stats()["total_requests"] == 0
    assert isinstance(pool, GeminiAPIPool)


async def test_the_example_runs_against_a_service(running: Running, tmp_path: Path):
    """``examples/gemini_pool_example.py`` shows every idea and ends without a word of complaint."""
    example = str(PROJECT_ROOT / "examples" / "gemini_pool_example.py")
    ended = await run_script(["-W", "error", "-X", "dev", example], running.environment(), tmp_path)
    assert ended.err == ""
    assert ended.code == 0
    assert len(running.asked()) == 8
    for label in ("Key #1", "Key #4"):
        assert label in ended.out


async def test_the_example_says_what_is_missing(running: Running, tmp_path: Path):
    """Without a key it prints the pool's one sentence and ends with code 1."""
    environment = running.environment()
    del environment["GEMINI_API_KEYS"]
    example = str(PROJECT_ROOT / "examples" / "gemini_pool_example.py")
    ended = await run_script([example], environment, tmp_path)
    assert ended.code == 1
    assert "GEMINI_API_KEYS" in ended.err
    assert "Traceback" not in ended.err
    assert running.asked() == []
