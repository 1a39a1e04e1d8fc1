"""Points an unmodified discord.py at the emulator; the one module of the sandbox that imports discord.py.

``redirect_discord`` changes the three addresses that discord.py 2.7.1 builds everything from (the REST base, the first
gateway, the file server) before any request is made; everything else it is told by the emulator's own answers. It
returns a function that puts the old addresses back, which tests call. Applied twice with other addresses it raises
``AlreadyRedirectedError``: two emulators in one process would be mixed up silently.
"""

from __future__ import annotations

from collections.abc import Callable

import discord.asset
import discord.gateway
import discord.http
import yarl

_Addresses = tuple[str, yarl.URL, str]


class AlreadyRedirectedError(RuntimeError):
    """discord.py was pointed at another emulator before, and not put back."""


class _Redirect:
    """What is in force in this process; class attributes of discord.py are process-wide as well."""

    original: _Addresses | None = None


def redirect_discord(api_base: str, gateway_url: str, cdn_base: str) -> Callable[[], None]:
    """Point discord.py at ``http://…/api/v10``, ``ws://…/gateway`` and ``http://…``; returns what undoes it."""
    wanted = (api_base.rstrip("/"), yarl.URL(gateway_url), cdn_base.rstrip("/"))
    if _Redirect.original is not None:
        if _current() != wanted:
            raise AlreadyRedirectedError("discord.py already talks to another emulator; undo that redirection first.")
        return restore_discord
    _Redirect.original = _current()
    _apply(wanted)
    return restore_discord


def restore_discord() -> None:
    """Put discord.py's own addresses back; does nothing when they are in force."""
    if _Redirect.original is not None:
        _apply(_Redirect.original)
        _Redirect.original = None


def _current() -> _Addresses:
    return (
        discord.http.Route.BASE,
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY,
        discord.asset.Asset.BASE,
    )


def _apply(addresses: _Addresses) -> None:
    api_base, gateway_url, cdn_base = addresses
    discord.http.Route.BASE = api_base
    discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = gateway_url
    discord.asset.Asset.BASE = cdn_base
