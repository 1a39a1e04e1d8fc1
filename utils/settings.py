"""What the operator configures, as one frozen and typed object.

``environment`` is the only reader of the process environment: the file ``.env`` of the working folder,
overlaid by the environment itself, as a plain dictionary; nothing is ever written back. ``Settings`` is the
bot's own part of it; the names in ``POOL_NAMES`` belong to the pool, which reads them from the same
dictionary (``GEMINI_API_KEY_<n>`` and ``GEMINI_API_KEY_<n>_PROJECT`` for any number n among them).
``load_settings`` turns a dictionary into ``Settings``.

What always holds: secrets do not show in ``repr``; whatever is wrong becomes one ``SettingsError`` whose
sentence names the variable and says what to write there, never what was written. ``.env.example`` names
exactly these variables. Errors: SettingsError (a ValueError), no further tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from dotenv import dotenv_values
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from utils.security.secret import Secret

#: What the pool reads by itself, beside the numbered keys.
POOL_NAMES = frozenset(
    {
        "GEMINI_API_KEYS",
        "GEMINI_API_KEY",
        "GEMINI_API_KEY_1",
        "GEMINI_API_KEY_1_PROJECT",
        "GOOGLE_GEMINI_BASE_URL",
        "GOOGLE_GENAI_API_VERSION",
        "GEMINI_POOL_ALERT_WEBHOOK",
    }
)

_KEY_NAME = re.compile(r"GEMINI_API_KEY(S|_[0-9]+)?")

_COUNT_LIMITS = (
    "USER_REQUESTS_PER_MINUTE",
    "USER_REQUESTS_PER_DAY",
    "USER_TOKENS_PER_DAY",
    "SERVER_REQUESTS_PER_MINUTE",
    "SERVER_REQUESTS_PER_DAY",
    "SERVER_TOKENS_PER_DAY",
    "TOTAL_REQUESTS_PER_MINUTE",
    "TOTAL_REQUESTS_PER_DAY",
    "TOTAL_TOKENS_PER_DAY",
)
_MONEY_LIMITS = ("USER_USD_PER_DAY", "SERVER_USD_PER_DAY", "TOTAL_USD_PER_DAY")

_WHAT_TO_WRITE = {
    "DISCORD_TOKEN": "the bot token from the Discord developer portal, without spaces or line breaks",
    "DATABASE_URL": "a database address such as sqlite:///data/bot.db or postgresql://user:password@host/name",
    "MESSAGE_CONTENT_INTENT": "on or off",
    "GEMINI_MODEL": "a model's name such as gemini-4-hydrogen",
    "LOG_LEVEL": "DEBUG, INFO, WARNING or ERROR",
    "ADMIN_IDS": "Discord user ids (numbers), separated by commas",
    "MASTER_KEY_FILE": "a file's name such as .keys/master.key",
    "MASTER_KEYS": "keys of 32 random bytes in base64, separated by commas, the newest first",
    "RETENTION_DAYS": "a whole number of days, or 0 to keep everything",
    **dict.fromkeys(_COUNT_LIMITS, "a whole number, or 0 for no limit"),
    **dict.fromkeys(_MONEY_LIMITS, "an amount of US dollars such as 2.50, or 0 for no limit"),
}


Count: TypeAlias = Annotated[int, Field(ge=0, le=10**12)]
Money: TypeAlias = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class SettingsError(ValueError):
    """The configuration cannot be used; the message is one sentence that says what to mend."""


class Settings(BaseSettings):
    """The bot's configuration; every field is the variable of the same name in capital letters."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", arbitrary_types_allowed=True, hide_input_in_errors=True
    )

    #: The bot's token; None when not configured (only the sandbox can do without).
    discord_token: Secret | None = None
    #: Where everything is kept; may hold a password, so it is left out of ``repr``.
    database_url: str = Field(default="sqlite:///data/bot.db", min_length=1, repr=False)
    #: Whether Discord may be asked for the privileged message-content intent.
    message_content_intent: bool = True
    #: The model for those who choose none.
    gemini_model: str = Field(default="gemini-4-hydrogen", pattern=r"^[A-Za-z0-9._-]+$")
    #: The least level that is logged.
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    #: The file with the keys that encrypt what people said; made at the first start.
    master_key_file: Path = Path(".keys/master.key")
    #: The same keys by the environment; None: the file has them.
    master_keys: Secret | None = None
    #: After how many days what people said is deleted; 0: never.
    retention_days: int = Field(default=30, ge=0, le=36_500)
    #: How much each person, each server and everybody together may use; 0: no limit.
    user_requests_per_minute: Count = 10
    user_requests_per_day: Count = 200
    user_tokens_per_day: Count = 2_000_000
    user_usd_per_day: Money = 0.0
    server_requests_per_minute: Count = 60
    server_requests_per_day: Count = 5_000
    server_tokens_per_day: Count = 0
    server_usd_per_day: Money = 0.0
    total_requests_per_minute: Count = 0
    total_requests_per_day: Count = 0
    total_tokens_per_day: Count = 0
    total_usd_per_day: Money = 0.0
    #: Who may use the admin commands besides the owner and those who may manage the server.
    admin_ids: frozenset[int] = frozenset()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the base's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what is given and nothing else: the environment is read in one place, ``environment``."""
        return (init_settings,)

    @field_validator("discord_token", mode="before")
    @classmethod
    def _token(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        # a header cannot carry anything else, and the sentence is better than the HTTP library's
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ValueError("not a token")
        return Secret(value, "DISCORD_TOKEN")

    @field_validator("master_keys", mode="before")
    @classmethod
    def _masters(cls, value: object) -> object:
        return Secret(value, "MASTER_KEYS") if isinstance(value, str) else value

    @field_validator("log_level", mode="before")
    @classmethod
    def _level(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("admin_ids", mode="before")
    @classmethod
    def _ids(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return frozenset(int(part) for part in value.replace(",", " ").split())


def environment(folder: Path | None = None) -> dict[str, str]:
    """Read ``.env`` in ``folder`` (None: the working folder), overlaid by the process environment.

    Raises SettingsError when the file is there and cannot be read. Nothing is written into the environment.
    """
    path = (folder or Path.cwd()) / ".env"
    try:
        # no interpolation: a secret may hold a dollar sign
        values = dotenv_values(path, interpolate=False, encoding="utf-8") if path.is_file() else {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"Make {path} a readable UTF-8 text file, or remove it.") from error
    return {name: value for name, value in values.items() if value is not None} | dict(os.environ)


def load_settings(variables: Mapping[str, str]) -> Settings:
    """Make Settings from variables as ``environment`` gives them; an empty value counts as not given.

    Raises SettingsError that names the first variable that is wrong.
    """
    given: dict[str, Any] = {}
    for field in Settings.model_fields:
        value = variables.get(field.upper(), "").strip()
        if value:
            given[field] = value
    try:
        return Settings(**given)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0]).upper()
    # raised outside of the handler: the chained error would carry the rejected value into a traceback
    raise SettingsError(f"{name} is not valid: write {_WHAT_TO_WRITE[name]}.")


def has_gemini_keys(variables: Mapping[str, str]) -> bool:
    """Say whether any Gemini key is configured; whether it is well formed is the pool's question."""
    return any(value.strip() for name, value in variables.items() if _KEY_NAME.fullmatch(name))


def without_gemini_keys(variables: Mapping[str, str]) -> dict[str, str]:
    """Give the variables without any key, key project or address that belongs to the real Gemini service."""
    return {
        name: value
        for name, value in variables.items()
        if name not in POOL_NAMES and not name.startswith("GEMINI_API_KEY")
    }


def gemini_secrets(variables: Mapping[str, str]) -> tuple[Secret, ...]:
    """Give the configured Gemini keys, and the address alerts go to, as secrets labelled by variable.

    For redaction before a pool exists: whoever knows the address may post to it.
    """
    found: list[Secret] = []
    for name, value in variables.items():
        if _KEY_NAME.fullmatch(name):
            # in the list form, `label@project:key`, only what stands after the last colon is secret
            parts = (part.strip().rpartition(":")[2] for part in value.split(","))
            found.extend(Secret(part, name) for part in parts if part)
        elif name == "GEMINI_POOL_ALERT_WEBHOOK" and value.strip():
            found.append(Secret(value.strip(), name))
    return tuple(found)
