"""Every setting a script may call the pool in: each ends by itself, with exit code 0 and without a word of complaint.

The scripts run in processes of their own under ``-W error -X dev``, where an unclosed connection, a task that was never
awaited and every other warning show on the error stream.
"""

from __future__ import annotations

import asyncio
import gc
import textwrap
import threading
from pathlib import Path

import pytest

from tests.gemini_pool.conftest import Running, run_script

# the lines every script opens with
_HEAD = """
import asyncio, threading
from utils.gemini_pool import *
"""

SCRIPTS = {
    "inside a running loop": """
        async def main():
            response, success = await gemini_pool.generate_content(prompt="Hello #q-1")
            assert success, response
            print(response.text)
            print("".join([piece.text or "" async for piece in stream_content(prompt="Hello #q-2")]))
            assert get_api_key_stats()["total_requests"] == 2
        asyncio.run(main())
    """,
    "asyncio.run twice": """
        async def main(n):
            response, success = await generate_content(prompt=f"Hello #q-{n}")
            assert success, response
            print(response.text)
        asyncio.run(main(1))
        asyncio.run(main(2))
        assert get_pool_stats()["gemini-4-hydrogen"]["total_usage"] == 2
    """,
    "a second thread with a loop of its own": """
        async def ask(n):
            for _ in range(5):
                response, success = await generate_content(prompt=f"Hello #q-{n}")
                assert success, response
            print(response.text)
        thread = threading.Thread(target=lambda: asyncio.run(ask(1)))
        thread.start()
        asyncio.run(ask(2))
        thread.join()
        assert get_api_key_stats()["total_requests"] == 10
    """,
    "without any loop": """
        assert get_api_key_stats()["total_keys"] == 4
        assert get_pool_stats() == {}
        reset_api_stats()
        reset_api_pool()
        reset_api_pool(model_name="gemini-4-hydrogen")
        print("#q-1 #q-2")
    """,
    "a blocking chat after its loop ended": """
        chat, index = asyncio.run(create_chat())
        assert index >= 0
        print(chat.send_message("Hello #q-1").text)
        print(chat.send_message("Hello #q-2").text)
        assert "Turns seen: 5" in chat.send_message("Hello").text
    """,
    "a chat in an executor": """
        async def main():
            chat, _ = await create_chat()
            loop = asyncio.get_running_loop()
            print((await loop.run_in_executor(None, chat.send_message, "Hello #q-1")).text)
            print((await chat.send_message_async("Hello #q-2")).text)
        asyncio.run(main())
    """,
    "a chat carried from loop to loop": """
        async def make():
            chat, _ = await create_chat()
            print((await chat.send_message_async("Hello #q-1")).text)
            return chat
        async def go_on(chat):
            print((await chat.send_message_async("Hello #q-2")).text)
            assert len(chat.get_history()) == 4
        asyncio.run(go_on(asyncio.run(make())))
    """,
    "a stream left in the middle": """
        async def main():
            async for piece in stream_content(prompt="900 words #q-1 #q-2"):
                print(piece.text, "#q-2")
                break
        asyncio.run(main())
    """,
    "a question cut off by its timeout": """
        async def main():
            try:
                async with asyncio.timeout(0.01):
                    await generate_content(prompt="Hello")
            except TimeoutError:
                pass
            print("#q-1 #q-2")
        asyncio.run(main())
    """,
    "an own pool, closed": """
        import os
        async def main():
            async with GeminiAPIPool(
                api_keys=os.environ["GEMINI_API_KEYS"].split(","), base_url=os.environ["GOOGLE_GEMINI_BASE_URL"]
            ) as pool:
                chat, _ = await pool.create_chat()
                for number in (1, 2):
                    print((await asyncio.to_thread(chat.send_message, f"Hello #q-{number}")).text)
        asyncio.run(main())
    """,
    "an own pool, forgotten": """
        import os
        async def main():
            pool = GeminiAPIPool(
                api_keys=os.environ["GEMINI_API_KEYS"].split(","), base_url=os.environ["GOOGLE_GEMINI_BASE_URL"]
            )
            await pool.start()
            for number in (1, 2):
                response, success = await pool.generate_content(prompt=f"Hello #q-{number}")
                print(response.text)
        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
async def test_scripts_end_by_themselves_without_a_word(running: Running, tmp_path: Path, script: str):
    """Exit code 0, the answers printed, nothing on the error stream, no connection left open."""
    text = _HEAD + textwrap.dedent(script)
    ended = await run_script(["-W", "error", "-X", "dev", "-c", text], running.environment(), tmp_path)
    assert ended.err == ""
    assert ended.code == 0
    assert "#q-1" in ended.out
    assert "#q-2" in ended.out


async def test_one_pool_serves_many_threads_at_once(running: Running):
    """Threads with loops of their own share one pool; the figures miss nothing."""
    pool = running.pool()
    wrong: list[object] = []

    async def ask(thread: int) -> None:
        for number in range(10):
            response, success = await pool.generate_content(prompt=f"Hello #q-{thread}-{number}", deadline_s=20.0)
            if not success or f"#q-{thread}-{number}" not in (response.text or ""):
                wrong.append(response)
        await pool._provider.aclose()

    threads = [threading.Thread(target=lambda n=n: asyncio.run(ask(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    await asyncio.gather(*(asyncio.to_thread(thread.join) for thread in threads))
    assert wrong == []
    assert pool.get_api_key_stats()["total_requests"] == len(running.asked())
    assert not any(entry["in_flight"] for entry in pool.get_api_key_stats()["key_usage"].values())


async def test_a_wall_that_falls_wakes_waiters_of_other_loops(running: Running):
    """A question that waits in one loop looks again when something changes through another."""
    running.break_all("429", factor=20)
    pool = running.pool()
    results: list[bool] = []

    async def ask() -> None:
        results.append((await pool.generate_content(prompt="Hello", deadline_s=60.0))[1])

    thread = threading.Thread(target=lambda: asyncio.run(ask()))
    thread.start()
    while len(running.asked()) < 4:  # noqa: ASYNC110  # the emulator's diary has no event to wait on
        await asyncio.sleep(0.002)
    running.heal()
    pool.reset_api_pool()
    async with asyncio.timeout(10):
        await asyncio.to_thread(thread.join)
    assert results == [True]


async def test_loops_that_ended_are_forgotten(running: Running):
    """A pool that lives through many loops keeps nothing of those that are closed."""
    pool = running.pool()

    def live() -> None:
        asyncio.run(asyncio.wait_for(pool.generate_content(prompt="Hello"), 10))

    for _ in range(5):
        await asyncio.to_thread(live)
    gc.collect()
    assert pool._provider._clients._loops == {}
