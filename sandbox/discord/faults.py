"""What a test (or a person) makes go wrong on the emulated Discord.

``Faults`` holds scripted answers by route: rate limits with and without Discord's own header, failures of the server,
slow answers; and switches: a refused token, refused intents, a command opened to everybody by a server administrator.
Scripted answers are no violation of the bot's. What changes the world (a deleted message, a locked thread, a lost
permission) is in ``actions``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

PRIVILEGED = {"members": 1 << 1, "presences": 1 << 8, "message_content": 1 << 15}


@dataclass(slots=True)
class Script:
    """An answer to give ``times`` times on a route; ``delay_s`` alone lets the real answer through, later."""

    route: str
    times: int
    status: int | None = None
    retry_after: float = 0.0
    via: bool = True
    delay_s: float = 0.0


@dataclass(slots=True)
class Faults:
    """The faults in force; a route pattern reads ``POST /channels/*/messages`` and may hold ``*``."""

    scripts: list[Script] = field(default_factory=list)
    refused_intents: set[str] = field(default_factory=set)
    token_refused: bool = False
    open_commands: set[str] = field(default_factory=set)

    def rate_limit(self, route: str, *, times: int = 1, retry_after: float = 0.2, via: bool = True) -> None:
        """Answer 429; without ``via`` the header is missing, as when Cloudflare answers before Discord."""
        self.scripts.append(Script(route, times, status=429, retry_after=retry_after, via=via))

    def fail(self, route: str, *, times: int = 1, status: int = 502) -> None:
        """Answer with a server's failure and no JSON."""
        self.scripts.append(Script(route, times, status=status))

    def delay(self, route: str, seconds: float, *, times: int = 1) -> None:
        """Do what is asked at once, but hold the answer back for that many real seconds."""
        self.scripts.append(Script(route, times, delay_s=seconds))

    def refuse_intent(self, name: str) -> None:
        """Switch a privileged intent off, as in the developer portal: IDENTIFY with it is closed with 4014."""
        if name not in PRIVILEGED:
            raise ValueError(f"{name} is no privileged intent; those are {', '.join(PRIVILEGED)}")
        self.refused_intents.add(name)

    def allow_intent(self, name: str) -> None:
        """Switch a privileged intent on again."""
        self.refused_intents.discard(name)

    def refuse_token(self) -> None:
        """Refuse the bot's token, as after a reset of it in the portal."""
        self.token_refused = True

    def open_command(self, name: str) -> None:
        """Let everybody use a command, as a server's administrator may set it against the bot's default."""
        self.open_commands.add(name)

    def refused_bits(self) -> int:
        """Return the intents that are refused, as bits."""
        return sum(PRIVILEGED[name] for name in self.refused_intents)

    def take(self, method: str, path: str) -> Script | None:
        """Return the script for this request, used up by one."""
        for script in self.scripts:
            if script.times > 0 and fnmatchcase(f"{method} {path}", script.route):
                script.times -= 1
                return script
        return None

    def clear(self) -> None:
        """Let everything go right again."""
        self.scripts.clear()
        self.refused_intents.clear()
        self.open_commands.clear()
        self.token_refused = False
