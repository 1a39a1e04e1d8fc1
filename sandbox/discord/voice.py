"""Voice messages: one sound without words, with its length and the levels that the client draws.

``as_voice_message`` checks what a person sends and gives it the name that Discord's clients give; ``measure`` says how
long it is and how loud where. Neither hears anything: the length of what is no WAV is guessed by its bytes, the levels
are made of them. Facts: page resources/message (IS_VOICE_MESSAGE) of Discord's documentation.
"""

from __future__ import annotations

import io
import wave
from base64 import b64encode
from collections.abc import Sequence

from sandbox.discord.errors import ActionError
from sandbox.discord.world import Upload

NAME = "voice-message.ogg"

_BYTES_A_SECOND = 4_000
_MOST_LEVELS = 256


def as_voice_message(content: str, uploads: Sequence[Upload]) -> Upload:
    """Give the sound of a voice message; raises ActionError for what cannot be one."""
    if content.strip() or len(uploads) != 1 or not uploads[0].content_type.startswith("audio/"):
        raise ActionError("A voice message is one sound and nothing else.")
    return uploads[0]._replace(filename=NAME)


def measure(content: bytes) -> tuple[float, str]:
    """Give the length in seconds, and the levels as Discord writes them: bytes in base64."""
    step = max(1, len(content) // _MOST_LEVELS)
    return _seconds(content), b64encode(content[::step][:_MOST_LEVELS]).decode()


def _seconds(content: bytes) -> float:
    try:
        with wave.open(io.BytesIO(content)) as sound:
            frames: float = sound.getnframes() / sound.getframerate()
            return round(frames, 2)
    except (wave.Error, EOFError, ZeroDivisionError):
        return round(len(content) / _BYTES_A_SECOND, 2)
