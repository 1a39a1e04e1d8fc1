"""Voice messages: one sound without words, with a length and a waveform."""

from __future__ import annotations

from base64 import b64decode

import pytest

from sandbox.discord.errors import ActionError
from sandbox.discord.voice import as_voice_message, measure
from sandbox.discord.world import Upload
from tests.conversations.samples import sound

OGG = Upload("x.ogg", "audio/ogg", b"OggS" + bytes(8_000))


def test_a_voice_message_bears_the_name_that_clients_give():
    """Whatever the sound was called."""
    assert as_voice_message("", [OGG]).filename == "voice-message.ogg"


@pytest.mark.parametrize(
    ("content", "uploads"),
    [("words", [OGG]), ("", []), ("", [OGG, OGG]), ("", [Upload("a.png", "image/png", b"")])],
)
def test_what_is_no_voice_message_is_refused(content, uploads):
    """Words, several files, a picture: the client would not send it either."""
    with pytest.raises(ActionError):
        as_voice_message(content, uploads)


def test_length_and_levels_are_those_of_the_sound():
    """A WAV says how long it is; the levels are at most 256."""
    seconds, levels = measure(sound(1.5))
    assert seconds == 1.5
    assert 0 < len(b64decode(levels)) <= 256
    assert measure(OGG.content)[0] > 0
    assert measure(b"")[0] == 0
