"""Answers of plain text made by hand: equal to what validation makes, or not made at all."""

from __future__ import annotations

import json
from typing import Any

from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from tests.gemini_pool.provider.scripted import document
from utils.gemini_pool.provider.texts import read_text_answer

COUNTS = (
    "promptTokenCount",
    "candidatesTokenCount",
    "thoughtsTokenCount",
    "cachedContentTokenCount",
    "totalTokenCount",
)
COUNT = st.integers(0, 10**6)
TOKENS = st.fixed_dictionaries({}, optional={"modality": st.sampled_from(["TEXT", "IMAGE"]), "tokenCount": COUNT})
PART = st.fixed_dictionaries({"text": st.text()}, optional={"thought": st.booleans()})
CONTENT = st.fixed_dictionaries({}, optional={"role": st.just("model"), "parts": st.lists(PART, max_size=3)})
CANDIDATE = st.fixed_dictionaries(
    {}, optional={"content": CONTENT, "index": COUNT, "finishReason": st.sampled_from(["STOP", "MAX_TOKENS", "SAFETY"])}
)
DETAILS = st.lists(TOKENS, max_size=2)
USAGE = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(COUNTS, COUNT), "promptTokensDetails": DETAILS, "candidatesTokensDetails": DETAILS}
)
ANSWER = st.fixed_dictionaries(
    {},
    optional={
        "candidates": st.lists(CANDIDATE, max_size=2),
        "usageMetadata": USAGE,
        "modelVersion": st.text(),
        "responseId": st.text(),
    },
)
#: What may stand anywhere in an answer that is not as expected.
ODD = st.sampled_from([None, "", "7", 7, -1, 1.5, True, [], {}, [None], {"invented": 1}, "BRAND_NEW"])


def _validated(found: Any) -> types.GenerateContentResponse:
    return types.GenerateContentResponse.model_validate(found, extra="ignore")


def _places(found: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    if isinstance(found, dict):
        return [place for key in found for place in ((found, key), *_places(found[key]))]
    if isinstance(found, list):
        return [place for index, one in enumerate(found) for place in ((found, index), *_places(one))]
    return []


@given(ANSWER)
def test_a_plain_answer_is_made_as_validation_makes_it(found: dict[str, Any]):
    """Equal in every field, in what was set, and when written out again."""
    made = read_text_answer(json.dumps(found).encode())
    validated = _validated(found)
    assert made is not None
    assert made == validated
    assert made.model_fields_set == validated.model_fields_set
    assert made.model_dump_json(by_alias=True, exclude_unset=True) == validated.model_dump_json(
        by_alias=True, exclude_unset=True
    )


@given(ANSWER.filter(_places), st.data())
def test_an_odd_value_is_never_taken_for_another(found: dict[str, Any], data: st.DataObject):
    """With anything unexpected anywhere, nothing is made, or what validation makes."""
    container, key = data.draw(st.sampled_from(_places(found)))
    container[key] = data.draw(ODD)
    made = read_text_answer(json.dumps(found).encode())
    if made is not None:
        assert made == _validated(found)


def test_answers_share_nothing():
    """Changing one answer changes no other."""
    body = json.dumps(document("hi")).encode()
    one, other = read_text_answer(body), read_text_answer(body)
    assert one is not None
    assert other is not None
    assert one.candidates is not None
    assert one.candidates[0].content is not None
    one.candidates[0].content.parts = []
    one.usage_metadata = None
    assert other.text == "hi"
    assert other.usage_metadata is not None
