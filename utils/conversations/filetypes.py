"""Which files the Gemini API takes, and under which MIME type.

``api_mime_type(name, declared)`` decides by what the sender declared and, failing that, by the file's
name. What always holds: the answer is a type of the API's own list (images, sounds, videos, PDF, text),
``image/gif`` (so that it can be refused with a sentence of its own), or None. Code and other text goes as
``text/plain``. Both the declared type and the name come from the sender: the service has the last word on
the bytes.
"""

from __future__ import annotations

from pathlib import PurePath

GIF = "image/gif"
PLAIN_TEXT = "text/plain"


def _words(prefix: str, words: str) -> frozenset[str]:
    return frozenset(prefix + word for word in words.split())


_MEDIA_TYPES = (
    _words("image/", "png jpeg webp heic heif")
    | _words("audio/", "wav mp3 aiff aac ogg flac")
    | _words("video/", "mp4 mpeg mov avi x-flv mpg webm wmv 3gpp")
    | {"application/pdf"}
)
_TEXT_TYPES = _words("text/", "plain html css csv md xml")
#: Names that browsers and Discord give to types which the API knows by another name.
_ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mpeg": "audio/mp3",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/vnd.wave": "audio/wav",
    "audio/x-aiff": "audio/aiff",
    "audio/x-aac": "audio/aac",
    "audio/x-flac": "audio/flac",
    "video/quicktime": "video/mov",
    "video/x-msvideo": "video/avi",
    "video/flv": "video/x-flv",
    "video/x-ms-wmv": "video/wmv",
    "text/markdown": "text/md",
}
#: Text under the name of an application.
_TEXT_APPLICATIONS = _words(
    "application/",
    "json javascript xml yaml x-yaml toml sql x-sh x-httpd-php x-python-code x-ndjson typescript graphql",
)
_SUFFIXES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".heif": "image/heif",
    ".gif": GIF,
    ".wav": "audio/wav",
    ".mp3": "audio/mp3",
    ".aif": "audio/aiff",
    ".aiff": "audio/aiff",
    ".aac": "audio/aac",
    ".ogg": "audio/ogg",
    ".flac": "audio/flac",
    ".mp4": "video/mp4",
    ".mpeg": "video/mpeg",
    ".mpg": "video/mpg",
    ".mov": "video/mov",
    ".avi": "video/avi",
    ".flv": "video/x-flv",
    ".webm": "video/webm",
    ".wmv": "video/wmv",
    ".3gp": "video/3gpp",
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".css": "text/css",
    ".csv": "text/csv",
    ".md": "text/md",
    ".xml": "text/xml",
}
_TEXT_SUFFIXES = _words(
    ".",
    "txt log text rst tex srt vtt diff patch json jsonl ndjson yaml yml toml ini cfg conf env "
    "properties sql graphql py pyi ipynb js mjs cjs jsx ts tsx vue svelte java kt kts scala groovy "
    "gradle c h cc cpp cxx hpp cs m mm swift go rs zig rb php pl pm lua r jl dart ex exs erl hs clj "
    "lisp el vim sh bash zsh fish ps1 bat cmd tsv scss sass less asm s f90 nim tf proto cmake mk",
)


def api_mime_type(name: str, declared: str | None) -> str | None:
    """Name the type under which the API takes such a file; None: it takes no such file."""
    kind = (declared or "").partition(";")[0].strip().lower()
    kind = _ALIASES.get(kind, kind)
    if kind in _MEDIA_TYPES or kind == GIF:
        return kind
    suffix = PurePath(name.lower()).suffix
    if suffix in _TEXT_SUFFIXES:
        # before the declared type: a TypeScript file is commonly declared as an MPEG transport stream
        return PLAIN_TEXT
    if kind.startswith("text/"):
        return kind if kind in _TEXT_TYPES else PLAIN_TEXT
    if kind in _TEXT_APPLICATIONS:
        return PLAIN_TEXT
    return _SUFFIXES.get(suffix)
