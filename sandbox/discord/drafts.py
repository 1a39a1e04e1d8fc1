"""From the body of a request to a message: what a bot may send, and how it is completed.

``check`` refuses what breaks Discord's rules on a message's body; ``apply`` writes a checked body into a message, new
or old. Only the keys that are present change anything, as with Discord's PATCH. Attachments are matched to the files
of a multipart body by their number; those of an edited message stay only if listed.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord import normal
from sandbox.discord.errors import ApiError, empty_message, invalid_form
from sandbox.discord.hub import Hub
from sandbox.discord.ids import stamp
from sandbox.discord.mentions import resolve, unguarded
from sandbox.discord.payloads import is_v2
from sandbox.discord.permissions import Permission, may
from sandbox.discord.sizes import check_message
from sandbox.discord.voice import measure
from sandbox.discord.world import (
    COMPONENTS_V2,
    EPHEMERAL,
    SUPPRESS_EMBEDS,
    VOICE_MESSAGE,
    Message,
    StoredFile,
    Upload,
    User,
)

Json = dict[str, Any]
# A table of our own: the standard library's reads files of the system, in the middle of serving and differently
# on each machine.
_TYPES = {
    "csv": "text/csv",
    "gif": "image/gif",
    "html": "text/html",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "json": "application/json",
    "log": "text/plain",
    "md": "text/markdown",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "ogg": "audio/ogg",
    "pdf": "application/pdf",
    "png": "image/png",
    "py": "text/x-python",
    "svg": "image/svg+xml",
    "txt": "text/plain",
    "wav": "audio/wav",
    "webm": "video/webm",
    "webp": "image/webp",
    "zip": "application/zip",
}
_KEPT_FLAGS = EPHEMERAL | SUPPRESS_EMBEDS | COMPONENTS_V2 | VOICE_MESSAGE


def check(hub: Hub, body: Json, files: list[Upload], *, flags: int = 0) -> None:
    """Refuse a body by Discord's limits; ``flags`` are those the message already has."""
    problems = check_message(body, hub.limits)
    if len(files) > hub.limits.files:
        problems.append(("files", f"Must be {hub.limits.files} or fewer in length."))
    if problems:
        raise invalid_form(problems)
    if any(len(upload.content) > hub.limits.file_bytes for upload in files):
        raise ApiError(413, 40005, "Request entity too large", kind="body_limit")
    if is_v2(flags | int(body.get("flags") or 0)) and any(body.get(k) for k in ("content", "embeds", "poll")):
        wrong = "The 'content', 'embeds' and 'poll' fields cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        raise invalid_form([("flags", wrong)], kind="provoked_400")


def apply(
    hub: Hub, message: Message, body: Json, files: list[Upload], *, replied: User | None = None, strict: bool = True
) -> None:
    """Write a checked body into a message; raises ApiError when nothing would be left to show."""
    if "content" in body:
        message.content = str(body["content"] or "").strip()
    if "embeds" in body:
        message.embeds = normal.embeds(body["embeds"])
    if "components" in body:
        message.components = normal.components(body["components"])
    if body.get("poll"):
        message.poll = _poll(hub, body["poll"])
    _apply_flags(message, body)
    _apply_files(hub, message, body, files)
    _apply_mentions(hub, message, body.get("allowed_mentions"), replied)
    if strict and not any((message.content, message.embeds, message.components, message.files, message.poll)):
        raise empty_message()


def _apply_flags(message: Message, body: Json) -> None:
    if body.get("flags") is None:
        return
    given = int(body["flags"]) | message.flags & COMPONENTS_V2
    changeable = _KEPT_FLAGS & ~EPHEMERAL
    message.flags = message.flags & ~changeable | given & changeable


def _apply_files(hub: Hub, message: Message, body: Json, files: list[Upload]) -> None:
    listed = body.get("attachments")
    kept = message.files
    described: dict[str, Json] = {}
    if listed is not None:
        known = {stored.id: stored for stored in message.files}
        kept = [known[str(entry["id"])] for entry in listed if str(entry.get("id")) in known]
        described = {str(entry.get("id")): entry for entry in listed}
    added = [_store(hub, message, number, upload, described) for number, upload in enumerate(files)]
    if message.flags & VOICE_MESSAGE:
        for stored in added:
            stored.duration_s, stored.waveform = measure(stored.content)
    message.files = [*kept, *added]


def _store(hub: Hub, message: Message, number: int, upload: Upload, described: dict[str, Json]) -> StoredFile:
    entry = described.get(str(number), {})
    stored = StoredFile(
        hub.ids.next(),
        message.channel_id,
        str(entry.get("filename") or upload.filename),
        content_type(upload),
        upload.content,
        description=entry.get("description"),
        ephemeral=bool(message.flags & EPHEMERAL),
    )
    hub.world.files[stored.id] = stored
    return stored


def content_type(upload: Upload) -> str:
    """Return a file's type: the one it came with, or by its name when it came with none."""
    if upload.content_type and upload.content_type != "application/octet-stream":
        return upload.content_type
    ending = upload.filename.rpartition(".")[2].lower()
    return _TYPES.get(ending, "application/octet-stream")


def _apply_mentions(hub: Hub, message: Message, allowed: Json | None, replied: User | None) -> None:
    texts = [message.content, *_displayed(message.components)]
    may_ping = may(hub.world, message.author, hub.world.channels[message.channel_id], Permission.MENTION_EVERYONE)
    pings = resolve("\n".join(texts), allowed, hub.world, replied=replied, may_ping_all=may_ping)
    message.mentions, message.mention_roles, message.mention_everyone = pings.users, pings.roles, pings.everyone
    if message.author is hub.world.bot:
        for kind, what in unguarded("\n".join(texts), allowed):
            hub.violations.record(kind, what, f"message {message.id} in channel {message.channel_id}")


def _displayed(components: list[Json]) -> list[str]:
    found = [str(c["content"]) for c in components if "content" in c]
    for component in components:
        found += _displayed(component.get("components") or [])
    return found


def _poll(hub: Hub, given: Json) -> Json:
    hours = int(given.get("duration") or 24)
    from_now = hub.clock.now() + hours * 3600
    answers = [{"answer_id": n, "poll_media": a["poll_media"]} for n, a in enumerate(given["answers"], 1)]
    return {
        "question": given["question"],
        "answers": answers,
        "expiry": stamp(from_now),
        "allow_multiselect": bool(given.get("allow_multiselect")),
        "layout_type": int(given.get("layout_type") or 1),
        "results": {"answer_counts": [], "is_finalized": False},
    }
