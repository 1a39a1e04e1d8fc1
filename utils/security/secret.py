"""A secret that cannot be printed by accident.

``Secret`` carries a value (an API key, a bot token, a password) together with the harmless name people know it by.
What always holds: ``repr``, ``str``, ``format`` and pickling never give the value away; only ``reveal()`` does, and a
reader can find every use of it by that name. Taking secrets out of foreign text is ``redaction``'s work.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NoReturn

_FINGERPRINT_HEX_DIGITS = 16


class Secret:
    """A secret value and its label; equal when the values are equal, hashable by fingerprint."""

    __slots__ = ("_value", "fingerprint", "label")

    def __init__(self, value: str, label: str) -> None:
        self._value = value
        self.label = label
        # 64 bits of SHA-256: enough to tell keys apart in a database, useless for getting a random key back
        self.fingerprint = hashlib.sha256(value.encode()).hexdigest()[:_FINGERPRINT_HEX_DIGITS]

    def reveal(self) -> str:
        """Give the value itself; call it only where it leaves for the service it belongs to."""
        return self._value

    def __repr__(self) -> str:
        return f"<secret {self.label}>"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is never pickled; pass its label or fingerprint instead")
