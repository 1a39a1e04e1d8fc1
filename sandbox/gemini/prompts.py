"""A request to generate, read and checked: ``Prompt`` is what the answer is made from.

``read_prompt`` takes a body in one spelling (``wire.camel``) and refuses, in Google's words, what the service would
refuse: no contents, unknown roles, empty parts, broken base64, types it does not take, numbers out of range, too many
tokens, function calls replayed without their thought signature. Files and caches are looked up by their stores, which
know what belongs to whose project.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.gemini.models import Model
from sandbox.gemini.wire import MEDIA_TOKENS, Json, compact, invalid, mapping, objects, strings, text_tokens

_ROLES = frozenset({"user", "model", "function"})
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_IMAGES = ("png", "jpeg", "webp", "heic", "heif")
_AUDIO = ("wav", "x-wav", "mp3", "mpeg", "aiff", "aac", "ogg", "flac", "mp4", "webm", "L16", "pcm")
_VIDEO = ("mp4", "mpeg", "mov", "quicktime", "avi", "x-flv", "flv", "mpg", "webm", "wmv", "3gpp")
_SUPPORTED = frozenset(
    [f"image/{kind}" for kind in _IMAGES]
    + [f"audio/{kind}" for kind in _AUDIO]
    + [f"video/{kind}" for kind in _VIDEO]
    + ["application/pdf", "application/json", "application/x-javascript", "application/rtf"]
)
_MAX_CANDIDATES = 8
_MAX_STOPS = 5


@dataclass(frozen=True, slots=True)
class Config:
    """The generation config that the emulator honours."""

    max_output_tokens: int | None = None
    stop_sequences: tuple[str, ...] = ()
    candidate_count: int = 1
    wants_json: bool = False
    schema: Mapping[str, Any] | None = None
    modalities: frozenset[str] = frozenset()
    include_thoughts: bool = False


@dataclass(frozen=True, slots=True)
class Prompt:
    """A checked request; token counts by the rule of ``wire``. ``prompt_tokens`` includes the cached ones.

    ``searches``: the web may be searched for the answer; ``runs_code``: code may be run for it.
    """

    model: Model
    contents: tuple[Json, ...]
    system: str
    config: Config
    functions: tuple[Json, ...]
    calling_mode: str
    prompt_tokens: int
    cached_tokens: int = 0
    continuation: str = ""
    searches: bool = False
    runs_code: bool = False

    @property
    def question(self) -> str:
        """The text of the newest turn."""
        return content_text(self.contents[-1])

    @property
    def first_question(self) -> str:
        """The text of the oldest turn."""
        return content_text(self.contents[0])


def read_prompt(body: Json, model: Model, *, check_file: Callable[[str], None], cached_tokens: int = 0) -> Prompt:
    """Check a body and read it; ``check_file`` refuses a file URI this key may not use. Raises Refusal."""
    contents = read_contents(body.get("contents"))
    for content in contents:
        for part in content["parts"]:
            check_part(part, check_file)
    if model.signs_calls:
        _check_signatures(contents)
    system = content_text(mapping(body, "systemInstruction"))
    functions = _functions(body)
    own = sum(content_tokens(content) for content in contents) + text_tokens(system)
    tokens = own + (text_tokens(compact(list(functions)).decode()) if functions else 0) + cached_tokens
    if tokens > model.input_tokens:
        limit = model.input_tokens
        raise invalid(f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({limit}).")
    calling = mapping(mapping(body, "toolConfig"), "functionCallingConfig")
    return Prompt(
        model=model,
        contents=contents,
        system=system,
        config=_read_config(mapping(body, "generationConfig"), model),
        functions=functions,
        calling_mode=str(calling.get("mode", "AUTO")).upper(),
        prompt_tokens=tokens,
        cached_tokens=cached_tokens,
        continuation=str(body.get("continuationToken") or ""),
        searches=any("googleSearch" in tool for tool in objects(body, "tools")),
        runs_code=any("codeExecution" in tool for tool in objects(body, "tools")),
    )


def read_contents(contents: object) -> tuple[Json, ...]:
    """The turns of a request, each with a role and a list of parts. Raises Refusal (400)."""
    turns = [contents] if isinstance(contents, dict) else contents
    if not isinstance(turns, list) or not turns:
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    return tuple(_read_content(turn, number) for number, turn in enumerate(turns))


def _read_content(turn: object, number: int) -> Json:
    if not isinstance(turn, dict):
        raise invalid(f"Invalid value at 'contents[{number}]' (type.googleapis.com/Content).")
    role = turn.get("role") or "user"
    if not isinstance(role, str) or role not in _ROLES:
        raise invalid("Please use a valid role: user, model.")
    parts = turn.get("parts")
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise invalid(f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty.\n")
    return {"role": role, "parts": parts}


def check_part(part: Json, check_file: Callable[[str], None]) -> None:
    """Refuse a part that holds nothing, a broken blob, or a type that is not supported."""
    if isinstance(blob := part.get("inlineData"), dict):
        if not _BASE64.fullmatch(str(blob.get("data", ""))):
            raise invalid("Invalid value at 'contents.parts.inline_data.data' (TYPE_BYTES), Base64 decoding failed.")
        _check_type(blob.get("mimeType"))
    elif isinstance(file := part.get("fileData"), dict):
        if file.get("mimeType"):
            _check_type(file["mimeType"])
        check_file(str(file.get("fileUri", "")))
    elif "text" in part:
        if not isinstance(part["text"], str):
            raise invalid("Invalid value at 'contents.parts.text' (TYPE_STRING).")
    elif not part.keys() & {"functionCall", "functionResponse", "executableCode", "codeExecutionResult"}:
        raise invalid("contents.parts must not be empty: required oneof field 'data' must have one initialized field")


def _check_type(mime_type: object) -> None:
    bare = str(mime_type).split(";")[0].strip()
    if bare not in _SUPPORTED and not bare.startswith("text/"):
        raise invalid(f"Unsupported MIME type: {bare}")


def _check_signatures(contents: tuple[Json, ...]) -> None:
    """The first function call of each step of the running turn must carry its thought signature."""
    for content in reversed(contents):
        if content["role"] == "user" and any("functionResponse" not in part for part in content["parts"]):
            return
        calls = [part for part in content["parts"] if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            name = mapping(calls[0], "functionCall").get("name")
            raise invalid(f"Function call {name} in the request is missing a thought_signature in functionCall parts.")


def _read_config(config: Mapping[str, Any], model: Model) -> Config:
    _in_range(config, "temperature", 0, 2)
    _in_range(config, "topP", 0, 1)
    _in_range(config, "topK", 1, 1_000)
    most = config.get("maxOutputTokens")
    if most is not None:
        _in_range(config, "maxOutputTokens", 1, model.output_tokens)
    _in_range(config, "candidateCount", 1, _MAX_CANDIDATES)
    stops = config.get("stopSequences") or []
    if not isinstance(stops, list) or len(stops) > _MAX_STOPS:
        raise invalid("* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed\n")
    schema = config.get("responseSchema") or config.get("responseJsonSchema")
    wants_json = config.get("responseMimeType") == "application/json"
    return Config(
        max_output_tokens=int(most) if most is not None else None,
        stop_sequences=tuple(str(stop) for stop in stops if stop),
        candidate_count=int(config.get("candidateCount") or 1),
        wants_json=wants_json,
        schema=schema if isinstance(schema, dict) else None,
        modalities=frozenset(one.upper() for one in strings(config, "responseModalities")),
        include_thoughts=bool(mapping(config, "thinkingConfig").get("includeThoughts")),
    )


def _in_range(config: Mapping[str, Any], name: str, least: float, most: float) -> None:
    value = config.get(name)
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        field = re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)
        raise invalid(
            f"* GenerateContentRequest.generation_config.{field}: {field} must be in the range [{least}, {most}].\n"
        )


def _functions(body: Json) -> tuple[Json, ...]:
    return tuple(one for tool in objects(body, "tools") for one in objects(tool, "functionDeclarations"))


def content_text(content: Mapping[str, Any]) -> str:
    """The texts of a turn, joined; thoughts are left out."""
    parts = objects(content, "parts")
    return "".join(str(part["text"]) for part in parts if "text" in part and not part.get("thought"))


def content_tokens(content: Mapping[str, Any]) -> int:
    """The tokens of a turn by the rule of ``wire``: texts and calls by their bytes, every medium 258."""
    return sum(_part_tokens(part) for part in objects(content, "parts"))


def _part_tokens(part: Mapping[str, Any]) -> int:
    if "text" in part:
        return text_tokens(str(part["text"]))
    if "inlineData" in part or "fileData" in part:
        return MEDIA_TOKENS
    return text_tokens(compact(dict(part)).decode())
