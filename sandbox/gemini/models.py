"""The models that the emulated service offers, and those that it no longer does.

``CATALOGUE`` lists them as of November 2026. A model answers only the methods it lists; the ``-latest`` aliases exist
under v1beta only; a few retired names are still answered by their successor, silently, as Google does; every other
retired or unknown name is a 404, raised by whoever looked it up with ``find``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sandbox.gemini.wire import Json, invalid

GENERATE = "generateContent"
EMBED = "embedContent"
LIVE = "bidiGenerateContent"
_MAX_PAGE = 1000
_DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its id without ``models/``, what it is called, its limits in tokens and its methods."""

    name: str
    display_name: str
    methods: tuple[str, ...] = (GENERATE, "countTokens", "createCachedContent", "batchGenerateContent")
    input_tokens: int = 1_048_576
    output_tokens: int = 65_536
    makes_images: bool = False
    makes_speech: bool = False
    thinks: bool = True

    @property
    def signs_calls(self) -> bool:
        """Whether a replayed function call must carry its thought signature (Gemini 3 and later)."""
        return self.name.startswith(("gemini-3", "gemini-4"))

    @property
    def smallest_cache(self) -> int:
        """The fewest tokens an explicit cache may hold."""
        return 2_048 if self.name.startswith("gemini-2.5") else 4_096

    def document(self) -> Json:
        """The model as ``models.get`` answers it."""
        return {
            "name": f"models/{self.name}",
            "version": "001",
            "displayName": self.display_name,
            "description": f"{self.display_name}, as the sandbox emulates it.",
            "inputTokenLimit": self.input_tokens,
            "outputTokenLimit": self.output_tokens,
            "supportedGenerationMethods": list(self.methods),
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            "thinking": self.thinks,
        }


def _image(name: str, display_name: str) -> Model:
    methods = (GENERATE, "countTokens")
    return Model(name, display_name, methods, 65_536, 32_768, makes_images=True, thinks=False)


def _speech(name: str, display_name: str) -> Model:
    return Model(name, display_name, (GENERATE, "countTokens"), 8_192, 16_384, makes_speech=True, thinks=False)


def _live(name: str, display_name: str) -> Model:
    return Model(name, display_name, (LIVE, "countTokens"), 131_072, 65_536)


def _embedding(name: str, display_name: str, input_tokens: int) -> Model:
    methods = (EMBED, "countTokens", "countTextTokens", "asyncBatchEmbedContent")
    return Model(name, display_name, methods, input_tokens, 1, thinks=False)


CATALOGUE: tuple[Model, ...] = (
    Model("gemini-4-hydrogen", "Gemini 4 Hydrogen"),
    Model("gemini-4-carbon", "Gemini 4 Carbon"),
    Model("gemini-4-argon", "Gemini 4 Argon"),
    Model("gemini-3.8-flash", "Gemini 3.8 Flash"),
    Model("gemini-3.6-flash", "Gemini 3.6 Flash"),
    Model("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite"),
    Model("gemini-3.1-flash-lite", "Gemini 3.1 Flash-Lite"),
    Model("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite"),
    _image("gemini-nano-banana-2.1", "Nano Banana 2.1"),
    _image("gemini-3.1-flash-image", "Gemini 3.1 Flash Image"),
    _speech("gemini-3.8-flash-tts", "Gemini 3.8 Flash TTS"),
    _speech("gemini-3.8-flash-lite-tts", "Gemini 3.8 Flash-Lite TTS"),
    _embedding("gemini-embedding-2", "Gemini Embedding 2", 8_192),
    _embedding("gemini-embedding-001", "Gemini Embedding 001", 2_048),
    _live("gemini-3.8-live", "Gemini 3.8 Live"),
    _live("gemini-3.8-live-extended-thinking", "Gemini 3.8 Live Extended Thinking"),
)
_BY_NAME = {model.name: model for model in CATALOGUE}
_ROUTED = {"gemini-3.7-flash": "gemini-3.8-flash", "gemini-3.5-flash": "gemini-3.6-flash"}
_BETA_ALIASES = {
    "gemini-flash-latest": "gemini-4-hydrogen",
    "gemini-flash-lite-latest": "gemini-3.5-flash-lite",
    "gemini-pro-latest": "gemini-4-carbon",
}


def find(name: str, version: str) -> Model | None:
    """The model that answers to a name under an API version (``v1``, ``v1beta``), or None."""
    successor = _ROUTED.get(name, name)
    if version != "v1":
        successor = _BETA_ALIASES.get(successor, successor)
    return _BY_NAME.get(successor)


def page(documents: Sequence[Json], field: str, size: str, token: str) -> Json:
    """One page of a listing: ``{field: [...], nextPageToken?}``; the token is the position in decimal."""
    try:
        count, start = int(size or _DEFAULT_PAGE), int(token or 0)
    except ValueError as error:
        raise invalid("pageSize and pageToken must be what the service gave out.") from error
    if count < 1 or start < 0:
        raise invalid("pageSize and pageToken must be what the service gave out.")
    end = start + min(count, _MAX_PAGE)
    listing: Json = {field: list(documents[start:end])}
    if end < len(documents):
        listing["nextPageToken"] = str(end)
    return listing
