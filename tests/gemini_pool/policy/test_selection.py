"""The order of projects: the best first, whatever disturbs it, held against a sorted list."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from utils.gemini_pool.policy.selection import FIRST, Entry, Ranking, Wishes


@dataclass(eq=False)
class One:
    """What stands in the order."""

    position: int
    entry: Entry | None = None


def make(count: int, *, by_turn: bool = True) -> tuple[Ranking[One], list[One]]:
    """Give an empty order and those who may stand in it."""
    return Ranking(by_turn=by_turn), [One(position) for position in range(count)]


def emptied(ranking: Ranking[One]) -> list[int]:
    """Take all off the top."""
    found = []
    while (one := ranking.pop()) is not None:
        found.append(one.position)
        ranking.drop(one)
    return found


def test_the_lowest_rank_comes_first_and_equal_ones_take_turns() -> None:
    """Among equal ranks the oldest place."""
    ranking, (a, b, c, d) = make(4)
    for one, rank in ((d, 2.0), (c, 1.0), (b, 1.0), (a, 2.0)):
        ranking.put(one, rank)
    assert ranking.open == 4
    assert emptied(ranking) == [2, 1, 3, 0]
    assert ranking.open == 0


def test_without_turns_equal_ranks_go_to_the_first_in_position() -> None:
    """However old their places are."""
    ranking, (a, b, c) = make(3, by_turn=False)
    for one, rank in ((c, 1.0), (b, 1.0), (a, 2.0)):
        ranking.put(one, rank)
    assert not ranking.queue
    assert emptied(ranking) == [1, 2, 0]


def test_a_new_place_takes_the_old_ones_stead() -> None:
    """Each stands in the order once."""
    ranking, (a, b) = make(2)
    ranking.put(a, 1.0)
    ranking.put(b, 2.0)
    ranking.put(a, 3.0)
    assert ranking.open == 2
    best = ranking.best()
    assert best is not None
    assert best[2] is b
    assert emptied(ranking) == [1, 0]
    assert ranking.best() is None


def test_who_is_dropped_is_not_found() -> None:
    """Twice is once; it may come back."""
    ranking, (a, b) = make(2)
    ranking.put(a, 1.0)
    ranking.put(b, 2.0)
    ranking.drop(a)
    ranking.drop(a)
    assert (ranking.open, a.entry) == (1, None)
    assert emptied(ranking) == [1]
    ranking.put(a, 5.0)
    assert ranking.open == 1
    assert emptied(ranking) == [0]


def test_who_was_only_looked_at_is_put_back_where_it_was() -> None:
    """One that was dropped meanwhile is not."""
    ranking, (a, b, c) = make(3)
    for one, rank in ((a, 1.0), (b, 1.0), (c, 1.0)):
        ranking.put(one, rank)
    taken = [ranking.pop(), ranking.pop()]
    assert taken == [a, b]
    ranking.drop(b)
    ranking.put_back([a, b])
    assert emptied(ranking) == [0, 2]


def test_a_rebuilt_order_is_that_of_the_new_ranks() -> None:
    """Who has no place gets none; places of equal ranks are those of the order given."""
    ranking, ones = make(5)
    for one in ones[:4]:
        ranking.put(one, float(one.position))
    ranking.rebuild((one, [2.0, 1.0, 1.0, 0.5, 0.0][one.position]) for one in ones)
    assert ranking.open == 4
    assert len(ranking.queue) + len(ranking.heap) == 4
    assert emptied(ranking) == [3, 1, 2, 0]


def test_places_that_are_no_longer_valid_are_swept_out_when_they_are_many() -> None:
    """Up to 64 more than twice the valid ones are left; the lists stay the same objects."""
    ranking, (a, b) = make(2)
    queue, heap = ranking.queue, ranking.heap
    for rank in range(68):
        ranking.put(a if rank % 2 else b, float(rank % 4))
    assert len(queue) + len(heap) == 68
    ranking.sweep()
    assert len(queue) + len(heap) == 68
    ranking.put(a, 0.5)
    ranking.sweep()
    assert (queue, heap) == (ranking.queue, ranking.heap)
    assert ranking.queue is queue
    assert ranking.heap is heap
    assert len(queue) + len(heap) == 2
    assert emptied(ranking) == [0, 1]


@pytest.mark.parametrize("by_turn", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_the_best_is_the_first_of_a_sorted_list(seed: int, by_turn: bool) -> None:
    """Whatever is put, dropped, looked at, swept and rebuilt."""
    rng = random.Random(seed)
    ranking, ones = make(6, by_turn=by_turn)
    places: dict[int, tuple[float, int]] = {}
    number = 0
    for _ in range(300):
        one, rank = rng.choice(ones), float(rng.randrange(5))
        match rng.randrange(8):
            case 0:
                ranking.drop(one)
                places.pop(one.position, None)
            case 1:
                ranking.sweep()
            case 2:
                taken = [found for found in (ranking.pop(), ranking.pop()) if found is not None]
                assert [found.position for found in taken] == sorted(places, key=lambda at: places[at])[:2]
                ranking.put_back(taken)
            case _:
                number += 1
                ranking.put(one, rank)
                places[one.position] = (rank, number if by_turn else one.position)
        best = ranking.best()
        assert ranking.open == len(places)
        assert (None if best is None else best[2].position) == min(places, key=lambda at: places[at], default=None)


def test_a_request_that_wishes_nothing_may_find_out_about_a_key() -> None:
    """It has tried nothing."""
    assert Wishes() == FIRST
    assert (FIRST.tried, FIRST.may_probe) == (frozenset(), True)


def test_in_the_ordinary_case_nothing_goes_through_the_heap() -> None:
    """Each new place is behind all others, or equal to the last: so it costs the same however many there are."""
    ranking, ones = make(5)
    for one in ones:
        ranking.put(one, 0.0)
    for turn in range(1, 4):
        for one in ones:
            assert ranking.pop() is one
            ranking.put(one, float(turn))
    assert (len(ranking.queue), ranking.heap) == (5, [])
    ranking.put(ones[0], 2.5)
    assert len(ranking.heap) == 1


@pytest.mark.parametrize("seed", range(4))
def test_sweeping_keeps_every_valid_place_in_order(seed: int) -> None:
    """In the queue, and in the heap, where what is left is not in order by itself."""
    rng = random.Random(seed)
    ranking, ones = make(60)
    places: dict[int, tuple[float, int]] = {}
    for number in range(600):
        one = rng.choice(ones)
        ranking.put(one, rank := rng.random())
        places[one.position] = (rank, number)
    for number, one in enumerate(ones[:5]):
        ranking.put(one, 1.0)
        places[one.position] = (1.0, 600 + number)
    ranking.sweep()
    assert len(ranking.queue) + len(ranking.heap) == len(places)
    assert emptied(ranking) == sorted(places, key=lambda at: places[at])


def test_a_rebuilt_order_holds_no_former_places() -> None:
    """Neither those of the queue nor those of the heap."""
    ranking, ones = make(4)
    for one, rank in zip(ones, (4.0, 3.0, 2.0, 1.0), strict=True):
        ranking.put(one, rank)
    assert (len(ranking.queue), len(ranking.heap)) == (1, 3)
    ranking.rebuild((one, float(one.position)) for one in ones)
    assert (len(ranking.queue), len(ranking.heap)) == (4, 0)
    assert emptied(ranking) == [0, 1, 2, 3]
