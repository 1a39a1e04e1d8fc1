"""A process that writes until it is killed: ``python -m tests.storage.child_writer PATH``.

Ten writers ask and answer; each prints a line when the storage said that its turn is stored, so that whoever kills the
process knows what must be there.
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from utils.storage import Storage, open_storage


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def write_for_ever(storage: Storage, conversation_id: int, sources: itertools.count[int]) -> None:
    kept = storage.conversations
    for source_id in sources:
        turn = await kept.ask(
            conversation_id,
            source_id=source_id,
            user_id=7,
            user_name="Ann",
            guild_id=5,
            channel_id=11,
            text=f"{source_id}?",
            attachments=[("a", "a/b", b"x" * 3_000)],
            locale="en-US",
        )
        say(f"asked {source_id}")
        assert turn is not None
        await kept.finish(turn.id, text=f"{source_id}!", model="m", input_tokens=1, output_tokens=1, seconds=0.1)
        say(f"answered {source_id}")


async def main(path: str) -> None:
    async with open_storage(path) as storage:
        opened = await storage.conversations.open_conversation(
            kind="thread", guild_id=5, channel_id=11, owner_id=7, model=None
        )
        say("ready")
        await asyncio.gather(
            *[write_for_ever(storage, opened.id, itertools.count(1_000_000 * number)) for number in range(1, 11)]
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
