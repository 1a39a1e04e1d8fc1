"""The map of instances to keys: nothing is lost, and who gives is the one who has most."""

from __future__ import annotations

from utils.gemini_pool.policy.instances import Instance, InstanceMap, least_busy, least_used


def of_keys(instances: InstanceMap) -> list[list[int]]:
    """Give the indices of the slots of every key."""
    return [[slot.index for slot in slots] for slots in instances.by_key]


def test_slots_go_round_the_keys() -> None:
    """Slot i to key i modulo the number of keys, unused."""
    instances = InstanceMap(5, 3)
    assert of_keys(instances) == [[0, 3], [1, 4], [2]]
    assert [(slot.index, slot.key, slot.usage, slot.in_flight) for slot in instances.slots] == [
        (index, index % 3, 0, 0) for index in range(5)
    ]


def test_a_moved_slot_is_the_other_keys() -> None:
    """The lists stay the same objects."""
    instances = InstanceMap(3, 3)
    held = instances.by_key[1]
    instances.move(instances.slots[0], 1)
    assert of_keys(instances) == [[], [1, 0], [2]]
    assert held is instances.by_key[1]
    assert instances.slots[0].key == 1


def test_the_richest_gives_its_least_used() -> None:
    """Among equally rich the first."""
    instances = InstanceMap(7, 3)
    for slot, usage in zip(instances.slots, (5, 1, 0, 3, 2, 0, 9), strict=True):
        slot.usage = usage
    assert instances.give_one_to(2) == 0
    assert of_keys(instances) == [[0, 6], [1, 4], [2, 5, 3]]
    assert instances.give_one_to(0) == 2
    assert instances.give_one_to(1) == 0


def test_who_has_no_more_than_it_keeps_gives_nothing() -> None:
    """One by default, none when asked so; a single key has nobody to take from."""
    instances = InstanceMap(2, 3)
    assert instances.give_one_to(2) is None
    assert instances.give_one_to(2, keep=0) == 0
    assert of_keys(instances) == [[], [1], [0]]
    assert InstanceMap(3, 1).give_one_to(0) is None
    assert InstanceMap(3, 1).give_one_to(0, keep=0) is None


def slot(index: int, in_flight: int, usage: int) -> Instance:
    """Give a slot."""
    made = Instance(index, 0)
    made.in_flight, made.usage = in_flight, usage
    return made


def test_the_least_busy_serves_and_the_least_used_is_given_away() -> None:
    """Calls under way count before usage where one serves."""
    slots = [slot(0, 1, 0), slot(1, 0, 9), slot(2, 0, 4)]
    assert least_busy(slots).index == 2
    assert least_used(slots).index == 0
