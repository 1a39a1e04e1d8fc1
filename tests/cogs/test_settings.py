"""/settings and /model: who may, what they do to answers, and what a restriction keeps from whom."""

from __future__ import annotations

import pytest

from tests.cogs.conftest import MODEL, House, until
from tests.cogs.people import EPHEMERAL, choices, command, form

OTHER_MODEL = "gemini-4-helium"
SUBCOMMANDS = {
    "settings show": {},
    "settings set": {"safety": "off"},
    "settings clear": {"setting": "safety"},
    "settings restrict": {"role": "Member", "command": "ask"},
    "settings open": {"command": "ask"},
}


async def other_model(house: House) -> str:
    """Give a model that is not the default one."""
    return next(model.name for model in house.pool.known_models() if model.can_generate and model.name != MODEL)


@pytest.mark.parametrize("name", SUBCOMMANDS)
async def test_members_are_refused_even_where_a_server_shows_them_the_command(house, name):
    """The handler checks; nothing is changed."""
    house.discord.faults.open_command("settings")
    answer = await command(house, name, options=SUBCOMMANDS[name], user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert "may manage this server" in answer["content"]
    settings = await house.preferences.guild(int(house.discord.guild_id))
    assert (settings.safety, settings.access) == (None, {})


@pytest.mark.parametrize("name", SUBCOMMANDS)
async def test_who_may_manage_the_server_is_served_alone(house, name):
    """The answer is for the asker's eyes."""
    answer = await command(house, name, options=SUBCOMMANDS[name], user="Ada")
    assert answer["flags"] & EPHEMERAL
    assert "may manage this server" not in answer["content"]


async def test_choices_count_from_the_next_question_on_and_are_shown(house):
    """Model and safety reach Gemini, over a restart too; cleared, they are the bot's own again."""
    model = await other_model(house)
    answer = await command(
        house, "settings set", options={"model": model, "safety": "high", "language": "ko"}, user="Ada"
    )
    assert "3 choices are stored" in answer["content"]
    await house.stop()
    await house.start()
    await house.answer("ask", options={"prompt": "one #q-1"})
    entry = house.generated()[-1]
    assert entry["model"] == model
    assert set(entry["safety"].values()) == {"BLOCK_LOW_AND_ABOVE"}
    shown = await command(house, "settings show", user="Ada")
    fields = {field["name"]: field["value"] for field in shown["embeds"][0]["fields"]}
    assert fields == {
        "Model": f"`{model}`",
        "Safety": "Block most",
        "Persona": "-",
        "Alerts": "-",
        "Language": "한국어",
    }
    await house.invoke("chat", user="Mina")
    [thread] = await until(lambda: house.discord.state()["threads"])
    assert f"`{model}`" in house.said(thread["id"])[0]["content"]
    for setting in ("model", "safety"):
        await command(house, "settings clear", options={"setting": setting}, user="Ada")
    await house.answer("ask", options={"prompt": "two #q-2"})
    entry = house.generated()[-1]
    assert (entry["model"], entry["safety"]) == (MODEL, {})


async def test_the_servers_persona_answers_unless_another_is_chosen(house):
    """It must be shared with the server; a thread that chose none has none."""
    await form(house, "persona create", {"name": "Butler", "instructions": "Be a butler."}, user="Ada")
    answer = await command(house, "settings set", options={"persona": "Butler"}, user="Ada")
    assert "not shared with this server" in answer["content"]
    await command(house, "persona share", options={"persona": "Butler", "audience": "server"}, user="Ada")
    await command(house, "settings set", options={"persona": "Butler"}, user="Ada")
    await house.answer("ask", options={"prompt": "who #q-1"})
    assert "Be a butler." in house.generated()[-1]["system"]
    shown = await command(house, "settings show", user="Ada")
    assert "`Butler`" in [field["value"] for field in shown["embeds"][0]["fields"]]


async def test_the_servers_language_is_for_readers_whose_language_is_not_known(house):
    """Somebody who only ever wrote messages is answered in it; who used a command keeps their own."""
    await command(house, "settings set", options={"language": "ko"}, user="Ada")
    general = house.channel("general")
    await house.reply(general, f"{house.mention} warm up #q-1", user="Иван")
    sentence = await house.reply(general, house.mention, user="Иван")
    assert "질문이 비어 있습니다" in sentence["content"]
    await command(house, "persona list", user="Иван", locale="ru")
    sentence = await house.reply(general, house.mention, user="Иван")
    assert "Ваш вопрос пуст" in sentence["content"]


async def test_alerts_need_a_channel_the_bot_may_write_in(house):
    """The missing right is named; afterwards the channel is the server's."""
    house.discord.take_permission(house.channel("media"), "SEND_MESSAGES")
    answer = await command(house, "settings set", options={"alerts": "media"}, user="Ada")
    assert "send messages" in answer["content"]
    await command(house, "settings set", options={"alerts": "staff"}, user="Ada")
    assert await house.storage.settings.alert_channels() == {int(house.discord.guild_id): int(house.channel("staff"))}


async def test_a_restricted_command_is_kept_from_others(house):
    """Commands, the menu and messages alike; whoever manages the server passes; opened, everybody does."""
    for name in ("ask", "chat"):
        answer = await command(house, "settings restrict", options={"role": "Admin", "command": name}, user="Ada")
        assert f"`{name}`" in answer["content"]
    refused = await command(house, "ask", options={"prompt": "let me in #q-1"}, user="Mina")
    assert refused["flags"] & EPHEMERAL
    assert "certain roles" in refused["content"]
    menu = house.discord.say(house.channel("general"), content="What is this? #q-2", user="Mina")
    refused = await command(house, "Ask Gemini", target=menu["id"], user="Mina")
    assert "certain roles" in refused["content"]
    before = len(house.generated())
    house.discord.say(house.channel("general"), content=f"{house.mention} psst #q-3", user="Mina")
    await house.answer("ask", options={"prompt": "I manage #q-4"}, user="Ada")
    assert len(house.generated()) == before + 1
    await command(house, "settings restrict", options={"role": "Member", "command": "ask"}, user="Ada")
    await house.answer("ask", options={"prompt": "now I may #q-5"}, user="Mina")
    assert "#q-5" in str(house.generated()[-1]["turns"])
    opened = await command(house, "settings open", options={"command": "/chat"}, user="Ada")
    assert "Everybody may use `chat` again" in opened["content"]
    await house.reply(house.channel("general"), f"{house.mention} and now #q-6", user="Mina")
    assert "#q-6" in str(house.generated()[-1]["turns"])


async def test_a_restricted_model_may_be_the_servers_but_not_everybodys_choice(house):
    """Who lacks the role cannot choose it, in no way; as the server's default it answers all."""
    model = await other_model(house)
    await command(house, "settings restrict", options={"role": "Admin", "model": model}, user="Ada")
    shown = await command(house, "settings show", user="Ada")
    assert model in shown["embeds"][0]["fields"][-1]["value"]
    for name in ("ask", "chat", "model"):
        options = {"model": model, **({} if name == "model" else {"prompt": "please #q-1"})}
        refused = await command(house, name, options=options, user="Mina")
        assert refused["flags"] & EPHEMERAL
        assert "choose another model" in refused["content"]
    assert not house.generated()
    await house.answer("ask", options={"prompt": "please #q-2", "model": model}, user="Ada")
    await command(house, "settings set", options={"model": model}, user="Ada")
    await house.answer("ask", options={"prompt": "please #q-3"}, user="Mina")
    assert [entry["model"] for entry in house.generated()] == [model, model]


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("settings set", {}, "left everything out"),
        ("settings set", {"model": "no-such-model"}, "no model `no-such-model`"),
        ("settings set", {"persona": "nobody"}, "no persona `nobody`"),
        ("settings restrict", {"role": "Member"}, "either a command or a model"),
        ("settings restrict", {"role": "Member", "command": "ask", "model": MODEL}, "either a command or a model"),
        ("settings restrict", {"role": "Member", "command": "fly"}, "no command `fly`"),
        ("settings restrict", {"role": "Member", "model": "no-such-model"}, "no model `no-such-model`"),
        ("settings open", {"command": "ask"}, "was not restricted"),
    ],
)
async def test_what_cannot_be_is_refused_with_one_sentence(house, name, options, sentence):
    """It says what to do, and nothing is stored."""
    answer = await command(house, name, options=options, user="Ada")
    assert sentence in answer["content"]
    settings = await house.storage.settings.get(int(house.discord.guild_id))
    assert (settings.model, settings.persona_id, settings.access) == (None, None, {})


