"""The figures of an outage, and what could have been served at best."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.simulation.ideal import most_served
from benchmarks.simulation.outages import FIGURES, figures


def test_an_outage_is_measured():
    """One asks a second; the outage lasts from 100 to 200 s; whoever asks in its last 20 s or later is served."""
    asked = [float(second) for second in range(400)]
    served = [(at, max(at, 205.0) + 1.0) for at in asked if at < 100 or at >= 180]
    began = [at for at, _ in served if at < 100] + [120.0, 160.0] + [205.0] * 25 + [at for at in asked if at > 205]
    measured = figures((100.0, 200.0), asked, began, served)
    assert measured["outage_calls"] == 0.02
    assert measured["first_success_s"] == 6.0
    assert measured["available_after"] == measured["available_soon"] == 100.0
    assert measured["last_served"] == pytest.approx(100.0 * 20 / 30)
    assert measured["peak_after"] == pytest.approx(25 / 3, rel=0.05)


def test_no_end_no_figures():
    """Nothing is measured of an outage that never ends, or of none."""
    for window in (None, (5.0, math.inf)):
        assert all(math.isnan(value) for value in figures(window, [1.0], [1.0], [(1.0, 2.0)]).values())
    assert figures((0.0, 1.0), [0.5, 2.0], [], [])["first_success_s"] == math.inf
    assert set(figures(None, [], [], [])) == set(FIGURES)


def test_places_bound_what_can_be_served():
    """Two places a minute: of five who can wait half a minute two are served, of five who can wait two minutes all."""
    assert most_served([(0.0, 30.0)] * 5, places=2, length_s=60.0) == 2
    assert most_served([(0.0, 120.0)] * 5, places=2, length_s=60.0) == 5
    assert most_served([(0.0, 10.0), (90.0, 95.0)], places=1, length_s=60.0) == 2


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 8)), max_size=6), st.integers(1, 2))
def test_nobody_could_have_served_more(asked: list[tuple[int, int]], places: int):
    """As many as the best of all orders serves, where everybody can wait equally long."""
    longest = max((wait for _, wait in asked), default=0)
    requests = [(float(at), float(at + longest)) for at, _ in asked]
    best = 0
    for order in itertools.permutations(requests):
        free, count = [0.0] * places, 0
        for asked_at, begin_by in order:
            at = max(min(free), asked_at)
            if at <= begin_by:
                free[free.index(min(free))] = at + 5.0
                count += 1
        best = max(best, count)
    assert most_served(requests, places, 5.0) == best
