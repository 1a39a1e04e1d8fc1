"""What the model made, part by part: code and results as blocks, pictures and sounds as files."""

from __future__ import annotations

import io
import wave
from types import SimpleNamespace as Shape
from typing import Any

import pytest

from utils.rendering.parts import DiscordMarkdown, as_wave, files_of, text_of
from utils.rendering.splitting import split


def piece(*parts: Any) -> Any:
    return Shape(candidates=[Shape(content=Shape(parts=list(parts)))])


def words(text: str, *, thought: bool = False) -> Any:
    return Shape(text=text, thought=thought, executable_code=None, code_execution_result=None, inline_data=None)


def code(text: str, language: str = "PYTHON") -> Any:
    return Shape(text=None, thought=None, executable_code=Shape(code=text, language=language))


def result(output: str, outcome: str = "OUTCOME_OK") -> Any:
    return Shape(
        text=None, thought=None, executable_code=None, code_execution_result=Shape(output=output, outcome=outcome)
    )


def blob(kind: str, content: bytes) -> Any:
    return Shape(text=None, thought=None, inline_data=Shape(mime_type=kind, data=content))


def test_code_and_its_output_stand_in_blocks():
    """The code with its language, the output under a word that says what it is."""
    shown = text_of(piece(words("Let me see."), code("print(6 * 7)\n"), result("42\n"), words("So it is 42.")), "en-US")
    assert shown == "Let me see.\n```python\nprint(6 * 7)\n```\n\n-# Output\n```\n42\n```\nSo it is 42."


def test_thoughts_are_left_out():
    """What the model thought is not what it said."""
    assert text_of(piece(words("hm", thought=True), words("Yes.")), "en-US") == "Yes."


@pytest.mark.parametrize(
    ("outcome", "word"),
    [("OUTCOME_FAILED", "failed"), ("OUTCOME_DEADLINE_EXCEEDED", "too long"), ("BRAND_NEW", "failed")],
)
def test_a_failure_of_the_code_is_said(outcome, word):
    """In the reader's language, with what the code wrote."""
    shown = text_of(piece(result("Traceback", outcome)), "en-US")
    assert word in shown
    assert "Traceback" in shown


def test_code_cannot_leave_its_block():
    """A fence inside does not end the block, also when it is cut into messages."""
    shown = text_of(piece(code("a = '''\n```\n@everyone\n````'''"), result("```\n" + "x" * 5_000)), "en-US")
    for message in split(shown):
        assert message.count("```") % 2 == 0


def test_a_language_that_is_none_is_left_out():
    """What stands behind the fence is one plain word."""
    assert text_of(piece(code("1", "LANGUAGE_UNSPECIFIED")), "en-US").startswith("\n```\n")
    assert text_of(piece(code("1", "x y\n@")), "en-US").startswith("\n```\n")


@pytest.mark.parametrize("empty", [Shape(candidates=None), Shape(candidates=[Shape(content=None)]), piece()])
def test_a_piece_without_parts_says_nothing(empty):
    """Blocked and empty answers have shapes of their own."""
    assert text_of(empty, "en-US") == ""
    assert files_of(empty) == []


def test_sound_without_a_header_plays():
    """16-bit samples become a WAV of the rate that the service names."""
    samples = bytes(range(256)) * 10
    [file] = files_of(piece(blob("audio/L16;codec=pcm;rate=16000", samples)))
    assert (file.name, file.mime_type) == ("speech-1.wav", "audio/wav")
    with wave.open(io.BytesIO(file.content)) as sound:
        assert (sound.getframerate(), sound.getsampwidth(), sound.getnchannels()) == (16_000, 2, 1)
        assert sound.readframes(10_000) == samples


def test_half_a_sample_is_left_out():
    """A sound cut in mid-sample is still a sound."""
    with wave.open(io.BytesIO(as_wave(b"abc", 24_000))) as sound:
        assert sound.getnframes() == 1


def test_pictures_are_named_by_their_number_and_kind():
    """Names are ours; what is neither picture nor sound is left out."""
    found = files_of(piece(blob("image/png", b"1"), blob("application/x-evil", b"2"), blob("image/jpeg;q=1", b"3")))
    assert [(file.name, file.content) for file in found] == [("picture-1.png", b"1"), ("picture-2.jpg", b"3")]


def test_an_answer_is_presented_with_its_sources():
    """The whole that conversations use."""
    metadata = Shape(grounding_chunks=[Shape(web=Shape(uri="https://a.example/", title="A"))], web_search_queries=None)
    shown = DiscordMarkdown()
    assert shown.text(piece(words("x")), "en-US") == "x"
    assert shown.sources(metadata, "en-US") == "\n\n-# Sources:\n-# 1. [A](<https://a.example/>)"
