"""What people used today, what servers allow them, and when the bot last introduced itself to Discord.

``Limits`` keeps it for ``utils.conversations.fairness``, which decides. What always holds: a use is stored once,
whoever stores it again; a change of a server's limits writes only what is changed; where other processes use the same
database, ``exchange`` gives what they stored, and ``reserve`` is one step that no two of them take at once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypedDict

from sqlalchemy import RowMapping, Select, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.anonymous import alias, read_salt
from utils.storage.backend import Backend, insert_for
from utils.storage.schema import meta
from utils.storage.schema_limits import fair_uses, guild_limits, guild_role_limits

#: Whose limits a server sets: those of each member, or those of all members together.
Whom = Literal["members", "server"]


@dataclass(frozen=True, slots=True)
class Use:
    """One question, or what one answer cost; ``micros`` are millionths of a US dollar, ``used_at`` unix seconds."""

    use_id: int
    user_id: int
    guild_id: int | None
    used_at: float
    requests: int = 0
    tokens: int = 0
    micros: int = 0


@dataclass(frozen=True, slots=True)
class Amounts:
    """Questions a minute and a day, tokens and millionths of a US dollar a day; 0: no limit, None: not chosen."""

    per_minute: int | None = None
    per_day: int | None = None
    tokens: int | None = None
    micros: int | None = None


class AmountsChange(TypedDict, total=False):
    """What of a server's limits to set; None takes a choice back."""

    per_minute: int | None
    per_day: int | None
    tokens: int | None
    micros: int | None


@dataclass(frozen=True, slots=True)
class GuildLimits:
    """What a server allows each member, all members together, and its roles: by how much they may do more."""

    members: Amounts = field(default_factory=Amounts)
    server: Amounts = field(default_factory=Amounts)
    factors: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))


class Limits:
    """Uses and limits; made by ``open_storage``. ``make_id`` gives ids of rows, ``wall`` unix seconds."""

    def __init__(self, backend: Backend, make_id: Callable[[], int], *, wall: Callable[[], float]) -> None:
        self._backend = backend
        self.make_id = make_id
        self._wall = wall
        self._salt: str | None = None

    def alias(self, user_id: int) -> int | None:
        """Give the name under which stands what a person used today before they had their data deleted.

        As of the last ``begin``; None: nobody has had anything deleted today.
        """
        return alias(self._salt, user_id) if self._salt is not None else None

    async def begin(self, since: float) -> list[Use]:
        """Delete the uses from before ``since`` (unix seconds), and give the others in the order of their time."""

        async def job(connection: AsyncConnection) -> list[Use]:
            await connection.execute(delete(fair_uses).where(fair_uses.c.used_at < since))
            self._salt = await read_salt(connection, self._wall())
            return await _uses(connection, select(fair_uses))

        return await self._backend.write(job)

    async def exchange(self, made: Sequence[Use], taken_back: Collection[int], *, since: float) -> list[Use]:
        """Store uses, and delete those that were taken back; gives what other processes stored since then.

        What this process stored may be among it. Nothing where no other process can be.
        """
        rows = [_row(use) for use in made]

        async def job(connection: AsyncConnection) -> list[Use]:
            if rows:
                await connection.execute(insert_for(connection, fair_uses).on_conflict_do_nothing(), rows)
            if taken_back:
                await connection.execute(delete(fair_uses).where(fair_uses.c.use_id.in_(taken_back)))
            if self._backend.exclusive:
                return []
            return await _uses(connection, select(fair_uses).where(fair_uses.c.used_at >= since))

        return await self._backend.write(job)

    async def of_guild(self, guild_id: int) -> GuildLimits:
        """Give what a server allows."""

        async def job(connection: AsyncConnection) -> GuildLimits:
            chosen = await connection.execute(select(guild_limits).where(guild_limits.c.guild_id == guild_id))
            amounts = {row["whom"]: _amounts(row) for row in chosen.mappings()}
            roles = await connection.execute(
                select(guild_role_limits).where(guild_role_limits.c.guild_id == guild_id).order_by("role_id")
            )
            factors = {row["role_id"]: row["factor"] for row in roles.mappings()}
            return GuildLimits(**amounts, factors=MappingProxyType(factors))

        return await self._backend.read(job)

    async def change(self, guild_id: int, whom: Whom, change: AmountsChange) -> None:
        """Store what is in ``change``; the rest stays as it is."""
        if not change:
            return

        async def job(connection: AsyncConnection) -> None:
            insert = insert_for(connection, guild_limits).values(guild_id=guild_id, whom=whom, **change)
            await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["guild_id", "whom"], set_={name: insert.excluded[name] for name in change}
                )
            )

        await self._backend.write(job)

    async def set_factor(self, guild_id: int, role_id: int, factor: float) -> None:
        """Let the holders of a role do so many times as much as others."""

        async def job(connection: AsyncConnection) -> None:
            insert = insert_for(connection, guild_role_limits).values(guild_id=guild_id, role_id=role_id, factor=factor)
            await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=["guild_id", "role_id"], set_={"factor": insert.excluded["factor"]}
                )
            )

        await self._backend.write(job)

    async def clear(self, guild_id: int, whom: Whom) -> None:
        """Take back what a server chose for each member, or for all together."""
        of_it = (guild_limits.c.guild_id == guild_id) & (guild_limits.c.whom == whom)
        await self._backend.write(_executing(delete(guild_limits).where(of_it)))

    async def clear_factors(self, guild_id: int, role_id: int | None = None) -> None:
        """Let a role, or (None) every role of a server, do as much as others."""
        of_it = guild_role_limits.c.guild_id == guild_id
        if role_id is not None:
            of_it &= guild_role_limits.c.role_id == role_id
        await self._backend.write(_executing(delete(guild_role_limits).where(of_it)))

    async def reserve(self, name: str, decide: Callable[[float | None], float | None]) -> None:
        """Replace the number that is kept under a name by what ``decide`` makes of it; None leaves it as it is.

        The number is read and replaced in one step, also where other processes do the same.
        """

        async def job(connection: AsyncConnection) -> None:
            # a row to hold on to: two processes must not both find none
            first = insert_for(connection, meta).values(name=name, value="").on_conflict_do_nothing()
            await connection.execute(first)
            held = select(meta.c.value).where(meta.c.name == name).with_for_update()
            following = decide(_number(await connection.scalar(held)))
            if following is not None:
                await connection.execute(meta.update().where(meta.c.name == name).values(value=repr(following)))

        await self._backend.write(job)


def _executing(statement: Any) -> Callable[[AsyncConnection], Awaitable[None]]:
    async def job(connection: AsyncConnection) -> None:
        await connection.execute(statement)

    return job


async def _uses(connection: AsyncConnection, wanted: Select[Any]) -> list[Use]:
    found = await connection.execute(wanted.order_by(fair_uses.c.used_at, fair_uses.c.use_id))
    return [Use(**row) for row in found.mappings()]


def _row(use: Use) -> dict[str, object]:
    return {column.name: getattr(use, column.name) for column in fair_uses.columns}


def _amounts(row: RowMapping) -> Amounts:
    return Amounts(row["per_minute"], row["per_day"], row["tokens"], row["micros"])


def _number(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None
