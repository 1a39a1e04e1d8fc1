"""What stands below an answer: buttons, or nothing.

Whoever has an answer written says which buttons there are (``Controls``); the places of an answer ask for them.
"""

from __future__ import annotations

from typing import Protocol

import discord


class Controls(Protocol):
    """The buttons under an answer; a view is made anew for each use, None: no buttons."""

    def running(self) -> discord.ui.View | None:
        """What stands under an answer that is being given."""

    async def ended(self) -> discord.ui.View | None:
        """What stands under one that has ended."""


class NoControls:
    """No buttons."""

    def running(self) -> discord.ui.View | None:
        """Give none."""
        return None

    async def ended(self) -> discord.ui.View | None:
        """Give none."""
        return None
