"""What answers cost: by the table, never less than nothing and never nothing for being new."""

from __future__ import annotations

from datetime import date

import pytest

from utils.conversations.fairness import cost_micros
from utils.conversations.fairness.prices import AS_OF, IMAGES, SPEECH, TEXT, price_of


def test_an_answer_costs_what_its_tokens_cost_rounded_up():
    """A million tokens in and out of the default model are 9 dollars; a single one is a started millionth."""
    assert cost_micros("gemini-4-hydrogen", input_tokens=10**6, output_tokens=10**6) == 9_000_000
    assert cost_micros("models/gemini-4-hydrogen", input_tokens=1, output_tokens=0) == 2
    assert cost_micros("gemini-4-hydrogen", input_tokens=0, output_tokens=0) == 0


@pytest.mark.parametrize("name", ["gemini-9-neon", "my-tuned-model", ""])
def test_an_unknown_model_costs_as_much_as_the_dearest(name):
    """So nothing is free by being new."""
    price = price_of(name)
    assert all(price.input >= known.input and price.output >= known.output for known in TEXT.values())


def test_an_unknown_model_that_draws_or_speaks_is_as_dear_as_its_kind():
    """Pictures and sound cost far more than words."""
    assert price_of("gemini-nano-banana-9") >= max(IMAGES.values())
    assert price_of("gemini-9-flash-tts").output >= max(price.output for price in SPEECH.values())


def test_the_table_is_dated_and_plausible():
    """Output is never cheaper than input, and the day of checking is one."""
    assert date.fromisoformat(AS_OF).year >= 2026
    assert all(0 < price.input <= price.output for price in (TEXT | IMAGES | SPEECH).values())
