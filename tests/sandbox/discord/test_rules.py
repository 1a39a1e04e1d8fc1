"""The pure rules: ids, permissions, mentions, sizes, buckets, faults, routes."""

from __future__ import annotations

import pytest

from sandbox.clock import SandboxClock
from sandbox.discord.buckets import Buckets
from sandbox.discord.ids import Snowflakes, made_at, stamp
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.mentions import resolve, unguarded
from sandbox.discord.permissions import ALL, Permission, compute, may
from sandbox.discord.rest.routes import Route, Router
from sandbox.discord.seed import first_world
from sandbox.discord.sizes import check_commands, check_components, check_message, check_modal, units
from sandbox.discord.world import Overwrite, World

LIMITS = DiscordLimits()


@pytest.fixture
def world() -> World:
    return first_world(Snowflakes(SandboxClock(), 0))


def test_ids_grow_and_carry_their_time():
    """Every id is larger than the one before; the same seed gives the same first world."""
    clock = SandboxClock()
    ids = Snowflakes(clock, 7)
    made = [int(ids.next()) for _ in range(1000)]
    assert made == sorted(set(made))
    assert abs(made_at(str(made[0])) - clock.now()) < 5
    assert Snowflakes(clock, 7).fixed() == Snowflakes(clock, 7).fixed() != Snowflakes(clock, 8).fixed()
    assert stamp(0) == "1970-01-01T00:00:00.000000+00:00"


def test_overwrites_add_up_everyone_then_roles_then_member(world: World):
    """A role's allowance beats what everyone is denied; the member's own overwrite beats both."""
    mina = world.find_user("Mina")
    assert mina is not None
    channel = next(c for c in world.channels.values() if c.name == "general")
    assert may(world, mina, channel, Permission.SEND_MESSAGES)
    send = int(Permission.SEND_MESSAGES)
    channel.overwrites.append(Overwrite(world.guild_id, is_member=False, deny=send))
    assert not may(world, mina, channel, Permission.SEND_MESSAGES)
    channel.overwrites.append(Overwrite(world.members[mina.id].role_ids[0], is_member=False, allow=send))
    assert may(world, mina, channel, Permission.SEND_MESSAGES)
    channel.overwrites.append(Overwrite(mina.id, is_member=True, deny=send))
    assert not may(world, mina, channel, Permission.SEND_MESSAGES)


def test_administrators_have_all_and_the_unseeing_nothing(world: World):
    """Without View Channel nothing is left; an administrator cannot be shut out."""
    ada, mina = world.find_user("ada"), world.find_user("mina")
    staff = next(c for c in world.channels.values() if c.name == "staff")
    assert ada is not None
    assert mina is not None
    assert compute(world, ada, staff) == ALL
    assert compute(world, mina, staff) == 0
    assert may(world, world.bot, staff, Permission.SEND_MESSAGES)


@pytest.mark.parametrize(
    ("text", "allowed", "users", "everyone"),
    [
        ("<@{mina}> @everyone", None, ["mina"], True),
        ("<@{mina}> @everyone", {"parse": []}, [], False),
        ("<@!{mina}>", {"parse": [], "users": ["{mina}"]}, ["mina"], False),
        ("`<@{mina}>` ```\n@here\n```", None, [], False),
        ("<@{mina}> @here", {"parse": ["everyone"]}, [], True),
        ("<@1>", None, [], False),
    ],
)
def test_mentions_are_resolved_as_discord_does(
    world: World, text: str, allowed: dict[str, list[str]] | None, users: list[str], everyone: bool
):
    """allowed_mentions decides; code is text."""
    mina = world.find_user("mina")
    assert mina is not None
    if allowed and "users" in allowed:
        allowed = {**allowed, "users": [mina.id]}
    pings = resolve(text.replace("{mina}", mina.id), allowed, world, replied=None, may_ping_all=True)
    assert ([user.username for user in pings.users], pings.everyone) == (users, everyone)


def test_a_reply_pings_only_when_asked(world: World):
    """replied_user is off once allowed_mentions is given."""
    mina = world.find_user("mina")
    assert resolve("x", None, world, replied=mina, may_ping_all=False).users == [mina]
    assert resolve("x", {"parse": []}, world, replied=mina, may_ping_all=False).users == []
    asked = {"parse": [], "replied_user": True}
    assert resolve("x", asked, world, replied=mina, may_ping_all=False).users == [mina]


def test_text_that_would_ping_is_named():
    """Only what the text itself decides is unguarded; ids named one by one are a choice."""
    text = "@everyone <@&1> <@2>"
    kinds = ["mention_everyone", "mention_role", "mention_user"]
    assert [kind for kind, _ in unguarded(text, None)] == kinds
    assert unguarded(text, {"parse": [], "users": ["2"], "roles": ["1"]}) == []
    assert unguarded("user@everyone.org is `@here`", {"parse": []}) == []


