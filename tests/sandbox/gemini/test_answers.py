"""What the emulated model answers, as the real SDK hears it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from google.genai import errors, types

from sandbox.gemini.media import picture
from tests.sandbox.gemini.conftest import MODEL, Running

PNG = picture("a test")


async def test_an_answer_repeats_its_questions_id(running: Running) -> None:
    """A test can compare every answer with its question."""
    response = await running.ask("What is a pool? #q-17")
    assert response.text.startswith("Answer to #q-17: You asked: “What is a pool? #q-17”.")
    assert "Key a1 of project alpha" in response.text
    assert response.candidates[0].finish_reason == types.FinishReason.STOP
    assert response.model_version == MODEL


async def test_a_streams_chunks_make_up_the_unary_answer(running: Running) -> None:
    """Streamed or not, the text is the same, and only the last chunk ends it."""
    whole = await running.ask("Say hello")
    chunks = await running.stream("Say hello")
    assert len(chunks) >= 3
    assert "".join(chunk.text or "" for chunk in chunks) == whole.text
    assert [chunk.candidates[0].finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert chunks[-1].usage_metadata.total_token_count == whole.usage_metadata.total_token_count


async def test_tokens_follow_the_written_rule(running: Running) -> None:
    """Prompt tokens are UTF-8 bytes / 4 rounded up, and the total is the sum."""
    usage = (await running.ask("x" * 41)).usage_metadata
    assert usage.prompt_token_count == 11
    assert usage.total_token_count == 11 + usage.candidates_token_count


async def test_a_chat_is_received_turn_by_turn(running: Running) -> None:
    """The diary holds the history as it was sent, and the answer knows the first turn."""
    chat = running.client().aio.chats.create(model=MODEL)
    first = await chat.send_message("I am Ada #q-1")
    second = await chat.send_message("Who am I? #q-2")
    assert "Your first question was: “I am Ada #q-1”." in (second.text or "")
    turns = running.last()["turns"]
    assert [turn["role"] for turn in turns] == ["user", "model", "user"]
    assert [turn["text"] for turn in turns] == ["I am Ada #q-1", first.text, "Who am I? #q-2"]


async def test_a_streamed_chat_keeps_its_turns(running: Running) -> None:
    """The last chunk has parts, so the SDK keeps the turn."""
    chat = running.client().aio.chats.create(model=MODEL)
    async for _ in await chat.send_message_stream("one"):
        pass
    await chat.send_message("two")
    turns = running.last()["turns"]
    assert (turns[0]["text"], turns[-1]["text"]) == ("one", "two")
    # The SDK keeps one content per chunk.
    spoken = "".join(turn["text"] for turn in turns[1:-1])
    assert {turn["role"] for turn in turns[1:-1]} == {"model"}
    assert spoken.startswith("You asked: “one”.")
    assert spoken.endswith("what else I can do.")


async def test_received_parts_are_named_with_type_and_size(running: Running) -> None:
    """An image comes with its MIME type and its bytes, in the answer and in the diary."""
    part = types.Part.from_bytes(data=PNG, mime_type="image/png")
    response = await running.ask([part, "What is this?"])
    assert f"image/png {len(PNG)} bytes, text of 13 bytes" in response.text
    assert running.last()["turns"][0]["parts"] == [f"image/png {len(PNG)} bytes", "text"]


async def test_the_system_instruction_is_heard(running: Running) -> None:
    """It is named in the answer and counted in the prompt."""
    response = await running.ask("Hi", system_instruction="Speak like a pirate.")
    assert "My instructions begin: “Speak like a pirate.”" in response.text
    assert response.usage_metadata.prompt_token_count == 1 + 5


async def test_max_output_tokens_cut_the_answer(running: Running) -> None:
    """The text ends at the limit with MAX_TOKENS."""
    response = await running.ask("Tell me everything, long", max_output_tokens=7)
    assert response.candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
    assert response.usage_metadata.candidates_token_count == 7


async def test_stop_sequences_end_the_answer(running: Running) -> None:
    """Nothing from the stop sequence on is sent."""
    response = await running.ask("Hello", stop_sequences=["Received"])
    assert response.text.endswith("Turns seen: 1. ")


async def test_candidates_are_as_many_as_asked_for(running: Running) -> None:
    """Unary and streamed."""
    assert len((await running.ask("Hi", candidate_count=3)).candidates) == 3
    chunks = await running.stream("Hi", candidate_count=2)
    assert {candidate.index for chunk in chunks for candidate in chunk.candidates} == {0, 1}


@pytest.mark.parametrize(
    "config",
    [{"temperature": 2.5}, {"temperature": -0.1}, {"max_output_tokens": 0}, {"top_p": 1.5}, {"candidate_count": 99}],
)
async def test_numbers_out_of_range_are_refused(running: Running, config: dict[str, Any]) -> None:
    """400 INVALID_ARGUMENT, which is no error of the key."""
    with pytest.raises(errors.ClientError) as caught:
        await running.ask("Hi", **config)
    assert (caught.value.code, caught.value.status) == (400, "INVALID_ARGUMENT")
    assert running.key()["errors"] == 0
    assert running.last()["outcome"] == "request"


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("code of 40 lines", "# step 40\n    return total\n```"),
        ("table of 3 rows", "| 3 | 9 | odd |"),
        ("list of 4 items", "4. item number 4"),
        ("markdown please", "**bold**"),
        ("cjk", "這是模擬的回答"),
        ("mentions", "@everyone @here <@"),
        ("unbroken 500", "x" * 500),
        ("help", "- `code of 200 lines`: a block of Python"),
    ],
)
async def test_words_in_the_question_act(running: Running, words: str, expected: str) -> None:
    """Each row of the table does what it says."""
    assert expected in (await running.ask(words)).text


async def test_long_texts_have_the_words_asked_for(running: Running) -> None:
    """`900 words` adds 900 words to what every answer has."""
    plain = len((await running.ask("Some 0 words")).text.split())
    assert len((await running.ask("Some 900 words")).text.split()) == plain + 900


async def test_an_image_is_a_png(running: Running) -> None:
    """By the word, and from a model that makes images."""
    for model in (MODEL, "gemini-nano-banana-2.1"):
        response = await running.ask("draw a cat", model=model)
        blobs = [part.inline_data for part in response.candidates[0].content.parts if part.inline_data]
        assert [blob.mime_type for blob in blobs] == ["image/png"]
        assert blobs[0].data.startswith(b"\x89PNG\r\n\x1a\n")


async def test_speech_models_answer_with_sound(running: Running) -> None:
    """24 kHz PCM, as the real ones."""
    response = await running.ask("Say hi", model="gemini-3.8-flash-tts", response_modalities=["AUDIO"])
    blob = response.candidates[0].content.parts[0].inline_data
    assert blob.mime_type == "audio/L16;codec=pcm;rate=24000"
    assert len(blob.data) == 24_000


async def test_thoughts_come_before_the_answer(running: Running) -> None:
    """They are parts of their own and counted apart."""
    response = await running.ask("Hi", thinking_config=types.ThinkingConfig(include_thoughts=True))
    assert [bool(part.thought) for part in response.candidates[0].content.parts] == [True, False]
    assert response.usage_metadata.thoughts_token_count > 0


async def test_json_follows_the_schema(running: Running) -> None:
    """A JSON answer parses, and fits a schema that was given."""
    assert json.loads((await running.ask("Hi", response_mime_type="application/json")).text)["turns"] == 1
    schema = {
        "type": "OBJECT",
        "properties": {"name": {"type": "STRING"}, "tags": {"type": "ARRAY", "items": {"type": "INTEGER"}}},
    }
    response = await running.ask("Hi", response_mime_type="application/json", response_schema=schema)
    found = json.loads(response.text)
    assert isinstance(found["name"], str)
    assert found["tags"] == [1]


async def test_functions_are_called_and_their_results_read(running: Running) -> None:
    """The SDK's own function calling goes the whole round, with the thought signature."""
    asked: list[str] = []

    def weather(city: str) -> str:
        """Tell the weather."""
        asked.append(city)
        return "rain"

    chat = running.client().aio.chats.create(model=MODEL, config=types.GenerateContentConfig(tools=[weather]))
    response = await chat.send_message("Ask weather")
    assert asked == ["Ask weather"]
    assert 'The function weather returned {"result": "rain"}.' in (response.text or "")


