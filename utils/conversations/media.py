"""Material that comes with a question: files once they are here, and videos that a text points to.

``take(name, declared, content)`` makes an ``Attachment`` of a file's bytes, or says in a ``Refusal`` why it is not
taken; ``video_links(text)`` gives the YouTube videos in a text as the addresses that the API fetches by itself. What
always holds: pure; a file's size is judged again by its bytes, a picture's by its header; what a file is called and
declared as never makes it what it is not. A voice message bears the name ``VOICE_NAME``, as Discord's do.
YouTube as input: https://ai.google.dev/gemini-api/docs/video-understanding (public videos only).
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from utils.conversations.filetypes import GIF, recognise
from utils.conversations.limits import MAX_ATTACHMENT_BYTES, Refusal, shown_word, size_refusal
from utils.conversations.pictures import pixels
from utils.conversations.questions import Attachment

MAX_PIXELS: Final = 50_000_000
MAX_VIDEO_LINKS: Final = 3
VOICE_NAME: Final = "voice-message.ogg"

_LINK: Final = re.compile(r"https?://[^\s<>()\[\]|\"']{1,300}")
_VIDEO_ID: Final = re.compile(r"[A-Za-z0-9_-]{11}")
_HOSTS: Final = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com", "music.youtube.com"})
_FOLDERS: Final = frozenset({"shorts", "live", "embed", "v"})


def take(name: str, declared: str | None, content: bytes) -> Attachment | Refusal:
    """Make of a fetched file what is asked about, or say why not."""
    refusal = size_refusal(name, len(content), MAX_ATTACHMENT_BYTES)
    if refusal is not None:
        return refusal
    found = recognise(name, declared, content)
    shown = shown_word(name)
    if found is None:
        return Refusal("ask.attachment_type", {"name": shown})
    if found.mime_type == GIF:
        return Refusal("ask.attachment_gif", {"name": shown})
    if _pretends(declared, found.mime_type):
        return Refusal("file.pretends", {"name": shown, "kind": found.mime_type})
    count = pixels(content) if found.mime_type.startswith("image/") else None
    if count is not None and count > MAX_PIXELS:
        values = {"name": shown, "size": count // 1_000_000, "limit": MAX_PIXELS // 1_000_000}
        return Refusal("file.too_many_pixels", values)
    return Attachment(name, found.mime_type, found.content)


def video_links(text: str) -> tuple[str, ...]:
    """Give the YouTube videos that a text names, each once, in its order."""
    found: dict[str, None] = {}
    for link in _LINK.findall(text):
        video_id = _video_id(link)
        if video_id is not None:
            found[f"https://www.youtube.com/watch?v={video_id}"] = None
    return tuple(found)[:MAX_VIDEO_LINKS]


def _pretends(declared: str | None, kind: str) -> bool:
    """Tell whether a text came as a picture, a sound or a video, which would puzzle whoever asks about it."""
    family = (declared or "").partition("/")[0].lower()
    # source code of TypeScript is commonly declared as an MPEG transport stream, vector graphics are text
    is_text = kind.startswith("text/")
    excused = (declared or "").lower().startswith(("video/mp2t", "video/vnd.dlna", "image/svg"))
    return is_text and family in {"image", "audio", "video"} and not excused


def _video_id(link: str) -> str | None:
    try:
        address = urlsplit(link.rstrip(".,;:!?*"))
    except ValueError:
        return None
    host = (address.hostname or "").lower()
    steps = [step for step in address.path.split("/") if step]
    found = None
    if host == "youtu.be" and steps:
        found = steps[0]
    elif host in _HOSTS and steps == ["watch"]:
        found = parse_qs(address.query).get("v", [""])[0]
    elif host in _HOSTS and len(steps) > 1 and steps[0] in _FOLDERS:
        found = steps[1]
    return found if found is not None and _VIDEO_ID.fullmatch(found) else None
