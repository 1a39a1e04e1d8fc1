"""The life of a turn."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from utils.conversations import TurnStateError
from utils.conversations.errors import EmptyAnswerError, error_detail, error_kind
from utils.conversations.states import FOLLOWING, is_ended, require
from utils.gemini_pool import QuotaExhaustedError
from utils.storage import TurnState

STATES = get_args(TurnState)


def test_every_state_is_in_the_table():
    """The table and the store know the same states."""
    assert set(FOLLOWING) == set(STATES)
    assert [state for state in STATES if is_ended(state)] == ["answered", "failed"]


@pytest.mark.parametrize(("state", "following"), list(itertools.product(STATES, STATES)))
def test_an_open_turn_goes_on_and_an_ended_one_is_only_asked_again(state, following):
    """What ended stays as it ended, unless its answer is wanted anew."""
    if (state in {"asked", "answering"}) == (following != "asked"):
        require(state, following)
    else:
        with pytest.raises(TurnStateError, match=f"a turn that is {state}|A turn that is {state}"):
            require(state, following)


def test_errors_are_stored_by_a_plain_kind_and_without_foreign_text():
    """The store never holds what an unknown error says."""
    assert error_kind(QuotaExhaustedError("x")) == "quota_exhausted"
    assert error_kind(EmptyAnswerError()) == "empty_answer"
    assert error_detail(QuotaExhaustedError("The quota is used up.")) == "The quota is used up."
    assert error_detail(ValueError("AIzaSecret")) == "ValueError"
