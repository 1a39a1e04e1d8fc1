"""Pointing discord.py elsewhere, and back."""

from __future__ import annotations

import discord.asset
import discord.gateway
import discord.http
import pytest

from sandbox.redirect import AlreadyRedirectedError, redirect_discord, restore_discord

HERE = ("http://127.0.0.1:1/api/v10", "ws://127.0.0.1:1/gateway", "http://127.0.0.1:1")


def test_three_addresses_are_changed_and_put_back():
    """Routes, the first gateway and the file server; nothing stays changed."""
    before = (discord.http.Route.BASE, discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY, discord.asset.Asset.BASE)
    undo = redirect_discord(*HERE)
    assert discord.http.Route("GET", "/users/@me").url == "http://127.0.0.1:1/api/v10/users/@me"
    assert str(discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY) == HERE[1]
    undo()
    assert before == (
        discord.http.Route.BASE,
        discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY,
        discord.asset.Asset.BASE,
    )
    restore_discord()


def test_the_same_addresses_may_be_given_twice_others_not():
    """Two emulators in one process would be mixed up."""
    undo = redirect_discord(*HERE)
    try:
        redirect_discord(*HERE)
        with pytest.raises(AlreadyRedirectedError, match="another emulator"):
            redirect_discord("http://127.0.0.1:2/api/v10", "ws://127.0.0.1:2/gateway", "http://127.0.0.1:2")
    finally:
        undo()
    assert discord.http.Route.BASE.startswith("https://discord.com")
