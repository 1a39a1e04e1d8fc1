"""Which files the Gemini API takes, and under which MIME type: decided by their bytes.

``may_be_read(name, declared)`` is the cheap guess before a byte is fetched: it refuses only what is surely of no use.
``recognise(name, declared, content)`` has the last word: texts are known by being text, everything else by its
signature, which ``puremagic`` knows. What always holds: the declared type and the name, which come from the sender,
choose only between kinds that look alike (sound or video in one container, HTML or plain text) and the character
set of a text; archives are never opened; pure, and slow enough for large files that a loop should call it in a thread.
The API's types: https://ai.google.dev/gemini-api/docs/audio, .../image-understanding, .../video-understanding,
.../document-processing and https://firebase.google.com/docs/ai-logic/input-file-requirements
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

import puremagic

GIF: Final = "image/gif"
PLAIN_TEXT: Final = "text/plain"


def _words(prefix: str, words: str) -> frozenset[str]:
    return frozenset(prefix + word for word in words.split())


_MEDIA_TYPES: Final = (
    _words("image/", "png jpeg webp heic heif")
    | _words("audio/", "wav mp3 aiff aac ogg flac mp4 webm")
    | _words("video/", "mp4 mpeg mov avi x-flv mpg webm wmv 3gpp")
    | {"application/pdf"}
)
#: Names that files go by elsewhere, for types which the API knows by another name.
_ALIASES: Final = {
    "audio/mpeg": "audio/mp3",
    "audio/wave": "audio/wav",
    "audio/x-wav": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "application/ogg": "audio/ogg",
    "audio/x-m4a": "audio/mp4",
    "video/quicktime": "video/mov",
    "video/x-msvideo": "video/avi",
    "video/x-ms-wmv": "video/wmv",
}
#: Containers that hold sound or video: the video's type, and the sound's.
_SOUND_OF: Final = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}
#: Signatures that the library does not know: sound without a tag, and pictures of the brand that others build on.
_MORE_SIGNATURES: Final = (
    (0, b"\xff\xf3", "audio/mp3"),
    (0, b"\xff\xf2", "audio/mp3"),
    (0, b"\xff\xfa", "audio/mp3"),
    (0, b"\xff\xf9", "audio/aac"),
    (4, b"ftypmif1", "image/heif"),
)
_TEXT_TYPES: Final = {
    ".html": "text/html",
    ".htm": "text/html",
    ".css": "text/css",
    ".csv": "text/csv",
    ".md": "text/md",
    ".xml": "text/xml",
}
#: What no text holds: the control characters, without those that structure or colour it.
_NO_TEXT: Final = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")
#: Character sets of texts; others that a sender could name are no sets of characters, or slow to read.
_CHARSET: Final = re.compile(
    r"charset=\"?(iso-8859-\d+|windows-\d+|big5|gbk|gb2312|gb18030|shift_jis|euc-(?:jp|kr)|koi8-[ru]|utf-16(?:le|be)?)\b",
    re.IGNORECASE,
)
_UNREADABLE: Final = re.compile(
    r"image/gif|image/(?:bmp|tiff|x-icon|vnd\.\S+)|font/.*"
    r"|application/(?:.*(?:zip|rar|7z|tar|bzip|compressed|msdownload|executable|msdos|officedocument|opendocument).*"
    r"|msword|vnd\.ms-.*|java-archive|vnd\.android\.package-archive|x-apple-diskimage|x-iso9660-image|epub\+zip)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is: its type by the API's name, and its bytes as the API is to get them (texts are UTF-8)."""

    mime_type: str
    content: bytes


def may_be_read(name: str, declared: str | None) -> bool:
    """Tell whether a file so declared is worth fetching; False: it is surely of a type that the API does not take."""
    kind = (declared or "").partition(";")[0].strip()
    return not (_UNREADABLE.fullmatch(kind) or is_gif(name, declared))


def is_gif(name: str, declared: str | None) -> bool:
    """Tell whether a file is declared to be a GIF, or, where nothing is declared, called one."""
    kind = (declared or "").partition(";")[0].strip().lower()
    return kind == GIF or (not kind and name.lower().endswith(".gif"))


def recognise(name: str, declared: str | None, content: bytes) -> Recognised | None:
    """Say what a file is by its bytes; None: nothing that the API takes. A GIF is told as one, to be refused as one."""
    if content.startswith(b"%PDF-"):
        # may be text through and through
        return Recognised("application/pdf", content)
    text = _as_text(declared, content)
    if text is not None:
        kind = _TEXT_TYPES.get(PurePath(name.lower()).suffix, PLAIN_TEXT)
        return Recognised(kind, text)
    found = _by_signature(content)
    if found is None:
        return None
    if found in _SOUND_OF and (declared or "").lower().startswith("audio/"):
        found = _SOUND_OF[found]
    return Recognised(found, content)


def _as_text(declared: str | None, content: bytes) -> bytes | None:
    """Give a text as UTF-8, or None for what is none."""
    given = _CHARSET.search(declared or "")
    charset = given[1] if given else None
    for encoding in ("utf-8-sig", "utf-16" if content[:2] in {b"\xff\xfe", b"\xfe\xff"} else None, charset):
        if encoding is None:
            continue
        try:
            text = content.decode(encoding)
        except (LookupError, ValueError):
            continue
        if _NO_TEXT.search(text) is None:
            return text.encode("utf-8", "replace")
    return None


def _by_signature(content: bytes) -> str | None:
    candidates: list[puremagic.PureMagicWithConfidence]
    try:
        candidates = [one for one in puremagic.magic_string(content) if one.mime_type]
    except (puremagic.PureError, ValueError):
        candidates = []
    best = max((one.confidence for one in candidates), default=0.0)
    # of types that look equally likely, the one that the API takes; a likelier one that it does not take decides
    for candidate in candidates:
        given = str(candidate.mime_type)
        kind = _ALIASES.get(given, given)
        if candidate.confidence == best and (kind in _MEDIA_TYPES or kind == GIF):
            return kind
    more = (kind for at, signature, kind in _MORE_SIGNATURES if content.startswith(signature, at))
    return None if candidates else next(more, None)
