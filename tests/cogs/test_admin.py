"""Administration: who may, what they see, and that the numbers are those of the service's own diary."""

from __future__ import annotations

import pytest

from tests.cogs.conftest import House

EPHEMERAL = 1 << 6
COMMANDS = ("pool-stats", "api-key-stats", "reset-pool", "reset-api-stats")


async def ask(house: House, count: int) -> None:
    for number in range(count):
        await house.answer("ask", options={"prompt": f"question #q-{number}"})


@pytest.mark.parametrize("name", COMMANDS)
async def test_members_are_refused_even_where_a_server_shows_them_the_command(house, name):
    """The handler checks; what Discord hides or shows does not matter."""
    house.discord.faults.open_command(name)
    answer = await house.answer(name, user="Mina")
    assert answer["flags"] & EPHEMERAL
    assert "administrators" in answer["content"]


@pytest.mark.parametrize("name", COMMANDS)
async def test_who_may_manage_the_server_may_administer(house, name):
    """Administrators of the server are served, for their eyes alone."""
    answer = await house.answer(name, user="Ada")
    assert answer["flags"] & EPHEMERAL
    assert "administrators" not in answer["content"]


async def test_configured_administrators_need_no_role(made):
    """A user named in ADMIN_IDS is served without any right in the server."""
    await made.start(admin_ids=[made.user_id("Mina")])
    made.discord.faults.open_command("reset-api-stats")
    answer = await made.answer("reset-api-stats", user="Mina")
    assert "zero" in answer["content"]


async def test_the_counts_of_keys_are_those_of_the_services_diary(house):
    """Requests and errors shown per key add up to what the service received."""
    dead = house.gemini.state()[0]["label"]
    house.gemini.set_faults([{"kind": "leaked", "keys": [dead]}])
    await ask(house, 10)
    answer = await house.answer("api-key-stats", user="Ada")
    [embed] = answer["embeds"]
    received = len(house.generated())
    failed = sum(entry["status"] != 200 for entry in house.generated())
    assert f"{received} requests, {failed} failed" in embed["description"]
    assert embed["description"].count("Key #") + embed["description"].count("-1") >= 8
    assert "dead" in embed["description"]
    assert not any(secret.rpartition(":")[2] in str(answer) for secret in house.gemini.key_specs())


async def test_the_pools_are_shown_by_model(house):
    """Each model asked has its field, whose numbers add up."""
    await ask(house, 3)
    answer = await house.answer("pool-stats", user="Ada")
    [field] = answer["embeds"][0]["fields"]
    assert field["name"] == "gemini-4-hydrogen"
    assert "8 of 8 instances active, 0 failed" in field["value"]
    assert "3 requests" in field["value"]


async def test_nothing_asked_yet_is_said(house):
    """Before the first question there is a sentence in place of an empty table."""
    answer = await house.answer("pool-stats", user="Ada")
    assert "No model has been asked" in answer["embeds"][0]["description"]


async def test_a_reset_of_counts_leaves_dead_keys_dead(house):
    """Counts go to zero; the mark of a key that was refused stays."""
    house.gemini.set_faults([{"kind": "leaked", "keys": [house.gemini.state()[0]["label"]]}])
    await ask(house, 9)
    await house.answer("reset-api-stats", user="Ada")
    stats = house.pool.get_api_key_stats()
    assert stats["total_requests"] == 0
    assert [key["state"] for key in stats["key_usage"].values()].count("dead") == 1


async def test_a_reset_of_the_pool_gives_dead_keys_another_try(house):
    """After the reset every key is live again, and the sentence counts them."""
    house.gemini.set_faults([{"kind": "leaked", "keys": [house.gemini.state()[0]["label"]]}])
    await ask(house, 9)
    answer = await house.answer("reset-pool", user="Ada")
    assert "8 keys" in answer["content"]
    assert "dead" not in [key["state"] for key in house.pool.get_api_key_stats()["key_usage"].values()]


async def test_one_model_can_be_reset_alone(house):
    """The model is offered while typing; one without a pool is named in the sentence."""
    await ask(house, 1)
    choices = await house.discord.autocomplete(
        house.channel("general"), name="reset-pool", options={"model": "hydro"}, focused="model", user="Ada"
    )
    assert [choice["value"] for choice in choices] == ["gemini-4-hydrogen"]
    answer = await house.answer("reset-pool", options={"model": "gemini-4-hydrogen"}, user="Ada")
    assert "`gemini-4-hydrogen`" in answer["content"]
    answer = await house.answer("reset-pool", options={"model": "no`pe"}, user="Ada")
    assert "`nope`" in answer["content"]


async def test_a_hundred_keys_come_whole_as_a_file(tmp_path):
    """What does not fit into an embed is attached, with every key in it."""
    keys = [f"k{n}@p{n}:" + "A" + "Q." + f"{n:040d}" for n in range(100)]
    house = House(tmp_path, keys)
    await house.open()
    try:
        await house.start()
        await ask(house, 1)
        for name in ("api-key-stats", "pool-stats"):
            answer = await house.answer(name, user="Ada")
            assert len(answer["embeds"][0].get("description", "")) <= 4096
        answer = await house.answer("api-key-stats", user="Ada")
        [file] = answer["attachments"]
        assert file["filename"] == "api-key-stats.txt"
        assert house.discord.violations() == []
    finally:
        await house.close()
