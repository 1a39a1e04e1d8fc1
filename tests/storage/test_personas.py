"""Personas: kept as they were made, within their bound, shared and taken back, and forgotten; on both databases."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.storage.conftest import WallClock
from utils.storage import Persona, Storage, open_storage

MOST = 3


async def make(storage: Storage, name: str = "Pirate", *, user_id: int = 7) -> Persona:
    made = await storage.personas.create(user_id, name=name, instructions=f"You are {name}.", most=MOST)
    assert made is not None
    return made


def _all_bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_a_persona_is_given_back_as_it_was_made(storage: Storage, wall: WallClock):
    """Name, instructions and times survive, also words outside of ASCII."""
    made = await make(storage, "海盜 🏴‍☠️")
    assert await storage.personas.get(made.id) == made
    assert (made.created_at, made.guild_id, made.role_ids) == (wall.now, None, frozenset())
    assert await storage.personas.get(made.id + 1) is None


async def test_a_person_keeps_at_most_so_many(storage: Storage):
    """The one too many is not stored; another person's do not count."""
    for number in range(MOST):
        await make(storage, f"P{number}")
    assert await storage.personas.create(7, name="more", instructions="x", most=MOST) is None
    await make(storage, user_id=8)
    assert len(await storage.personas.within_reach(7, None)) == MOST


async def test_many_made_at_once_keep_the_bound(tmp_path: Path):
    """The count and the insert are one step of the one writer."""
    async with open_storage(str(tmp_path / "bot.db")) as storage:
        tries = (storage.personas.create(7, name=f"P{n}", instructions="x", most=MOST) for n in range(20))
        made = await asyncio.gather(*tries)
        assert len([each for each in made if each is not None]) == MOST


async def test_a_change_touches_words_and_time_only(storage: Storage, wall: WallClock):
    """The maker, the sharing and the time of making stay."""
    made = await make(storage)
    shared = await storage.personas.share(made, 5, {2, 1})
    assert shared is not None
    wall.now += 60
    assert await storage.personas.change(made.id, name="Captain", instructions="You command.")
    found = await storage.personas.get(made.id)
    assert found is not None
    assert (found.name, found.instructions, found.updated_at) == ("Captain", "You command.", wall.now)
    assert (found.guild_id, found.role_ids, found.created_at) == (5, frozenset({1, 2}), made.created_at)


async def test_what_is_within_reach_is_ones_own_and_the_servers(storage: Storage):
    """A shared persona is seen in its server and nowhere else, its maker sees it everywhere."""
    mine, hers = await make(storage, "mine"), await make(storage, "hers", user_id=8)
    await storage.personas.share(hers, 5)

    async def names(user_id: int, guild_id: int | None) -> list[str]:
        return [persona.name for persona in await storage.personas.within_reach(user_id, guild_id)]

    assert await names(7, 5) == ["mine", "hers"]
    assert await names(7, 6) == await names(7, None) == ["mine"]
    assert await names(8, None) == ["hers"]
    await storage.personas.share(hers, None)
    assert await names(7, 5) == ["mine"]
    assert await storage.personas.delete(mine.id)
    assert not await storage.personas.delete(mine.id)
    assert not await storage.personas.change(mine.id, name="x", instructions="x")
    assert await storage.personas.share(mine, 5) is None


@pytest.mark.parametrize(
    ("user_id", "guild_id", "roles", "may"),
    [
        (7, None, (), True),
        (7, 6, (), True),
        (8, 5, (1,), True),
        (8, 5, (2, 3), False),
        (8, 5, (), False),
        (8, 6, (1,), False),
        (8, None, (1,), False),
    ],
)
def test_who_may_use_a_persona_shared_with_a_role(user_id, guild_id, roles, may):
    """The maker everywhere; others in the server it is shared with, holding one of its roles."""
    persona = Persona(1, 7, 5, frozenset({1}), "n", "i", 0.0, 0.0)
    assert persona.may_use(user_id, guild_id, roles) is may


@pytest.mark.parametrize("whom", ["user", "guild"])
async def test_forgetting_takes_personas_with_it(tmp_path: Path, whom: str):
    """After the deletion no file holds a word of the persona; other people's stay."""
    path = tmp_path / "bot.db"
    async with open_storage(str(path)) as storage:
        made = await storage.personas.create(7, name="MARKER", instructions="MARKER" * 500, most=MOST)
        assert made is not None
        await storage.personas.share(made, 5)
        kept = await make(storage, "KEPT", user_id=8)
        if whom == "user":
            await storage.privacy.forget_user(7)
        else:
            await storage.privacy.forget_guild(5)
        assert await storage.personas.get(made.id) is None
        assert await storage.personas.get(kept.id) == kept
        assert _all_bytes(tmp_path).count(b"MARKER") == 0
