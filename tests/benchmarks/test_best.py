"""The most that anybody could have served under quota."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from benchmarks.service.best import MARGIN_S, MINUTE_S, most_served

_ARRIVALS = st.lists(st.floats(0.0, 200.0), max_size=60).map(sorted)


def served(arrivals: Sequence[float], *, places: int = 1, patience_s: float = 60.0) -> int:
    """With answers of one second."""
    return most_served(arrivals, places=places, latency_s=1.0, patience_s=patience_s)


def test_a_place_serves_once_a_minute():
    """Of two users at once over one place, the second can only be served if waiting a minute is soon enough."""
    assert served([0.0, 0.0], patience_s=60.0) == 1
    assert served([0.0, 0.0], patience_s=MINUTE_S + MARGIN_S + 1.0) == 2


def test_who_comes_later_takes_the_place_of_who_cannot_wait():
    """A user whom no place can reach in time takes none."""
    assert served([0.0, 0.0, 10.0], patience_s=55.0) == 2


@given(_ARRIVALS, st.integers(1, 10))
def test_more_places_never_serve_fewer(arrivals, places):
    """A further place cannot make anybody worse off."""
    assert served(arrivals, places=places) <= served(arrivals, places=places + 1) <= len(arrivals)


@given(_ARRIVALS)
def test_a_place_for_everybody_serves_everybody(arrivals):
    """Without scarcity all are served."""
    assert served(arrivals, places=max(1, len(arrivals))) == len(arrivals)


@given(_ARRIVALS, st.integers(1, 10))
def test_no_more_than_the_quota_is_ever_served(arrivals, places):
    """In the time from the first arrival to the last answer no more minutes' worth is served than there were."""
    minutes = (200.0 + 60.0) / (MINUTE_S + MARGIN_S)
    assert served(arrivals, places=places) <= places * (int(minutes) + 1)
