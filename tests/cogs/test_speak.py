"""`/speak`: a text as a sound file that plays."""

from __future__ import annotations

import io
import wave
from dataclasses import replace

import pytest

EPHEMERAL = 1 << 6
MODEL = "gemini-3.8-flash-tts"


async def test_a_text_is_read_into_a_file_that_plays(house):
    """A WAV of half a second, in the voice that was chosen, with the text above it."""
    answer = await house.answer("speak", options={"text": "good *morning*", "voice": "Puck"})
    [file] = answer["attachments"]
    assert file["filename"] == "speech-1.wav"
    with wave.open(io.BytesIO(house.discord._parts.hub.world.files[file["id"]].content)) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (24_000, 12_000)
    assert answer["content"] == f"> good \\*morning\\*\n-# Voice Puck, spoken by {MODEL}"
    [request] = house.generated()
    assert request["model"] == MODEL
    assert '"Puck"' in request["body"]
    assert "AUDIO" in request["body"]
    assert request["turns"][0]["text"].endswith("good *morning*")


@pytest.mark.parametrize(("text", "words"), [("   ", "empty"), ("x" * 2_001, "2001 characters")])
async def test_what_cannot_be_read_is_refused_to_the_asker_alone(house, text, words):
    """At once, and the model is not asked."""
    answer = await house.answer("speak", options={"text": text})
    assert answer["flags"] & EPHEMERAL
    assert words in answer["content"]
    assert house.generated() == []


async def test_keys_that_may_not_speak_say_so_before_anybody_waits(house):
    """Once it is known, nobody waits for it."""
    house.gemini.set_faults([{"kind": "limit0"}])
    await house.answer("speak", options={"text": "hello"})
    answer = await house.answer("speak", options={"text": "hello"}, user="小美", locale="zh-TW")
    assert answer["flags"] & EPHEMERAL
    assert "不能朗讀" in answer["content"]


async def test_a_sound_too_large_for_discord_is_told_of(house):
    """Where the server takes less than the sound has, one sentence says so."""
    hub = house.discord._parts.hub
    hub.limits = replace(hub.limits, file_bytes=1_000)
    answer = await house.answer("speak", options={"text": "hello"})
    assert "larger than Discord takes" in answer["content"]
    assert answer["attachments"] == []
