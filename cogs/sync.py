"""Telling Discord the commands, only when they changed.

``sync_commands`` hashes the payload that discord.py would send and compares it with the hash kept from the
last time; equal hashes cost no request. ``epoch`` is mixed into the hash by whoever knows that the other
side forgot (a new run of the sandbox). What always holds: the hash is kept after Discord accepted, never
before.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Protocol

from discord import app_commands


class Notes(Protocol):
    """Small values by name that survive a restart."""

    async def get(self, name: str) -> str | None:
        """Give the value, or None."""

    async def set(self, name: str, value: str) -> None:
        """Keep the value."""


async def sync_commands(tree: app_commands.CommandTree[Any], notes: Notes, *, epoch: str = "") -> bool:
    """Send the commands if they differ from the ones sent last; gives whether they were sent.

    Raises what ``tree.sync`` raises.
    """
    digest = await _digest(tree, epoch)
    name = f"commands.{tree.client.application_id}"
    if await notes.get(name) == digest:
        return False
    await tree.sync()
    await notes.set(name, digest)
    return True


async def _digest(tree: app_commands.CommandTree[Any], epoch: str) -> str:
    translator = tree.translator
    payload = [
        await command.get_translated_payload(tree, translator) if translator else command.to_dict(tree)
        for command in tree.get_commands()
    ]
    payload.sort(key=lambda command: (str(command.get("type")), str(command["name"])))
    text = json.dumps([epoch, payload], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()
