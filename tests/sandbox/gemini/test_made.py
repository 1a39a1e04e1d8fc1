"""What the emulated Gemini makes beside plain text, in the API's own shape, read by the real SDK."""

from __future__ import annotations

import zlib
from typing import Any

from google.genai import types

from tests.sandbox.gemini.conftest import Running

SEARCH: Any = [{"google_search": {}}]
CODE: Any = [{"code_execution": {}}]


async def test_a_searched_answer_says_what_it_rests_on(running: Running):
    """Pages, what was searched for, and which part of the answer they support; in the last chunk of a stream too."""
    whole = (await running.ask("who won?", tools=SEARCH)).candidates[0].grounding_metadata
    chunks = await running.stream("who won?", tools=SEARCH)
    assert chunks[0].candidates[0].grounding_metadata is None
    for found in (whole, chunks[-1].candidates[0].grounding_metadata):
        assert found.web_search_queries == ["who won?"]
        assert "who won?" in found.search_entry_point.rendered_content
        assert [chunk.web.title for chunk in found.grounding_chunks] == ["First page", "Second [page]"]
        [support] = found.grounding_supports
        assert support.grounding_chunk_indices == [0, 1]
        assert len(support.segment.text.encode()) == support.segment.end_index


async def test_code_is_run_where_the_request_allows_it(running: Running):
    """Code and its result follow the text; without the tool nothing is run."""
    *_, code, result = (await running.ask("calculate 40 + 2", tools=CODE)).candidates[0].content.parts
    assert code.executable_code.language is types.Language.PYTHON
    assert code.executable_code.code == "print(sum([40, 2]))"
    assert result.code_execution_result.outcome is types.Outcome.OUTCOME_OK
    assert result.code_execution_result.output == "42\n"
    plain = await running.ask("calculate 40 + 2")
    assert all(part.executable_code is None for part in plain.candidates[0].content.parts)
    other = await running.ask("hello", tools=CODE)
    assert all(part.executable_code is None for part in other.candidates[0].content.parts)


async def test_code_can_fail(running: Running):
    """The outcome says so, and the output is what the code wrote."""
    answer = await running.ask("run this and fail", tools=CODE)
    result = answer.candidates[0].content.parts[-1].code_execution_result
    assert result.outcome is types.Outcome.OUTCOME_FAILED
    assert "ZeroDivisionError" in result.output


async def test_speech_is_raw_samples_of_a_named_rate(running: Running):
    """16-bit samples at 24,000 a second, as the speech models send them."""
    answer = await running.ask("hello", model="gemini-3.8-flash-tts", response_modalities=["AUDIO"])
    [part] = answer.candidates[0].content.parts
    assert part.inline_data.mime_type == "audio/L16;codec=pcm;rate=24000"
    assert len(part.inline_data.data) == 24_000


async def test_a_picture_is_a_real_one(running: Running):
    """A PNG whose pixels can be unpacked, beside a text."""
    answer = await running.ask("a boat", model="gemini-nano-banana-2.1", response_modalities=["TEXT", "IMAGE"])
    text, picture = answer.candidates[0].content.parts
    assert text.text
    data = picture.inline_data.data
    at = data.index(b"IDAT")
    pixels = zlib.decompress(data[at + 4 : at + 4 + int.from_bytes(data[at - 4 : at], "big")])
    assert len(pixels) == 256 * (1 + 256 * 3)


async def test_a_voice_message_is_written_down_first(running: Running):
    """Where the request marks one, the answer begins with its words, and the mark is not repeated."""
    sound = types.Part.from_bytes(data=b"OggS", mime_type="audio/ogg")
    answer = await running.ask([sound, "hello (a voice message: begin with its words) #q-1"])
    assert answer.text.startswith("> 🎤 these are the words")
    assert "begin with its words" not in answer.text
    assert "#q-1" in answer.text


async def test_a_transcript_is_one(running: Running):
    """The errand is told by the system instruction."""
    sound = types.Part.from_bytes(data=b"OggS", mime_type="audio/ogg")
    answer = await running.ask(sound, system_instruction="Transcribe what is said in the recordings.")
    assert answer.text == "These are the words that the emulator hears in every recording."
