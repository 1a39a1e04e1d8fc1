"""Chats: a history of their own, from coroutines and from worker threads, longer-lived than a key."""

from __future__ import annotations

import asyncio

import pytest

from tests.gemini_pool.conftest import Running
from utils.gemini_pool import Chat, GeminiAPIPool, InvalidRequestError, UnavailableError, UsageError
from utils.gemini_pool.chat import Content


async def open_chat(pool: GeminiAPIPool, history: list[Content] | None = None) -> Chat:
    """Make a chat that there must be."""
    chat, index = await pool.create_chat(history=history or [])
    assert chat is not None
    assert index >= 0
    return chat


def turns_of(running: Running) -> list[str]:
    """Give the texts of the newest request, oldest turn first."""
    return [turn["text"] for turn in running.asked()[-1]["turns"]]


async def test_a_chat_starts_on_an_instance_of_the_pool(running: Running):
    """``create_chat`` gives the chat and the index of an instance, and sends nothing."""
    pool = running.pool()
    chat, index = await pool.create_chat(model_name="gemini-3.8-flash")
    assert chat is not None
    assert chat.model_name == "gemini-3.8-flash"
    assert 0 <= index < pool.get_model_stats()["gemini-3.8-flash"]["pool_size"]
    assert running.asked() == []


async def test_no_chat_only_without_any_key_that_lives(running: Running):
    """``(None, -1)`` with no keys and with all dead; never because keys are cooling."""
    assert await GeminiAPIPool().create_chat() == (None, -1)
    pool = running.pool(2)
    running.break_all("429")
    await pool.generate_content(prompt="Hello")
    chat, index = await pool.create_chat()
    assert chat is not None
    assert index >= 0
    pool.reset_api_pool()
    running.break_all("leaked")
    await pool.generate_content(prompt="Hello")
    assert await pool.create_chat() == (None, -1)
    pool.reset_api_pool()
    assert (await pool.create_chat())[1] >= 0


async def test_send_message_works_from_a_worker_thread(running: Running):
    """The plain blocking call, as bots use it with ``run_in_executor``, keeps the history."""
    chat = await open_chat(running.pool())
    loop = asyncio.get_running_loop()
    first = await loop.run_in_executor(None, chat.send_message, "One #q-1")
    second = await loop.run_in_executor(None, chat.send_message, "Two #q-2")
    assert "#q-1" in (first.text or "")
    assert "Turns seen: 3" in (second.text or "")
    assert turns_of(running) == ["One #q-1", first.text, "Two #q-2"]
    assert [content["role"] for content in chat.get_history()] == ["user", "model", "user", "model"]


async def test_send_message_on_the_loops_own_thread_names_the_awaitable_form(running: Running):
    """Blocking the loop is refused with a sentence, and nothing is sent."""
    chat = await open_chat(running.pool())
    with pytest.raises(UsageError, match="send_message_async"):
        chat.send_message("Hello")
    assert running.asked() == []


async def test_awaitable_streaming_and_blocking_forms_share_one_history(running: Running):
    """Each form sees what the others said."""
    chat = await open_chat(running.pool())
    await chat.send_message_async("One")
    pieces = [piece async for piece in chat.send_message_stream("Two with 100 words")]
    assert len(pieces) > 1
    third = await asyncio.to_thread(chat.send_message, "Three")
    assert "Turns seen: 5" in (third.text or "")
    assert turns_of(running)[3] == "".join(piece.text or "" for piece in pieces)


async def test_a_chat_outlives_the_key_it_started_on(running: Running):
    """When the key dies between two messages the conversation goes on elsewhere, whole."""
    chat = await open_chat(running.pool())
    await chat.send_message_async("Remember #q-7")
    running.break_key(running.asked()[-1]["key"], kind="suspended")
    for number in range(4):
        await chat.send_message_async(f"And #q-{number}")
    assert turns_of(running)[0] == "Remember #q-7"
    assert len(turns_of(running)) == 9
    assert running.asked()[-1]["outcome"] == "ok"


async def test_a_failed_message_leaves_the_history_as_it_was(running: Running):
    """After an error, in any form, the next message is asked as if the failed one had not been."""
    chat = await open_chat(running.pool())
    await chat.send_message_async("One")
    before = chat.get_history()
    running.break_all("400")
    with pytest.raises(InvalidRequestError):
        await chat.send_message_async("bad")
    with pytest.raises(InvalidRequestError):
        await asyncio.to_thread(chat.send_message, "bad")
    running.break_all("truncate")
    with pytest.raises(UnavailableError):
        [piece async for piece in chat.send_message_stream("900 words")]
    assert chat.get_history() == before
    running.heal()
    assert "Turns seen: 3" in ((await chat.send_message_async("Two")).text or "")


async def test_messages_of_one_chat_are_answered_one_after_another(running: Running):
    """Messages sent at once never interleave: each sees all before it."""
    chat = await open_chat(running.pool())
    answers = await asyncio.gather(*(chat.send_message_async(f"#q-{number}") for number in range(5)))
    assert [f"Turns seen: {2 * number + 1}" in (answer.text or "") for number, answer in enumerate(answers)] == [
        True
    ] * 5


async def test_a_cancelled_message_frees_the_chat(running: Running):
    """Giving up on a message leaves neither a trace nor a lock behind."""
    chat = await open_chat(running.pool())
    running.break_all("hang")
    waiting = asyncio.create_task(chat.send_message_async("Hello"))
    while not running.asked():  # noqa: ASYNC110  # the emulator's diary has no event to wait on
        await asyncio.sleep(0.002)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    running.heal()
    assert chat.get_history() == []
    assert "Turns seen: 1" in ((await chat.send_message_async("Hello")).text or "")


async def test_a_chat_goes_on_from_a_given_history(running: Running):
    """A stored history is sent before the first message; options go with every message."""
    history: list[Content] = [
        {"role": "user", "parts": [{"text": "earlier"}]},
        {"role": "model", "parts": [{"text": "answered"}]},
    ]
    pool = running.pool()
    chat, _ = await pool.create_chat(history=history, system_instruction="Be brief.", temperature=0.2)
    assert chat is not None
    await chat.send_message_async("now")
    assert turns_of(running) == ["earlier", "answered", "now"]
    assert "Be brief." in running.asked()[-1]["body"]
    assert len(history) == 2


async def test_options_that_cannot_be_are_told_with_the_first_message(running: Running):
    """A wrong option is an error of the pool's tree, not a foreign one."""
    chat, _ = await running.pool().create_chat(temperature="warm")
    assert chat is not None
    with pytest.raises(InvalidRequestError, match="temperature"):
        await chat.send_message_async("Hello")


async def test_thoughts_are_not_said_back(running: Running):
    """What the model thought is shown to the reader but is no part of what is sent next."""
    chat, _ = await running.pool().create_chat(thinking_config={"include_thoughts": True})
    assert chat is not None
    answer = await chat.send_message_async("think about it")
    assert answer.candidates is not None
    parts = answer.candidates[0].content.parts if answer.candidates[0].content else None
    assert any(part.thought for part in parts or ())
    assert not any(part.get("thought") for content in chat.get_history() for part in content["parts"])
