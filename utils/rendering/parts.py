"""What the model made, part by part: Markdown of texts, code and its results; files of pictures and sounds.

``text_of(piece, locale)`` writes one piece of an answer, ``files_of(response)`` gives what of it is to be attached, and
``DiscordMarkdown`` is both, with the sources, as ``utils.conversations`` wants an answer presented. The parts are the
API's, known by shape: https://ai.google.dev/gemini-api/docs/code-execution . What always holds: thoughts are left out;
code and its output stand in blocks that they cannot leave; sound without a header gets one, so that it plays; a file's
name is ours.
"""

from __future__ import annotations

import io
import re
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from utils.i18n import translate
from utils.rendering.grounding import sources_markdown

_MOST_OUTPUT: Final = 4_000
_LANGUAGE: Final = re.compile(r"[a-z0-9+#-]{1,20}")
_RAW_SOUND: Final = re.compile(r"audio/(?:l16|pcm)\b", re.IGNORECASE)
_RATE: Final = re.compile(r"rate=(\d{4,6})")
_USUAL_RATE: Final = 24_000
_SUFFIXES: Final = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mp3": "mp3",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
}
_RESULTS: Final = {
    "OUTCOME_OK": "made.code_output",
    "OUTCOME_DEADLINE_EXCEEDED": "made.code_too_long",
}


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A picture or a sound that the model made."""

    name: str
    mime_type: str
    content: bytes


class DiscordMarkdown:
    """Presents answers as Discord shows them."""

    def text(self, piece: Any, locale: str) -> str:
        """Write one piece of an answer."""
        return text_of(piece, locale)

    def files(self, piece: Any) -> list[MadeFile]:
        """Give the pictures and sounds of one piece."""
        return files_of(piece)

    def sources(self, metadata: Any, locale: str) -> str:
        """Write what an answer rests on."""
        return sources_markdown(metadata, locale)


def text_of(piece: Any, locale: str) -> str:
    """Write a piece of an answer, or a whole one, as Markdown; pictures and sounds are left out."""
    written = []
    for part in _parts(piece):
        code = getattr(part, "executable_code", None)
        result = getattr(part, "code_execution_result", None)
        if getattr(part, "text", None):
            written.append(str(part.text))
        elif code is not None:
            written.append(_code_block(code))
        elif result is not None:
            written.append(_result_block(result, locale))
    return "".join(written)


def files_of(response: Any) -> list[MadeFile]:
    """Give the pictures and sounds of an answer, in their order, named by their number."""
    found: list[MadeFile] = []
    for part in _parts(response):
        blob = getattr(part, "inline_data", None)
        content = getattr(blob, "data", None)
        if not isinstance(content, bytes) or not content:
            continue
        kind = str(getattr(blob, "mime_type", None) or "")
        if _RAW_SOUND.match(kind):
            rate = _RATE.search(kind)
            content, kind = as_wave(content, int(rate[1]) if rate else _USUAL_RATE), "audio/wav"
        kind = kind.partition(";")[0].strip().lower()
        if kind in _SUFFIXES:
            family = "picture" if kind.startswith("image/") else "speech"
            found.append(MadeFile(f"{family}-{len(found) + 1}.{_SUFFIXES[kind]}", kind, content))
    return found


def as_wave(samples: bytes, rate: int) -> bytes:
    """Put a WAV header before mono samples of 16 bits, so that players know what they are."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(samples[: len(samples) // 2 * 2])
    return file.getvalue()


def _parts(piece: Any) -> Iterator[Any]:
    candidates = getattr(piece, "candidates", None) or ()
    content = getattr(candidates[0], "content", None) if candidates else None
    for part in getattr(content, "parts", None) or ():
        if not getattr(part, "thought", None):
            yield part


def _code_block(code: Any) -> str:
    language = str(getattr(code.language, "value", code.language) or "").lower()
    name = language if _LANGUAGE.fullmatch(language) and language != "language_unspecified" else ""
    return f"\n```{name}\n{_fenced(str(code.code or ''))}\n```\n"


def _result_block(result: Any, locale: str) -> str:
    outcome = str(getattr(result.outcome, "value", result.outcome) or "")
    label = translate(_RESULTS.get(outcome, "made.code_failed"), locale)
    output = str(result.output or "").rstrip()
    if not output:
        return f"\n-# {label}\n"
    if len(output) > _MOST_OUTPUT:
        output = output[:_MOST_OUTPUT] + "…"
    return f"\n-# {label}\n```\n{_fenced(output)}\n```\n"


def _fenced(text: str) -> str:
    # a word joiner between them: it looks the same, and the block does not end there
    return text.rstrip("\n").replace("``", "`\u2060`")
