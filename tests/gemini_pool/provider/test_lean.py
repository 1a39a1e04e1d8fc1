"""Questions in the forms that cost least: the service receives what the SDK itself would have sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.genai import types

from tests.gemini_pool.conftest import QUICK
from tests.gemini_pool.provider.scripted import Scripted, document, scripted
from utils.gemini_pool import GeminiAPIPool
from utils.gemini_pool.provider.lean import LeanConfig, LeanContent, LeanPart, lean_request

ASKED = {"role": "user", "parts": [{"text": "Why?"}]}
SAID = {"role": "model", "parts": [{"text": "Because."}]}
SIGNED = {"role": "model", "parts": [{"text": "Because.", "thought_signature": b"\xff\xfe\xfb??>"}]}
PICTURE = {"role": "user", "parts": [{"inline_data": {"data": b"\xff\x00", "mime_type": "image/png"}}, {"text": "?"}]}
TURNS: dict[str, list[Any]] = {
    "one text": [ASKED],
    "an empty text": [{"role": "user", "parts": [{"text": ""}]}],
    "two texts": [{"role": "user", "parts": [{"text": "Why"}, {"text": "so?"}]}],
    "a history": [ASKED, SAID, ASKED],
    "a signed thought": [ASKED, SIGNED, ASKED],
    "a signed thought alone": [SIGNED],
    "a picture": [ASKED, SAID, PICTURE],
    "a typed part": [{"role": "user", "parts": [types.Part(text="Why?")]}],
    "a call": [ASKED, {"role": "model", "parts": [{"function_call": {"name": "f", "args": {"a": 1}}}]}, ASKED],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "none": {},
    "usual": {"temperature": 0.5, "system_instruction": "Be brief.", "max_output_tokens": 100, "stop_sequences": ["x"]},
    "nested": {
        "thinking_config": {"thinking_budget": 0},
        "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
    },
    "tools": {"tools": [{"google_search": {}}]},
    "a schema": {"response_mime_type": "application/json", "response_schema": {"type": "STRING"}},
}


@pytest.fixture
async def service() -> AsyncIterator[Scripted]:
    """A service that answers everything well."""
    async with scripted() as service:
        service.whole(document("hi"))
        yield service


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS.keys())
@pytest.mark.parametrize("turns", TURNS.values(), ids=TURNS.keys())
@pytest.mark.filterwarnings("ignore:Inheritance class AiohttpClientSession:DeprecationWarning")
async def test_the_service_receives_what_the_plain_sdk_sends(
    service: Scripted, turns: list[Any], options: dict[str, Any]
):
    """The bodies are equal, whatever is in the turns and the options."""
    pool = GeminiAPIPool(api_keys=["key"], base_url=service.address, config=QUICK)
    answer, success = await pool.generate_content(contents=turns, **options)
    assert success, answer
    client = service.client()
    await client.aio.models.generate_content(
        model=pool.default_model, contents=turns, config=types.GenerateContentConfig(**options) if options else None
    )
    ours, plain = service.asked
    assert _without_empty(ours) == _without_empty(plain)
    await client.aio.aclose()
    client.close()
    await pool.aclose()


def _without_empty(body: dict[str, Any]) -> dict[str, Any]:
    """A configuration without a field for the wire is sent as an empty object, which says nothing."""
    return {name: value for name, value in body.items() if value != {}}


def test_lean_models_answer_as_their_parents_do():
    """That no name is in a model is what the SDK's models say too, only later."""
    pairs: list[tuple[Any, Any]] = [
        (LeanPart.model_construct(text="x"), types.Part(text="x")),
        (LeanContent.model_construct(role="user"), types.Content(role="user")),
        (LeanConfig.model_construct(temperature=1.0), types.GenerateContentConfig(temperature=1.0)),
    ]
    for lean, plain in pairs:
        assert not [name for name in type(plain).model_fields if name in plain or name in lean]


def test_turns_are_neither_changed_nor_kept():
    """The caller's lists stay the caller's."""
    turns = [dict(ASKED), dict(SAID)]
    _, config = lean_request(turns, None)
    assert config is not None
    assert config.http_options is not None
    assert config.http_options.extra_body is not None
    config.http_options.extra_body["contents"][0]["parts"][0]["text"] = "changed"
    assert turns == [ASKED, SAID]
    assert ASKED["parts"] == [{"text": "Why?"}]
