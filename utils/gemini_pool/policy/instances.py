"""The N instances of one model and the keys they are mapped to.

An instance is a slot: at the start slot i is mapped to key i modulo the number of keys; rotation, drafting and repair
move slots between keys. What always holds: the number of slots changes with the keys only, and the usage of all slots
adds up to the requests of the model. Which key serves is decided by ``selection``; this only keeps the map.
"""

from __future__ import annotations

from collections.abc import Sequence


class Instance:
    """One slot: the key it is mapped to (by position), the requests it has sent, the calls in flight."""

    __slots__ = ("in_flight", "index", "key", "usage")

    def __init__(self, index: int, key: int) -> None:
        self.index = index
        self.key = key
        self.usage = 0
        self.in_flight = 0


class InstanceMap:
    """All slots of one model; ``by_key[position]`` are the slots of a key, in a list that stays the same object."""

    __slots__ = ("by_key", "slots")

    def __init__(self, size: int, keys: int) -> None:
        self.slots = [Instance(index, index % keys) for index in range(size)]
        self.by_key: list[list[Instance]] = [[] for _ in range(keys)]
        for slot in self.slots:
            self.by_key[slot.key].append(slot)

    def move(self, slot: Instance, key: int) -> None:
        """Map a slot to another key; calls in flight end where they began."""
        self.by_key[slot.key].remove(slot)
        slot.key = key
        self.by_key[key].append(slot)

    def rekey(self, former: Sequence[int | None], size: int) -> None:
        """Map the slots to other keys: key ``i`` keeps those of the key that was at ``former[i]`` (None: it is new).

        The slots of keys that left go to those without any first, then are dropped as far as there are more than
        ``size``; a new key gets one from who has most where none is left.
        """
        by_key = [self.by_key[position] if position is not None else [] for position in former]
        kept = {id(slots) for slots in by_key}
        free = [slot for slots in self.by_key if id(slots) not in kept for slot in slots]
        free += [Instance(0, 0) for _ in range(size - len(self.slots))]
        while free and (min(map(len, by_key)) == 0 or sum(map(len, by_key)) < size):
            min(by_key, key=len).append(free.pop())
        self.by_key = by_key
        self.slots = [slot for slots in by_key for slot in slots]
        for position, slots in enumerate(by_key):
            for slot in slots:
                slot.key = position
        for index, slot in enumerate(self.slots):
            slot.index = index
        for position, known in enumerate(former):
            if known is None and not by_key[position]:
                self.give_one_to(position)

    def give_one_to(self, key: int, keep: int = 1) -> int | None:
        """Map the least used slot of the key with most slots to ``key``; answers who gave, None: all have ``keep``."""
        others = (position for position in range(len(self.by_key)) if position != key)
        richest = max(others, key=lambda position: (len(self.by_key[position]), -position), default=key)
        if len(self.by_key[richest]) <= (keep if richest != key else len(self.slots)):
            return None
        self.move(least_used(self.by_key[richest]), key)
        return richest


def least_busy(slots: Sequence[Instance]) -> Instance:
    """Choose among the slots of a key: fewest in flight, then least used."""
    return min(slots, key=lambda slot: (slot.in_flight, slot.usage))


def least_used(slots: Sequence[Instance]) -> Instance:
    """Choose the slot that is given away first."""
    return min(slots, key=lambda slot: slot.usage)
