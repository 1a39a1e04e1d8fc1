"""Whoever was taken in is let go in time, whatever order the others go in."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from utils.gemini_pool.policy.waiting.line import Line
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
