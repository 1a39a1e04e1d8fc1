"""Turns are given at an even pace, the most urgent first, and none to who has gone."""

from __future__ import annotations

import asyncio

from utils.rendering.pace import Pace, Urgency


async def _taken(pace: Pace, urgency: Urgency, name: str, order: list[str]) -> None:
    await pace.turn(urgency)
    order.append(name)


async def test_turns_lie_apart_and_a_pause_saves_up_only_a_few():
    """Twelve turns at 100 a second, three of which may be taken at once, last nine gaps of 10 ms."""
    pace, loop = Pace(100.0, at_once=3), asyncio.get_running_loop()
    begun = loop.time()
    await asyncio.gather(*(pace.turn(Urgency.BETWEEN) for _ in range(12)))
    assert loop.time() - begun >= 0.089


async def test_the_most_urgent_goes_first_and_equals_in_the_order_of_asking():
    pace = Pace(200.0, at_once=1)
    order: list[str] = []
    assert pace.spare()
    asked = [
        (Urgency.BETWEEN, "between 1"),
        (Urgency.LAST, "last"),
        (Urgency.BETWEEN, "between 2"),
        (Urgency.FIRST, "first"),
    ]
    await asyncio.gather(*(_taken(pace, urgency, name, order) for urgency, name in asked))
    assert order == ["first", "last", "between 1", "between 2"]


async def test_a_spare_turn_is_none_while_somebody_waits():
    pace = Pace(100.0, at_once=1)
    assert pace.spare()
    assert not pace.spare()
    waiting = asyncio.create_task(pace.turn(Urgency.LAST))
    await asyncio.sleep(0)
    assert not pace.spare()
    await waiting


async def test_who_is_cancelled_takes_no_turn():
    """Of three who wait the first gives up; the second takes the turn that would have been the first's."""
    pace = Pace(50.0, at_once=1)
    order: list[str] = []
    assert pace.spare()
    tasks = [asyncio.create_task(_taken(pace, Urgency.BETWEEN, str(number), order)) for number in range(3)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    await asyncio.wait(tasks)
    assert order == ["1", "2"]
    assert tasks[0].cancelled()


async def test_states_in_between_in_one_channel_lie_apart_and_others_do_not_wait():
    """Two answers in one channel share its pace; the last state of either, and another channel, go at once."""
    pace, loop = Pace(1000.0, at_once=9), asyncio.get_running_loop()
    begun = loop.time()
    await pace.turn(Urgency.BETWEEN, 1)
    waiting = asyncio.create_task(pace.turn(Urgency.BETWEEN, 1))
    await pace.turn(Urgency.LAST, 1)
    await pace.turn(Urgency.BETWEEN, 2)
    assert loop.time() - begun < 0.5
    await waiting
    assert loop.time() - begun >= 1.09
