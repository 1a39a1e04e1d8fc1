"""What tests of conversations do again and again: open a chat, press a button, wait for what it leads to."""

from __future__ import annotations

from typing import Any

from tests.cogs.conftest import House, until

EPHEMERAL = 1 << 6


async def open_thread(house: House, *, user: str = "Mina", **options: Any) -> str:
    """Open a chat with /chat; gives the thread's id."""
    await house.invoke("chat", options=options, user=user)
    [thread] = await until(lambda: house.discord.state()["threads"])
    return str(thread["id"])


def turns(house: House) -> list[tuple[str, str]]:
    """Give what the model was shown in the last request: who said what."""
    return [(turn["role"], turn["text"]) for turn in house.generated()[-1]["turns"]]


async def settled(house: House) -> None:
    """Wait until the bot has dealt with every event that was sent to it so far."""
    house.discord.say(house.channel("Ada"), content="are you done? #q-marker", user="Ada")
    await until(lambda: any("#q-marker" in m["content"] for m in house.said(house.channel("Ada"))))
    await until(lambda: not house.bot.running.count)


def message(house: House, channel_id: str, message_id: str) -> dict[str, Any]:
    """Give a message as it stands now."""
    return next(one for one in house.discord.messages(channel_id) if one["id"] == message_id)


def buttons(shown: dict[str, Any]) -> dict[str, str]:
    """Give the buttons under a message: the id by its action."""
    found = [part["custom_id"] for row in shown["components"] for part in row["components"]]
    return {custom_id.split(":")[1]: custom_id for custom_id in found}


def labels(shown: dict[str, Any]) -> list[str]:
    """Give what is written on the buttons under a message."""
    return [part["label"] for row in shown["components"] for part in row["components"]]


async def press(house: House, shown: dict[str, Any], action: str, *, user: str = "Mina") -> str:
    """Press a button; gives the interaction's id."""
    return house.discord.press(custom_id=buttons(shown)[action], user=user, message_id=shown["id"])


async def pressed(house: House, shown: dict[str, Any], action: str, *, user: str = "Mina") -> list[dict[str, Any]]:
    """Press a button and wait until the bot is done; gives what it answered to the presser."""
    interaction = await press(house, shown, action, user=user)

    def found() -> Any:
        return house.discord._parts.interactions.find(interaction)

    await until(lambda: found().acknowledged_ms is not None and not house.bot.running.count)
    return list((await house.discord.interaction(interaction))["responses"])


async def begun(house: House, channel_id: str, *, after: int = 0) -> dict[str, Any]:
    """Give the answer that is being written in a channel: the bot's newest message, once it has a Stop button."""
    found = await until(lambda: [m for m in house.said(channel_id)[after:] if "stop" in buttons(m)])
    return found[0]
