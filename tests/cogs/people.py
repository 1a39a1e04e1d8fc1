"""What tests do to commands with forms, and with what only the asker sees."""

from __future__ import annotations

from typing import Any

from tests.cogs.conftest import House, until

EPHEMERAL = 1 << 6


async def response(house: House, interaction: str) -> dict[str, Any]:
    """Give the first answer to an interaction, once there is something to read."""

    async def shown() -> dict[str, Any]:
        return dict(await house.discord.interaction(interaction, wait_s=5))

    found = await shown()
    await until(lambda: not house.bot.running.count)
    found = await shown()
    [first, *_more] = found["responses"]
    return dict(first)


async def command(
    house: House, name: str, *, user: str = "Mina", channel_id: str | None = None, **more: Any
) -> dict[str, Any]:
    """Use a command, anywhere; gives its first answer. People read English here unless a ``locale`` is given."""
    more.setdefault("locale", "en-US")
    where = channel_id or house.channel("general")
    return await response(house, house.discord.invoke(where, name=name, user=user, **more))


async def form(
    house: House, name: str, values: dict[str, Any], *, user: str = "Mina", files: tuple[Any, ...] = (), **more: Any
) -> dict[str, Any]:
    """Use a command that opens a form, and send the form; gives the answer to that."""
    more.setdefault("locale", "en-US")
    opened = house.discord.invoke(house.channel("general"), name=name, user=user, **more)
    await response(house, opened)
    return await response(house, house.discord.submit(interaction_id=opened, values=values, user=user, files=files))


async def choices(
    house: House,
    name: str,
    focused: str,
    typed: str = "",
    *,
    user: str = "Mina",
    channel: str = "general",
    locale: str = "en-US",
) -> list[dict[str, Any]]:
    """Give what is offered while an option is typed."""
    return await house.discord.autocomplete(
        house.channel(channel), name=name, options={focused: typed}, focused=focused, user=user, locale=locale
    )
