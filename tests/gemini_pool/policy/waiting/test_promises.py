"""Whoever was taken in is let go in time, whatever order the others go in."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from utils.gemini_pool.policy.waiting.line import Line
from utils.gemini_pool.policy.waiting.promises import Promises
from utils.gemini_pool.policy.waiting.tickets import Ticket

_WAIT_S = 20


class PromisesMachine(RuleBasedStateMachine):
    """A service with one place a second; people join as long as there is room, leave, and are let go at each second."""

    def __init__(self) -> None:
        super().__init__()
        self.line: Line[int] = Line()
        self.now = 0
        self.waiting: list[Ticket[int]] = []
        self.out_of_turn = 0

    @rule(user=st.sampled_from([1, 1, 1, 2, 3, 4]), hurry=st.sampled_from([0, 0, 0, 8]))
    def join(self, user: int, hurry: int) -> None:
        """Somebody comes and is taken in if a place is left, also for those who must go later; else turned away."""
        due = self.now + _WAIT_S - hurry
        ticket = self.line.join(0, user, self.now, due_at=due, places=_WAIT_S - hurry)
        everybody = sorted([*self.waiting, ticket], key=lambda one: (one.due_at, one.number))
        late = [one for place, one in enumerate(everybody, 1) if self.now + place > one.due_at]
        assert ticket.harmless is not bool(set(late) - {ticket})
        if late:
            self.line.leave(ticket)
        else:
            self.waiting.append(ticket)

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Anybody may leave."""
        self.line.leave(self.waiting.pop(data.draw(st.integers(0, len(self.waiting) - 1))))

    @rule(seconds=st.integers(1, 3))
    def serve(self, seconds: int) -> None:
        """One goes each second, by turn where nobody would come too late for it."""
        for _ in range(seconds):
            self.now += 1
            ticket = self.line.next(self.now)
            if ticket is None:
                continue
            self.out_of_turn += ticket is not self.line.first()
            self.line.grant(ticket)
            self.waiting.remove(ticket)

    @invariant()
    def nobody_comes_too_late(self) -> None:
        """Whoever waits has not been passed over until it was too late."""
        assert all(ticket.due_at >= self.now for ticket in self.waiting)
        assert len(self.line) == len(self.waiting)
        places = sorted(self.line.promises.place(ticket) for ticket in self.waiting)
        assert places == list(range(1, len(places) + 1))


PromisesMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestPromises = PromisesMachine.TestCase


@dataclass
class Tickets:
    """All tickets that wait, and how many grants each was promised: what ``Promises`` keeps in short, at length."""

    promises: Promises[int] = field(default_factory=Promises)
    promised: dict[Ticket[int], int] = field(default_factory=dict)
    granted: int = 0

    def by_due(self) -> list[Ticket[int]]:
        """Give those who wait, the first due first."""
        return sorted(self.promised, key=lambda one: (one.due_at, one.number))

    def slack(self) -> int:
        """How many may go out of turn before somebody comes too late."""
        return min(self.promised[one] - self.granted - place for place, one in enumerate(self.by_due(), 1))

    def join(self, number: int, due_at: float, places: int) -> None:
        """Take one in as the line does: who would make another late leaves again."""
        ticket = Ticket(0, None, number, 0.0, due_at)
        self.promised[ticket] = self.granted + places
        assert self.promises.add(ticket, places) is (self.slack() >= 0 or ticket is self.by_due()[-1])
        if self.slack() < 0:
            self.promises.remove(ticket, served=False)
            del self.promised[ticket]

    def go(self, rng: random.Random, *, served: bool) -> None:
        """Let one go: who must, else anybody."""
        due = self.promises.most_due(0.0)
        assert due is (self.by_due()[0] if due is not None or self.slack() <= 0 else None)
        ticket = due or rng.choice(self.by_due())
        self.promises.remove(ticket, served=served)
        del self.promised[ticket]
        self.granted += served


@pytest.mark.parametrize("seed", range(12))
def test_who_must_go_is_told_from_who_may_wait(seed: int) -> None:
    """Held at every step against a count over all tickets: nobody comes too late, whoever goes."""
    rng, tickets = random.Random(seed), Tickets()
    for number in range(150):
        if tickets.promised and rng.random() < 0.4:
            tickets.go(rng, served=rng.random() < 0.6)
        else:
            tickets.join(number, float(rng.randrange(1, 12)), rng.randrange(1, 12))
        assert list(tickets.promises) == tickets.by_due()
        for place, one in enumerate(tickets.by_due(), 1):
            assert tickets.promises.place(one) == place
            assert tickets.promised[one] - tickets.granted >= place


def test_a_ticket_whose_time_has_come_goes_next() -> None:
    """At its very time, whatever places there are; nobody goes where nobody waits."""
    promises: Promises[int] = Promises()
    assert promises.most_due(0.0) is None
    ticket = Ticket(0, None, 1, 0.0, 10.0)
    assert promises.add(ticket, 5)
    assert promises.most_due(9.9) is None
    assert promises.most_due(10.0) is ticket


def test_who_takes_the_last_place_of_another_does_harm() -> None:
    """One place more and it would not; who is due last harms nobody."""
    promises: Promises[int] = Promises()
    for free, harmless in ((1, False), (2, True)):
        promises = Promises()
        assert promises.add(Ticket(0, None, 1, 0.0, 10.0), free)
        assert promises.add(Ticket(0, None, 2, 0.0, 5.0), 1) is harmless
    assert promises.add(Ticket(0, None, 3, 0.0, 20.0), 0)


