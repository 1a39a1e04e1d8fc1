"""Spelling, schemas, and bodies that no client in its right mind sends."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.gemini.answers import Answer, compose
from sandbox.gemini.caches import CacheStore
from sandbox.gemini.diary import Diary
from sandbox.gemini.embeddings import embed
from sandbox.gemini.keys import EmulatedKey
from sandbox.gemini.models import find
from sandbox.gemini.prompts import read_prompt
from sandbox.gemini.sampling import sample
from sandbox.gemini.wire import Refusal, camel, compact, parse, text_tokens

KEY = EmulatedKey("a1", "alpha", "no secret")
NAMES = """
contents parts text role inlineData mimeType data fileData fileUri functionCall name args functionResponse response
generationConfig stopSequences maxOutputTokens temperature candidateCount responseSchema type items properties enum
minItems minimum required responseModalities thinkingConfig includeThoughts systemInstruction tools content ttl anyOf
functionDeclarations toolConfig functionCallingConfig mode outputDimensionality $ref model responseMimeType
""".split()  # noqa: SIM905 - a list of words reads better than a list of literals
WORDS = ["user", "model", "image/png", "call f", "help", "code of 3 lines", "ARRAY", "object", "#/x", "AAAA", "INTEGER"]
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 9_999),
    st.floats(-3, 3),
    st.text(st.characters(), max_size=5),
    st.sampled_from(WORDS),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=5)
    ),
    max_leaves=12,
)
PARTS = st.lists(st.dictionaries(st.sampled_from(NAMES), values, min_size=1, max_size=2), min_size=1, max_size=3)
BODIES = st.one_of(
    st.fixed_dictionaries(
        {"contents": st.one_of(values, st.lists(st.fixed_dictionaries({"parts": PARTS}), min_size=1, max_size=2))},
        optional=dict.fromkeys(NAMES[1:], values),
    ),
    st.fixed_dictionaries(
        {"contents": st.just([{"parts": [{"text": "call f, think"}]}])},
        optional={
            "generationConfig": st.dictionaries(st.sampled_from(NAMES), values, max_size=4),
            "tools": values,
            "toolConfig": values,
            "systemInstruction": values,
        },
    ),
)


def test_every_field_is_respelled_except_what_is_the_callers() -> None:
    """Arguments, JSON schemas and property names stay as they are."""
    body = {
        "system_instruction": {"parts": [{"inline_data": {"mime_type": "x"}}]},
        "tools": [{"function_declarations": [{"parameters_json_schema": {"my_name": 1}}]}],
        "response_schema": {"properties": {"first_name": {"min_items": 1}}},
        "contents": [{"parts": [{"function_call": {"args": {"a_b": {"c_d": 1}}}}]}],
    }
    assert camel(body) == {
        "systemInstruction": {"parts": [{"inlineData": {"mimeType": "x"}}]},
        "tools": [{"functionDeclarations": [{"parametersJsonSchema": {"my_name": 1}}]}],
        "responseSchema": {"properties": {"first_name": {"minItems": 1}}},
        "contents": [{"parts": [{"functionCall": {"args": {"a_b": {"c_d": 1}}}}]}],
    }


@settings(deadline=None)
@given(st.text())
def test_tokens_are_a_quarter_of_the_bytes_rounded_up(text: str) -> None:
    """The rule that the documentation states."""
    size = len(text.encode("utf-8", "surrogatepass"))
    assert 4 * text_tokens(text) - 3 <= size <= 4 * text_tokens(text) or size == text_tokens(text) == 0


def test_half_a_surrogate_pair_is_refused() -> None:
    """It is no text, and could not be sent back."""
    with pytest.raises(Refusal, match="UTF-8"):
        parse(b'{"text": "\\uD800"}')
    assert parse(b'{"text": "\\uD83D\\uDE00"}') == {"text": "\U0001f600"}


def test_a_schema_that_contains_itself_has_an_example() -> None:
    """It ends."""
    schema = {"$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}}}
    found = sample({**schema, "$ref": "#/$defs/node"}, "x")
    assert found["next"]["next"]
    assert sample({"$ref": "#/$defs/nowhere"}, "x") is None


def test_a_schema_of_lists_of_lists_has_a_bounded_example() -> None:
    """A few bytes of schema must not ask for 100 to the power of eight values."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(8):
        schema = {"type": "array", "items": schema, "minItems": 100}
    assert len(json.dumps(sample(schema, "x"))) < 100_000


def _any_file(_uri: str) -> None:
    """Every file may be used."""


@settings(max_examples=40, deadline=None)
@given(BODIES)
def test_whatever_is_sent_is_answered_or_refused(body: dict[str, Any]) -> None:
    """Any JSON at all: an answer whose chunks make up the whole, or a Refusal; never another error."""
    model = find("gemini-4-hydrogen", "v1")
    assert model is not None
    diary = Diary()
    try:
        parsed = parse(json.dumps(body).encode())
        diary.received(diary.open(at=0.0, key="a1", project="alpha", path="/", method="POST"), parsed)
        answer = compose(read_prompt(parsed, model, check_file=_any_file), KEY, response_id="r")
    except Refusal as refusal:
        refused = refusal.body()["error"]
    else:
        _check_stream(answer)
        return
    assert refused["code"] == 400


def _check_stream(answer: Answer) -> None:
    json.loads(compact(answer.document()))
    streamed = "".join(
        part.get("text", "")
        for chunk in answer.chunks()
        for candidate in chunk["candidates"]
        if candidate["index"] == 0
        for part in candidate["content"]["parts"]
        if not part.get("thought")
    )
    assert streamed == answer.texts[0]


@settings(max_examples=50, deadline=None)
@given(values)
def test_whatever_is_to_be_embedded_or_cached_is_taken_or_refused(content: Any) -> None:
    """Never another error than a Refusal."""
    model = find("gemini-4-hydrogen", "v1")
    assert model is not None
    with contextlib.suppress(Refusal):
        assert len(embed({"content": content, "outputDimensionality": 8})[0]["values"]) == 8
    with pytest.raises(Refusal):
        CacheStore().create({"contents": content, "systemInstruction": content, "ttl": content}, "alpha", model, 0.0)
