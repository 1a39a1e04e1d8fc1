"""Master keys for tests: given as the environment would, so that no file is made."""

from __future__ import annotations

import base64
from pathlib import Path

from utils.security import Secret
from utils.security.encryption import KeyRing
from utils.security.masterkeys import MasterKeys

FIRST, SECOND, THIRD = (bytes([number]) * 32 for number in (1, 2, 3))


def given(*keys: bytes) -> MasterKeys:
    """Make master keys of these bytes, the newest first."""
    texts = (base64.b64encode(key).decode() for key in keys)
    return MasterKeys(Path("unused"), Secret(",".join(texts), "MASTER_KEYS"))


def id_of(key: bytes) -> str:
    """Give a master key's id."""
    return KeyRing([key]).ids[0]
