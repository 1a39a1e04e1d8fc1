"""The line: round-robin over users, first come first within one, and nobody lost or served twice."""

from __future__ import annotations

import gc
import random
import time
import weakref
from collections.abc import Hashable

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from utils.gemini_pool.policy.waiting.line import Line
from utils.gemini_pool.policy.waiting.tickets import Ticket


def join(line: Line[str], *names: str) -> dict[str, Ticket[str]]:
    """Let tickets join, named by user and number ("a1")."""
    return {name: line.join(name, name[0], 0.0, due_at=30.0, places=1000) for name in names}


def served(line: Line[str]) -> list[str]:
    """Grant everybody by turn."""
    order = []
    while (first := line.first()) is not None:
        line.grant(first)
        order.append(first.holder)
    return order


def test_users_take_turns():
    """Many questions of one user do not push another's single one back."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "a2", "a3", "b1", "c1", "b2")
    assert [line.place(tickets[name]) for name in ("a1", "b1", "c1", "a2", "b2", "a3")] == [1, 2, 3, 4, 5, 6]
    assert served(line) == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert len(line) == 0
    assert line.first() is None


def test_a_newcomer_stands_behind_those_who_came_before():
    """Served ones who ask again were there first; a second question of theirs was not."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "a2", "a3", "b1")
    line.grant(tickets["a1"])
    join(line, "c1")
    assert served(line) == ["b1", "a2", "c1", "a3"]


def test_a_stream_of_newcomers_overtakes_nobody_for_ever():
    """A user's second question is served though new users keep coming."""
    line: Line[str] = Line()
    second = join(line, "a1", "a2")["a2"]
    for number in range(4):
        line.join(f"n{number}", number, 0.0, due_at=30.0, places=1000)
        first = line.first()
        assert first is not None
        line.grant(first)
    assert second.granted


def test_later_questions_move_up_when_an_earlier_one_leaves():
    """But not before others who came earlier than they."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "b1", "a2", "a3")
    line.leave(tickets["a1"])
    line.leave(tickets["a1"])
    assert [line.place(tickets[name]) for name in ("b1", "a2", "a3")] == [1, 2, 3]
    line.leave(tickets["a2"])
    assert served(line) == ["b1", "a3"]


def test_somebody_further_back_may_be_served():
    """It counts as the user's turn: the earlier question waits for the next round."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "b1", "a2")
    line.grant(tickets["a2"])
    assert served(line) == ["b1", "a1"]


def test_who_would_come_too_late_goes_first():
    """Four places come free in time for a user's second question: the fourth is kept for it, whoever else comes."""
    line: Line[str] = Line()
    join(line, "a1")
    second = line.join("a2", "a", 0.0, due_at=20.0, places=4)
    join(line, "b1", "c1", "d1")
    order = []
    while (following := line.next(0.0)) is not None:
        line.grant(following)
        order.append(following.holder)
    assert order == ["a1", "b1", "c1", "a2", "d1"]
    assert second.granted


def test_who_joins_before_others_makes_them_later():
    """Two places come free in time for the second: with a third that is due sooner, nobody else may go before."""
    line: Line[str] = Line()
    first = line.join("a1", "a", 0.0, due_at=40.0, places=10)
    line.join("b1", "b", 0.0, due_at=30.0, places=2)
    assert line.next(0.0) is first
    hurried = line.join("c1", "c", 0.0, due_at=10.0, places=5)
    assert line.next(0.0) is hurried


def test_turns_go_on_when_somebody_left():
    """The place that was kept is free again: users take turns as before."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "a2", "b1")
    leaver = line.join("c1", "c", 0.0, due_at=20.0, places=1)
    assert line.next(0.0) is leaver
    line.leave(leaver)
    line.grant(tickets["a1"])
    assert line.next(0.0) is tickets["b1"]


def test_who_is_due_goes_first():
    """From that time on nobody goes before it, however many places there are."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "a2", "b1")
    line.grant(tickets["a1"])
    due = line.join("a3", "a", 0.0, due_at=20.0, places=1000)
    assert line.next(19.0) is tickets["b1"]
    assert line.next(20.0) is due


