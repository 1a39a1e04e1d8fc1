"""The detector of blocking calls detects."""

from __future__ import annotations

import types
from pathlib import Path

import pytest
from blockbuster import BlockingError

import utils


async def test_a_blocking_call_of_ours_in_the_loop_is_an_error() -> None:
    """A sleep inside a module of the product fails at once, instead of holding up every user."""
    module = types.ModuleType("utils")
    code = compile(
        "import time\ndef hold_up():\n    time.sleep(0.01)\n",
        str(Path(utils.__file__).with_name("pretended.py")),
        "exec",
    )
    exec(code, module.__dict__)  # noqa: S102  # our own text, to stand in for a module of the product
    with pytest.raises(BlockingError):
        module.hold_up()
