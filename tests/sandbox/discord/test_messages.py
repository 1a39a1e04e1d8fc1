"""Messages, as an unmodified discord.py sends, edits, reads and deletes them."""

from __future__ import annotations

import io
from datetime import timedelta

import aiohttp
import discord
import pytest

from sandbox.discord import Upload
from tests.sandbox.discord.conftest import BotMaker, Raw, Server, ServerMaker, until


async def test_a_message_is_sent_edited_and_deleted(server: Server, start_bot: BotMaker):
    """What the bot does is what people see, and the bot hears of its own messages."""
    bot = await start_bot(server)
    general = server.channel("general")
    message = await bot.text_channel(general).send("one")
    await until(lambda: [m.content for m in bot.heard] == ["one"])
    await message.edit(content="two", suppress=True)
    shown = server.emulator.messages(general)[0]
    assert (shown["content"], shown["flags"], shown["edited_timestamp"] is not None) == ("two", 4, True)
    await message.delete()
    assert server.emulator.messages(general) == []


async def test_people_are_heard_with_name_reply_and_file(server: Server, start_bot: BotMaker):
    """A user's message arrives with member data, what it replies to, and an attachment that can be read."""
    bot = await start_bot(server)
    general = server.channel("general")
    first = server.emulator.say(general, content="first", user="Ada")
    server.emulator.say(
        general,
        content="看看",
        user="小美",
        reply_to=first["id"],
        files=[Upload("圖 one.png", "image/png", b"\x89PNG")],
    )
    await until(lambda: len(bot.heard) == 2)
    heard = bot.heard[1]
    assert heard.author.display_name == "小美"
    assert heard.reference is not None
    assert isinstance(heard.reference.resolved, discord.Message)
    assert heard.reference.resolved.content == "first"
    assert heard.attachments[0].content_type == "image/png"
    assert await heard.attachments[0].read() == b"\x89PNG"


async def test_history_is_read_in_pages(server: Server, start_bot: BotMaker):
    """limit, before, after and around cut the history as Discord does."""
    bot = await start_bot(server)
    general = server.channel("general")
    said = [server.emulator.say(general, content=str(n), user="Mina") for n in range(8)]
    channel = bot.text_channel(general)
    third, sixth = discord.Object(said[2]["id"]), discord.Object(said[5]["id"])
    assert [m.content async for m in channel.history(limit=3)] == ["7", "6", "5"]
    assert [m.content async for m in channel.history(before=third)] == ["1", "0"]
    assert [m.content async for m in channel.history(after=sixth)] == ["6", "7"]
    assert [m.content async for m in channel.history(around=third, limit=3)] == ["3", "2", "1"]
    assert (await channel.fetch_message(int(said[4]["id"]))).content == "4"


async def test_files_are_added_replaced_and_shown_in_embeds(server: Server, start_bot: BotMaker):
    """attachment:// points at the file's address; an edit keeps only the listed files."""
    bot = await start_bot(server)
    general = server.channel("general")
    embed = discord.Embed(title="chart").set_image(url="attachment://chart.png")
    message = await bot.text_channel(general).send(embed=embed, file=discord.File(io.BytesIO(b"png"), "chart.png"))
    shown = server.emulator.messages(general)[0]
    assert shown["embeds"][0]["image"]["url"].startswith(server.base)
    assert shown["attachments"][0]["content_type"] == "image/png"
    edited = await message.edit(attachments=[discord.File(io.BytesIO(b"text"), "answer.md")])
    assert [attachment.filename for attachment in edited.attachments] == ["answer.md"]
    assert await edited.attachments[0].read() == b"text"


async def test_a_repeated_nonce_does_not_double_a_message(server: Server, raw: Raw):
    """enforce_nonce answers the message that is there already."""
    path = f"/channels/{server.channel('general')}/messages"
    body = {"content": "once", "nonce": "n1", "enforce_nonce": True, "allowed_mentions": {"parse": []}}
    first = await raw.call("POST", path, body)
    second = await raw.call("POST", path, body)
    assert first[1]["id"] == second[1]["id"]
    assert server.texts(server.channel("general")) == ["once"]


async def test_reactions_and_pins_come_and_go(server: Server, start_bot: BotMaker):
    """A reaction and a pin are on the message until they are taken off."""
    bot = await start_bot(server)
    general = server.channel("general")
    message = await bot.text_channel(general).send("like me")
    await message.add_reaction("👍")
    assert server.emulator.messages(general)[0]["reactions"][0]["emoji"]["name"] == "👍"
    assert [u.id async for u in (await message.fetch()).reactions[0].users()] == [bot.user and bot.user.id]
    assert bot.user is not None
    await message.remove_reaction("👍", bot.user)
    assert "reactions" not in server.emulator.messages(general)[0]
    server.emulator.give_permission(general, "PIN_MESSAGES")
    await message.pin()
    assert [pinned.id async for pinned in bot.text_channel(general).pins()] == [message.id]
    await message.unpin()
    assert [pinned async for pinned in bot.text_channel(general).pins()] == []


