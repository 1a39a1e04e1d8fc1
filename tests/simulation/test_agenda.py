"""The simulator's agenda gives events in the order of their times, whatever sheets they were on."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation.agenda import SHEET_S, Agenda

TIMES = st.floats(0.0, 40 * SHEET_S)


def _nothing(number: int) -> None:
    del number


@given(st.lists(st.one_of(st.none(), TIMES)))
def test_events_come_in_the_order_of_their_times_and_of_their_entry(plan: list[float | None]) -> None:
    """Entering (a time) and taking (None) in any order gives what sorting all that is entered would give."""
    agenda, waiting = Agenda(), []
    for number, at in enumerate([*plan, *[None] * len(plan)]):
        if at is not None:
            agenda.enter(at, _nothing, number)
            waiting.append((at, number))
        elif waiting:
            waiting.sort()
            due_at, due = waiting.pop(0)
            assert agenda.next_at() == due_at
            at_, _, action, about = agenda.take()
            assert (at_, action, about) == (due_at, _nothing, (due,))
    assert agenda.next_at() == math.inf
