"""A Gemini and a Discord on this machine, with a page: the whole bot without a token, a key or a network.

A program enters by ``enter(...)``, which starts the sandbox as a process of its own or joins a running one, and
answers a ``Sandbox`` with the addresses. ``python -m sandbox`` runs it alone. Importing this loads none of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.launch import Sandbox, SandboxError, enter

__all__ = ["Sandbox", "SandboxError", "enter"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sandbox' has no attribute {name!r}")
    from sandbox import launch  # noqa: PLC0415 - programs that only ask for the name must not load aiohttp or discord.py

    return getattr(launch, name)
