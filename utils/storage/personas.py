"""Personas: names and instructions that people make for the model, and with whom they share them.

``Personas`` keeps them. A persona belongs to its maker; while ``guild_id`` is None only the maker uses it, otherwise
the members of that server do, or those with one of its ``role_ids`` where there are any. What always holds: a person
keeps at most ``most`` of them; whom a persona may be shown to is decided by ``may_use`` alone. Lengths and wording are
the callers' business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, RowMapping, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend
from utils.storage.codec import Codec, decode_text, encode_text
from utils.storage.schema_personas import personas


@dataclass(frozen=True, slots=True)
class Persona:
    """Who the model shall be; ``user_id`` made it, ``guild_id`` is the server it is shared with, if any."""

    id: int
    user_id: int
    guild_id: int | None
    role_ids: frozenset[int]
    name: str
    instructions: str
    created_at: float
    updated_at: float

    def may_use(self, user_id: int, guild_id: int | None, role_ids: Collection[int]) -> bool:
        """Tell whether a user with these roles may use it in this server (None: in direct messages)."""
        if user_id == self.user_id:
            return True
        if self.guild_id is None or guild_id != self.guild_id:
            return False
        return not self.role_ids or not self.role_ids.isdisjoint(role_ids)


class Personas:
    """The stored personas; made by ``open_storage``. ``wall`` gives unix seconds."""

    def __init__(
        self, backend: Backend, codec: Codec, make_id: Callable[[], int], *, wall: Callable[[], float]
    ) -> None:
        self._backend = backend
        self._codec = codec
        self._make_id = make_id
        self._wall = wall

    async def create(self, user_id: int, *, name: str, instructions: str, most: int) -> Persona | None:
        """Store a persona that only its maker uses; None: the maker has ``most`` of them already."""
        now = self._wall()
        made = Persona(self._make_id(), user_id, None, frozenset(), name, instructions, now, now)
        row = {
            "id": made.id,
            "user_id": user_id,
            "guild_id": None,
            "role_ids": "",
            **self._words(made.id, name, instructions),
            "created_at": now,
            "updated_at": now,
        }

        async def job(connection: AsyncConnection) -> Persona | None:
            count = select(func.count()).select_from(personas).where(personas.c.user_id == user_id)
            if (await connection.scalar(count) or 0) >= most:
                return None
            await connection.execute(personas.insert(), row)
            return made

        return await self._backend.write(job)

    async def get(self, persona_id: int) -> Persona | None:
        """Give a persona by its id, or None."""
        found = await self._find(personas.c.id == persona_id)
        return found[0] if found else None

    async def within_reach(self, user_id: int, guild_id: int | None) -> list[Persona]:
        """Give a user's own personas and those shared with a server, in the order they were made."""
        mine = personas.c.user_id == user_id
        return await self._find(mine if guild_id is None else mine | (personas.c.guild_id == guild_id))

    async def change(self, persona_id: int, *, name: str, instructions: str) -> bool:
        """Give a persona another name and other instructions; False: it is gone."""
        values = {**self._words(persona_id, name, instructions), "updated_at": self._wall()}
        return await self._update(persona_id, values)

    async def share(self, persona: Persona, guild_id: int | None, role_ids: Collection[int] = ()) -> Persona | None:
        """Share a persona with a server, or the holders of some roles there; None: take it back. None: it is gone."""
        shared = replace(persona, guild_id=guild_id, role_ids=frozenset(role_ids), updated_at=self._wall())
        values = {
            "guild_id": guild_id,
            "role_ids": " ".join(str(role_id) for role_id in sorted(shared.role_ids)),
            "updated_at": shared.updated_at,
        }
        return shared if await self._update(persona.id, values) else None

    async def delete(self, persona_id: int) -> bool:
        """Delete a persona; False: it was gone already."""

        async def job(connection: AsyncConnection) -> bool:
            return (await connection.execute(delete(personas).where(personas.c.id == persona_id))).rowcount > 0

        return await self._backend.write(job)

    async def _update(self, persona_id: int, values: Mapping[str, object]) -> bool:
        async def job(connection: AsyncConnection) -> bool:
            changed = await connection.execute(update(personas).where(personas.c.id == persona_id).values(values))
            return changed.rowcount > 0

        return await self._backend.write(job)

    async def _find(self, condition: ColumnElement[bool]) -> list[Persona]:
        async def job(connection: AsyncConnection) -> list[Persona]:
            found = await connection.execute(select(personas).where(condition).order_by(personas.c.id))
            return [self._persona(row) for row in found.mappings()]

        return await self._backend.read(job)

    def _persona(self, row: RowMapping) -> Persona:
        return Persona(
            id=row["id"],
            user_id=row["user_id"],
            guild_id=row["guild_id"],
            role_ids=frozenset(int(role_id) for role_id in row["role_ids"].split()),
            name=decode_text(self._codec, "personas.name", row["id"], row["name"]),
            instructions=decode_text(self._codec, "personas.instructions", row["id"], row["instructions"]),
            created_at=row["created_at"],
            updated_at=row["updated_at"],
        )

    def _words(self, persona_id: int, name: str, instructions: str) -> dict[str, object]:
        return {
            "name": encode_text(self._codec, "personas.name", persona_id, name),
            "instructions": encode_text(self._codec, "personas.instructions", persona_id, instructions),
        }
