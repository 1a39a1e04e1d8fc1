"""What was used is added up exactly: by subject, by day, over midnight, back and forth."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from utils.conversations.fairness.ledger import DAY_S, Ledger, Used, day_of, of_all, of_member, of_server, of_user
from utils.storage import Use

NOON = 20_000 * DAY_S + 43_200.0


def test_a_use_counts_for_its_person_its_server_and_everybody():
    """Elsewhere it counts for the person alone; nobody else has used anything."""
    ledger = Ledger(NOON)
    assert ledger.add(Use(1, 7, 5, NOON, requests=1))
    assert ledger.add(Use(2, 7, None, NOON, tokens=30, micros=4))
    both = Used((NOON,), 1, 30, 4)
    here = Used((NOON,), 1)
    assert [ledger.used(of, NOON) for of in (of_all(), of_user(7), of_member(7, 5), of_server(5), of_user(8))] == [
        both,
        both,
        here,
        here,
        Used(),
    ]


def test_a_use_counts_once():
    """Whoever brings it again, and after it was taken back it counts as if it had never been."""
    ledger = Ledger(NOON)
    use = Use(1, 7, 5, NOON, requests=1, tokens=3)
    assert [ledger.add(use), ledger.add(use), ledger.knows(1)] == [True, False, True]
    assert [ledger.take_back(1), ledger.take_back(1), ledger.knows(1)] == [True, False, False]
    assert ledger.used(of_user(7), NOON) == Used()


def test_at_midnight_the_day_begins_anew_and_the_minute_goes_on():
    """The last minute's questions are known over midnight; after a minute nothing is left of them."""
    midnight = (day_of(NOON) + 1) * float(DAY_S)
    ledger = Ledger(midnight - 10)
    ledger.add(Use(1, 7, 5, midnight - 70, requests=1))
    ledger.add(Use(2, 7, 5, midnight - 10, requests=1, tokens=9))
    assert ledger.used(of_user(7), midnight - 1) == Used((midnight - 10,), 2, 9)
    assert ledger.used(of_user(7), midnight + 1) == Used((midnight - 10,))
    assert len(ledger) == 1
    assert ledger.used(of_user(7), midnight + 51) == Used()


def test_a_clock_that_is_set_back_locks_nobody_out():
    """What lies an hour ahead is not of the last minute, but still of the day."""
    ledger = Ledger(NOON)
    ledger.add(Use(1, 7, None, NOON, requests=1))
    assert ledger.used(of_user(7), NOON - 3600) == Used((), 1)


@given(
    st.lists(
        st.tuples(
            st.integers(1, 30),  # id
            st.integers(1, 3),  # user
            st.sampled_from([None, 1, 2]),  # guild
            st.floats(NOON - 200, NOON),
            st.integers(0, 1),
            st.integers(0, 9),
            st.booleans(),  # taken back afterwards
        ),
        max_size=40,
    )
)
def test_the_sums_are_those_of_the_uses_that_count(steps):
    """Whatever is taken in and back, each subject's sums are those of a plain count."""
    ledger = Ledger(NOON)
    kept: dict[int, Use] = {}
    for use_id, user_id, guild_id, at, requests, tokens, back in steps:
        use = Use(use_id, user_id, guild_id, at, requests=requests, tokens=tokens)
        assert ledger.add(use) is (use_id not in kept)
        kept.setdefault(use_id, use)
        if back:
            ledger.take_back(use_id)
            del kept[use_id]
    for user_id in (1, 2, 3):
        mine = [use for use in kept.values() if use.user_id == user_id]
        used = ledger.used(of_user(user_id), NOON)
        assert (used.requests, used.tokens) == (sum(u.requests for u in mine), sum(u.tokens for u in mine))
        assert list(used.recent) == sorted(u.used_at for u in mine if u.requests and u.used_at > NOON - 60)
    assert ledger.used(of_all(), NOON).tokens == sum(use.tokens for use in kept.values())
