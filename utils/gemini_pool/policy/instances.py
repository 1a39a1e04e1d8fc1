"""The N instances of one model and the keys they are mapped to.

An instance is a slot: at the start slot i is mapped to key i modulo the number of keys; rotation, drafting and repair
move slots between keys. What always holds: the number of slots never changes between resets, and the usage of all slots
adds up to the requests of the model. Which key serves is decided by ``selection``; this only keeps the map.
"""

from __future__ import annotations

from collections import Counter


class Instance:
    """One slot: the key it is mapped to (by position), the requests it has sent, the calls in flight."""

    __slots__ = ("in_flight", "key", "usage")

    def __init__(self, key: int) -> None:
        self.key = key
        self.usage = 0
        self.in_flight = 0


class InstanceMap:
    """All slots of one model."""

    __slots__ = ("_by_key", "slots")

    def __init__(self, size: int, keys: int) -> None:
        self.slots = [Instance(index % keys) for index in range(size)]
        self._by_key = self._index()

    def of_key(self, key: int) -> list[Instance]:
        """Give the slots mapped to a key."""
        return self._by_key.get(key, [])

    def is_mapped(self, key: int) -> bool:
        """Whether a key has at least one slot."""
        return key in self._by_key

    def counts(self) -> Counter[int]:
        """Key position to number of slots."""
        return Counter(slot.key for slot in self.slots)

    def take(self, key: int) -> Instance:
        """Choose the least busy slot of a key that has one; fewest in flight, then least used."""
        return min(self._by_key[key], key=lambda slot: (slot.in_flight, slot.usage))

    def move(self, slot: Instance, key: int) -> None:
        """Map a slot to another key; calls in flight end where they began."""
        slot.key = key
        self._by_key = self._index()

    def give_one_to(self, key: int, keep: int = 1) -> bool:
        """Map the least used slot of the key with most slots to ``key``; False when all have only ``keep``."""
        counts = self.counts()
        counts.pop(key, None)
        if not counts:
            return False
        richest, most = max(counts.items(), key=lambda item: (item[1], -item[0]))
        if most <= keep:
            return False
        self.move(min(self._by_key[richest], key=lambda slot: slot.usage), key)
        return True

    def _index(self) -> dict[int, list[Instance]]:
        by_key: dict[int, list[Instance]] = {}
        for slot in self.slots:
            by_key.setdefault(slot.key, []).append(slot)
        return by_key
