"""`/my-data`: shown, handed out and deleted, for the asker alone; servers that remove the bot are forgotten."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cogs.conftest import House, until

EPHEMERAL = 1 << 6
MARKER = "MARKER-of-what-was-said"


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("bot.db*"))


async def ask(house: House, text: str = MARKER, *, user: str = "Mina", channel: str = "general", **more: Any) -> None:
    await house.answer("ask", user=user, channel=channel, options={"prompt": text}, **more)


def children(components: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [button for row in components for button in row["components"]]


async def press(house: House, interaction_id: str, label: str, *, user: str = "Mina") -> str:
    """Press the button of that label under an interaction's answer; gives what the answer finally says."""
    found = house.discord._parts.interactions.find(interaction_id)
    assert found is not None
    message = found.original
    assert message is not None
    [button] = [one for one in children(message.components) if one["label"] == label]
    house.discord.press(custom_id=button["custom_id"], user=user, interaction_id=interaction_id)
    before = message.content
    await until(lambda: message.content not in (before, "Deleting…"))
    return message.content


async def rows(house: House, user: str = "Mina") -> int:
    held = await house.storage.privacy.holdings(house.user_id(user))
    return sum(held.rows.values())


async def test_what_is_stored_is_shown_to_its_owner_alone(house):
    """Counts, how long, how it is kept; nothing where nothing is stored."""
    answer = await house.answer("my-data show", user="Mina")
    assert "Nothing is stored about you." in str(answer["embeds"])
    await ask(house)
    answer = await house.answer("my-data show", user="Mina")
    assert answer["flags"] & EPHEMERAL
    [embed] = answer["embeds"]
    assert "1 question\n2 messages: what you wrote and were answered" in embed["description"]
    assert "deleted after 30 days" in embed["fields"][0]["value"]
    assert "encrypted on the disk" in embed["fields"][0]["value"]
    assert MARKER not in str(answer)
    assert "Nothing is stored about you." in str((await house.answer("my-data show", user="Ada"))["embeds"])


async def test_it_is_shown_in_the_readers_language(house):
    """All of it."""
    await ask(house)
    answer = await house.answer("my-data show", user="Иван", locale="ru")
    assert answer["embeds"][0]["description"] == "О вас ничего не хранится."
    answer = await house.answer("my-data show", user="Mina", locale="ko")
    assert "질문 1개" in answer["embeds"][0]["description"]


async def test_the_export_is_a_file_with_every_word(house):
    """JSON with what was said, in words, and nothing of anybody else's."""
    await ask(house, user="Ada", text="hers")
    await ask(house)
    answer = await house.answer("my-data export", user="Mina")
    assert answer["flags"] & EPHEMERAL
    [file] = answer["attachments"]
    assert file["filename"] == "my-data.json"
    content = house.discord._parts.hub.world.files[file["id"]].content
    document = json.loads(content)
    assert document["user_id"] == str(house.user_id("Mina"))
    assert document["data"]["messages"][0]["content"] == MARKER
    assert b"hers" not in content
    assert (await house.answer("my-data export", user="지우", locale="en-US"))["content"] == (
        "Nothing is stored about you."
    )


async def test_nothing_is_deleted_before_the_button(house):
    """The question says how much it is about; keeping keeps."""
    await ask(house)
    opened = await house.invoke("my-data delete", user="Mina")
    answer = (await house.discord.interaction(opened))["responses"][0]
    assert answer["flags"] & EPHEMERAL
    count = await rows(house)
    assert f"Delete all {count} entries about you for good?" in answer["content"]
    assert await press(house, opened, "Keep it") == "Nothing was deleted."
    assert await rows(house) == count


