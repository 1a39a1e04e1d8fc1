"""What one attempt asks, and what came of it.

``Ask`` is a question in the SDK's terms, prepared once and used for every attempt. ``Attempt`` is what came of one: a
response or a failure, with the requests, tokens and seconds it took. What always holds: options are checked before
anything is sent; contents are not, that is the service's to do.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from google.genai import types

from utils.gemini_pool.errors import InvalidRequestError
from utils.gemini_pool.policy.outcome import Failure
from utils.gemini_pool.provider.errors import to_failure
from utils.gemini_pool.provider.lean import is_plain, lean_config, lean_request
from utils.security import Redactor

_GO_ON = {
    "role": "user",
    "parts": [{"text": "Your answer was cut off. Continue exactly where you stopped, without repeating anything."}],
}

Response = types.GenerateContentResponse


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: the model, its turns, and what the SDK is called with (no configuration when empty: it costs time).

    ``is_plain``: the SDK has nothing to do with the answer but to convert it.
    """

    model: str
    turns: Sequence[Any]
    options: types.GenerateContentConfig | None
    is_plain: bool
    contents: Any
    config: types.GenerateContentConfig | None

    @classmethod
    def prepare(cls, model: str, turns: Sequence[Any], options: Mapping[str, Any]) -> Ask:
        """Check the options; raises ``InvalidRequestError`` naming the first that is wrong."""
        given = {name: value for name, value in options.items() if value is not None}
        if not given:
            return cls(model, turns, None, True, *lean_request(turns, None))
        try:
            config = lean_config(given)
        except ValueError as error:
            failure = to_failure(error, Redactor(), sent=0)
            raise InvalidRequestError(f"Mend the generation option {failure.message}.") from None
        plain = is_plain(given)
        return cls(model, turns, config, plain, *(lean_request(turns, config) if plain else (turns, config)))

    @property
    def links_files(self) -> bool:
        """Whether a part of the question is the address of a file or video instead of its content."""
        return any(_is_link(part) for turn in self.turns for part in _of(turn, "parts") or ())

    def going_on(self, said: str) -> Ask:
        """Give the question that goes on where an answer broke off."""
        turns = [*self.turns, {"role": "model", "parts": [{"text": said}]}, _GO_ON]
        contents, config = lean_request(turns, self.options) if self.is_plain else (turns, self.options)
        return dataclasses.replace(self, turns=turns, contents=contents, config=config)

    def of(self, model: str) -> Ask:
        """Give the same question to another model."""
        return self if model == self.model else dataclasses.replace(self, model=model)


def _is_link(part: Any) -> bool:
    return bool(_of(part, "file_data") or _of(part, "fileData"))


def _of(thing: Any, name: str) -> Any:
    return thing.get(name) if isinstance(thing, Mapping) else getattr(thing, name, None)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one attempt: a response, or what failed; with the requests, tokens and seconds it took.

    ``first_s``: seconds until a streamed answer began; None when it never did, or was asked for as a whole.
    """

    response: Response | None
    failure: Failure | None
    requests: int
    input_tokens: int = 0
    output_tokens: int = 0
    first_s: float | None = None
    seconds: float = 0.0
