"""What goes wrong in the Discord emulator.

::

    DiscordSandboxError
    ├── ApiError        an answer to the bot in Discord's own shape: HTTP status, JSON code, message
    └── ActionError     a person in the sandbox asked for what Discord's client would not let them do; one sentence

``ApiError`` is raised anywhere below the REST interface and becomes an answer at its border. Functions here name the
errors that are used in more than one place; the codes are those of Discord's page topics/opcodes-and-status-codes.
``kind`` is the violation that the error stands for when it is the bot's own doing; None leaves it to the status.
"""

from __future__ import annotations

from typing import Any


class DiscordSandboxError(Exception):
    """The root of the tree."""


class ActionError(DiscordSandboxError):
    """A user's action that cannot be done; the text is one sentence for a person."""


class ApiError(DiscordSandboxError):
    """An error answer: ``status`` is HTTP's, ``code`` and ``message`` are Discord's."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        errors: dict[str, Any] | None = None,
        kind: str | None = None,
        pardon: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors
        self.kind = kind
        self.pardon = pardon
        """What a change made by somebody else is called; the first error after it is how a client learns of it."""

    def body(self) -> dict[str, Any]:
        """Return the JSON that Discord answers."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors:
            body["errors"] = self.errors
        return body


def unknown(what: str, code: int, object_id: str) -> ApiError:
    """404: such an object does not exist (or is not to be seen)."""
    return ApiError(404, code, f"Unknown {what}", pardon=f"gone:{object_id}")


def unknown_message(message_id: str) -> ApiError:
    """404 with code 10008."""
    return unknown("Message", 10008, message_id)


def unknown_channel(channel_id: str) -> ApiError:
    """404 with code 10003."""
    return unknown("Channel", 10003, channel_id)


def unknown_webhook() -> ApiError:
    """404 with code 10015: no interaction has this token, or it was not acknowledged yet."""
    return ApiError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> ApiError:
    """404 with code 10062: the three seconds are over."""
    return ApiError(404, 10062, "Unknown interaction", kind="ack_late")


def missing_permissions(channel_id: str) -> ApiError:
    """403 with code 50013."""
    return ApiError(403, 50013, "Missing Permissions", pardon=f"permission:{channel_id}")


def missing_access(channel_id: str) -> ApiError:
    """403 with code 50001: the channel cannot be seen."""
    return ApiError(403, 50001, "Missing Access", pardon=f"permission:{channel_id}")


def empty_message() -> ApiError:
    """400 with code 50006."""
    return ApiError(400, 50006, "Cannot send an empty message")


def invalid_form(problems: list[tuple[str, str]], *, kind: str = "body_limit") -> ApiError:
    """400 with code 50035; ``problems`` are (dotted path into the body, sentence) pairs."""
    tree: dict[str, Any] = {}
    for path, sentence in problems:
        node = tree
        for step in path.split("."):
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": "BASE_TYPE_BAD_LENGTH", "message": sentence})
    return ApiError(400, 50035, "Invalid Form Body", errors=tree, kind=kind)
