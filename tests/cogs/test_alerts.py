"""Alerts: where they are posted, in which language, how often, and what they never do."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable

import pytest

from cogs.alerts import AlertsCog, message_of
from tests.cogs.conftest import House, until
from tests.cogs.people import command
from tests.cogs.pool_watch import ToldAlert, ToldWatch

DEAD = {"key": "Key #2", "name": "team", "reason": "refused for good"}


class Pauses:
    """Sleeps until it is told that the time is over, again and again."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.lengths.append(seconds)
        await self._over.wait()
        self._over.clear()

    def were(self, count: int) -> bool:
        return len(self.lengths) == count

    def end(self) -> None:
        self._over.set()


@pytest.fixture
async def watch(made) -> ToldWatch:
    """Give the pool's look at itself in a running house, whose server posts alerts in #questions."""
    told = ToldWatch()
    await made.start(watch=told)
    await command(made, "settings set", options={"alerts": made.channel("questions")}, user="Ada")
    return told


async def take_over(house: House, sleep: Callable[[float], Awaitable[None]]) -> None:
    """Put a cog whose pauses the test decides in the place of the bot's own."""
    old = house.bot.get_cog("AlertsCog")
    assert isinstance(old, AlertsCog)
    await house.bot.remove_cog("AlertsCog")
    await house.bot.add_cog(AlertsCog(house.bot, old._insight, house.preferences, sleep=sleep))


async def test_an_alert_is_posted_in_the_chosen_channel_and_nowhere_else(made, watch):
    """At once, with the label of the key, and pinging nobody."""
    watch.alert("key_dead", **DEAD)
    [message] = await until(lambda: made.said(made.channel("questions")))
    assert message["content"] == "⚠️ Key #2 (team) is dead: refused for good. Replace it, then use `/reset-pool`."
    assert made.said(made.channel("media")) == []


async def test_the_servers_language_is_spoken(made, watch):
    """Nobody's own language is known here."""
    await command(made, "settings set", options={"language": "zh-TW"}, user="Ada")
    await made.preferences.guild(int(made.discord.guild_id))
    watch.alert("no_key_left", keys=8)
    [message] = await until(lambda: made.said(made.channel("questions")))
    assert message["content"].startswith("⚠️ 全部 8 個密鑰都已失效")


async def test_what_comes_within_a_minute_is_gathered_into_the_next_message(made, watch):
    """One message, then a pause, then one with all the others."""
    pauses = Pauses()
    await take_over(made, pauses.sleep)
    watch.alert("key_dead", **DEAD)
    await until(lambda: pauses.lengths)
    for number in range(15):
        watch.alert("key_back", key=f"Key #{number}", name="n")
    assert len(made.said(made.channel("questions"))) == 1
    assert pauses.lengths == [60.0]
    pauses.end()
    _, second = await until(lambda: made.said(made.channel("questions"))[1:] and made.said(made.channel("questions")))
    lines = second["content"].splitlines()
    assert len(lines) == 11
    assert lines[0] == "✅ Key #5 (n) is accepted again and serves as before."
    assert lines[-1] == "… and 5 more: see `/api-key-stats`."


async def test_a_channel_without_permission_costs_one_line_of_log_and_no_other_alert(made, watch, caplog):
    """The next alert gets through once the right is back; the log is not filled meanwhile."""
    pauses = Pauses()
    await take_over(made, pauses.sleep)
    made.discord.take_permission(made.channel("questions"), "SEND_MESSAGES")
    for count in (1, 2):
        watch.alert("key_dead", **DEAD)
        await until(functools.partial(pauses.were, count))
        pauses.end()
    assert caplog.text.count("alerts cannot be posted") == 1
    made.discord.give_permission(made.channel("questions"), "SEND_MESSAGES")
    watch.alert("key_back", key="Key #2", name="team")
    [message] = await until(lambda: made.said(made.channel("questions")))
    assert message["content"].startswith("✅")


async def test_a_deleted_channel_ends_nothing(made, watch, caplog):
    """The bot goes on, and the log says which channel it was."""
    made.discord.delete_channel(made.channel("questions"))
    watch.alert("key_dead", **DEAD)
    await until(lambda: "alerts cannot be posted" in caplog.text)
    assert (await made.answer("ask", options={"prompt": "one #q-1"}))["content"]


async def test_a_stopped_bot_listens_no_more(made, watch):
    """The pool outlives the bot by a moment."""
    assert watch.listener is not None
    await made.bot.remove_cog("AlertsCog")
    assert watch.listener is None


def test_too_many_alerts_are_counted_and_none_is_too_long():
    """Discord takes 2,000 characters."""
    alerts = [ToldAlert("few_keys", {"able": 1, "keys": 9, "model": "m" * 500, "seconds": 61.7})] * 30
    text = message_of(alerts, 70, "ru")
    assert len(text) <= 2000
    assert "90" in text.splitlines()[-1]


@pytest.mark.parametrize("locale", ["en-US", "zh-TW", "ko", "id", "ru"])
def test_every_kind_has_a_sentence_in_every_language(locale):
    """The figures stand in it."""
    values = {**DEAD, "able": 1, "keys": 9, "model": "m", "seconds": 61.7}
    for kind in ("key_dead", "key_back", "few_keys", "enough_keys", "no_key_left"):
        text = message_of([ToldAlert(kind, values, "English only")], 0, locale)
        assert "English only" not in text
        assert "{" not in text


def test_words_from_outside_are_never_markup_or_mentions():
    """A key's name is the operator's, the reason Google's."""
    values = {**DEAD, "name": "@everyone **x**\nnew line <@123456789012345678>", "reason": "`code`"}
    text = message_of([ToldAlert("key_dead", values)], 0, "en-US")
    assert "@everyone" not in text
    assert "<@123456789012345678>" not in text
    assert "**x**" not in text
    assert len(text.splitlines()) == 1


def test_an_alert_of_a_kind_not_known_is_told_in_english():
    """A newer pool may know more kinds."""
    assert message_of([ToldAlert("new_kind", {}, "The sky fell.")], 0, "zh-TW") == "⚠️ The sky fell."
    assert message_of([ToldAlert("key_dead", {"key": "k"}, "K is dead.")], 0, "zh-TW") == "⚠️ K is dead."
