"""`/keys`: for those who run the bot only; secrets in a form, checked, encrypted, in service at once, audited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from cogs.keychain import KeyChain
from cogs.keys import KeysCog
from tests.cogs.conftest import House, until
from utils.storage.schema_privacy import stored_keys

EPHEMERAL = 1 << 6
SUBCOMMANDS = ("keys add", "keys list", "keys disable", "keys enable", "keys remove")
WITH_KEY = SUBCOMMANDS[2:]


@pytest.fixture
async def spared(tmp_path: Path) -> AsyncIterator[House]:
    """Give a running house of three keys, of which the bot is told of two; Mina is named in ADMIN_IDS."""
    specs = [f"k{number}@p{number}:{'A' + 'Q.'}{number:050d}" for number in (1, 2, 3)]
    house = House(tmp_path, specs, spare_keys=1)
    await house.open()
    try:
        await house.start(admin_ids=[house.user_id("Mina")])
        house.discord.faults.open_command("keys")
        yield house
        await house.stop()
        assert house.discord.violations() == []
    finally:
        await house.close()


def make_administrator(house: House, user: str) -> None:
    """Give a user the role that administers the server."""
    world = house.discord._parts.hub.world
    role = next(role for role in world.roles.values() if role.name == "Admin")
    world.members[str(house.user_id(user))].role_ids.append(role.id)


def options(name: str) -> dict[str, str]:
    return {"key": "anything"} if name in WITH_KEY else {}


async def filled(house: House, interaction_id: str, *, user: str = "Mina", **values: str) -> str:
    """Send the form that an interaction opened; gives what the bot finally says."""
    sent = house.discord.submit(interaction_id=interaction_id, values=values, user=user)
    return await final(house, sent)


async def final(house: House, interaction_id: str) -> str:
    """Wait until an interaction's message says something, and give that."""

    def said() -> str:
        found = house.discord._parts.interactions.find(interaction_id)
        original = found.original if found is not None else None
        return original.content if original is not None else ""

    return await until(said)


async def add(house: House, key: str, **more: str) -> str:
    opened = await house.invoke("keys add", user="Mina")
    return await filled(house, opened, key=key, **more)


async def act(house: House, name: str, key: str) -> str:
    return str((await house.answer(f"keys {name}", user="Mina", options={"key": key}))["content"])


async def listed(house: House) -> str:
    answer = await house.answer("keys list", user="Mina")
    [embed] = answer["embeds"]
    return str(embed["description"])


def keychain(house: House) -> KeyChain:
    cog = house.bot.get_cog("KeysCog")
    assert isinstance(cog, KeysCog)
    return cog._custody.keychain


def secret_of(spec: str) -> str:
    return spec.rpartition(":")[2]


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", SUBCOMMANDS)
@pytest.mark.parametrize("manager", [True, False], ids=["manager", "member"])
async def test_nobody_else_gets_in_however_the_server_is_set(house, name, manager):
    """Neither a member nor who administers the server, also when the server shows the command to everybody."""
    house.discord.faults.open_command("keys")
    if manager:
        make_administrator(house, "小美")
    answer = await house.answer(name, user="小美", options=options(name), locale="en-US")
    assert answer["flags"] & EPHEMERAL
    assert answer["content"] == "Only those who run this bot may change its keys: ask its owner."
    assert not await house.storage.audit.newest(1)


async def test_the_applications_owner_gets_in(house):
    """Without being named in the configuration."""
    answer = await house.answer("keys list", user="Ada")
    assert answer["flags"] & EPHEMERAL
    assert "configuration" in answer["embeds"][0]["description"]


async def test_nobody_else_is_offered_keys_while_typing(spared):
    """The names of keys are for those who run the bot."""
    ask = spared.discord.autocomplete
    where = spared.channel("general")
    given = {"name": "keys disable", "options": {"key": ""}, "focused": "key"}
    make_administrator(spared, "小美")
    assert await ask(where, user="小美", **given) == []
    assert [choice["name"].partition(" ")[0] for choice in await ask(where, user="Mina", **given)] == ["k1", "k2"]


