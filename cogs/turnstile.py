"""Where questions pass one by one: whoever asks too much is told when to ask again.

``Turnstile`` is asked by every room that is about to have something answered, as the last of its checks, since a
question that passes is counted. What always holds: who is refused pays nothing and is told kindly; of messages, which
cannot be answered to one person alone, the first that is refused is answered and the others are passed over until the
limit ends; a question that came to nothing is given back. What the limits are is ``utils.conversations.fairness``'s.
Errors: the store's own; ``refusal`` waits for the store no longer than an interaction can.
"""

from __future__ import annotations

from collections import OrderedDict

import discord

from cogs.access import role_ids
from cogs.timely import in_time
from utils.conversations.fairness import Denied, FairUse

_REMEMBERED = 10_000
_ID_BITS = 22


class Turnstile:
    """Lets questions pass."""

    def __init__(self, fair: FairUse) -> None:
        self._fair = fair
        self._told: OrderedDict[int, float] = OrderedDict()

    async def refusal(self, interaction: discord.Interaction) -> str | None:
        """Count what an interaction asks, or give the sentence that says why not."""
        user = interaction.user
        async with in_time(interaction):
            denied = await self._fair.admit(interaction.id, user.id, interaction.guild_id, role_ids(user))
        return denied.sentence(str(interaction.locale)) if denied is not None else None

    async def prepare(self) -> None:
        """Read what was used today, so that the first question need not wait for it; raises nothing."""
        await self._fair.prepare()

    async def message_refusal(self, message: discord.Message) -> Denied | None:
        """Count what a message asks, or say why it is not taken."""
        return await self._admit(message, message.id)

    async def change_refusal(self, message: discord.Message) -> Denied | None:
        """Count what a changed message asks, or say why it is not asked again; each change counts by itself."""
        changed_at = message.edited_at or message.created_at
        low_bits = message.id & ((1 << _ID_BITS) - 1)
        return await self._admit(message, discord.utils.time_snowflake(changed_at) | low_bits)

    def tells(self, user_id: int, denied: Denied) -> bool:
        """Tell whether a person is still to be told of a limit, which they then have been."""
        again_at = denied.rule.again_at
        if self._told.get(user_id, 0.0) >= again_at:
            return False
        self._told[user_id] = again_at
        self._told.move_to_end(user_id)
        if len(self._told) > _REMEMBERED:
            self._told.popitem(last=False)
        return True

    def give_back(self, use_id: int) -> None:
        """Count a question no more that came to nothing; ``use_id``: the interaction's or message's id."""
        self._fair.give_back(use_id)

    async def spent(self, interaction: discord.Interaction, model: str, input_tokens: int, output_tokens: int) -> None:
        """Count what something cost that was made outside of a conversation."""
        await self._fair.spent(
            user_id=interaction.user.id,
            guild_id=interaction.guild_id,
            model=model,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
        )

    async def _admit(self, message: discord.Message, use_id: int) -> Denied | None:
        guild_id = message.guild.id if message.guild is not None else None
        return await self._fair.admit(use_id, message.author.id, guild_id, role_ids(message.author))
