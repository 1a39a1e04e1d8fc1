"""Administration: who may, what they see, and that the numbers are those of the service's own diary."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from tests.cogs.conftest import PATIENCE_S, House

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
    lines = embed["description"].split("```")[1].splitlines()
    labels = [state["label"] for state in house.gemini.state()]
    assert all(any(line.startswith(label) for line in lines) for label in labels)
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


async def charted(house: House) -> None:
    """Wait until the counts of what was asked are in the database, as they are within a second."""

    async def stored() -> int:
        now = int(time.time())
        spans = await house.storage.spans.load(since=now - 3600, until=now + 60, length_s=60, by="model")
        return sum(span.requests for span in spans)

    wanted = house.pool.get_api_key_stats()["total_requests"]
    async with asyncio.timeout(PATIENCE_S):
        while await stored() < wanted:  # noqa: ASYNC110 - a database tells nobody of its changes
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("name", "files"),
    [("pool-stats", ["requests.png", "time-and-tokens.png"]), ("api-key-stats", ["requests-by-key.png"])],
)
@pytest.mark.parametrize("locale", ["en-US", "zh-TW"])
async def test_charts_come_under_the_numbers(house, name, files, locale):
    """They are pictures that say in words what they show, in the reader's language; a picture is a real PNG."""
    await ask(house, 4)
    await charted(house)
    answer = await house.answer(name, user="Ada", options={"period": "hour"}, locale=locale)
    assert answer["embeds"]
    assert [file["filename"] for file in answer["attachments"]] == files
    total = "gemini-4-hydrogen 4" if name == "pool-stats" else "-1 1"
    assert total in answer["attachments"][0]["description"]
    assert ("最近一小時" in answer["attachments"][0]["description"]) == (locale == "zh-TW")
    async with aiohttp.ClientSession() as session:
        for file in answer["attachments"]:
            async with session.get(file["url"]) as got:
                assert (await got.read()).startswith(b"\x89PNG")
                assert got.content_type == "image/png"


async def test_the_numbers_stand_before_the_charts_are_drawn(house, monkeypatch):
    """A picture that fails costs the picture, said in a sentence, and not the numbers."""
    await ask(house, 2)
    await charted(house)

    def fail(*_args, **_options):
        raise RuntimeError("no picture today")

    monkeypatch.setattr("utils.rendering.charts.pickle.dumps", fail)
    answer = await house.answer("api-key-stats", user="Ada")
    assert "2 requests, 0 failed" in answer["embeds"][0]["description"]
    assert "Something went wrong here" in answer["content"]
    assert "no picture" not in answer["content"]
    assert answer["attachments"] == []


async def test_charts_outlive_a_reset_of_the_counts_and_a_restart(house):
    """The counts begin anew; what happened over time is still shown."""
    await ask(house, 3)
    await charted(house)
    await house.answer("reset-api-stats", user="Ada")
    await house.stop()
    await house.start()
    answer = await house.answer("pool-stats", user="Ada", options={"period": "week"})
    assert "gemini-4-hydrogen 3" in answer["attachments"][0]["description"]


async def test_what_is_left_of_quota_is_a_picture_where_the_pool_knows_it(made):
    """Projects are shown by what is left of the day."""

    class Known:
        def get_quota_stats(self):
            return {"alpha": {"gemini-4-hydrogen": {"limit": 250, "left": 50}}}

    await made.start(quotas=Known())
    answer = await made.answer("api-key-stats", user="Ada")
    [picture] = answer["attachments"]
    assert picture["filename"] == "quota-left.png"
    assert picture["description"] == "Quota of the day that is left: alpha 20 %"


async def test_hundreds_of_keys_come_whole_as_a_file(tmp_path):
    """What does not fit into an embed is attached, with every key in it."""
    keys = [f"k{n}@p{n}:" + "A" + "Q." + f"{n:040d}" for n in range(200)]
    house = House(tmp_path, keys)
    await house.open()
    try:
        await house.start()
        await ask(house, 1)
        for name in ("api-key-stats", "pool-stats"):
            answer = await house.answer(name, user="Ada")
            assert len(answer["embeds"][0].get("description", "")) <= 4096
        answer = await house.answer("api-key-stats", user="Ada")
        assert answer["attachments"][0]["filename"] == "api-key-stats.txt"
        assert house.discord.violations() == []
    finally:
        await house.close()
