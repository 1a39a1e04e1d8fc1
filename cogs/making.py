"""The way of everything that is made in one go: pictures, speech, transcripts, works of art in words.

``Maker`` says before anybody waits why something cannot be made (``refusal``), and makes it (``make``). What always
holds: a model that these keys were refused is not tried again while that is remembered, and the next one of its kind is
tried instead; the server's safety settings apply; nothing is stored. Errors: PoolError. How a result is shown is for
the cogs to say, what of it is a file for ``utils.rendering.parts``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import discord

from cogs.turnstile import Turnstile
from utils.conversations.abilities import Abilities, Choice, Made
from utils.conversations.preferences import Preferences, safety_options
from utils.gemini_pool import GeminiAPIPool, PoolError
from utils.i18n import translate
from utils.rendering.sentences import relative_time

_MOST_MODELS = 2


class Maker:
    """Makes things by single calls of the pool; ``wall`` gives unix seconds."""

    def __init__(
        self,
        pool: GeminiAPIPool,
        preferences: Preferences,
        turnstile: Turnstile,
        *,
        abilities: Abilities | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._pool = pool
        self._preferences = preferences
        self._turnstile = turnstile
        self._abilities = abilities or Abilities()
        self._wall = wall

    @property
    def default_model(self) -> str:
        """The model that answers where none is named."""
        return self._pool.default_model

    def refusal(self, made: Made, locale: str) -> str | None:
        """Say why the current keys cannot make this, or None; asks nobody."""
        choice = self._choose(made)
        if choice.models:
            return None
        if not choice.known:
            return translate("made.not_known_yet", locale)
        if choice.retry_after_s is not None:
            when = relative_time(self._wall() + choice.retry_after_s)
            return translate(f"made.{made}_refused", locale, when=when)
        return translate(f"made.{made}_unknown", locale)

    async def admission(self, interaction: discord.Interaction) -> str | None:
        """Count what an interaction asks for, or say why it is not taken; the last of all checks."""
        return await self._turnstile.refusal(interaction)

    async def make(
        self, interaction: discord.Interaction, made: Made, parts: Sequence[Any], **options: Any
    ) -> tuple[Any, str]:
        """Give the response to these parts and the model that made it; raises PoolError.

        ``text`` is made by the server's model or the default one; ``options`` are the pool's.
        """
        guild_id = interaction.guild_id
        settings = await self._preferences.guild(guild_id) if guild_id is not None else None
        options |= safety_options(settings.safety if settings is not None else None)
        if made == "text":
            model = (settings.model if settings is not None else None) or self.default_model
            return await self._ask(interaction, model, parts, options), model
        models = self._choose(made).models[:_MOST_MODELS]
        for number, model in enumerate(models, 1):
            try:
                return await self._ask(interaction, model, parts, options), model
            except PoolError as error:
                if not self._abilities.note(model, error) or number == len(models):
                    raise
        raise PoolError("No model makes this with the current keys: add a key that may.")

    async def _ask(
        self, interaction: discord.Interaction, model: str, parts: Sequence[Any], options: dict[str, Any]
    ) -> Any:
        answer, _success = await self._pool.generate_content(
            prompt=list(parts), model_name=model, user=str(interaction.user.id), **options
        )
        if isinstance(answer, PoolError):
            raise answer
        await self._spent(interaction, model, answer)
        return answer

    async def _spent(self, interaction: discord.Interaction, model: str, answer: Any) -> None:
        usage = answer.usage_metadata
        if usage is not None:
            output_tokens = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
            await self._turnstile.spent(interaction, model, usage.prompt_token_count or 0, output_tokens)

    def _choose(self, made: Made) -> Choice:
        names = [model.name for model in self._pool.known_models() if model.can_generate]
        stats = self._pool.get_api_key_stats()["key_usage"]
        keys = frozenset((label, key["name"], key["project"]) for label, key in stats.items())
        return self._abilities.choose(made, names, keys=keys)
