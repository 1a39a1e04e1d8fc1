"""What is left of a person's use of a day when they have their data deleted: a count under a name that says nothing.

``keep_count`` puts one row for each server in the place of a person's uses of today; ``alias`` is the name it stands
under, for who knows the person and the day's salt. What always holds: no id of the person's, of their messages or
interactions and no time of day is in such a row; the salt is random, kept for its day only and deleted with it, and
without it nobody can tell whose a count was; the counts go with the day too. Functions of a connection inside the
caller's transaction.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from utils.storage.backend import insert_for
from utils.storage.schema import meta
from utils.storage.schema_limits import fair_uses

_SALT = "fair.salt"
_DAY_S = 86_400


def alias(salt: str, user_id: int, guild_id: int | None = None) -> int:
    """Give the name of a person for one day, or (with a server) of their count there; below 0, as no id of Discord."""
    text = f"{user_id}" if guild_id is None else f"{user_id}@{guild_id}"
    return -1 - int.from_bytes(hmac.digest(salt.encode(), text.encode(), hashlib.sha256)[:7])


async def read_salt(connection: AsyncConnection, now: float) -> str | None:
    """Give the salt of the day of ``now`` (unix seconds), and delete one of another day; None: there is none."""
    found = str(await connection.scalar(select(meta.c.value).where(meta.c.name == _SALT)) or "")
    day, _, salt = found.partition(":")
    if salt and day == str(_day(now)):
        return salt
    if found:
        await connection.execute(delete(meta).where(meta.c.name == _SALT))
    return None


async def keep_count(connection: AsyncConnection, user_id: int, now: float) -> None:
    """Put counts without a name in the place of what a person used today; their rows are left for whoever deletes."""
    begins = _day(now) * float(_DAY_S)
    sums = [func.sum(fair_uses.c[name]).label(name) for name in ("requests", "tokens", "micros")]
    mine = (fair_uses.c.user_id == user_id) & (fair_uses.c.used_at >= begins)
    found = await connection.execute(select(fair_uses.c.guild_id, *sums).where(mine).group_by(fair_uses.c.guild_id))
    counts = found.mappings().all()
    if not counts:
        return
    salt = await read_salt(connection, now)
    if salt is None:
        salt = secrets.token_hex(16)
        await connection.execute(insert_for(connection, meta).values(name=_SALT, value=f"{_day(now)}:{salt}"))
    for count in counts:
        added = insert_for(connection, fair_uses).values(
            use_id=alias(salt, user_id, count["guild_id"] or 0),
            user_id=alias(salt, user_id),
            guild_id=count["guild_id"],
            used_at=begins,
            requests=int(count["requests"]),
            tokens=int(count["tokens"]),
            micros=int(count["micros"]),
        )
        more = {name: fair_uses.c[name] + added.excluded[name] for name in ("requests", "tokens", "micros")}
        await connection.execute(added.on_conflict_do_update(index_elements=["use_id"], set_=more))


def _day(now: float) -> int:
    return int(now // _DAY_S)