def test_lengths_are_counted_in_utf16_units():
    """An emoji counts twice, the stricter reading of Discord's limit."""
    assert units("a😀漢") == 4
    assert check_message({"content": "x" * 2000}, LIMITS) == []
    assert [path for path, _ in check_message({"content": "😀" * 1001}, LIMITS)] == ["content"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"embeds": [{"title": "x" * 257}]}, ["embeds.0.title"]),
        ({"embeds": [{"description": "x" * 4097}]}, ["embeds.0.description"]),
        ({"embeds": [{"footer": {"text": "x" * 2049}}]}, ["embeds.0.footer.text"]),
        ({"embeds": [{"author": {"name": "x" * 257}}]}, ["embeds.0.author.name"]),
        ({"embeds": [{"fields": [{"name": "n", "value": "x" * 1025}]}]}, ["embeds.0.fields.0.value"]),
        ({"embeds": [{"fields": [{"name": "", "value": "v"}]}]}, ["embeds.0.fields.0.name"]),
        ({"embeds": [{"fields": [{"name": "n", "value": "v"}] * 26}]}, ["embeds.0.fields"]),
        ({"embeds": [{"description": "x" * 4000}] * 2}, ["embeds"]),
        ({"embeds": [{}] * 11}, ["embeds"]),
        ({"nonce": "x" * 26}, ["nonce"]),
        ({"attachments": [{"id": n} for n in range(11)]}, ["attachments"]),
    ],
)
def test_message_limits(body: dict[str, object], paths: list[str]):
    """Each limit names the place that breaks it."""
    assert [path for path, _ in check_message(body, LIMITS)] == paths


@pytest.mark.parametrize(
    ("components", "words"),
    [
        ([{"type": 1, "components": []}] * 6, "fewer in length"),
        ([{"type": 1, "components": [{"type": 2, "custom_id": str(n)} for n in range(6)]}], "fewer in length"),
        ([{"type": 1, "components": [{"type": 2, "label": "x" * 81}]}], "80 or fewer"),
        ([{"type": 1, "components": [{"type": 2, "custom_id": "x" * 101}]}], "100 or fewer"),
        ([{"type": 1, "components": [{"type": 2, "custom_id": "a"}] * 2}], "cannot be duplicated"),
        ([{"type": 10, "content": "x" * 2001}] * 2, "exceeds 4000"),
        ([{"type": 17, "components": [{"type": 14}] * 40}], "components is 40"),
        ([{"type": 1, "components": [{"type": 3, "options": [{}] * 26}]}], "25 or fewer"),
    ],
)
def test_component_limits(components: list[dict[str, object]], words: str):
    """Each limit is a sentence."""
    assert [words in sentence for _, sentence in check_components(components, LIMITS)] == [True]


def test_modal_and_command_limits():
    """Titles, numbers of components, names, descriptions and whole sets."""
    modal = {"title": "x" * 46, "custom_id": "m", "components": [{"type": 10}] * 6}
    assert [path for path, _ in check_modal(modal, LIMITS)] == ["title", "components"]
    long = {"name": "x" * 33, "description": "d" * 101, "options": [{"name": "o", "type": 3}] * 26}
    assert [path for path, _ in check_commands([long], LIMITS)] == ["0.name", "0.description", "0.options"]
    menus = [{"name": str(n), "type": 3} for n in range(16)]
    assert "(15)" in check_commands(menus, LIMITS)[0][1]
    huge = {"name": "a", "description": "b", "options": [{"name": "o" * 32, "description": "d" * 100}] * 25}
    choices = [{"name": "n" * 100, "value": "v" * 100}] * 25
    huge["options"] = [{"name": str(n), "description": "d", "choices": choices} for n in range(2)]
    assert "maximum size" in check_commands([huge], LIMITS)[-1][1]


def test_a_bucket_refuses_until_its_window_ends():
    """The headers say how many are left and when the window ends; another channel has its own."""
    now = [0.0]
    buckets = Buckets(DiscordLimits(buckets={"send": (2, 5.0)}), lambda: now[0])
    assert [buckets.take("send", "c").remaining for _ in range(2)] == [1, 0]  # type: ignore[union-attr]  # has a limit
    refused = buckets.take("send", "c")
    assert refused is not None
    assert refused.retry_after == 5.0
    assert refused.headers(100.0)["X-RateLimit-Reset"] == "105.000"
    assert buckets.take("send", "other").retry_after is None  # type: ignore[union-attr]  # has a limit
    now[0] = 5.0
    assert buckets.take("send", "c").retry_after is None  # type: ignore[union-attr]  # has a limit
    assert buckets.take("none", "c") is None


def test_the_global_limit_counts_all_routes():
    """Fifty a second, whatever they are."""
    buckets = Buckets(DiscordLimits(global_per_s=2), lambda: 0.0)
    assert [buckets.take_global() for _ in range(2)] == [None, None]
    refused = buckets.take_global()
    assert refused is not None
    assert refused.everywhere


def test_literal_segments_win_over_parameters():
    """@me is no user's id."""
    router = Router([Route("GET", "/users/{user_id}", print), Route("GET", "/users/@me", repr)])
    hit = router.match("GET", "/users/@me")
    assert hit is not None
    assert hit[0].template == "/users/@me"
    assert router.match("POST", "/users/@me") is None
    assert router.match("GET", "/users/1/x") is None
