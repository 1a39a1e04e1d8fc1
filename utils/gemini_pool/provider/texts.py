"""Answers of plain text as the SDK's objects, made from copies instead of by validation.

Validating an answer calls a validator in Python for every object in it; most answers are a text, a reason and a few
counts, whose types are looked at faster by hand. What always holds: what is made equals what validation makes; anything
but the fields named here, each of its exact type, is not made at all (``read_text_answer`` gives None).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from google.genai import types
from pydantic import BaseModel

_Model = TypeVar("_Model", bound=BaseModel)
_Convert = Callable[[Any], Any]


def read_text_answer(body: bytes) -> types.GenerateContentResponse | None:
    """Read an answer, or a piece of one, that is nothing but text; None for anything else."""
    try:
        return _answer(json.loads(body))
    except (ValueError, LookupError, TypeError):
        return None


def _exactly(kind: type) -> _Convert:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError
        return value

    return check


def _many(convert: _Convert) -> _Convert:
    def convert_all(values: Any) -> list[Any]:
        if type(values) is not list:
            raise TypeError
        return [convert(value) for value in values]

    return convert_all


def _object(template: _Model, fields: Mapping[str, tuple[str, _Convert]]) -> Callable[[Any], _Model]:
    """Make objects from documents; ``fields``: by the name on the wire, the field and its conversion."""

    def make(document: Any) -> _Model:
        if type(document) is not dict:
            raise TypeError
        update = {}
        for name, value in document.items():
            field, convert = fields[name]
            update[field] = convert(value)
        return template.model_copy(update=update)

    return make


_text, _count, _flag = _exactly(str), _exactly(int), _exactly(bool)
_REASONS = {reason.value: reason for reason in types.FinishReason}
_MODALITIES = {modality.value: modality for modality in types.MediaModality}

_part = _object(types.Part.model_construct(), {"text": ("text", _text), "thought": ("thought", _flag)})
_content = _object(types.Content.model_construct(), {"role": ("role", _text), "parts": ("parts", _many(_part))})
_candidate = _object(
    types.Candidate.model_construct(),
    {
        "content": ("content", _content),
        "index": ("index", _count),
        "finishReason": ("finish_reason", _REASONS.__getitem__),
    },
)
_tokens = _object(
    types.ModalityTokenCount.model_construct(),
    {"modality": ("modality", _MODALITIES.__getitem__), "tokenCount": ("token_count", _count)},
)
_usage = _object(
    types.GenerateContentResponseUsageMetadata.model_construct(),
    {
        "promptTokenCount": ("prompt_token_count", _count),
        "candidatesTokenCount": ("candidates_token_count", _count),
        "thoughtsTokenCount": ("thoughts_token_count", _count),
        "cachedContentTokenCount": ("cached_content_token_count", _count),
        "totalTokenCount": ("total_token_count", _count),
        "promptTokensDetails": ("prompt_tokens_details", _many(_tokens)),
        "candidatesTokensDetails": ("candidates_tokens_details", _many(_tokens)),
        "cacheTokensDetails": ("cache_tokens_details", _many(_tokens)),
    },
)
_answer = _object(
    types.GenerateContentResponse.model_construct(),
    {
        "candidates": ("candidates", _many(_candidate)),
        "usageMetadata": ("usage_metadata", _usage),
        "modelVersion": ("model_version", _text),
        "responseId": ("response_id", _text),
    },
)
