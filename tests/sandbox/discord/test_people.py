"""What people may do, and the one sentence they get for what Discord's client would not allow."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sandbox.discord import ActionError, Upload
from tests.sandbox.discord.conftest import Json, Raw, Server, ServerMaker

ASK: Json = {
    "name": "ask",
    "description": "ask",
    "options": [
        {"name": "prompt", "description": "p", "type": 3, "required": True, "max_length": 5},
        {"name": "count", "description": "c", "type": 4, "min_value": 1, "max_value": 3},
        {"name": "style", "description": "s", "type": 3, "choices": [{"name": "Poem", "value": "poem"}]},
        {"name": "loud", "description": "l", "type": 5},
        {"name": "file", "description": "f", "type": 11},
        {"name": "who", "description": "w", "type": 6},
        {"name": "model", "description": "m", "type": 3, "autocomplete": True},
    ],
}
COMMANDS: tuple[Json, ...] = (
    ASK,
    {
        "name": "stats",
        "description": "s",
        "options": [{"name": "keys", "description": "k", "type": 1, "options": []}],
    },
    {"name": "admin", "description": "a", "default_member_permissions": 32},
    {"name": "owner", "description": "o", "default_member_permissions": 0},
    {"name": "here", "description": "h", "contexts": [0]},
    {"name": "Ask Gemini", "type": 3},
)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("nothing", {}, "There is no command 'nothing' here; registered are: Ask Gemini, admin, ask"),
        ("ask", {}, "The option 'prompt' has to be filled in."),
        ("ask", {"prompt": "too long"}, "The option 'prompt' takes 0 to 5 characters."),
        ("ask", {"prompt": "a", "wrong": 1}, "The command has no option 'wrong'."),
        ("ask", {"prompt": "a", "count": 9}, "The option 'count' takes a number from 1 to 3."),
        ("ask", {"prompt": "a", "count": "one"}, "The option 'count' takes a number."),
        ("ask", {"prompt": "a", "style": "prose"}, "The option 'style' has no choice 'prose'."),
        ("ask", {"prompt": "a", "loud": "yes"}, "The option 'loud' is either true or false."),
        ("ask", {"prompt": "a", "file": "files[0]"}, "'files[0]' names no file that was handed in"),
        ("ask", {"prompt": "a", "who": "nobody"}, "The option 'who' points at 'nobody', which does not exist."),
        ("stats", {}, "The command 'stats' needs one of its subcommands."),
        ("stats values", {}, "The command 'stats' has no subcommand 'values'."),
        ("admin", {}, "Mina may not use the command 'admin'."),
        ("owner", {}, "Mina may not use the command 'owner'."),
    ],
)
async def test_a_call_that_the_client_would_refuse_is_a_sentence(
    raw: Raw, server: Server, name: str, options: Json, sentence: str
):
    """The bot never hears of it."""
    await raw.register(*COMMANDS)
    with pytest.raises(ActionError, match=re.escape(sentence)):
        server.emulator.invoke(server.channel("general"), name=name, options=options, user="Mina")


async def test_a_file_over_the_limit_is_a_sentence(raw: Raw, server: Server):
    """Discord's client does not let one choose it."""
    await raw.register(*COMMANDS)
    big = Upload("big.bin", "", bytes(10 * 1024 * 1024 + 1))
    with pytest.raises(ActionError, match=r"big\.bin is larger than 10485760 bytes"):
        server.emulator.invoke(
            server.channel("general"), name="ask", options={"prompt": "a", "file": "files[0]"}, user="Mina", files=[big]
        )


async def test_contexts_and_targets_are_checked(raw: Raw, server: Server):
    """A guild-only command cannot be used in a direct message; a context menu needs a message that is there."""
    await raw.register(*COMMANDS)
    emulator, general, direct = server.emulator, server.channel("general"), server.channel("Mina")
    with pytest.raises(ActionError, match="cannot be used here"):
        emulator.invoke(direct, name="here", user="Mina")
    with pytest.raises(ActionError, match="There is no message 1 in this channel"):
        emulator.invoke(general, name="Ask Gemini", user="Mina", target="1")
    with pytest.raises(ActionError, match="has no autocomplete"):
        await emulator.autocomplete(general, name="ask", options={}, focused="prompt", user="Mina")


