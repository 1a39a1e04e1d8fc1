"""The Files API: resumable uploads, and the files that belong to a project.

``FileStore`` keeps what a file is (name, type, size, digest), never its bytes: nothing the emulator answers needs them.
What always holds: a file can be seen and used only with keys of the project whose key uploaded it; it is PROCESSING
for a while before it is ACTIVE, and gone after 48 hours; uploads that are never finished are dropped after an hour.
Times are sandbox Unix seconds, given by the caller.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from sandbox.gemini.wire import Json, Refusal, invalid

_KEPT_S = 48 * 3600.0
_UPLOAD_KEPT_S = 3600.0
_MAX_BYTES = 2 * 1024**3


class Digest(Protocol):
    """What is used of a running SHA-256."""

    def update(self, data: bytes, /) -> None:
        """Take in more bytes."""

    def digest(self) -> bytes:
        """The digest so far."""


@dataclass(slots=True)
class Upload:
    """An upload under way."""

    id: str
    project: str
    mime_type: str
    display_name: str
    started_at: float
    size: int = 0
    digest: Digest = field(default_factory=hashlib.sha256)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that was uploaded."""

    id: str
    project: str
    mime_type: str
    display_name: str
    size: int
    sha256: str
    created_at: float
    active_at: float

    def state(self, now: float) -> str:
        """PROCESSING or ACTIVE."""
        return "ACTIVE" if now >= self.active_at else "PROCESSING"

    def document(self, now: float, base_url: str) -> Json:
        """The file as the API answers it; ``base_url`` ends with the API version."""
        return {
            "name": f"files/{self.id}",
            "displayName": self.display_name,
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": timestamp(self.created_at),
            "updateTime": timestamp(self.created_at),
            "expirationTime": timestamp(self.created_at + _KEPT_S),
            "sha256Hash": self.sha256,
            "uri": f"{base_url}/files/{self.id}",
            "state": self.state(now),
            "source": "UPLOADED",
        }


def timestamp(at: float) -> str:
    """A time as the API writes it: RFC 3339 with microseconds, in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


class FileStore:
    """The files of all projects."""

    def __init__(self, processing_s: float) -> None:
        self._processing_s = processing_s
        self._files: dict[str, StoredFile] = {}
        self._uploads: dict[str, Upload] = {}
        self._last = 0

    def start(self, project: str, declared: Json, *, mime_type: str, now: float) -> Upload:
        """Begin an upload; ``declared`` is the ``file`` object of the request."""
        for old in [one for one in self._uploads.values() if now - one.started_at > _UPLOAD_KEPT_S]:
            del self._uploads[old.id]
        kind = str(declared.get("mimeType") or mime_type or "application/octet-stream")
        upload = Upload(self._new_id(), project, kind, str(declared.get("displayName") or ""), now)
        self._uploads[upload.id] = upload
        return upload

    def upload(self, upload_id: str) -> Upload:
        """The upload with that id. Raises Refusal (404)."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise Refusal(404, "NOT_FOUND", "The upload is not known, or was finished before.")
        return upload

    def append(self, upload: Upload, data: bytes) -> None:
        """Take in more bytes. Raises Refusal (400) beyond 2 GB."""
        upload.size += len(data)
        if upload.size > _MAX_BYTES:
            raise invalid("The file is larger than the 2 GB that are allowed.")
        upload.digest.update(data)

    def finish(self, upload: Upload, now: float) -> StoredFile:
        """Make a file of a finished upload."""
        del self._uploads[upload.id]
        digest = base64.b64encode(upload.digest.digest()).decode()
        active_at = now + self._processing_s
        stored = StoredFile(
            id=upload.id,
            project=upload.project,
            mime_type=upload.mime_type,
            display_name=upload.display_name,
            size=upload.size,
            sha256=digest,
            created_at=now,
            active_at=active_at,
        )
        self._files[stored.id] = stored
        return stored

    def get(self, file_id: str, project: str, now: float) -> StoredFile:
        """A file of that project. Raises Refusal (403), as the service does for foreign and unknown files alike."""
        self._expire(now)
        stored = self._files.get(file_id)
        if stored is None or stored.project != project:
            message = f"You do not have permission to access the File {file_id} or it may not exist."
            raise Refusal(403, "PERMISSION_DENIED", message)
        return stored

    def check_uri(self, uri: str, project: str, now: float) -> None:
        """Refuse a URI that cannot be used: another project's file, or one not ACTIVE. Foreign addresses pass."""
        if "/files/" not in uri:
            return
        file_id = uri.rpartition("/files/")[2]
        if self.get(file_id, project, now).state(now) != "ACTIVE":
            message = f"The File {file_id} is not in an ACTIVE state and usage is not allowed."
            raise Refusal(400, "FAILED_PRECONDITION", message)

    def listing(self, project: str, now: float) -> list[StoredFile]:
        """The project's files, newest first."""
        self._expire(now)
        return [stored for stored in reversed(self._files.values()) if stored.project == project]

    def delete(self, file_id: str, project: str, now: float) -> None:
        """Delete a file. Raises Refusal (403)."""
        del self._files[self.get(file_id, project, now).id]

    def clear(self) -> None:
        """Forget every file and upload."""
        self._files.clear()
        self._uploads.clear()

    def _expire(self, now: float) -> None:
        for old in [one for one in self._files.values() if now >= one.created_at + _KEPT_S]:
            del self._files[old.id]

    def _new_id(self) -> str:
        self._last += 1
        return hashlib.sha256(b"file %d" % self._last).hexdigest()[:12]


def declared_file(body: dict[str, Any]) -> Json:
    """The ``file`` object of an upload's first request; an empty one when there is none."""
    declared = body.get("file")
    return declared if isinstance(declared, dict) else {}
