"""Keys at run time: what adding, switching off and on, and removing one does, without a word of Discord.

``KeyChain`` joins the vault, where added keys are kept encrypted, with the keyring the pool reads, and puts every
change into service at once. ``load_added`` does the first reading, before there is a pool. What always holds: a key is
asked about (free of charge) before it is stored, and one that the service refuses is not; whatever is stored is known
to the redactor first; a change is stored before it is in service, so a crash in between loses none; changes go one
after another. Who may do it is ``cogs.keys``' to check.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from utils.gemini_pool import ConfiguredKey, GeminiAPIPool, Keyring
from utils.security import Redactor
from utils.storage import Vault

_SHORT = 6
#: What a key without a name is shown by, which says nothing once another one has left.
_NUMBERED = re.compile(r"Key #\d+")

#: What came of adding a key: it is in service, there already, refused by the service, or nobody could be asked.
Added = Literal["added", "known", "refused", "unreached"]


@dataclass(frozen=True, slots=True)
class ShownKey:
    """A key as administrators see it: never its secret, and of the fingerprint only the beginning in ``label``."""

    fingerprint: str
    label: str
    project: str | None
    added: bool
    state: str

    @property
    def short(self) -> str:
        """The beginning of the fingerprint, enough to tell keys apart."""
        return self.fingerprint[:_SHORT]


async def load_added(vault: Vault, keyring: Keyring, redactor: Redactor) -> tuple[str, ...]:
    """Tell the keyring what the vault holds; gives the fingerprints of rows that cannot be read."""
    stored = await vault.load()
    added = []
    for key in stored:
        if key.secret is not None:
            redactor.add(key.secret)
            added.append(ConfiguredKey(key.secret, key.name, key.project))
    keyring.replace(added, [key.fingerprint for key in stored if not key.enabled])
    return tuple(key.fingerprint for key in stored if key.damaged)


class KeyChain:
    """The keys of one pool, which reads its configuration from ``keyring``; ``damaged`` is what ``load_added`` gave."""

    def __init__(
        self,
        vault: Vault,
        keyring: Keyring,
        pool: GeminiAPIPool,
        redactor: Redactor,
        *,
        damaged: tuple[str, ...] = (),
    ) -> None:
        self._vault = vault
        self._keyring = keyring
        self._pool = pool
        self._redactor = redactor
        self._lock = asyncio.Lock()
        self._damaged = damaged

    def shown(self) -> tuple[ShownKey, ...]:
        """Give all keys in their order, with their states; does no I/O."""
        return (*self._healthy(), *(ShownKey(one, one[:_SHORT], None, True, "damaged") for one in self._damaged))

    def find(self, fingerprint: str) -> ShownKey | None:
        """Give a key by its fingerprint, or None."""
        return next((key for key in self.shown() if key.fingerprint == fingerprint), None)

    def choose(self, text: str) -> ShownKey | None:
        """Give the one key that somebody means by its fingerprint, the beginning of it, or the operator's name for it.

        Never by its number: another administrator may have taken a key out since the list was read.
        """
        typed = text.strip()
        numbered = _NUMBERED.fullmatch(typed) is not None
        found = [
            key
            for key in self.shown()
            if (len(typed) >= _SHORT and key.fingerprint.startswith(typed.lower()))
            or (key.label == typed and not numbered)
        ]
        return found[0] if len(found) == 1 else None

    async def add(
        self, text: str, *, name: str | None, project: str | None, actor_id: int
    ) -> tuple[Added, ShownKey | None]:
        """Check a key with the service, store it and put it into service; gives it when it is there.

        :raises KeyFormatError: it holds what no key can hold.
        :raises StorageError: it was not stored.
        """
        key = self._keyring.parse(text, name=name, project=project)
        self._redactor.add(key.secret)
        if (known := self.find(key.secret.fingerprint)) is not None:
            return "known", known
        check = await self._keyring.check(key)
        if check.verdict != "good":
            return check.verdict, None
        async with self._lock:
            stored = await self._vault.add(key.secret, name=key.name, project=key.project, actor_id=actor_id)
            await self._put_into_service()
        return "added" if stored else "known", self.find(key.secret.fingerprint)

    async def check_all(self) -> list[tuple[ShownKey, str]]:
        """Ask the service about every key that is on, free of charge; gives each with the verdict of ``KeyCheck``."""
        checks = await self._keyring.check_all()
        return [(key, checks[key.fingerprint].verdict) for key in self.shown() if key.fingerprint in checks]

    async def disable(self, key: ShownKey, *, actor_id: int) -> None:
        """Switch a key off; requests under way with it end as they would."""
        async with self._lock:
            await self._vault.disable(key.fingerprint, label=key.label, actor_id=actor_id)
            await self._put_into_service()

    async def enable(self, key: ShownKey, *, actor_id: int) -> None:
        """Switch a key on again."""
        async with self._lock:
            await self._vault.enable(key.fingerprint, label=key.label, actor_id=actor_id)
            await self._put_into_service()

    async def remove(self, key: ShownKey, *, actor_id: int) -> bool:
        """Take an added key out of service and delete it; False: it is the configuration's."""
        async with self._lock:
            try:
                return await self._vault.remove(key.fingerprint, label=key.label, actor_id=actor_id)
            finally:
                # also when only its traces could not be removed
                await self._put_into_service()

    def _healthy(self) -> Iterator[ShownKey]:
        states = self._pool.key_states()
        for number, key in enumerate(self._keyring.listed(), 1):
            state = states.get(key.fingerprint, "unknown") if key.enabled else "off"
            yield ShownKey(key.fingerprint, key.name or f"Key #{number}", key.project, key.added, state)

    async def _put_into_service(self) -> None:
        self._damaged = await load_added(self._vault, self._keyring, self._redactor)
        # reads `.env` again, which the event loop must not wait for
        await asyncio.to_thread(self._pool.reload_keys)
