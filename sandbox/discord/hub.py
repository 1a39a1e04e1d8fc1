"""What the parts of the Discord emulator share: one world with its clock, ids, rules, faults and listeners.

``Hub`` composes what is below the REST interface, the gateway and the people; it decides little itself. A reset makes a
new one; what belongs to the application rather than to the world (commands, the token) is carried over by ``emulator``.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable

from sandbox.clock import SandboxClock
from sandbox.discord.announce import Announcer
from sandbox.discord.buckets import Buckets
from sandbox.discord.cdn import Cdn
from sandbox.discord.faults import Faults
from sandbox.discord.ids import Snowflakes
from sandbox.discord.limits import DiscordLimits
from sandbox.discord.membership import Membership
from sandbox.discord.payloads import Payloads
from sandbox.discord.seed import first_world
from sandbox.discord.sessions import Sessions
from sandbox.discord.violations import ViolationLog
from sandbox.events import EventBus

_CONTENT_LIMITED, _MEMBERS_LIMITED, _PRESENCE_LIMITED = 1 << 19, 1 << 15, 1 << 13


class IdentifyGate:
    """How often a client may IDENTIFY; ``asked``: how often one did."""

    def __init__(self, limits: DiscordLimits) -> None:
        self._limits = limits
        self._times: deque[float] = deque()
        self.asked = 0

    def allow(self, now: float) -> bool:
        """Count one IDENTIFY at a real time, in seconds; False when there were too many."""
        self.asked += 1
        while self._times and self._times[0] <= now - self._limits.identifies_s:
            self._times.popleft()
        if len(self._times) >= self._limits.identifies:
            return False
        self._times.append(now)
        return True


class Hub:
    """The shared state of one run; attributes are the parts."""

    def __init__(
        self,
        clock: SandboxClock,
        bus: EventBus,
        limits: DiscordLimits,
        seed: int,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self.bus = bus
        self.limits = limits
        self.monotonic = monotonic
        self.ids = Snowflakes(clock, seed)
        self.world = first_world(self.ids)
        self.token = _token(self.world.bot.id, seed)
        self.cdn = Cdn(clock, limits, seed)
        self.payloads = Payloads(self.world, self.cdn.sign)
        self.faults = Faults()
        self.sessions = Sessions(bus, monotonic, limits.resume_s)
        self.violations = ViolationLog(clock, bus)
        self.buckets = Buckets(limits, monotonic)
        self.identifies = IdentifyGate(limits)
        self.announce = Announcer(self.world, self.payloads, self.sessions, bus)
        self.membership = Membership(self.world, self.payloads, self.sessions)
        self._sessions_made = 0

    @property
    def gateway_url(self) -> str:
        """The gateway's own address."""
        return self.cdn.base_url.replace("http", "ws", 1) + "/gateway"

    def knows_token(self, token: str) -> bool:
        """Whether a bot token is valid now."""
        return not self.faults.token_refused and hmac.compare_digest(token, self.token)

    def new_session_id(self) -> str:
        """Return a session id that was not given before."""
        self._sessions_made += 1
        return hashlib.sha256(f"{self.ids.next()}-{self._sessions_made}".encode()).hexdigest()[:32]

    def application_flags(self) -> int:
        """Return the application's flags, which tell which privileged intents are switched on."""
        flags = {"message_content": _CONTENT_LIMITED, "members": _MEMBERS_LIMITED, "presences": _PRESENCE_LIMITED}
        return sum(bit for name, bit in flags.items() if name not in self.faults.refused_intents)


def _token(bot_id: str, seed: int) -> str:
    return f"sandbox.{bot_id}.{hashlib.sha256(f'bot-{seed}'.encode()).hexdigest()[:24]}"
