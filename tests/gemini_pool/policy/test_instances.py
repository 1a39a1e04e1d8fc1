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


def used(size: int, keys: int) -> InstanceMap:
    """Give a map of which each slot has sent ten requests more than the one before."""
    instances = InstanceMap(size, keys)
    for slot in instances.slots:
        slot.usage = 10 * slot.index
    return instances


def of_usage(instances: InstanceMap) -> list[list[int]]:
    """Give the usage of the slots of every key, by which they are known after their indices have changed."""
    return [[slot.usage for slot in slots] for slots in instances.by_key]


def consistent(instances: InstanceMap) -> bool:
    """Whether every slot knows its key and its number, and stands among the slots once."""
    numbered = [slot.index for slot in instances.slots] == list(range(len(instances.slots)))
    listed = [id(slot) for slots in instances.by_key for slot in slots] == [id(slot) for slot in instances.slots]
    return numbered and listed and all(slot.key == key for key, slots in enumerate(instances.by_key) for slot in slots)


def test_slots_follow_their_keys_to_new_positions() -> None:
    """The first key is the last now; nothing else moves."""
    instances = used(5, 3)
    instances.rekey([1, 2, 0], 5)
    assert of_usage(instances) == [[10, 40], [20], [0, 30]]
    assert consistent(instances)


def test_the_slots_of_a_key_that_left_go_to_a_new_one() -> None:
    """As far as it has none; those beyond the size are dropped."""
    instances = used(6, 3)
    instances.rekey([0, None, 2], 6)
    assert [len(slots) for slots in instances.by_key] == [2, 2, 2]
    assert sorted(of_usage(instances)[1]) == [10, 40]
    assert consistent(instances)
    smaller = used(6, 3)
    smaller.rekey([0, None, 2], 4)
    assert [len(slots) for slots in smaller.by_key] == [2, 1, 2]
    assert of_usage(smaller)[0] == [0, 30]
    fewer = used(6, 3)
    fewer.rekey([0, 2], 4)
    assert of_usage(fewer) == [[0, 30], [20, 50]]
    assert consistent(fewer)


def test_a_map_that_is_to_be_larger_gets_unused_slots_for_who_has_least() -> None:
    """One new key and two keys more than there were: everybody has one."""
    instances = used(2, 2)
    instances.rekey([0, 1, None, None], 4)
    assert of_usage(instances) == [[0], [10], [0], [0]]
    assert [slot.in_flight for slot in instances.slots] == [0, 0, 0, 0]
    assert consistent(instances)
    wider = used(2, 2)
    wider.rekey([0, 1], 5)
    assert sorted(len(slots) for slots in wider.by_key) == [2, 3]
    assert sum(slot.usage for slot in wider.slots) == 10
    assert consistent(wider)


def test_a_map_that_is_large_enough_gets_nothing() -> None:
    """A slot of who left is dropped when nobody needs it and the others are as many as wanted."""
    instances = used(5, 3)
    instances.rekey([0, 1], 4)
    assert of_usage(instances) == [[0, 30], [10, 40]]
    smaller = used(5, 2)
    smaller.rekey([0, 1], 3)
    assert of_usage(smaller) == [[0, 20, 40], [10, 30]]


def test_a_new_key_without_a_slot_left_takes_the_least_used_of_who_has_most() -> None:
    """Nobody left, and the map has its size: two of a key's three stay where they are."""
    instances = used(5, 2)
    instances.rekey([0, None, 1], 5)
    assert of_usage(instances) == [[20, 40], [0], [10, 30]]
    assert {slot.key for slot in instances.by_key[1]} == {1}


def test_a_known_key_without_a_slot_is_not_given_one_by_a_change() -> None:
    """A spare stays one, and a new key that has one already takes no other."""
    spare = used(1, 2)
    spare.rekey([0, 1], 1)
    assert of_usage(spare) == [[0], []]
    rich = used(2, 2)
    rich.move(rich.slots[1], 0)
    rich.rekey([0, 1], 2)
    assert of_usage(rich) == [[0, 10], []]
    crowded = used(6, 2)
    crowded.rekey([0, None, 1, None], 7)
    assert of_usage(crowded) == [[20, 40], [0], [10, 30, 50], [0]]


def test_a_key_does_not_give_to_itself() -> None:
    """The richest of the others gives, though it has less."""
    instances = InstanceMap(7, 3)
    assert instances.give_one_to(0) == 1
    assert [len(slots) for slots in instances.by_key] == [4, 1, 2]
