"""The Gemini API's wire format: spelling, error bodies, server-sent events and how tokens are counted.

``camel`` brings a request body to one spelling, since the SDK mixes ``maxOutputTokens`` and ``thinking_level`` in one
body and the service takes both everywhere. ``Refusal`` is an answer that is not 200, raised by whoever finds the reason
and written by the server in Google's shape. ``event`` frames one chunk of a stream exactly as the SDK takes it: one
space after ``data:``, CRLF, no comments, no terminator.

Tokens are counted by a rule anyone can repeat: the UTF-8 bytes of a text divided by four, rounded up; 258 for every
image, audio, video, document or file part. The figures are no tokenizer's, but they add up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

MEDIA_TOKENS = 258
_BYTES_PER_TOKEN = 4
_SNAKE = re.compile(r"_([a-z0-9])")
# What stands below these names belongs to the caller (arguments, JSON schemas, labels) and is never respelled.
_CALLERS_OWN = frozenset({"args", "response", "parametersJsonSchema", "responseJsonSchema", "labels"})
_NAMES_ARE_CALLERS = "properties"


class Refusal(Exception):  # noqa: N818 - an answer of the service, not an error of this program
    """An answer other than 200, in the words Google uses.

    ``code`` is the HTTP status, ``status`` Google's enumeration, ``details`` the list of typed details, ``kind`` the
    word it is counted under; kind ``request`` is the caller's own fault.
    """

    def __init__(
        self, code: int, status: str, message: str, *, details: Sequence[Json] = (), kind: str = "request"
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = tuple(details)
        self.kind = kind

    def body(self) -> Json:
        """The JSON document that goes over the wire."""
        error: Json = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = list(self.details)
        return {"error": error}


def invalid(message: str) -> Refusal:
    """Refuse a request that the caller must mend: 400 INVALID_ARGUMENT."""
    return Refusal(400, "INVALID_ARGUMENT", message)


def camel(document: Any) -> Any:
    """Respell every field name of a JSON value in camelCase; what belongs to the caller stays as it is."""
    if isinstance(document, list):
        return [camel(item) for item in document]
    if not isinstance(document, dict):
        return document
    return {name: _value(name, value) for name, value in ((_camel_name(k), v) for k, v in document.items())}


def _camel_name(name: str) -> str:
    return _SNAKE.sub(lambda match: match[1].upper(), name)


def _value(name: str, value: Any) -> Any:
    if name in _CALLERS_OWN:
        return value
    if name == _NAMES_ARE_CALLERS and isinstance(value, dict):
        return {key: camel(inner) for key, inner in value.items()}
    return camel(value)


def parse(raw: bytes) -> Json:
    """Read a request body; an empty one is an empty object. Raises Refusal (400) for anything but a JSON object."""
    if not raw.strip():
        return {}
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise invalid("Invalid JSON payload received. Unexpected token or nesting.") from error
    if b"\\ud" in raw or b"\\uD" in raw:
        _refuse_half_characters(document)
    if not isinstance(document, dict):
        raise invalid("Invalid JSON payload received. Root element must be a message.")
    return dict(camel(document))


def _refuse_half_characters(document: Any) -> None:
    """JSON can escape one half of a surrogate pair, which is no text and cannot be written in UTF-8."""
    try:
        compact(document)
    except UnicodeEncodeError as error:
        raise invalid("Invalid JSON payload received. Invalid UTF-8 sequence in a string.") from error


def mapping(document: Mapping[str, Any], name: str) -> Json:
    """The object in a field; an empty one when the field holds anything else."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def objects(document: Mapping[str, Any], name: str) -> list[Json]:
    """The objects in a repeated field (a single one may stand without its list); anything else is left out."""
    value = document.get(name)
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def strings(document: Mapping[str, Any], name: str) -> list[str]:
    """The strings in a repeated field; anything else is left out."""
    value = document.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def event(document: Mapping[str, Any]) -> bytes:
    """Frame one chunk of a stream (``alt=sse``)."""
    return b"data: " + compact(document) + b"\r\n\r\n"


def compact(document: Any) -> bytes:
    """Write a JSON value in UTF-8 without spaces."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def text_tokens(text: str) -> int:
    """Count the tokens of a text: UTF-8 bytes / 4, rounded up."""
    return -(-len(text.encode("utf-8", "surrogatepass")) // _BYTES_PER_TOKEN)
