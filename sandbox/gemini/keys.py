"""The emulated keys: their secrets, labels and projects, and what was counted of each.

``KeyRing`` finds a key by the secret that a request carries; ``make_spare`` draws one more while the sandbox runs.
Secrets have the form of Google's (most ``AQ.`` with 53 characters, some the older 39) but are drawn from the sandbox's
seed when it starts, so none is a constant and none is real. ``Account`` holds the counts of one key: ``requests`` are
HTTP requests to generate that were received, ``errors`` those that ended in a fault, a quota or a dead key (never the
caller's own fault, never a client that left a healthy answer), by kind in ``kinds``.
"""

from __future__ import annotations

import random
import re
import string
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

_ALPHABET = string.ascii_letters + string.digits + "-_"
_SPEC = re.compile(r"(?P<label>[^@:,\s]+)@(?P<project>[^@:,\s]+):(?P<secret>\S+)")
_PROJECTS = ("north", "east", "south", "west")
_KEYS_PER_PROJECT = 2
_OLD_FORM_EVERY = 4


@dataclass(frozen=True, slots=True)
class EmulatedKey:
    """A key that the emulator knows; its ``repr`` leaves the secret out."""

    label: str
    project: str
    secret: str = field(repr=False)

    @property
    def spec(self) -> str:
        """The form ``GEMINI_API_KEYS`` takes: ``label@project:secret``."""
        return f"{self.label}@{self.project}:{self.secret}"


@dataclass(slots=True)
class Account:
    """What was counted of one key since the last reset."""

    requests: int = 0
    in_flight: int = 0
    kinds: Counter[str] = field(default_factory=Counter)

    @property
    def errors(self) -> int:
        """Requests that ended in an error, of every kind."""
        return self.kinds.total()


def make_keys(seed: int) -> tuple[EmulatedKey, ...]:
    """Draw the eight keys of four projects that a sandbox starts with."""
    rng = random.Random(seed)  # noqa: S311 - a form to look at, nothing is protected by it
    labels = [(f"{project}-{n}", project) for n in range(1, _KEYS_PER_PROJECT + 1) for project in _PROJECTS]
    return tuple(
        EmulatedKey(label, project, _secret(rng, old_form=number % _OLD_FORM_EVERY == 0))
        for number, (label, project) in enumerate(labels, start=1)
    )


def _secret(rng: random.Random, *, old_form: bool) -> str:
    head, length = ("AI" + "za", 35) if old_form else ("A" + "Q.", 50)
    return head + "".join(rng.choices(_ALPHABET, k=length))


def make_spare(number: int) -> EmulatedKey:
    """Draw a key of a project of its own, for somebody to add to the bot."""
    rng = random.SystemRandom()
    return EmulatedKey(f"spare-{number}", f"spare-{number}", _secret(rng, old_form=False))


def parse_spec(spec: str) -> EmulatedKey:
    """Read ``label@project:secret``; raises ValueError with one sentence."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError("an emulated key is written label@project:secret, without spaces")
    return EmulatedKey(match["label"], match["project"], match["secret"])


class KeyRing:
    """The keys in their order, found by secret, each with its account."""

    def __init__(self, keys: Iterable[EmulatedKey]) -> None:
        self._keys = tuple(keys)
        if len({key.label for key in self._keys}) < len(self._keys):
            raise ValueError("every emulated key needs a label of its own")
        self._by_secret = {key.secret: key for key in self._keys}
        self._accounts = {key.label: Account() for key in self._keys}

    @property
    def keys(self) -> Sequence[EmulatedKey]:
        """All keys, in the order they are listed."""
        return self._keys

    def add(self, key: EmulatedKey) -> None:
        """Know one more key; its label must be new."""
        self._keys = (*self._keys, key)
        self._by_secret[key.secret] = key
        self._accounts[key.label] = Account()

    def find(self, secret: str) -> EmulatedKey | None:
        """The key with that secret, or None."""
        return self._by_secret.get(secret)

    def account(self, key: EmulatedKey) -> Account:
        """The counts of one of the ring's keys."""
        return self._accounts[key.label]

    def clear(self) -> None:
        """Set every count to zero; requests in flight stay in flight."""
        for account in self._accounts.values():
            account.requests = 0
            account.kinds.clear()
