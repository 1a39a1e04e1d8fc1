"""What must be known before a command is acknowledged is looked up in time, or not at all.

``in_time`` surrounds every use of the store that stands before an acknowledgement; whoever can acknowledge first does
that instead. What always holds: all that is looked up for one interaction together ends well within the three seconds
that Discord gives (https://docs.discord.com/developers/interactions/receiving-and-responding), counted from the first
look.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import discord

from utils.storage import StorageBusyError

_PATIENCE_S: Final = 1.8
_DUE_AT: Final = "due_at"


@asynccontextmanager
async def in_time(interaction: discord.Interaction[Any]) -> AsyncIterator[None]:
    """Give up what takes longer than this interaction can wait; raises StorageBusyError then."""
    due_at = interaction.extras.setdefault(_DUE_AT, asyncio.get_running_loop().time() + _PATIENCE_S)
    try:
        async with asyncio.timeout_at(due_at):
            yield
    except TimeoutError:
        raise StorageBusyError("the database did not answer before an interaction had to") from None
