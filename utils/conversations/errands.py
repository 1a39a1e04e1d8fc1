"""Small questions of the bot's own about a conversation, such as for its title or a summary of it.

``Errands.ask`` puts one to the model and gives the text, "" where there is none. What always holds: what it costs
counts for the person whose question brought it about, like their answers; whatever goes wrong is no more than a missing
text, and nobody is told. What is asked, and what becomes of the text, is ``naming``'s and ``memory``'s.
"""

from __future__ import annotations

from dataclasses import dataclass

from utils.conversations.ports import Answerer
from utils.conversations.waiting import Fair
from utils.gemini_pool import PoolError


@dataclass(frozen=True, slots=True)
class Payer:
    """For whom an errand counts, and where."""

    user_id: int
    guild_id: int | None


class Errands:
    """Asks the model on the bot's own behalf."""

    def __init__(self, pool: Answerer, fair: Fair) -> None:
        self._pool = pool
        self._fair = fair

    async def ask(self, text: str, *, instruction: str, model: str, deadline_s: float, payer: Payer) -> str:
        """Give the model's answer to a text, or ""."""
        answer, success = await self._pool.generate_content(
            contents=[{"role": "user", "parts": [{"text": text}]}],
            model_name=model,
            system_instruction=instruction,
            deadline_s=deadline_s,
            user=str(payer.user_id),
        )
        if isinstance(answer, PoolError) or not success:
            return ""
        usage = getattr(answer, "usage_metadata", None)
        if usage is not None:
            thinking = getattr(usage, "thoughts_token_count", None) or 0
            await self._fair.spent(
                user_id=payer.user_id,
                guild_id=payer.guild_id,
                model=getattr(answer, "model_version", None) or model,
                input_tokens=usage.prompt_token_count or 0,
                output_tokens=(usage.candidates_token_count or 0) + thinking,
            )
        return (answer.text or "").strip()
