"""What is kept for people and for the operator, in one place: their data, the keys, the audit, and how it is kept.

``Custody`` is what ``cogs.privacy`` and ``cogs.keys`` stand on; ``make_custody`` makes it of an open storage.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from cogs.keychain import KeyChain
from cogs.upkeep import Upkeep
from utils.storage import Audit, Privacy, Storage


@dataclass(frozen=True, slots=True)
class Custody:
    """``retention_days`` 0: what people said is kept until they delete it; ``encrypted``: words are sealed on disk."""

    privacy: Privacy
    audit: Audit
    upkeep: Upkeep
    keychain: KeyChain
    retention_days: int
    encrypted: bool


def make_custody(
    storage: Storage, keychain: KeyChain, *, retention_days: int, wall: Callable[[], float] = time.time
) -> Custody:
    """Make the custody of an open storage; ``wall`` gives unix seconds."""
    upkeep = Upkeep(
        storage.privacy, storage.audit, storage.meta, storage.reencryption, retention_days=retention_days, wall=wall
    )
    return Custody(
        privacy=storage.privacy,
        audit=storage.audit,
        upkeep=upkeep,
        keychain=keychain,
        retention_days=retention_days,
        encrypted=storage.reencryption is not None,
    )
