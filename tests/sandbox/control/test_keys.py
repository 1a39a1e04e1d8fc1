"""What a person does to one key becomes a list of faults: pure, and kept apart from faults of other keys."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.control_gemini import ACTIONS, key_faults
from sandbox.control_guard import ControlError
from sandbox.gemini.faults import parse_faults


@pytest.mark.parametrize("action", list(ACTIONS))
def test_every_action_is_a_list_that_the_emulator_takes(action) -> None:
    """What the menu offers is understood by the emulator."""
    assert len(parse_faults(key_faults([], "a", action))) == (action != "heal")


def test_an_action_replaces_what_was_done_to_the_key_before() -> None:
    """One key has one thing done to it by hand at a time."""
    killed = key_faults([], "a", "kill")
    assert key_faults(killed, "a", "slow") == [{"kind": "slow", "factor": 8, "keys": ["a"]}]
    assert key_faults(killed, "a", "heal") == []


def test_faults_of_others_stay_in_force() -> None:
    """A fault for several keys keeps the others, one for a project or for all stays whole."""
    faults: list[dict[str, Any]] = [
        {"kind": "503", "keys": ["a", "b"]},
        {"kind": "429", "projects": ["p"]},
        {"kind": "slow"},
    ]
    assert key_faults(faults, "a", "heal") == [{"kind": "503", "keys": ["b"]}, *faults[1:]]


def test_a_fault_by_hand_strikes_before_the_others() -> None:
    """The newest action is first, since the first fault that matches strikes."""
    assert key_faults([{"kind": "503"}], "a", "hang")[0] == {"kind": "hang", "keys": ["a"]}


def test_an_unknown_action_is_a_sentence() -> None:
    """The sentence names what there is."""
    with pytest.raises(ControlError, match=r"kill, leak, .*heal\.$"):
        key_faults([], "a", "explode")
