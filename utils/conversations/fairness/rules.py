"""Whether one more question is fair, and when it will be.

``rules_for`` says which limits hold for a person in a place, ``judge`` whether one of them is reached. Pure. What
always holds: what a server chose for its members counts what they used there, everything else what they used anywhere,
so going elsewhere gains nothing; a server can be more generous to its members than the operator is to everybody, but
all of them together never get beyond what the operator gives the server; of several limits that are reached, the one
that ends last is told. A limit of tokens or money is known to be reached only afterwards: the answer that reaches it
is the last.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal, get_args

from utils.conversations.fairness.ledger import (
    DAY_S,
    MINUTE_S,
    Used,
    day_of,
    of_all,
    of_member,
    of_server,
    of_user,
    together,
)
from utils.i18n import translate
from utils.storage import Amounts, GuildLimits

Subject = Literal["you", "here", "server", "bot"]
Amount = Literal["per_minute", "per_day", "tokens", "micros"]
AMOUNTS: Final[tuple[Amount, ...]] = get_args(Amount)
#: Gives what a subject of the ledger used.
Using = Callable[[Hashable], Used]

#: Of these one US dollar is made.
MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One limit: whose it is, of what, how much, and how much of it is used."""

    subject: Subject
    amount: Amount
    limit: int
    used: int
    #: When the next question fits, if it does not now (unix seconds).
    again_at: float

    @property
    def left(self) -> int:
        """How much is left."""
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True)
class Denied:
    """Why a question is not taken now: the limit that is reached; ``rule.again_at`` is when it is possible again."""

    rule: Rule

    def sentence(self, locale: str) -> str:
        """Say it to a reader of that locale, in one sentence that tells when to ask again."""
        whose = "you" if self.rule.subject == "here" else self.rule.subject
        limit = amount_text(self.rule.amount, self.rule.limit, locale)
        return translate(f"limits.denied.{whose}", locale, limit=limit, when=f"<t:{-int(-self.rule.again_at // 1)}:R>")


def judge(rules: Iterable[Rule]) -> Denied | None:
    """Name the limit that is reached, or None."""
    reached = [rule for rule in rules if not rule.left]
    return Denied(max(reached, key=lambda rule: rule.again_at)) if reached else None


def rules_for(
    user_id: int,
    guild_id: int | None,
    role_ids: Collection[int],
    *,
    members: Amounts,
    server: Amounts,
    total: Amounts,
    chosen: GuildLimits,
    using: Using,
    now: float,
    alias: int | None = None,
) -> list[Rule]:
    """Give all limits for a person's next question; ``members``, ``server`` and ``total`` are the operator's.

    ``alias``: the name under which else something is counted for the person.
    """
    factor = _factor(chosen, role_ids)
    found: list[Rule] = []
    for amount in AMOUNTS:
        own = getattr(chosen.members, amount) if guild_id is not None else None
        limit = _times(getattr(members, amount) if own is None else own, factor)
        anywhere = own is None or guild_id is None
        names = [name for name in (user_id, alias) if name is not None]
        subjects = [of_user(name) if guild_id is None or anywhere else of_member(name, guild_id) for name in names]
        used = together(using(subject) for subject in subjects)
        found.extend(_rule("you" if anywhere else "here", amount, limit, used, now))
    if guild_id is not None:
        used = using(of_server(guild_id))
        for amount in AMOUNTS:
            limit = _narrower(getattr(server, amount), getattr(chosen.server, amount))
            found.extend(_rule("server", amount, limit, used, now))
    used = using(of_all())
    for amount in AMOUNTS:
        found.extend(_rule("bot", amount, getattr(total, amount), used, now))
    return found


def amount_text(amount: Amount, limit: int, locale: str) -> str:
    """Write a limit: ``10 questions a minute``, ``$2.50 a day``."""
    if amount == "micros":
        return translate("limits.amount.micros", locale, usd=money(limit))
    return translate(f"limits.amount.{amount}", locale, count=limit)


def money(micros: int) -> str:
    """Write an amount of money in dollars, with as many digits as say something, and never more than it is."""
    cents = micros // 10_000
    if micros % 10_000 == 0 or cents >= 1_000:
        return f"{cents / 100:,.2f}"
    return f"{micros // 100 / 10_000:,.4f}"


def _rule(subject: Subject, amount: Amount, limit: int | None, used: Used, now: float) -> Iterator[Rule]:
    if not limit:
        return
    if amount == "per_minute":
        full = len(used.recent) >= limit
        again_at = used.recent[-limit] + MINUTE_S if full else now
        yield Rule(subject, amount, limit, len(used.recent), again_at)
        return
    count = {"per_day": used.requests, "tokens": used.tokens, "micros": used.micros}[amount]
    yield Rule(subject, amount, limit, count, (day_of(now) + 1.0) * DAY_S)


def _factor(chosen: GuildLimits, role_ids: Collection[int]) -> float:
    """Give the widest of a person's roles; 1 for who has none that says anything."""
    return max((chosen.factors[role_id] for role_id in role_ids if role_id in chosen.factors), default=1.0)


def _times(limit: int | None, factor: float) -> int:
    return max(1, int(limit * factor)) if limit else 0


def _narrower(owners: int | None, own: int | None) -> int:
    return min((limit for limit in (owners, own) if limit), default=0)