async def test_what_is_deleted_is_gone_from_the_files_also_after_a_restart(house, tmp_path):
    """No row, no word, no ciphertext; other people's data stays."""
    await ask(house, user="Ada", text="hers")
    await ask(house)
    found = await house.storage.privacy.export(house.user_id("Mina"), max_file_bytes=0)
    conversation = int(found["conversations"][0]["id"])
    sealed = await _stored_words(house, conversation)
    assert sealed
    opened = await house.invoke("my-data delete", user="Mina")
    assert "were deleted for good" in await press(house, opened, "Delete everything")
    assert await rows(house) == 0
    assert await rows(house, "Ada") > 0
    for _ in range(2):
        stored = await asyncio.to_thread(files, tmp_path)
        assert MARKER.encode() not in stored
        assert not [value for value in sealed if value in stored]
        await house.stop()
        await house.start()
    assert await rows(house) == 0


async def _stored_words(house: House, conversation_id: int) -> list[bytes]:
    async def job(connection: Any) -> list[bytes]:
        statement = "SELECT content FROM messages WHERE conversation_id = ?"
        return [row[0] for row in (await connection.exec_driver_sql(statement, (conversation_id,))).all()]

    return await house.storage._backend.read(job)


async def test_the_buttons_work_after_a_restart(house):
    """A question that was asked before is answered by the bot that runs now."""
    await ask(house)
    opened = await house.invoke("my-data delete", user="Mina")
    await house.stop()
    await house.start()
    assert "were deleted for good" in await press(house, opened, "Delete everything")
    assert await rows(house) == 0


async def test_a_direct_chat_goes_on_after_a_deletion(house):
    """What the process remembered of the conversation is dropped, so the next question begins a new one."""
    channel = house.channel("Mina")
    await house.reply(channel, MARKER)
    opened = await house.invoke("my-data delete", user="Mina", channel="Mina")
    await press(house, opened, "Delete everything")
    await house.reply(channel, "and now?")
    assert MARKER not in house.generated()[-1]["body"]
    assert await rows(house) > 0


async def test_a_server_that_removes_the_bot_is_forgotten(house):
    """Direct messages stay."""
    await ask(house)
    await house.reply(house.channel("Mina"), "in private")
    kept = await rows(house)
    house.discord.set_membership("out")
    await until(lambda: not house.bot.guilds)
    await _settled(house, lambda count: count < kept)
    exported = await house.storage.privacy.export(house.user_id("Mina"), max_file_bytes=0)
    assert MARKER not in str(exported)
    assert "in private" in str(exported)


async def _settled(house: House, reached: Any) -> None:
    async with asyncio.timeout(10):
        while not reached(await rows(house)):  # noqa: ASYNC110  # a database has no event to offer
            await asyncio.sleep(0.01)


async def test_an_outage_is_no_removal(house):
    """A server that Discord cannot reach for a while keeps everything."""
    await ask(house)
    before = await rows(house)
    house.discord.set_membership("outage")
    await until(lambda: all(guild.unavailable for guild in house.bot.guilds))
    await house.stop()
    await house.start()
    assert await rows(house) == before
    house.discord.set_membership("in")
    await until(lambda: any(not guild.unavailable for guild in house.bot.guilds))
    assert await rows(house) == before


async def test_a_removal_while_the_bot_was_away_is_noticed(house):
    """At the next start the server is missing from Discord's list."""
    await ask(house)
    await until(house.bot.is_ready)
    await _noted(house)
    await house.stop()
    house.discord.set_membership("out")
    await house.start(in_server=False)
    await _settled(house, lambda count: count == 0)


async def _noted(house: House) -> None:
    name = f"guilds.{house.bot.application_id}"
    async with asyncio.timeout(10):
        while await house.storage.meta.get(name) is None:  # noqa: ASYNC110  # as above
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("name", ["my-data show", "my-data export", "my-data delete"])
async def test_everybody_may_ask_for_their_own_data(house, name):
    """Nobody needs a right for it, and nobody else sees the answer."""
    answer = await house.answer(name, user="Dewi")
    assert answer["flags"] & EPHEMERAL