async def test_commands_and_models_are_offered_while_typing(house):
    """Those that there are, by what was typed."""
    assert "ask" in [each["value"] for each in await choices(house, "settings restrict", "command", "as", user="Ada")]
    offered = await choices(house, "settings set", "model", "hydro", user="Ada")
    assert MODEL in [each["value"] for each in offered]


async def test_a_threads_model_is_chosen_in_the_thread(house):
    """From the next question on, over a restart; without a model the usual one answers again."""
    model = await other_model(house)
    await house.invoke("chat", user="Mina")
    [thread] = await until(lambda: house.discord.state()["threads"])
    await house.reply(thread["id"], "first #q-1")
    answer = await command(house, "model", channel_id=thread["id"], options={"model": model})
    assert f"`{model}` answers in this thread" in answer["content"]
    await house.reply(thread["id"], "second #q-2")
    await house.stop()
    await house.start()
    await house.reply(thread["id"], "third #q-3")
    answer = await command(house, "model", channel_id=thread["id"])
    assert "usual model" in answer["content"]
    await house.reply(thread["id"], "fourth #q-4")
    asked = {turn["text"]: entry["model"] for entry in house.generated() for turn in entry["turns"][-1:]}
    used = [asked[text] for text in ("first #q-1", "second #q-2", "third #q-3", "fourth #q-4")]
    assert used == [MODEL, model, model, MODEL]


async def test_only_who_opened_a_thread_or_manages_threads_chooses_its_model(house):
    """Others, and whoever is in no chat, are told so."""
    await house.invoke("chat", user="Mina")
    [thread] = await until(lambda: house.discord.state()["threads"])
    refused = await command(house, "model", channel_id=thread["id"], options={"model": MODEL}, user="Dewi")
    assert "Only who opened this chat" in refused["content"]
    refused = await command(house, "model", options={"model": MODEL}, user="Mina")
    assert "no chat with the bot" in refused["content"]
    allowed = await command(house, "model", channel_id=thread["id"], options={"model": MODEL}, user="Ada")
    assert "answers in this thread" in allowed["content"]


async def test_without_the_database_a_member_is_told_and_an_administrator_passes(house):
    """Who may use a command cannot be looked up; whoever manages the server needs no looking up."""
    await house.storage.aclose()
    answer = await command(house, "ask", options={"prompt": "hello #q-1"}, user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert "cannot reach its database" in answer["content"]
    shown = await command(house, "pool-stats", user="Ada")
    assert shown["embeds"]