async def test_autocomplete_without_a_bot_is_a_sentence(make_server: ServerMaker, open_raw: Callable[[Server], Raw]):
    """Nobody offers choices in time."""
    server = await make_server(ack_s=0.02)
    await open_raw(server).register(*COMMANDS)
    with pytest.raises(ActionError, match="did not offer any choices"):
        await server.emulator.autocomplete(
            server.channel("general"), name="ask", options={"model": "g"}, focused="model", user="Mina"
        )


async def test_unknown_people_and_places_are_sentences(server: Server):
    """The sentence names who there is."""
    emulator, general = server.emulator, server.channel("general")
    with pytest.raises(ActionError, match="There is no user 'Bob'; there are Ada, Mina, 小美, 지우, Dewi, Иван"):
        emulator.say(general, content="x", user="Bob")
    with pytest.raises(ActionError, match="There is no channel 1"):
        emulator.say("1", content="x", user="Mina")
    with pytest.raises(ActionError, match="Mina cannot see this channel"):
        emulator.say(server.channel("staff"), content="x", user="Mina")
    with pytest.raises(ActionError, match="cannot see"):
        emulator.say(server.channel("Ada"), content="x", user="Mina")
    with pytest.raises(ActionError, match="Cannot send an empty message"):
        emulator.say(general, content="  ", user="Mina")
    with pytest.raises(ActionError, match="Invalid Form Body"):
        emulator.say(general, content="x" * 2001, user="Mina")
    with pytest.raises(ActionError, match="There is no interaction 1"):
        await emulator.interaction("1")


async def test_messages_of_others_cannot_be_changed(server: Server):
    """Only the author edits; a moderator deletes."""
    said = server.emulator.say(server.channel("general"), content="mine", user="Mina")
    with pytest.raises(ActionError, match="authored by another user"):
        server.emulator.edit_message(said["id"], content="ours", user="Dewi")
    with pytest.raises(ActionError, match="Missing Permissions"):
        server.emulator.delete_message(said["id"], user="Dewi")
    server.emulator.delete_message(said["id"], user="Ada")
    assert server.texts(server.channel("general")) == []


async def test_buttons_are_pressed_only_where_they_are(raw: Raw, server: Server):
    """A missing, disabled or foreign button is a sentence; so is a form that is not open."""
    emulator, general = server.emulator, server.channel("general")
    row = {
        "type": 1,
        "components": [{"type": 2, "style": 1, "label": "off", "custom_id": "off", "disabled": True}],
    }
    status, message = await raw.call("POST", f"/channels/{general}/messages", {"components": [row]})
    assert status == 200
    for custom_id, sentence in (("none", "has no button or menu"), ("off", "cannot be pressed")):
        with pytest.raises(ActionError, match=sentence):
            emulator.press(custom_id=custom_id, user="Mina", message_id=message["id"])
    await raw.register(*COMMANDS)
    await raw.ready_gateway()
    made = emulator.invoke(general, name="ask", options={"prompt": "a"}, user="Mina")
    with pytest.raises(ActionError, match="No such form is open"):
        emulator.submit(interaction_id=made, values={}, user="Mina")
    with pytest.raises(ActionError, match="has no message yet"):
        emulator.press(custom_id="x", user="Mina", interaction_id=made)


async def test_state_tells_all_a_page_needs(raw: Raw, server: Server):
    """Guild, channels with direct messages, people with roles and locale, commands with options, the bot."""
    await raw.register({**ASK, "name_localizations": {"zh-TW": "問"}})
    state = server.emulator.state()
    assert state["guilds"][0]["name"] == "Sandbox"
    assert [c["name"] for c in state["channels"] if c["type"] == 0] == ["general", "questions", "media", "staff"]
    assert {u["name"]: (u["locale"], u["roles"]) for u in state["users"] if not u["bot"]} == {
        "Ada": ("en-US", ["Admin"]),
        "Mina": ("en-US", ["Member"]),
        "小美": ("zh-TW", ["Member"]),
        "지우": ("ko", ["Member"]),
        "Dewi": ("id", ["Member"]),
        "Иван": ("ru", ["Member"]),
    }
    command = state["commands"][0]
    assert command["name_localizations"] == {"zh-TW": "問"}
    assert [option["name"] for option in command["options"]][:2] == ["prompt", "count"]
    assert state["bot"]["online"] is False
