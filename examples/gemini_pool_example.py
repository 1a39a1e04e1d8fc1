"""Ask Gemini through the pool: a question, a stream, a chat, many questions at once, and the figures.

Needs at least one key in GEMINI_API_KEYS or GEMINI_API_KEY_1, in the environment or in a file .env in the working
folder. Run it from the project's folder: python -m examples.gemini_pool_example
"""

from __future__ import annotations

import asyncio
import sys

from utils.gemini_pool import (
    PoolError,
    create_chat,
    generate_content,
    get_api_key_stats,
    get_pool_stats,
    stream_content,
)


async def one_question() -> None:
    """Ask once; a failure is handed out in place of the answer, never raised."""
    response, success = await generate_content(prompt="Why is the sky blue? One sentence.", temperature=0.7)
    print("answer:" if success else "no answer:", response.text if success else response)


async def a_stream() -> None:
    """Print the pieces of an answer as they come; here a failure is raised."""
    async for piece in stream_content(prompt="Tell me about the sea in 100 words."):
        print(piece.text or "", end="", flush=True)
    print()


async def a_chat() -> None:
    """Hold a conversation from worker threads; the chat keeps the history and outlives the key it started on."""
    chat, _ = await create_chat()
    if chat is None:
        print("no key can serve a chat")
        return
    loop = asyncio.get_running_loop()
    for text in ("My name is Ada.", "What is my name?"):
        answer = await loop.run_in_executor(None, chat.send_message, text)
        print("chat:", answer.text)


async def many_at_once() -> None:
    """Ask several questions at once; they are spread over the keys."""
    questions = [f"Name {number} things that are round." for number in range(1, 5)]
    answers = await asyncio.gather(*(generate_content(prompt=question) for question in questions))
    print(sum(success for _, success in answers), "of", len(questions), "answered")


def figures() -> None:
    """Show what every key did."""
    for model, pool in get_pool_stats().items():
        print(f"{model}: {pool['total_usage']} requests, {pool['active_instances']} of {pool['pool_size']} active")
    for label, key in get_api_key_stats()["key_usage"].items():
        print(f"{label}: {key['usage']} requests, {key['errors']} errors, {key['avg_time']:.2f} s, {key['state']}")


async def main() -> None:
    """Show one idea after another."""
    await one_question()
    await a_stream()
    await a_chat()
    await many_at_once()
    figures()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except PoolError as error:
        sys.exit(str(error))
