"""A ticket as it is made: it waits, and nothing has been promised yet."""

from __future__ import annotations

from utils.gemini_pool.policy.waiting.tickets import Ticket


def test_a_new_ticket_waits_and_does_no_harm() -> None:
    """It was not granted, and no grant is promised to it."""
    ticket = Ticket("holder", "user", 7, 10.0, 40.0)
    assert (ticket.holder, ticket.user, ticket.number) == ("holder", "user", 7)
    assert (ticket.joined_at, ticket.due_at) == (10.0, 40.0)
    assert (ticket.waiting, ticket.granted, ticket.harmless, ticket.by_grant) == (True, False, True, 0)
