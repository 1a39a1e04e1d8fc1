"""The keys of the configuration together with those that were added while running.

``Keyring`` is what a pool reads its configuration from (``GeminiAPIPool.from_configuration(keyring)``): the operator's
own, read anew each time, then the added keys, without those that are switched off. ``check`` asks the service about a
key before it is taken in. What always holds: a key counts once, the configuration's own entry wins; a check costs no
quota (it lists models), touches no pool's counts and keeps nothing of the key. Keeping added keys is the caller's
business; a change reaches the pool with its next ``reload_keys`` or ``reset_api_pool``.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from utils.gemini_pool.configuration import Configuration, ConfiguredKey, parse_key
from utils.gemini_pool.policy.outcome import Failure, Kind, classify
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.clients import Clients
from utils.security import Redactor

_CHECK_TIMEOUT_S = 10.0
_KEYS_OWN_FAULT = frozenset({Kind.KEY_DEAD, Kind.NO_QUOTA_HERE, Kind.CALLER})


@dataclass(frozen=True, slots=True)
class ListedKey:
    """A key as people see it; ``added``: while running, not by the configuration."""

    fingerprint: str
    name: str | None
    project: str | None
    added: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class KeyCheck:
    """What the service says of a key: ``good`` with how many models it sees, ``refused``, or it was not reached."""

    verdict: Literal["good", "refused", "unreached"]
    models: int = 0


class Keyring:
    """All keys there are. ``configured`` reads the operator's configuration; it may block."""

    def __init__(self, configured: Callable[[], Configuration]) -> None:
        self._configured = configured
        self._own: tuple[ConfiguredKey, ...] = ()
        self._added: tuple[ConfiguredKey, ...] = ()
        self._off: frozenset[str] = frozenset()

    def __call__(self) -> Configuration:
        """Read the configuration anew, with the added keys and without those that are switched off; may block.

        :raises ConfigurationError: what the operator wrote cannot be used.
        """
        found = self._configured()
        self._own = found.keys
        keys = [key for key in self._all() if key.secret.fingerprint not in self._off]
        return dataclasses.replace(found, keys=tuple(keys))

    def replace(self, added: Sequence[ConfiguredKey], off: Collection[str]) -> None:
        """Take these added keys, and these fingerprints as switched off, from the next reading on."""
        self._added = tuple(added)
        self._off = frozenset(off)

    def listed(self) -> tuple[ListedKey, ...]:
        """Give all keys as of the last reading of the configuration; does no I/O."""
        own = {key.secret.fingerprint for key in self._own}
        return tuple(
            ListedKey(
                fingerprint=key.secret.fingerprint,
                name=key.name,
                project=key.project,
                added=key.secret.fingerprint not in own,
                enabled=key.secret.fingerprint not in self._off,
            )
            for key in self._all()
        )

    def parse(self, text: str, *, name: str | None, project: str | None) -> ConfiguredKey:
        """Read a key as it may stand in the configuration, ``key`` or ``label@project:key``; what stands there wins.

        :raises KeyFormatError: it holds what no key can hold.
        """
        found = parse_key(text.strip(), place="the form", label=name or "the new key", project=project)
        return found if found.name else dataclasses.replace(found, name=name)

    async def check(self, key: ConfiguredKey) -> KeyCheck:
        """Ask the service which models a key can see, at the address and by the proxy of the last configuration."""
        found = await asyncio.to_thread(self._configured)
        clients = Clients(base_url=found.base_url, api_version=found.api_version, proxy=found.proxy)
        provider = Provider(clients, lambda _: key.secret, Redactor([key.secret]))
        try:
            answer = await provider.list_models(key.secret.fingerprint, _CHECK_TIMEOUT_S)
        finally:
            await provider.aclose()
        if not isinstance(answer, Failure):
            return KeyCheck("good", len(answer))
        return KeyCheck("refused" if classify(answer).kind in _KEYS_OWN_FAULT else "unreached")

    async def check_all(self, *, at_once: int = 8) -> dict[str, KeyCheck]:
        """Ask the service about every key that is on, as of the last reading; gives what it says by fingerprint."""
        turn = asyncio.Semaphore(at_once)

        async def one(key: ConfiguredKey) -> KeyCheck:
            async with turn:
                return await self.check(key)

        keys = [key for key in self._all() if key.secret.fingerprint not in self._off]
        checks = await asyncio.gather(*[one(key) for key in keys])
        return {key.secret.fingerprint: check for key, check in zip(keys, checks, strict=True)}

    def _all(self) -> tuple[ConfiguredKey, ...]:
        keys: dict[str, ConfiguredKey] = {}
        for key in (*self._own, *self._added):
            keys.setdefault(key.secret.fingerprint, key)
        return tuple(keys.values())
