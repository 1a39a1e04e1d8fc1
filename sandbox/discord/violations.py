"""What a bot did against the platform's rules: the table of kinds, and the list of what happened.

``KINDS`` is the one place that says which rules are watched; every kind has a test with a misbehaving client that
trips it. ``ViolationLog`` keeps what happened and publishes it. A change that somebody else makes (a message deleted, a
thread locked, a permission taken) can be learned only by running into it, so ``pardon`` grants exactly one error for
it; a client that goes on is counted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sandbox.clock import SandboxClock
from sandbox.events import EventBus

KINDS = {
    "ack_missing": "an interaction was not answered within its three seconds",
    "ack_late": "an answer to an interaction came after its three seconds",
    "second_response": "an interaction was answered twice",
    "token_expired": "an interaction's token was used after its life",
    "autocomplete_choices": "more than 25 choices, or a choice of a wrong length",
    "ephemeral_by_channel": "an ephemeral message was read or edited by a channel route",
    "body_limit": "a body broke a size limit, such as content above 2000",
    "mention_everyone": "a message's text would ping everyone",
    "mention_role": "a message's text would ping a role that was not named in allowed_mentions",
    "mention_user": "a message's text would ping a user who was not named in allowed_mentions",
    "thread_locked": "a message was sent to a locked thread",
    "edit_rate": "messages were edited faster than the bucket allows",
    "provoked_400": "a request was refused as malformed",
    "provoked_401": "a request came with a token that had been refused before, or none",
    "provoked_403": "a request was made without the permission for it",
    "provoked_404": "something was asked for that does not exist",
    "provoked_429": "a request was sent into a spent bucket",
    "unknown_route": "a route was called that the platform (or this emulator) does not have",
    "frame_rate": "more than 120 gateway frames in 60 seconds",
    "frame_size": "a gateway frame above 4096 bytes",
    "frame_malformed": "a gateway frame that is no payload of the protocol",
    "identify_rate": "IDENTIFY was sent too often",
    "heartbeat_missing": "no heartbeat came in the interval that HELLO named",
    "heartbeat_unanswered": "a heartbeat that the gateway asked for was not sent",
    "schema_request": "a request's body does not fit Discord's published description",
    "schema_answer": "an answer of this emulator does not fit Discord's published description",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One breach: its kind, when (sandbox time, seconds), what exactly, and the request or frame it came by."""

    kind: str
    at: float
    detail: str
    request: str


class ViolationLog:
    """Keeps violations in the order they happened."""

    def __init__(self, clock: SandboxClock, bus: EventBus) -> None:
        self._clock = clock
        self._bus = bus
        self._happened: list[Violation] = []
        self._pardons: set[str] = set()

    def record(self, kind: str, detail: str, request: str) -> None:
        """Write one down; raises KeyError for a kind that the table does not have."""
        violation = Violation(kind, self._clock.now(), f"{KINDS[kind]}: {detail}", request)
        self._happened.append(violation)
        self._bus.publish("violation", asdict(violation))

    def pardon(self, what: str) -> None:
        """Grant one error for a change made by somebody else."""
        self._pardons.add(what)

    def use_pardon(self, what: str | None) -> bool:
        """Whether an error is the first one after such a change; uses the grant up."""
        if what not in self._pardons:
            return False
        self._pardons.discard(what)
        return True

    def all(self) -> list[dict[str, object]]:
        """Return everything that happened, oldest first, JSON-ready."""
        return [asdict(violation) for violation in self._happened]

    def clear(self) -> None:
        """Forget all."""
        self._happened.clear()
        self._pardons.clear()
