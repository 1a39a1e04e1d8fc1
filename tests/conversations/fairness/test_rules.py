"""Which limits hold for whom, when one is reached, and what is said then."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping

import pytest

from utils.conversations.fairness import Rule, amount_text, money
from utils.conversations.fairness.ledger import DAY_S, Used, of_all, of_member, of_server, of_user
from utils.conversations.fairness.rules import Denied, judge, rules_for
from utils.storage import Amounts, GuildLimits

NOW = 20_000 * DAY_S + 43_200.0
MIDNIGHT = 20_001.0 * DAY_S
NONE = Amounts()


def rules(
    chosen: GuildLimits | None = None,
    *,
    members: Amounts = NONE,
    server: Amounts = NONE,
    total: Amounts = NONE,
    used: Mapping[Hashable, Used] | None = None,
    guild_id: int | None = 5,
    roles: Collection[int] = (),
) -> list[Rule]:
    given = used or {}
    return rules_for(
        7,
        guild_id,
        roles,
        members=members,
        server=server,
        total=total,
        chosen=chosen or GuildLimits(),
        using=lambda subject: given.get(subject, Used()),
        now=NOW,
    )


def test_without_limits_everything_is_fair():
    """Neither 0 nor nothing chosen is a limit."""
    assert rules() == []
    assert rules(members=Amounts(0, 0, 0, 0), total=Amounts(0, 0, 0, 0)) == []
    assert judge([]) is None


def test_a_minute_is_over_when_the_oldest_question_that_fills_it_is():
    """Of five questions with a limit of three the third last one decides."""
    recent = (NOW - 50, NOW - 40, NOW - 30, NOW - 20, NOW - 10)
    denied = judge(rules(members=Amounts(per_minute=3), used={of_user(7): Used(recent, 5)}))
    assert denied is not None
    assert denied.rule == Rule("you", "per_minute", 3, 5, NOW - 30 + 60)
    assert judge(rules(members=Amounts(per_minute=6), used={of_user(7): Used(recent, 5)})) is None


@pytest.mark.parametrize(
    ("amount", "used"),
    [("per_day", Used(requests=3)), ("tokens", Used(tokens=3)), ("micros", Used(micros=3))],
)
def test_a_day_is_over_at_midnight(amount, used):
    """Questions, tokens and money alike; one less is fair."""
    denied = judge(rules(members=Amounts(**{amount: 3}), used={of_user(7): used}))
    assert denied is not None
    assert (denied.rule.amount, denied.rule.again_at) == (amount, MIDNIGHT)
    assert judge(rules(members=Amounts(**{amount: 4}), used={of_user(7): used})) is None


def test_of_several_limits_the_one_that_ends_last_is_told():
    """Else somebody would come back too early."""
    used = {of_user(7): Used((NOW,), 1), of_server(5): Used((NOW,), 1), of_all(): Used()}
    denied = judge(rules(members=Amounts(per_minute=1), server=Amounts(per_day=1), used=used))
    assert denied is not None
    assert (denied.rule.subject, denied.rule.amount) == ("server", "per_day")


def test_a_servers_own_limit_counts_what_was_used_there_and_others_what_was_used_anywhere():
    """Each amount by itself; in direct messages a server's limits say nothing."""
    chosen = GuildLimits(members=Amounts(per_day=100))
    owner = Amounts(per_day=10, tokens=1000)
    used = {of_user(7): Used(requests=50, tokens=500), of_member(7, 5): Used(requests=20, tokens=1)}
    assert [(r.subject, r.amount, r.limit, r.used) for r in rules(chosen, members=owner, used=used)] == [
        ("here", "per_day", 100, 20),
        ("you", "tokens", 1000, 500),
    ]
    elsewhere = rules(chosen, members=owner, used=used, guild_id=None)
    assert [(r.subject, r.limit, r.used) for r in elsewhere] == [("you", 10, 50), ("you", 1000, 500)]
    unlimited = GuildLimits(members=Amounts(per_day=0, tokens=0))
    assert rules(unlimited, members=owner, used=used) == []


def test_the_widest_role_widens_every_limit_of_its_holder():
    """Roles that say nothing do nothing, a narrow one narrows who has no other, and nobody is left with nothing."""
    chosen = GuildLimits(factors={1: 0.5, 2: 3.0, 3: 0.1})
    limits = {
        roles: [rule.limit for rule in rules(chosen, members=Amounts(per_minute=4, per_day=10), roles=roles)]
        for roles in ((), (9,), (1,), (1, 2, 9), (3,))
    }
    assert limits == {(): [4, 10], (9,): [4, 10], (1,): [2, 5], (1, 2, 9): [12, 30], (3,): [1, 1]}


def test_a_server_never_gets_more_than_the_operator_gives_it():
    """It can only take less; where the operator gives without limit its own holds; roles do not widen it."""
    chosen = GuildLimits(server=Amounts(per_day=50, tokens=5), factors={1: 9.0})
    found = rules(chosen, server=Amounts(per_day=20, micros=7), roles=(1,))
    assert [(r.amount, r.limit) for r in found] == [("per_day", 20), ("tokens", 5), ("micros", 7)]


def test_the_refusal_says_whose_limit_it_is_and_when_to_ask_again():
    """One sentence in the reader's language, the time as Discord shows it to each reader, never too early."""
    sentence = Denied(Rule("here", "per_minute", 1, 1, 100.2)).sentence("en-US")
    assert sentence == "You have reached your limit (1 question a minute); ask again <t:101:R>."
    assert "2,000 tokens a day" in Denied(Rule("server", "tokens", 2000, 2000, 5.0)).sentence("en-US")
    assert "$2.50" in Denied(Rule("bot", "micros", 2_500_000, 2_500_001, 5.0)).sentence("ru")
    assert amount_text("per_day", 3, "ru") == "3 вопроса в день"


def test_money_has_as_many_digits_as_say_something():
    """Cents where it is cents, and more where an answer costs less than one."""
    assert [money(micros) for micros in (2_500_000, 12_345, 12_345_678, 0)] == ["2.50", "0.0123", "12.34", "0.00"]
