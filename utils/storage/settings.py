"""What a server chose: model, safety, persona, where alerts go, language, and which roles may use what.

``GuildSettingsStore`` keeps it. What always holds: a change writes only what is changed, so two changes at once both
stay; a server that never chose anything has the empty ``GuildSettings``. Who may change it, what the values mean, and
remembering them is the callers' business; words of people are not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, TypeAlias, TypedDict

from sqlalchemy import RowMapping, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import Backend, insert_for
from utils.storage.schema_personas import guild_access, guild_settings

SafetyLevel = Literal["off", "low", "medium", "high"]
AccessKind = Literal["command", "model"]
Access: TypeAlias = Mapping[tuple[AccessKind, str], frozenset[int]]


@dataclass(frozen=True, slots=True)
class GuildSettings:
    """One server's choices; None: not chosen. ``access`` gives, by kind and name, the roles that alone may use it."""

    guild_id: int
    model: str | None = None
    safety: SafetyLevel | None = None
    persona_id: int | None = None
    alerts_channel_id: int | None = None
    language: str | None = None
    access: Access = field(default_factory=lambda: MappingProxyType({}))

    def admits(self, kind: AccessKind, name: str, role_ids: Collection[int]) -> bool:
        """Tell whether somebody with these roles may use that command or model."""
        wanted = self.access.get((kind, name))
        return wanted is None or not wanted.isdisjoint(role_ids)


class SettingsChange(TypedDict, total=False):
    """What of a server's choices to set; None takes a choice back."""

    model: str | None
    safety: SafetyLevel | None
    persona_id: int | None
    alerts_channel_id: int | None
    language: str | None


class GuildSettingsStore:
    """The stored choices of servers; made by ``open_storage``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def get(self, guild_id: int) -> GuildSettings:
        """Give a server's choices."""

        async def job(connection: AsyncConnection) -> GuildSettings:
            chosen = await connection.execute(select(guild_settings).where(guild_settings.c.guild_id == guild_id))
            access = await connection.execute(select(guild_access).where(guild_access.c.guild_id == guild_id))
            return _settings(guild_id, chosen.mappings().first(), access.mappings().all())

        return await self._backend.read(job)

    async def change(self, guild_id: int, change: SettingsChange) -> None:
        """Store what is in ``change``; the rest stays as it is."""
        if not change:
            return

        async def job(connection: AsyncConnection) -> None:
            insert = insert_for(connection, guild_settings).values(guild_id=guild_id, **change)
            await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["guild_id"], set_={name: insert.excluded[name] for name in change}
                )
            )

        await self._backend.write(job)

    async def restrict(self, guild_id: int, kind: AccessKind, name: str, role_id: int) -> None:
        """Let a role use a command or model, and from the first role on only such roles."""

        async def job(connection: AsyncConnection) -> None:
            insert = insert_for(connection, guild_access).values(
                guild_id=guild_id, kind=kind, name=name, role_id=role_id
            )
            await connection.execute(insert.on_conflict_do_nothing())

        await self._backend.write(job)

    async def open_to_all(self, guild_id: int, kind: AccessKind, name: str) -> bool:
        """Let everybody use a command or model again; False: everybody could."""
        of_it = (guild_access.c.guild_id == guild_id) & (guild_access.c.kind == kind) & (guild_access.c.name == name)

        async def job(connection: AsyncConnection) -> bool:
            return (await connection.execute(delete(guild_access).where(of_it))).rowcount > 0

        return await self._backend.write(job)

    async def alert_channels(self) -> dict[int, int]:
        """Give the channel for alerts of every server that chose one, by the server's id."""
        wanted = select(guild_settings.c.guild_id, guild_settings.c.alerts_channel_id).where(
            guild_settings.c.alerts_channel_id.is_not(None)
        )

        async def job(connection: AsyncConnection) -> dict[int, int]:
            return {row.guild_id: row.alerts_channel_id for row in await connection.execute(wanted)}

        return await self._backend.read(job)


def _settings(guild_id: int, row: RowMapping | None, access: Sequence[RowMapping]) -> GuildSettings:
    roles: dict[tuple[AccessKind, str], frozenset[int]] = {}
    for each in access:
        name = (each["kind"], each["name"])
        roles[name] = roles.get(name, frozenset()) | {each["role_id"]}
    given = {} if row is None else {name: value for name, value in row.items() if name != "guild_id"}
    return GuildSettings(guild_id, **given, access=MappingProxyType(roles))
