"""Fair use: how much each person, each server and everybody together may ask in a minute and a day.

``FairUse`` admits questions, counts what their answers cost, and says what is left; ``OwnerLimits`` is what the
operator allows. The rules are pure (``rules``), what was used is in ``ledger``, what tokens cost in ``prices``.
"""

from utils.conversations.fairness.fairuse import FairUse, OwnerLimits
from utils.conversations.fairness.prices import cost_micros
from utils.conversations.fairness.rules import AMOUNTS, Amount, Denied, Rule, Subject, amount_text, money

__all__ = [
    "AMOUNTS",
    "Amount",
    "Denied",
    "FairUse",
    "OwnerLimits",
    "Rule",
    "Subject",
    "amount_text",
    "cost_micros",
    "money",
]