async def test_a_key_is_added_by_a_form_and_serves_at_once(spared, tmp_path):
    """It is checked free of charge, encrypted, named, listed, audited, and its secret shows nowhere."""
    [spare] = spared.spare_keys
    secret = secret_of(spare)
    assert "in service from now on" in await add(spared, secret, name="third", project="p3")
    assert spared.generated() == []
    assert spared.pool.get_api_key_stats()["total_keys"] == 3
    for number in range(6):
        await spared.answer("ask", options={"prompt": f"question {number}"})
    assert {entry["key"] for entry in spared.generated()} == {"k1", "k2", "k3"}
    table = await listed(spared)
    assert "third" in table
    assert "added" in table
    answer = await spared.answer("keys list", user="Mina")
    assert "added `third`" in str(answer["embeds"])
    assert str(spared.user_id("Mina")) in str(answer["embeds"])
    said = str(spared.discord.messages(spared.channel("general"))) + str(answer)
    stored = await asyncio.to_thread(files, tmp_path)
    assert not any(secret_of(spec) in said for spec in spared.gemini.key_specs())
    assert secret.encode() not in stored


async def test_an_added_key_is_there_after_a_restart(spared):
    """The vault is read before the pool is made."""
    await add(spared, spared.spare_keys[0])
    await spared.stop()
    await spared.start(admin_ids=[spared.user_id("Mina")])
    assert spared.pool.get_api_key_stats()["total_keys"] == 3
    assert "k3" in await listed(spared)


async def test_a_key_that_google_refuses_is_not_stored(spared):
    """The sentence says what to do; nothing is stored or in service."""
    assert "Google refuses this key" in await add(spared, "AQ" + ".wrong-key-of-somebody")
    assert "cannot be a key" in await add(spared, "a key with spaces")
    spared.gemini.set_faults([{"kind": "leaked", "keys": ["k3"]}])
    assert "Google refuses this key" in await add(spared, spared.spare_keys[0])
    assert await spared.storage.vault.load() == []
    assert spared.pool.get_api_key_stats()["total_keys"] == 2
    assert not await spared.storage.audit.newest(1)


async def test_a_key_that_is_there_is_not_added_again(spared):
    """Neither one of the configuration nor one that was added before."""
    configured = secret_of(spared.gemini.key_specs()[0])
    assert "as `k1`" in await add(spared, configured)
    await add(spared, spared.spare_keys[0])
    assert "as `k3`" in await add(spared, secret_of(spared.spare_keys[0]), name="again")
    assert len(await spared.storage.vault.load()) == 1


async def test_a_key_is_switched_off_and_on(spared):
    """Off, it gets nothing, also after a restart; on, it serves again; the configuration's keys too."""
    assert "is off" in await act(spared, "disable", "k1")
    await spared.stop()
    await spared.start(admin_ids=[spared.user_id("Mina")])
    for number in range(4):
        await spared.answer("ask", options={"prompt": f"question {number}"})
    assert {entry["key"] for entry in spared.generated()} == {"k2"}
    assert "off" in await listed(spared)
    assert "is on" in await act(spared, "enable", "k1")
    assert spared.pool.get_api_key_stats()["total_keys"] == 2
    assert [entry.action for entry in await spared.storage.audit.newest(5)] == ["keys.enable", "keys.disable"]


async def test_switching_the_last_key_off_is_done_and_said(spared):
    """A leaked key must go even when it is the last; people are told in a sentence until there is another."""
    await act(spared, "disable", "k1")
    assert "No key is in service now" in await act(spared, "disable", "k2")
    answer = await spared.answer("ask", options={"prompt": "hello"})
    assert "key" in answer["content"]
    await act(spared, "enable", "k2")
    answer = await spared.answer("ask", options={"prompt": "hello again"})
    assert spared.generated()


async def test_an_added_key_is_removed_for_good(spared, tmp_path):
    """Out of service and out of the files; one of the configuration is not removed but explained."""
    await add(spared, spared.spare_keys[0])
    [stored] = await spared.storage.vault.load()
    assert "deleted" in await act(spared, "remove", stored.fingerprint)
    assert await spared.storage.vault.load() == []
    assert spared.pool.get_api_key_stats()["total_keys"] == 2
    assert stored.fingerprint.encode() not in await asyncio.to_thread(files, tmp_path)
    assert "comes from the configuration" in await act(spared, "remove", "k1")
    assert "There is no such key" in await act(spared, "remove", "k3")