async def test_a_call_without_its_signature_is_refused(running: Running) -> None:
    """As Gemini 3 and later do."""
    call = types.Part(function_call=types.FunctionCall(name="f", args={}))
    result = types.Part.from_function_response(name="f", response={"x": 1})
    contents = [
        types.UserContent("call f"),
        types.ModelContent([call]),
        types.UserContent([result]),
    ]
    with pytest.raises(errors.ClientError, match="thought_signature"):
        await running.ask(contents)
    assert (await running.ask(contents, model="gemini-2.5-flash-lite")).text


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ([types.Part.from_bytes(data=b"GIF89a", mime_type="image/gif")], "Unsupported MIME type: image/gif"),
        ([types.Content(role="wizard", parts=[types.Part(text="x")])], "valid role"),
        ([types.Content(role="user", parts=[])], "must not be empty"),
    ],
)
async def test_what_the_service_would_not_take_is_refused(running: Running, contents: object, message: str) -> None:
    """A 400 that names the reason."""
    with pytest.raises(errors.ClientError, match=message):
        await running.ask(contents)


async def test_too_many_tokens_are_refused(running: Running) -> None:
    """More than the model's input limit, which is 8,192 for this one."""
    with pytest.raises(errors.ClientError, match=r"token count \(8193\) exceeds the maximum number of tokens"):
        await running.ask("x" * (8_192 * 4 + 1), model="gemini-3.8-flash-tts")


async def test_both_spellings_of_every_field_are_taken(running: Running) -> None:
    """snake_case and camelCase mean the same, on /v1 and /v1beta, with doubled slashes, key in header or query."""
    snake = {
        "contents": [{"parts": [{"text": "Hi"}]}],
        "system_instruction": {"parts": [{"text": "Be short"}]},
        "generation_config": {"max_output_tokens": 3},
    }
    answers = []
    for path, headers in (
        (f"/v1/models/{MODEL}:generateContent?key={running.secrets['a1']}", {}),
        (f"//v1beta//models/{MODEL}:generateContent", {"x-goog-api-key": running.secrets["a1"]}),
    ):
        async with running.session.post(running.address + path, json=snake, headers=headers) as response:
            assert response.status == 200
            answers.append((await response.json())["candidates"])
    assert answers[0] == answers[1]
    assert answers[0][0]["finishReason"] == "MAX_TOKENS"
    assert running.secrets["a1"] not in json.dumps(running.emulator.diary())


async def test_streams_are_framed_as_the_sdk_takes_them(running: Running) -> None:
    """One space after `data:`, CRLF, nothing else."""
    path = f"/v1/models/{MODEL}:streamGenerateContent?alt=sse"
    headers = {"x-goog-api-key": running.secrets["a1"]}
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}
    async with running.session.post(running.address + path, json=body, headers=headers) as response:
        assert response.headers["Content-Type"] == "text/event-stream"
        raw = await response.read()
    events = raw.split(b"\r\n\r\n")
    assert events.pop() == b""
    assert all(json.loads(event.removeprefix(b"data: "))["candidates"] for event in events)
