"""/persona, as people use it: written, found, shared, used in a thread; and what is kindly refused."""

from __future__ import annotations

from typing import Any

import pytest

from cogs.persona_forms import MAX_INSTRUCTIONS
from tests.cogs.conftest import House, until
from tests.cogs.people import EPHEMERAL, choices, command, form

PIRATE = "Answer like a pirate."


async def make(house: House, name: str = "Pirate", text: str = PIRATE, *, user: str = "Mina") -> str:
    """Write a persona; gives the value by which it is chosen."""
    answer = await form(house, "persona create", {"name": name, "instructions": text}, user=user)
    assert f"`{name}` is made" in answer["content"]
    [found] = await choices(house, "persona use", "persona", name, user=user)
    return str(found["value"])


async def open_thread(house: House, user: str = "Mina") -> str:
    """Open a chat; gives the thread's id."""
    await house.invoke("chat", user=user)
    [thread] = await until(lambda: house.discord.state()["threads"])
    return str(thread["id"])


async def system_of(house: House, thread: str, text: str, user: str = "Mina") -> str:
    """Say something in a thread; gives the standing instruction that its answer was asked with."""
    await house.reply(thread, text, user=user)
    [entry] = [entry for entry in house.generated() if any(text in turn["text"] for turn in entry["turns"][-1:])][-1:]
    return str(entry["system"])


async def test_a_persona_is_written_and_shown_as_it_was_written(house):
    """The form stores what it was given, and only its maker sees the answers."""
    answer = await form(house, "persona create", {"name": "  Old   Salt ", "instructions": PIRATE})
    assert answer["flags"] & EPHEMERAL
    assert "`Old Salt` is made" in answer["content"]
    shown = await command(house, "persona show", options={"persona": "old salt"})
    assert shown["flags"] & EPHEMERAL
    [embed] = shown["embeds"]
    assert (embed["title"], embed["description"]) == ("Old Salt", PIRATE)
    listed = await command(house, "persona list")
    assert "`Old Salt` · Only its maker" in listed["embeds"][0]["description"]


async def test_a_thread_is_answered_by_the_persona_chosen_in_it(house):
    """Its instructions go along from the next question on, follow a change, and end when it is taken away."""
    chosen = await make(house)
    thread = await open_thread(house)
    assert PIRATE not in await system_of(house, thread, "before #q-1")
    used = await command(house, "persona use", channel_id=thread, options={"persona": chosen})
    assert not used.get("flags", 0) & EPHEMERAL
    assert "`Pirate` answers in this thread" in used["content"]
    system = await system_of(house, thread, "with #q-2")
    assert PIRATE in system
    assert '"Pirate"' in system
    edited = await form(house, "persona edit", {"instructions": "Whisper."}, options={"persona": chosen})
    assert "is changed" in edited["content"]
    system = await system_of(house, thread, "changed #q-3")
    assert "Whisper." in system
    assert PIRATE not in system
    await command(house, "persona use", channel_id=thread)
    assert "Whisper." not in await system_of(house, thread, "without #q-4")


async def test_a_chosen_persona_outlives_a_restart(house):
    """It is the thread's, not the process's."""
    chosen = await make(house)
    thread = await open_thread(house)
    await command(house, "persona use", channel_id=thread, options={"persona": chosen})
    await house.stop()
    await house.start()
    assert PIRATE in await system_of(house, thread, "again #q-1")


async def test_a_deleted_persona_is_used_no_more(house):
    """The thread goes on without it."""
    chosen = await make(house)
    thread = await open_thread(house)
    await command(house, "persona use", channel_id=thread, options={"persona": chosen})
    deleted = await command(house, "persona delete", options={"persona": chosen})
    assert "deleted" in deleted["content"]
    assert PIRATE not in await system_of(house, thread, "gone #q-1")
    assert await choices(house, "persona use", "persona") == []


async def test_direct_messages_have_a_persona_too(house):
    """The one chosen there answers there, and nothing else changes."""
    chosen = await make(house)
    dm = house.channel("Mina")
    await house.reply(dm, "hello #q-1")
    used = await command(house, "persona use", channel_id=dm, options={"persona": chosen})
    assert "`Pirate`" in used["content"]
    assert PIRATE in await system_of(house, dm, "again #q-2")


