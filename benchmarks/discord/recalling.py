"""How long a thread's context takes to load from a full database: read, decrypted and fitted to the model's tokens.

``recall_times`` does what ``Conversations`` does for every question, by the same ``Memory``: all of it but the model.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any, cast

from utils.conversations.context import ContextLimits
from utils.conversations.errands import Errands
from utils.conversations.memory import Memory
from utils.conversations.ports import Answerer
from utils.conversations.waiting import EverybodysShare
from utils.storage import Storage

MODEL = "gemini-4-hydrogen"


class NoModels:
    """What memory wants to know of a pool, where nothing is asked: it knows no model."""

    def known_models(self) -> Sequence[Any]:
        """Give none."""
        return ()


async def recall_times(storage: Storage, channels: Sequence[int]) -> list[float]:
    """Ask a question in each of these channels' threads, and give the milliseconds its context took to load."""
    kept = storage.conversations
    # recalling asks the pool for its models and for nothing else
    pool = cast("Answerer", NoModels())
    memory = Memory(kept, pool, Errands(pool, EverybodysShare()), ContextLimits())
    sources = itertools.count(time.time_ns())
    taken = []
    for channel_id in channels:
        conversation = await kept.find_conversation(channel_id)
        if conversation is None:
            raise RuntimeError("the thread is not stored")
        turn = await kept.ask(
            conversation.id,
            source_id=next(sources),
            user_id=1,
            user_name="Ann",
            guild_id=1,
            channel_id=channel_id,
            text="And what follows from that?",
            attachments=(),
            locale="en-US",
        )
        if turn is None:
            raise RuntimeError("the question was asked before")
        begun = time.perf_counter()
        recalled = await memory.recall(conversation, turn, MODEL)
        taken.append((time.perf_counter() - begun) * 1000)
        if len(recalled.contents) < 100:
            raise RuntimeError("the context is not whole")
    return taken
