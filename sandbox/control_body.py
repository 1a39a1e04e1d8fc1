"""What a write to the control interface carries: fields of a JSON object, and files.

``read_body`` reads either form; ``Body`` answers fields with their type checked. What always holds: no more than
``MAX_JSON`` bytes of JSON and ``MAX_FILES`` bytes of files are taken into memory; a wrong field is named in the
sentence of a ``ControlError``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import BodyPartReader, web

from sandbox.control_guard import ControlError
from sandbox.discord import Upload

MAX_JSON = 1024 * 1024
MAX_FILES = 25 * 1024 * 1024
_FILE_FIELD = re.compile(r"files\[(\d{1,2})\]")
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Body:
    """The object that was sent, and the files in the order of their numbers."""

    fields: Mapping[str, Any]
    files: tuple[Upload, ...] = ()

    def text(self, name: str, default: str | None = None) -> str:
        """A text; numbers are taken as text, since ids may come as either. Needed when there is no default."""
        value = self.fields.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise ControlError(f"{name} must be a text.")
        return value

    def optional_text(self, name: str) -> str | None:
        """A text or nothing."""
        return None if self.fields.get(name) is None else self.text(name)

    def mapping(self, name: str) -> dict[str, Any]:
        """An object; empty when it is left out."""
        value = self.fields.get(name)
        if value is None:
            return {}
        if not isinstance(value, dict):
            raise ControlError(f"{name} must be an object.")
        return value

    def number(self, name: str) -> float:
        """A number."""
        value = self.fields.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ControlError(f"{name} must be a number.")
        return float(value)

    def optional_count(self, name: str) -> int | None:
        """A whole number of at least 0, or nothing."""
        value = self.fields.get(name)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ControlError(f"{name} must be a whole number of at least 0, or null for no limit.")
        return value


async def read_body(request: web.Request) -> Body:
    """Read JSON or multipart; raises ControlError for what is neither, 413 for what is too large."""
    if request.content_type == "multipart/form-data":
        return await _multipart(request)
    return Body(_as_object(await read_json(request)))


async def read_json(request: web.Request) -> Any:
    """Read a JSON value of at most ``MAX_JSON`` bytes; nothing at all counts as an empty object."""
    raw = bytearray()
    async for chunk in request.content.iter_chunked(_CHUNK):
        raw += chunk
        if len(raw) > MAX_JSON:
            raise ControlError("That JSON is too large for the sandbox; send at most 1 MiB.", 413)
    return _parse(bytes(raw)) if raw else {}


def _parse(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ControlError("The body is not JSON; check its quotes and commas.") from error


def _as_object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ControlError("The body must be a JSON object.")
    return value


async def _multipart(request: web.Request) -> Body:
    fields: Mapping[str, Any] = {}
    files: dict[int, Upload] = {}
    left = MAX_FILES
    try:
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                raise ControlError("A part of the form may not be a form itself.")
            if part.name == "payload_json":
                fields = _as_object(_parse(await _read_part(part, MAX_JSON)))
                continue
            match = _FILE_FIELD.fullmatch(part.name or "")
            if match is None:
                raise ControlError("A form holds payload_json and files[0], files[1] and so on.")
            content = await _read_part(part, left)
            left -= len(content)
            content_type = part.headers.get("Content-Type", "application/octet-stream")
            files[int(match[1])] = Upload(part.filename or f"file-{match[1]}", content_type, content)
    except ValueError as error:
        raise ControlError("The form is not valid multipart.") from error
    if sorted(files) != list(range(len(files))):
        raise ControlError("Files are numbered files[0], files[1] and so on, without a gap.")
    return Body(fields, tuple(files[number] for number in sorted(files)))


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    raw = bytearray()
    while chunk := await part.read_chunk(_CHUNK):
        raw += chunk
        if len(raw) > most:
            raise ControlError("That is too large for the sandbox; send at most 25 MiB of files.", 413)
    return bytes(raw)