async def test_others_see_and_use_a_persona_only_while_it_is_shared(house):
    """Not made known, not offered, not usable before; all of it after; nothing again once it was taken back."""
    chosen = await make(house, user="Mina")

    async def seen(user: str) -> list[Any]:
        shown = await command(house, "persona show", options={"persona": chosen}, user=user)
        return [await choices(house, "persona use", "persona", user=user), shown.get("embeds")]

    assert await seen("Dewi") == [[], []]
    shared = await command(house, "persona share", options={"persona": chosen, "audience": "server"})
    assert "This server" in shared["content"]
    offered, embeds = await seen("Dewi")
    assert [choice["name"] for choice in offered] == ["Pirate (shared)"]
    assert embeds[0]["description"] == PIRATE
    thread = await open_thread(house, "Dewi")
    await command(house, "persona use", channel_id=thread, options={"persona": chosen}, user="Dewi")
    assert PIRATE in await system_of(house, thread, "shared #q-1", "Dewi")
    await command(house, "persona share", options={"persona": chosen, "audience": "me"})
    assert await seen("Dewi") == [[], []]
    assert PIRATE not in await system_of(house, thread, "taken back #q-2", "Dewi")


async def test_a_persona_shared_with_a_role_is_for_that_role(house):
    """A second role joins the first."""
    chosen = await make(house, user="Ada")
    for role, seen in (("Admin", []), ("Member", ["Pirate (shared)"])):
        await command(
            house, "persona share", options={"persona": chosen, "audience": "server", "role": role}, user="Ada"
        )
        assert [choice["name"] for choice in await choices(house, "persona use", "persona", user="Mina")] == seen
    listed = await command(house, "persona list", user="Ada")
    assert listed["embeds"][0]["description"].count("<@&") == 2


async def test_only_the_maker_changes_a_persona_and_managers_may_take_it_back(house):
    """Being allowed to use it allows nothing else; nobody else's words can be changed even by a manager."""
    chosen = await make(house, user="Mina")
    await command(house, "persona share", options={"persona": chosen, "audience": "server"})
    for name in ("persona edit", "persona delete"):
        for user in ("Dewi", "Ada"):
            answer = await command(house, name, options={"persona": chosen}, user=user)
            assert answer["flags"] & EPHEMERAL
            assert "made by somebody else" in answer["content"]
    refused = await command(house, "persona share", options={"persona": chosen, "audience": "me"}, user="Dewi")
    assert "made by somebody else" in refused["content"]
    taken = await command(house, "persona share", options={"persona": chosen, "audience": "me"}, user="Ada")
    assert "Only its maker" in taken["content"]
    assert await choices(house, "persona use", "persona", user="Dewi") == []


async def test_only_who_opened_a_thread_or_manages_threads_chooses_its_persona(house):
    """Others are told so; where there is no chat, everybody is."""
    chosen = await make(house, user="Dewi")
    thread = await open_thread(house, "Mina")
    answer = await command(house, "persona use", channel_id=thread, options={"persona": chosen}, user="Dewi")
    assert answer["flags"] & EPHEMERAL
    assert "Only who opened this chat" in answer["content"]
    answer = await command(house, "persona use", options={"persona": chosen}, user="Dewi")
    assert "no chat with the bot" in answer["content"]
    answer = await command(house, "persona use", channel_id=thread, user="Ada")
    assert "without a persona" in answer["content"]


@pytest.mark.parametrize(
    ("values", "files", "sentence"),
    [
        ({"name": "A", "instructions": ""}, (), "without instructions changes nothing"),
        ({"name": "\u200b", "instructions": "x"}, (), "needs a name"),
        (
            {"name": "A", "file": "files[0]"},
            (("long.txt", "text/plain", b"x" * 10_000),),
            "have 10000 characters, and 4000 are allowed",
        ),
        (
            {"name": "A", "file": "files[0]"},
            (("long.txt", "text/plain", b"x" * 1_000_000),),
            "may have 4000 characters",
        ),
        (
            {"name": "A", "file": "files[0]"},
            (("a.txt", "text/plain", b"\xff\xfe\x00"),),
            "cannot read the file `a.txt`",
        ),
        ({"name": "A", "file": "files[0]"}, (("a.txt", "text/plain", b""),), "without instructions changes nothing"),
    ],
)
async def test_a_persona_that_cannot_be_is_refused_with_one_sentence(house, values, files, sentence):
    """Ten thousand characters, no text, no name: said kindly, with the limit, and nothing is stored."""
    answer = await form(house, "persona create", values, files=files)
    assert answer["flags"] & EPHEMERAL
    assert sentence in answer["content"]
    assert await house.storage.personas.within_reach(house.user_id("Mina"), None) == []


