"""What a project has sent: places in the minute, the hour and the day, and when the day ends."""

from __future__ import annotations

import pytest

from tests.gemini_pool.policy.conftest import WALL
from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.quota.sent import Sent

DAY_S = 86_400.0
#: The last Pacific midnight before WALL was 16 h earlier, so 8 h of the day are left.
LEFT_S = 8 * 3600.0


def make(**constants: float) -> Sent:
    """Give the record of a project at 0 on the clock."""
    return Sent(PoolConfig(**constants), 0.0, WALL)  # type: ignore[arg-type]  # constants by name


def starts(sent: Sent, *times: float) -> Sent:
    """Count starts."""
    sent.starts.extend(times)
    return sent


def test_a_new_record_is_empty() -> None:
    """Its day ends at the Pacific midnight, with the margin."""
    sent = make()
    assert (sent.today, sent.in_minute(0.0), sent.day_unsure) == (0, 0, False)
    assert (sent.minute_s, sent.margin_s, sent.hour_s) == (61.0, 1.0, 3600.0)
    assert sent.day_ends == LEFT_S + 1.0


def test_a_place_is_held_for_a_minute_and_the_margin() -> None:
    """Free at its very end; a wider margin holds it longer."""
    sent = starts(make(), 0.0, 10.0)
    assert [sent.in_minute(now) for now in (60.9, 61.0, 71.0)] == [2, 1, 0]
    sent.widen(5.0)
    assert (sent.margin_s, sent.minute_s) == (5.0, 65.0)
    assert sent.in_minute(64.9) == 2


def test_starts_are_kept_as_long_as_a_refusal_may_ask_for_them() -> None:
    """A minute, the widest margin and the time that is early; what is gone still counts to the day."""
    sent = starts(make(), 0.0, 10.0)
    assert sent.kept_s == 72.0
    sent.tend(71.9)
    assert list(sent.starts) == [0.0, 10.0]
    sent.tend(72.0)
    assert list(sent.starts) == [10.0]
    sent.tend(500.0)
    assert (list(sent.starts), sent.today) == ([], 2)
    sent.widen(20.0)
    assert sent.kept_s == 84.0


def test_the_hour_is_kept_for_an_hour() -> None:
    """Only with a limit of our own for it are further requests counted there."""
    sent = make(own_per_hour=5)
    sent.hour.extend([0.0, 10.0])
    sent.tend(3599.9)
    assert len(sent.hour) == 2
    sent.tend(3600.0)
    assert list(sent.hour) == [10.0]
    sent.correct(3600.0, 3, 3601.0)
    assert list(sent.hour) == [10.0, 3601.0, 3601.0]
    plain = make()
    plain.correct(0.0, 3, 1.0)
    assert list(plain.hour) == []


@pytest.mark.parametrize(("requests", "today"), [(0, 1), (1, 2), (3, 4)])
def test_a_call_is_counted_by_what_it_sent(requests: int, today: int) -> None:
    """One was counted at its start: that is taken back, or what came beyond it is added at its end."""
    sent = starts(make(own_per_hour=5), 5.0, 6.0)
    sent.hour.extend([5.0, 6.0])
    sent.correct(5.0, requests, 7.0)
    assert sent.today == today
    expected = [6.0] if not requests else [5.0, 6.0, *[7.0] * (requests - 1)]
    assert list(sent.starts) == list(sent.hour) == expected


def test_the_day_turns_at_its_end() -> None:
    """Around midnight a call is counted to both days; the next end is a day later and only guessed."""
    sent = starts(make(), LEFT_S - 30.0, LEFT_S - 1.0, LEFT_S - 0.9, LEFT_S + 0.5)
    sent.tend(LEFT_S + 0.9)
    assert (sent.today, sent.day_unsure) == (4, False)
    sent.tend(LEFT_S + 1.0)
    assert sent.today == 2
    assert sent.day_unsure
    assert sent.day_ends == LEFT_S + 1.0 + DAY_S


def test_days_without_a_call_turn_too() -> None:
    """The end is the next one, however long nobody asked."""
    sent = make()
    end = sent.day_ends
    sent.tend(end + 2.5 * DAY_S)
    assert sent.day_ends == end + 3 * DAY_S
    sent.tend(sent.day_ends)
    assert sent.day_ends == end + 4 * DAY_S


def test_the_wall_clock_sets_the_end_of_the_day() -> None:
    """No more a guess."""
    sent = make()
    sent.day_unsure = True
    sent.find_midnight(100.0, WALL + 200.0)
    assert sent.day_ends == 100.0 + LEFT_S - 200.0 + 1.0
    assert not sent.day_unsure


@pytest.mark.parametrize(
    ("since_turn", "left", "next_day"),
    [(10.0, 100.0, True), (10.0, 3599.0, True), (10.0, 3600.0, False), (3599.0, 10.0, True), (3600.0, 10.0, False)],
)
def test_a_wall_clock_that_lags_does_not_end_the_new_day(since_turn: float, left: float, next_day: bool) -> None:
    """Within an hour of our turn it may still show the old day: then its next midnight is meant."""
    sent = make()
    turned = sent.day_ends
    sent.tend(turned)
    now = turned + since_turn
    sent.find_midnight(now, WALL + LEFT_S - left)
    assert sent.day_ends == pytest.approx(now + left + 1.0 + (DAY_S if next_day else 0.0))


def test_two_records_of_one_project_add_up() -> None:
    """Starts in order, the days' counts, tokens, and the wider margin."""
    first, second = starts(make(own_per_hour=5), 1.0, 3.0), starts(make(own_per_hour=5), 2.0)
    first.hour.append(3.0)
    second.hour.append(2.0)
    first.today, second.today = 7, 4
    second.tokens.add(2.0, 50, 60.0)
    second.widen(4.0)
    first.absorb(second)
    assert (list(first.starts), list(first.hour), first.today) == ([1.0, 2.0, 3.0], [2.0, 3.0], 11)
    assert (first.tokens.used, first.margin_s, first.minute_s) == (50, 4.0, 64.0)
    second.absorb(starts(make(), 9.0))
    assert second.margin_s == 4.0


def test_around_midnight_is_as_wide_as_clocks_may_differ() -> None:
    """With a margin of four seconds: what began eight seconds before the end of the day counts to both."""
    sent = starts(make(minute_margin_s=4.0), LEFT_S - 4.1, LEFT_S - 3.9, LEFT_S + 3.0)
    assert sent.day_ends == LEFT_S + 4.0
    sent.tend(sent.day_ends)
    assert sent.today == 2
