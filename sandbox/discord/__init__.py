"""A Discord on this machine: REST, gateway and file server, for an unmodified discord.py.

Outsiders use ``DiscordEmulator``, its ``DiscordLimits``, ``ActionError`` (a person's mistake, one sentence) and
``SchemaCheck`` (Discord's published description as a judge). The parts are composed in ``emulator``.
"""

from __future__ import annotations

from sandbox.discord.emulator import DiscordEmulator
from sandbox.discord.errors import ActionError, ApiError, DiscordSandboxError
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.schema import SchemaCheck
from sandbox.discord.violations import KINDS
from sandbox.discord.world import Upload

__all__ = [
    "KINDS",
    "ActionError",
    "ApiError",
    "DiscordEmulator",
    "DiscordLimits",
    "DiscordSandboxError",
    "SchemaCheck",
    "Upload",
]