async def test_the_longest_persona_comes_as_a_file_and_can_be_edited(house):
    """What was taken fits into the form again, also in letters that take two units."""
    text = "🦜" * (MAX_INSTRUCTIONS // 2)
    answer = await form(
        house,
        "persona create",
        {"name": "Parrot", "file": "files[0]"},
        files=(("p.txt", "text/plain", b"\xef\xbb\xbf" + text.encode()),),
    )
    assert "is made" in answer["content"]
    edited = await form(house, "persona edit", {"name": "Parrots"}, options={"persona": "parrot"})
    assert "`Parrots` is changed" in edited["content"]
    [persona] = await house.storage.personas.within_reach(house.user_id("Mina"), None)
    assert (persona.name, persona.instructions) == ("Parrots", text)


async def test_a_second_persona_of_the_same_name_is_refused(house):
    """Otherwise nobody could tell them apart; another person may use the name."""
    await make(house)
    answer = await form(house, "persona create", {"name": "pirate", "instructions": "x"})
    assert "already" in answer["content"]
    await make(house, user="Dewi")


async def test_more_personas_than_allowed_are_refused(house):
    """The sentence names the limit and what to do."""
    for number in range(50):
        await house.storage.personas.create(house.user_id("Mina"), name=f"P{number}", instructions="x", most=50)
    answer = await form(house, "persona create", {"name": "one more", "instructions": "x"})
    assert "You have 50 personas" in answer["content"]
    assert len(await choices(house, "persona use", "persona")) == 25
    assert [each["name"] for each in await choices(house, "persona use", "persona", "p49")] == ["P49"]
    listed = await command(house, "persona list")
    assert "`P49`" in listed["embeds"][0]["description"]


async def test_names_and_instructions_ping_nobody(house):
    """Whatever a persona is called, its mention stays text."""
    chosen = await make(house, "@everyone", "Say @everyone.")
    thread = await open_thread(house)
    await command(house, "persona use", channel_id=thread, options={"persona": chosen})
    assert not any(message["mention_everyone"] for message in house.said(thread))


@pytest.mark.parametrize(
    ("user", "locale", "title", "sentence"),
    [
        ("小美", "zh-TW", "角色", "已建立"),
        ("지우", "ko", "페르소나", "만들었습니다"),
        ("Dewi", "id", "Persona", "sudah dibuat"),
        ("Иван", "ru", "Персона", "создана"),
    ],
)
async def test_the_form_speaks_the_readers_language(house, user, locale, title, sentence):
    """Title, fields and the answer."""
    opened = house.discord.invoke(house.channel("general"), name="persona create", user=user, locale=locale)
    [modal] = (await house.discord.interaction(opened, wait_s=5))["responses"]
    assert modal["title"] == title
    answer = await form(house, "persona create", {"name": "A", "instructions": "x"}, user=user, locale=locale)
    assert sentence in answer["content"]


async def test_a_chat_can_be_opened_with_a_persona(house):
    """Chosen like everywhere else; one that may not be used is refused before anything is opened."""
    chosen = await make(house)
    refused = await command(house, "chat", options={"persona": chosen, "prompt": "no #q-1"}, user="Dewi")
    assert refused["flags"] & EPHEMERAL
    assert "no persona" in refused["content"]
    assert not house.discord.state()["threads"]
    await house.invoke("chat", options={"persona": chosen, "prompt": "yes #q-2"}, user="Mina")
    [entry] = [entry for entry in house.generated() if "yes #q-2" in entry["turns"][-1]["text"]][:1]
    assert PIRATE in entry["system"]