async def test_taking_a_key_in_leaves_what_is_known_of_the_others(spared):
    """A dead key stays dead, and counts stay; only the new one is new."""
    spared.gemini.set_faults([{"kind": "leaked", "keys": ["k2"]}])
    for number in range(4):
        await spared.answer("ask", options={"prompt": f"question {number}"})
    before = spared.pool.get_api_key_stats()
    assert [entry["state"] for entry in before["key_usage"].values()] == ["live", "dead"]
    await add(spared, spared.spare_keys[0])
    after = spared.pool.get_api_key_stats()
    assert [entry["state"] for entry in after["key_usage"].values()] == ["live", "dead", "live"]
    assert after["total_requests"] == before["total_requests"]
    assert await listed(spared)
    await act(spared, "disable", "k1")
    assert spared.pool.get_api_key_stats()["key_usage"]["Key #1"]["state"] == "dead"


async def test_a_key_is_meant_by_its_fingerprint_and_never_by_its_number(tmp_path):
    """Keys without names move up when another leaves: what was third for one administrator is second for another."""
    secrets = ["A" + "Q." + f"{number:050d}" for number in (1, 2, 3)]
    house = House(tmp_path, [f"k{number}@p{number}:{secret}" for number, secret in enumerate(secrets, 1)])
    await house.open()
    try:
        house.bare_keys = True
        await house.start(admin_ids=[house.user_id("Mina")])
        house.discord.faults.open_command("keys")
        first, second, third = keychain(house).shown()
        assert (second.label, third.label) == ("Key #2", "Key #3")
        assert "There is no such key" in await act(house, "disable", "Key #2")
        assert "is off" in await act(house, "disable", second.short)
        assert "is off" in await act(house, "disable", third.fingerprint)
        states = {key.fingerprint: key.state for key in keychain(house).shown()}
        assert states == {first.fingerprint: "live", second.fingerprint: "off", third.fingerprint: "off"}
    finally:
        await house.close()


async def test_a_row_that_somebody_changed_is_off_and_can_be_removed(spared):
    """It is listed as unreadable, cannot be switched on, and does not hinder the others."""
    await add(spared, spared.spare_keys[0])
    planted = update(stored_keys).values(secret=b"\0planted")
    await spared.storage._backend.write(lambda connection: connection.execute(planted))
    await spared.stop()
    await spared.start(admin_ids=[spared.user_id("Mina")])
    assert spared.pool.get_api_key_stats()["total_keys"] == 2
    assert "unreadable" in await listed(spared)
    [stored] = await spared.storage.vault.load()
    assert "remove it and add it again" in await act(spared, "enable", stored.fingerprint)
    assert "deleted" in await act(spared, "remove", stored.fingerprint)
    assert "in service from now on" in await add(spared, spared.spare_keys[0])


async def test_who_lost_the_right_meanwhile_is_refused_at_the_form(spared):
    """The form is checked again when it comes back."""
    opened = await spared.invoke("keys add", user="Mina")
    spared.bot.get_cog("KeysCog")._administrators._ids = frozenset()
    assert "Only those who run this bot" in await filled(spared, opened, key=secret_of(spared.spare_keys[0]))
    assert await spared.storage.vault.load() == []


async def test_hundreds_of_keys_come_whole_as_a_file(tmp_path):
    """What does not fit into an embed is attached."""
    specs = [f"k{n}@p{n}:" + "A" + "Q." + f"{n:040d}" for n in range(150)]
    house = House(tmp_path, specs)
    await house.open()
    try:
        await house.start(admin_ids=[house.user_id("Mina")])
        house.discord.faults.open_command("keys")
        answer: dict[str, Any] = await house.answer("keys list", user="Mina")
        assert len(answer["embeds"][0]["description"]) <= 4096
        [file] = answer["attachments"]
        assert file["filename"] == "keys.txt"
        choices = await house.discord.autocomplete(
            house.channel("general"), name="keys disable", options={"key": "k14"}, focused="key", user="Mina"
        )
        assert 0 < len(choices) <= 25
        assert house.discord.violations() == []
    finally:
        await house.close()
