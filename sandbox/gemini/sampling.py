"""An example value for a schema: what a model would fill in, without a model.

``sample`` takes both dialects the API knows (OpenAPI with ``STRING``, JSON Schema with ``string``) and follows local
references. What always holds: it ends soon, also for a schema that contains itself or asks for lists of lists of lists.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sandbox.gemini.wire import mapping

_MAX_DEPTH = 12
_MAX_ITEMS = 100
_MAX_VALUES = 5_000


def sample(schema: Mapping[str, Any], words: str) -> Any:
    """A value that fits the schema; every free string is ``words``."""
    return _Sampler(schema, words).value(schema, 0)


class _Sampler:
    def __init__(self, root: Mapping[str, Any], words: str) -> None:
        self._root = root
        self._words = words
        self._left = _MAX_VALUES

    def value(self, schema: object, depth: int) -> Any:
        """The example for one (sub)schema; None beyond the depth and the number of values no honest answer needs."""
        self._left -= 1
        if not isinstance(schema, Mapping) or depth > _MAX_DEPTH or self._left < 0:
            return None
        if isinstance(reference := schema.get("$ref"), str):
            return self.value(self._resolve(reference), depth + 1)
        for word in ("anyOf", "oneOf", "allOf"):
            if isinstance(options := schema.get(word), list) and options:
                return self.value(options[0], depth + 1)
        if isinstance(choices := schema.get("enum"), list) and choices:
            return choices[0]
        return self._typed(schema, depth)

    def _typed(self, schema: Mapping[str, Any], depth: int) -> Any:
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = next((k for k in kind if k != "null"), "null") if isinstance(kind, list) else kind
        match str(kind).lower():
            case "object":
                return {name: self.value(one, depth + 1) for name, one in mapping(schema, "properties").items()}
            case "array":
                length = min(int(_number(schema, "minItems", 1)), _MAX_ITEMS)
                return [self.value(schema.get("items") or {}, depth + 1) for _ in range(max(1, length))]
            case "integer":
                return int(_number(schema, "minimum", 1))
            case "number":
                return float(_number(schema, "minimum", 1.5))
            case "boolean":
                return True
            case "null":
                return None
            case _:
                return self._words

    def _resolve(self, reference: str) -> Any:
        place: Any = self._root
        for name in reference.removeprefix("#/").split("/"):
            place = place.get(name) if isinstance(place, Mapping) else None
        return place


def _number(schema: Mapping[str, Any], name: str, usual: float) -> float:
    value = schema.get(name)
    return value if isinstance(value, int | float) and math.isfinite(value) else usual
