"""The waiting room: whose turn has come, who is told anew, and when the pace begins and ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.gemini_pool.policy.conftest import OVERLOADED, World
from utils.gemini_pool.policy.waiting.room import Room
from utils.gemini_pool.policy.waiting.tickets import Ticket


@dataclass(eq=False)
class Somebody:
    """One who waits, and what it would answer."""

    name: str
    served: bool = True
    probes: bool = True
    misled: bool = False
    hopeless: bool = False
    asked: list[float] = field(default_factory=list)
    room: Room[Somebody] | None = None
    ticket: Ticket[Somebody] | None = None

    def may_probe(self, now: float) -> bool:
        """Whether there is time."""
        return self.probes

    def take_turn(self, now: float) -> bool:
        """Begin, or not."""
        self.asked.append(now)
        if self.served and self.room is not None and self.ticket is not None:
            self.room.let_go(self.ticket, now, 2.5, paced=True)
        return self.served

    def is_misled(self, now: float) -> bool:
        """Whether it must be told anew."""
        return self.misled

    def is_hopeless(self, now: float) -> bool:
        """Whether it waits in vain."""
        return self.hopeless


def filled(world: World, *people: Somebody) -> Room[Somebody]:
    """Give a room with these in it, each a user of its own."""
    room: Room[Somebody] = Room(world.config, world.now)
    for one in people:
        one.room = room
        one.ticket = room.line.join(one, one.name, world.now, due_at=world.now + 100.0, places=100)
    return room


def turns(room: Room[Somebody], world: World) -> list[str]:
    """Let go whose turn has come; gives their names."""
    return [one.name for one in room.take_turns(world.pool, world.now)]


def test_all_go_in_their_order_while_they_are_served(world: World) -> None:
    """Then the room is empty."""
    room = filled(world, Somebody("a"), Somebody("b"), Somebody("c"))
    assert turns(room, world) == ["a", "b", "c"]
    assert not room.line
    assert turns(room, world) == []


def test_who_cannot_be_served_holds_the_others_up(world: World) -> None:
    """Nobody behind is asked; nobody is told anything."""
    later = Somebody("b")
    room = filled(world, Somebody("a", served=False), later)
    assert turns(room, world) == []
    assert later.asked == []
    assert len(room.line) == 2


def test_who_was_misled_is_told_anew(world: World) -> None:
    """Only the next one."""
    room = filled(world, Somebody("a", served=False, misled=True), Somebody("b", misled=True))
    assert turns(room, world) == ["a"]


def test_after_a_closure_the_first_and_the_hopeless_are_told_once(world: World) -> None:
    """The others wait on."""
    first, vain, fine = Somebody("a", served=False, hopeless=True), Somebody("b", hopeless=True), Somebody("c")
    room = filled(world, first, vain, fine)
    assert turns(room, world) == []
    room.shake()
    assert turns(room, world) == ["a", "b"]
    assert turns(room, world) == []


def test_a_probe_is_ridden_by_the_first_who_has_time(world: World) -> None:
    """The next one has too little for it; without a probe due nobody else is asked."""
    hurried, rider, other = Somebody("a", served=False, probes=False), Somebody("b"), Somebody("c")
    room = filled(world, hurried, rider, other)
    assert turns(room, world) == []
    assert rider.asked == []
    world.eject(0)
    world.pass_time(30.0)
    world.pool.standing.look_after(world.now)
    assert world.pool.probe_due(world.now)
    assert turns(room, world) == ["b", "c"]
    assert len(room.line) == 1


def test_who_has_time_itself_lets_nobody_ride(world: World) -> None:
    """It was asked and cannot be served: so it is with the others."""
    first, rider = Somebody("a", served=False), Somebody("b")
    room = filled(world, first, rider)
    world.eject(0)
    world.pass_time(30.0)
    world.pool.standing.look_after(world.now)
    assert turns(room, world) == []
    assert (first.asked, rider.asked) == ([world.now], [])


def test_a_rider_that_cannot_be_served_ends_it(world: World) -> None:
    """Nobody is let go."""
    room = filled(world, Somebody("a", served=False, probes=False), Somebody("b", served=False))
    world.eject(0)
    world.pass_time(30.0)
    world.pool.standing.look_after(world.now)
    assert turns(room, world) == []


def test_the_pace_lets_one_go_at_a_time_and_ends_with_the_line(world: World) -> None:
    """It begins after a closure; whoever leaves or is served last ends it."""
    room = filled(world, Somebody("a"), Somebody("b"), Somebody("c"))
    room.pace.start(world.now)
    assert turns(room, world) == ["a"]
    assert turns(room, world) == []
    at = room.paced_at(1, world.now, world.now, 2.5)
    assert at > world.now
    world.pass_time(at - world.now)
    assert turns(room, world) == ["b"]
    last = room.line.first()
    assert last is not None
    before = room.pace.on
    room.leave(last)
    assert (before, room.pace.on) == (True, False)
    again = filled(world, Somebody("a"))
    again.pace.start(world.now)
    assert turns(again, world) == ["a"]
    assert not again.pace.on


def test_who_leaves_others_behind_does_not_end_the_pace(world: World) -> None:
    """Neither by leaving nor by being served."""
    room = filled(world, Somebody("a"), Somebody("b"), Somebody("c"))
    room.pace.start(world.now)
    ticket = room.line.first()
    assert ticket is not None
    room.leave(ticket)
    assert room.pace.on
    assert turns(room, world) == ["b"]
    assert room.pace.on


def test_a_probe_does_not_count_for_the_pace(world: World) -> None:
    """The next may go at once; without a pace nothing is counted."""
    room = filled(world, Somebody("a"), Somebody("b"), Somebody("c"))
    first = room.line.first()
    assert first is not None
    room.let_go(first, world.now, 2.5, paced=True)
    assert not room.pace.on
    assert room.pace.allows(world.now)
    room.pace.start(world.now)
    second = room.line.first()
    assert second is not None
    room.let_go(second, world.now, 2.5, paced=False)
    assert room.pace.allows(world.now)
    assert room.paced_at(1, world.now, world.now, 2.5) == world.now


def test_the_probes_of_an_overloaded_model_know_no_pace(world: World) -> None:
    """They are few anyway."""
    while not world.pool.breaker.is_open:
        world.call(OVERLOADED)
    room = filled(world, Somebody("a"), Somebody("b"))
    room.pace.start(world.now)
    assert turns(room, world) == ["a", "b"]