async def test_typing_is_published(server: Server, start_bot: BotMaker):
    """People see that the bot types."""
    bot = await start_bot(server)
    with server.bus.subscribe() as events:
        async with bot.text_channel(server.channel("general")).typing():
            event = await anext(events)
    assert (event.kind, event.data["user_id"]) == ("typing", str(bot.user and bot.user.id))


async def test_direct_messages_go_both_ways(server: Server, start_bot: BotMaker):
    """A direct message is heard and answered; the bot can open one by itself."""
    bot = await start_bot(server)
    direct = server.channel("Mina")
    server.emulator.say(direct, content="psst", user="Mina")
    await until(lambda: bot.heard)
    await bot.heard[0].channel.send("yes?")
    user = await bot.fetch_user(int(server.user("Mina")))
    await user.send("hello")
    assert server.texts(direct) == ["psst", "yes?", "hello"]


async def test_people_edit_and_delete_their_messages(server: Server, start_bot: BotMaker):
    """The bot hears of a user's edit and deletion."""
    bot = await start_bot(server)
    edits: list[str] = []
    gone: list[int] = []

    @bot.event
    async def on_message_edit(_: discord.Message, after: discord.Message) -> None:
        edits.append(after.content)

    @bot.event
    async def on_message_delete(message: discord.Message) -> None:
        gone.append(message.id)

    said = server.emulator.say(server.channel("general"), content="teh", user="Mina")
    server.emulator.edit_message(said["id"], content="the", user="Mina")
    server.emulator.delete_message(said["id"], user="Mina")
    await until(lambda: gone)
    assert (edits, gone) == (["the"], [int(said["id"])])


async def test_a_message_deleted_while_it_is_edited_is_learned_once(server: Server, start_bot: BotMaker):
    """Running into somebody else's deletion is no fault of the bot's; going on would be."""
    bot = await start_bot(server)
    message = await bot.text_channel(server.channel("general")).send("stream")
    server.emulator.delete_message(str(message.id))
    with pytest.raises(discord.NotFound) as caught:
        await message.edit(content="stream on")
    assert caught.value.code == 10008
    assert server.kinds == []
    with pytest.raises(discord.NotFound):
        await message.edit(content="and on")
    server.expected = ["provoked_404"]


async def test_a_poll_is_shown(server: Server, start_bot: BotMaker):
    """A poll comes back with its answers numbered."""
    bot = await start_bot(server)
    poll = discord.Poll(question="Which?", duration=timedelta(hours=1))
    poll.add_answer(text="one")
    poll.add_answer(text="two")
    message = await bot.text_channel(server.channel("general")).send(poll=poll)
    assert message.poll is not None
    assert [(answer.id, answer.text) for answer in message.poll.answers] == [(1, "one"), (2, "two")]


async def test_an_attachments_address_expires(make_server: ServerMaker, start_bot: BotMaker):
    """A signed address works until its time, and not when it was changed; a fetched message has a fresh one."""
    server = await make_server(cdn_s=0)
    said = server.emulator.say(server.channel("media"), content="", user="Mina", files=[("a.txt", "text/plain", b"a")])
    url = said["attachments"][0]["url"]
    async with aiohttp.ClientSession() as session:
        for address in (url, url.replace("hm=", "hm=0")):
            async with session.get(address) as response:
                assert response.status == 404


async def test_buckets_slow_discord_py_down_without_a_429(make_server: ServerMaker, start_bot: BotMaker):
    """The library reads the headers and waits by itself."""
    server = await make_server(bucket_scale=1.0, buckets={"send": (2, 0.2)})
    bot = await start_bot(server)
    channel = bot.text_channel(server.channel("general"))
    for number in range(5):
        await channel.send(str(number))
    assert server.texts(server.channel("general")) == ["0", "1", "2", "3", "4"]
    assert {entry["status"] for entry in server.emulator.diary()} == {200}


async def test_the_bot_hears_that_somebody_types(server: Server, start_bot: BotMaker):
    """TYPING_START carries who and where."""
    bot = await start_bot(server)
    typists: list[str] = []

    @bot.event
    async def on_typing(_: object, user: discord.Member, __: object) -> None:
        typists.append(user.display_name)

    server.emulator.type_in(server.channel("general"), user="Dewi")
    await until(lambda: typists == ["Dewi"])
