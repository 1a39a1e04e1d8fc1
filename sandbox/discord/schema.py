"""Discord's published OpenAPI description as a judge of requests and answers.

``SchemaCheck`` reads the file (Discord's repository discord-api-spec, MIT) and answers, for a route's template, with
the sentences that do not fit. It needs the ``jsonschema-rs`` package, which only tests and the option ``--openapi``
ask for. discord.py sends some ids as numbers where the description wants strings; Discord takes both, so they
are turned into strings before the check (``KNOWN_MISMATCHES``).
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

Json = dict[str, Any]

KNOWN_MISMATCHES = {
    "message_reference.message_id": "discord.py 2.7.1 sends the replied-to message's id as a number",
    "attachments[].id": "discord.py 2.7.1 numbers the attachments of a message with numbers",
    "recipient_id": "discord.py 2.7.1 names the user of a new direct message by number",
}
_MAX_SENTENCES = 3


class SchemaCheck:
    """Judges bodies by the description; raises OSError or ValueError when the file cannot be read."""

    def __init__(self, path: Path) -> None:
        import jsonschema_rs  # noqa: PLC0415  a development dependency, needed only where a description is given

        self._jsonschema = jsonschema_rs
        self._document: Json = json.loads(path.read_text(encoding="utf-8"))
        self._validators: dict[str, Any] = {}

    def request(self, method: str, template: str, body: Any) -> list[str]:
        """Return what does not fit in a request's JSON body; empty when all fits or nothing is described."""
        operation = self._operation(method, template)
        schema = _json_schema(operation.get("requestBody", {})) if operation else None
        if operation is None:
            return [f"{method} {template} is not described"]
        return self._judge(schema, f"{method} {template} request", _tolerant(body)) if schema else []

    def answer(self, method: str, template: str, status: int, body: Any) -> list[str]:
        """Return what does not fit in an answer."""
        operation = self._operation(method, template)
        if operation is None:
            return []
        responses = operation["responses"]
        described = responses.get(str(status)) or (responses.get("4XX") if status >= 400 else None)
        if described is None:
            return [f"{method} {template} answers {status}, which is not described"]
        schema = _json_schema(self._resolved(described))
        return self._judge(schema, f"{method} {template} {status}", body) if schema else []

    def _operation(self, method: str, template: str) -> Json | None:
        found = self._document["paths"].get(template, {}).get(method.lower())
        return found if isinstance(found, dict) else None

    def _resolved(self, node: Json) -> Json:
        while "$ref" in node:
            target: Any = self._document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def _judge(self, schema: Json, name: str, body: Any) -> list[str]:
        if name not in self._validators:
            whole = {**schema, "components": self._document["components"]}
            self._validators[name] = self._jsonschema.Draft202012Validator(whole)
        errors = itertools.islice(self._validators[name].iter_errors(body), _MAX_SENTENCES)
        return [_sentence(error) for error in errors]


def _sentence(error: Any) -> str:
    """Tell the place and the reason; of alternatives none of which fits, those of the one that fits furthest."""
    while branches := [branch for branch in getattr(error.kind, "context", ()) if branch]:
        error = max((_deepest(branch) for branch in branches), key=_depth)
    where = ".".join(str(step) for step in error.instance_path) or "the body"
    return f"{where}: {error.message[:300]}"


def _deepest(errors: list[Any]) -> Any:
    return max(errors, key=_depth)


def _depth(error: Any) -> int:
    return len(error.instance_path)


def _json_schema(node: Json) -> Json | None:
    schema = node.get("content", {}).get("application/json", {}).get("schema")
    return schema if isinstance(schema, dict) else None


def _tolerant(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    body = dict(body)
    if isinstance(body.get("recipient_id"), int):
        body["recipient_id"] = str(body["recipient_id"])
    reference = body.get("message_reference")
    if isinstance(reference, dict):
        body["message_reference"] = {k: str(v) if k.endswith("_id") else v for k, v in reference.items()}
    if isinstance(body.get("attachments"), list):
        body["attachments"] = [{**entry, "id": str(entry["id"])} for entry in body["attachments"] if "id" in entry]
    if isinstance(body.get("data"), dict):
        body["data"] = _tolerant(body["data"])
    return body