def test_a_place_left_by_somebody_is_found_again() -> None:
    """Whoever leaves unserved makes room for those behind."""
    promises: Promises[int] = Promises()
    first, second = Ticket(0, None, 1, 0.0, 5.0), Ticket(0, None, 2, 0.0, 10.0)
    promises.add(first, 3)
    promises.add(second, 2)
    assert promises.most_due(0.0) is first
    promises.remove(first, served=False)
    assert promises.most_due(0.0) is None
    promises.remove(second, served=True)
    assert promises.most_due(0.0) is None


def test_one_place_more_than_needed_is_one_that_another_may_take() -> None:
    """Of two places the first is another's; of one none is."""
    for places, another in ((2, True), (1, False)):
        promises: Promises[int] = Promises()
        promises.add(Ticket(0, None, 1, 0.0, 10.0), places)
        assert (promises.most_due(0.0) is None) is another


def test_who_comes_before_another_takes_just_one_of_its_places() -> None:
    """Three come free for the first: two are needed now, so one more may go out of order, and then none."""
    promises: Promises[int] = Promises()
    promises.add(Ticket(0, None, 1, 0.0, 20.0), 3)
    third = Ticket(0, None, 3, 0.0, 30.0)
    promises.add(third, 50)
    hurried = Ticket(0, None, 2, 0.0, 10.0)
    assert promises.add(hurried, 50)
    assert promises.most_due(0.0) is None
    promises.remove(third, served=True)
    assert promises.most_due(0.0) is hurried


def test_who_comes_behind_the_scarcest_takes_nothing_from_it() -> None:
    """It is due before a third, who has places enough: one may still go out of order."""
    promises: Promises[int] = Promises()
    scarce = Ticket(0, None, 1, 0.0, 10.0)
    promises.add(scarce, 2)
    promises.add(Ticket(0, None, 2, 0.0, 30.0), 50)
    between = Ticket(0, None, 3, 0.0, 20.0)
    assert promises.add(between, 50)
    assert promises.most_due(0.0) is None
    promises.remove(between, served=True)
    assert promises.most_due(0.0) is scarce


def test_who_is_late_already_is_made_late_by_nobody() -> None:
    """Nothing was promised to it."""
    promises: Promises[int] = Promises()
    promises.add(Ticket(0, None, 1, 0.0, 20.0), 0)
    assert promises.add(Ticket(0, None, 2, 0.0, 10.0), 5)
    assert promises.add(Ticket(0, None, 3, 0.0, 5.0), 5)


def test_after_somebody_left_just_the_last_place_of_another_is_not_given_away() -> None:
    """The count is made anew when it has run out: exactly enough is enough, and one less is not."""
    for places, harmless in ((2, True), (1, False)):
        promises: Promises[int] = Promises()
        promises.add(Ticket(0, None, 1, 0.0, 20.0), places)
        assert promises.add(Ticket(0, None, 2, 0.0, 10.0), 1) is harmless


def test_everybody_who_goes_out_of_order_takes_one_place_of_those_before() -> None:
    """Four come free for the first, who needs one: three others may go before it."""
    promises: Promises[int] = Promises()
    first = Ticket(0, None, 1, 0.0, 10.0)
    promises.add(first, 4)
    others = [Ticket(0, None, number, 0.0, 10.0 * number) for number in (2, 3, 4)]
    for other in others:
        promises.add(other, 50)
    for other in reversed(others):
        assert promises.most_due(0.0) is None
        promises.remove(other, served=True)
    assert promises.most_due(0.0) is first


class Watched(Ticket[int]):
    """A ticket that counts how often somebody looks at what it was promised."""

    __slots__ = ("looks", "promised")

    def __init__(self, number: int, due_at: float) -> None:
        self.looks = 0
        super().__init__(0, None, number, 0.0, due_at)

    @property
    def by_grant(self) -> int:
        """What it was promised."""
        self.looks += 1
        return self.promised

    @by_grant.setter
    def by_grant(self, number: int) -> None:
        self.promised = number


def watched(*promised: tuple[float, int]) -> tuple[Promises[int], list[Watched]]:
    """Take in tickets of these times and places; answers them too."""
    promises: Promises[int] = Promises()
    tickets = [Watched(number, due_at) for number, (due_at, _) in enumerate(promised)]
    for ticket, (_, places) in zip(tickets, promised, strict=True):
        promises.add(ticket, places)
    return promises, tickets


def looks(tickets: list[Watched]) -> list[int]:
    """How often each was looked at."""
    return [ticket.looks for ticket in tickets]


def test_while_nobody_left_or_came_in_between_nobody_is_looked_at() -> None:
    """However often it is asked who must go, also where no place is left to give away."""
    promises, tickets = watched((10.0, 1), (20.0, 2))
    for _ in range(3):
        assert promises.most_due(0.0) is tickets[0]
    promises.remove(tickets[0], served=True)
    assert promises.most_due(0.0) is tickets[1]
    assert looks(tickets) == [0, 0]


def test_who_comes_in_between_is_let_in_without_a_look_while_places_are_left() -> None:
    """The last of two goes to it; the next one, for whom none is left, has everybody looked at once."""
    promises, tickets = watched((20.0, 2), (10.0, 50))
    assert looks(tickets) == [0, 0]
    third = Watched(3, 5.0)
    assert not promises.add(third, 50)
    assert looks([*tickets, third]) == [1, 1, 1]


def test_everybody_is_looked_at_once_when_somebody_left() -> None:
    """Not again until somebody else does."""
    promises, tickets = watched((10.0, 1), (20.0, 2), (30.0, 3))
    promises.remove(tickets[2], served=False)
    for _ in range(3):
        assert promises.most_due(0.0) is tickets[0]
    assert looks(tickets) == [1, 1, 0]
