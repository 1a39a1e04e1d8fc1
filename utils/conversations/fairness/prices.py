"""What tokens of Gemini models cost: data, dated because it ages.

Sources: https://ai.google.dev/gemini-api/docs/pricing (paid tier, standard), and for the models that are newer than
its last reading https://github.com/BerriAI/litellm/discussions/51436 and /50970 . Where a price depends on something
that is not known here (the length of the prompt, sound among the input, a discount that ends), the dearest is taken.
What always holds: a model that is not listed costs as much as the dearest of its kind, so nothing is ever free by
being new. Free-tier keys cost nothing: whoever has only those sets no limit on money.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

#: The day this was checked.
AS_OF: Final = "2026-11-21"


class Price(NamedTuple):
    """US dollars for a million tokens; thinking counts as output."""

    input: float
    output: float


TEXT: Final = {
    "gemini-4-hydrogen": Price(1.50, 7.50),
    "gemini-4-carbon": Price(4.00, 20.00),
    "gemini-4-argon": Price(4.00, 20.00),
    "gemini-3.8-flash": Price(1.50, 7.50),
    "gemini-3.6-flash": Price(1.50, 7.50),
    "gemini-3.5-flash": Price(1.50, 9.00),
    "gemini-3.5-flash-lite": Price(0.30, 2.50),
    "gemini-3.1-pro-preview": Price(4.00, 18.00),
    "gemini-3.1-flash-lite": Price(0.50, 1.50),
    "gemini-2.5-pro": Price(2.50, 15.00),
    "gemini-2.5-flash": Price(1.00, 2.50),
    "gemini-2.5-flash-lite": Price(0.30, 0.40),
}
#: What is drawn costs far more than what is written.
IMAGES: Final = {
    "gemini-3-pro-image": Price(2.00, 120.00),
    "gemini-3.1-flash-image": Price(0.50, 60.00),
}
SPEECH: Final = {"gemini-3.1-flash-tts-preview": Price(1.00, 20.00)}

_LISTED: Final = TEXT | IMAGES | SPEECH
_DRAWS = re.compile(r"image|banana")
_SPEAKS = re.compile(r"tts|audio|live")


def price_of(model: str) -> Price:
    """Give a model's price; ``models/`` before its name makes no difference."""
    name = model.removeprefix("models/")
    if name in _LISTED:
        return _LISTED[name]
    if _DRAWS.search(name):
        return _dearest(_LISTED)
    return _dearest(TEXT | SPEECH) if _SPEAKS.search(name) else _dearest(TEXT)


def cost_micros(model: str, *, input_tokens: int, output_tokens: int) -> int:
    """Give what an answer cost in millionths of a US dollar, rounded up."""
    price = price_of(model)
    # dollars for a million tokens are millionths of a dollar for one
    exact = input_tokens * price.input + output_tokens * price.output
    return -int(-exact // 1)


def _dearest(prices: dict[str, Price]) -> Price:
    return Price(max(price.input for price in prices.values()), max(price.output for price in prices.values()))