def test_nobody_is_granted_twice_or_after_leaving():
    """The second time is a mistake of ours, and said so."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "b1")
    line.grant(tickets["a1"])
    line.leave(tickets["b1"])
    for ticket in tickets.values():
        with pytest.raises(ValueError, match="not waiting"):
            line.grant(ticket)
        with pytest.raises(ValueError, match="not waiting"):
            line.place(ticket)
    assert (tickets["a1"].granted, tickets["b1"].granted) == (True, False)


@pytest.mark.parametrize("users", [1, 300])
def test_thousands_may_wait(users: int):
    """20,000 join, ask for their place and go in any order, in far less than a minute of a slow machine."""
    line: Line[int] = Line()
    dice = random.Random(1)
    began = time.process_time()
    tickets = [line.join(number, dice.randrange(users), 0.0, due_at=30.0, places=30_000) for number in range(20_000)]
    assert sorted(line.place(ticket) for ticket in tickets) == list(range(1, 20_001))
    dice.shuffle(tickets)
    for ticket in tickets[:10_000]:
        line.leave(ticket)
    while (first := line.next(0.0)) is not None:
        line.grant(first)
    assert time.process_time() - began < 10.0
    assert all(ticket.granted for ticket in tickets[10_000:])


class LineMachine(RuleBasedStateMachine):
    """Joins, leaves and grants in any order; the order is checked against what fairness means."""

    def __init__(self) -> None:
        super().__init__()
        self.line: Line[int] = Line()
        self.waiting: dict[int, Ticket[int]] = {}
        self.joined = 0
        #: For every user: whose tickets waited at the user's last grant and have seen none of their user since.
        self.since: dict[Hashable, dict[Hashable, set[int]]] = {}

    @rule(user=st.sampled_from([None, 1, 2, 3, 4]))
    def join(self, user: int | None) -> None:
        """Somebody comes; the last of a user is never before the user's others."""
        self.joined += 1
        ticket = self.line.join(self.joined, user, 0.0, due_at=30.0, places=10_000)
        mine = [self.line.place(other) for other in self.waiting.values() if other.user == user]
        assert all(place < self.line.place(ticket) for place in mine)
        self.waiting[self.joined] = ticket

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Anybody may leave; nobody else's place gets worse."""
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        before = {other: self.line.place(ticket) for other, ticket in self.waiting.items()}
        ticket = self.waiting.pop(number)
        self.line.leave(ticket)
        for other, one in self.waiting.items():
            if one.user != ticket.user:
                assert self.line.place(one) <= before[other]
        for waited in self.since.values():
            waited.get(ticket.user, set()).discard(number)

    @precondition(lambda self: self.waiting)
    @rule()
    def grant(self) -> None:
        """The next is served: nobody who came earlier has been passed over twice by this user."""
        ticket = self.line.next(0.0)
        assert ticket is not None
        assert ticket is self.line.first()
        assert self.line.place(ticket) == 1
        self.line.grant(ticket)
        assert self.waiting.pop(ticket.holder) is ticket
        for waited in self.since.get(ticket.user, {}).values():
            assert all(number > ticket.holder for number in waited)
        for waited_for in self.since.values():
            waited_for.pop(ticket.user, None)
        users = {one.user for one in self.waiting.values()} - {ticket.user}
        self.since[ticket.user] = {
            user: {number for number, one in self.waiting.items() if one.user == user} for user in users
        }

    @invariant()
    def nobody_is_lost(self) -> None:
        """Exactly those who have neither left nor been granted stand in it, each at a place of its own."""
        assert len(self.line) == len(self.waiting)
        order = list(self.line.in_order())
        assert {ticket.holder: ticket for ticket in order} == self.waiting
        assert [self.line.place(ticket) for ticket in order] == list(range(1, len(order) + 1))
        assert all(ticket.waiting and not ticket.granted for ticket in order)


LineMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestLine = LineMachine.TestCase


def test_the_whole_line_is_told_in_its_order():
    """By turn, each user's tickets in theirs; a user who has none waits for nothing."""
    line: Line[str] = Line()
    join(line, "a1", "a2", "a3", "b1", "c1", "b2")
    assert [ticket.holder for ticket in line.in_order()] == ["a1", "b1", "c1", "a2", "b2", "a3"]
    assert [line.of_user(user) for user in ("a", "b", "c", "d")] == [3, 2, 1, 0]


def test_the_turns_of_one_who_left_are_its_last_ones():
    """The first of three questions leaves: the others take its first two turns, and the third is nobody's."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "a2", "a3", "b1", "b2", "b3")
    line.leave(tickets["a1"])
    assert [ticket.holder for ticket in line.in_order()] == ["a2", "b1", "a3", "b2", "b3"]
    assert served(line) == ["a2", "b1", "a3", "b2", "b3"]


def test_a_newcomer_stands_one_round_behind_the_last_served():
    """However many came before it: behind a second question, before a third."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "b1", "c1", "d1", "e1", "a2", "a3")
    line.grant(tickets["a1"])
    line.grant(tickets["b1"])
    join(line, "f1")
    assert served(line) == ["c1", "d1", "e1", "a2", "f1", "a3"]


def test_nothing_is_kept_of_users_who_wait_no_more():
    """Neither of those who were served nor of those who left."""

    class User:
        """Somebody who can be watched."""

    line: Line[str] = Line()
    users = [User(), User()]
    line.grant(line.join("served", users[0], 0.0, due_at=30.0, places=9))
    line.leave(line.join("gone", users[1], 0.0, due_at=30.0, places=9))
    watched = [weakref.ref(user) for user in users]
    users.clear()
    gc.collect()
    assert [user() for user in watched] == [None, None]


def test_who_moves_up_takes_the_turn_of_the_one_who_left():
    """The round of it, and not before others who came earlier within it."""
    line: Line[str] = Line()
    tickets = join(line, "a1", "b1", "a2", "b2", "a3")
    line.leave(tickets["b1"])
    assert served(line) == ["a1", "b2", "a2", "a3"]
