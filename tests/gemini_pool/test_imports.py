"""What importing does: nothing."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

import utils.gemini_pool as front
from tests.gemini_pool.conftest import PROJECT_ROOT
from utils.gemini_pool import PoolError, errors


def run(script: str, **environment: str) -> str:
    """Run a script in a process of its own; gives what it printed."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=PROJECT_ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.stderr == ""
    return ended.stdout.strip()


@pytest.mark.parametrize("room", ["utils.gemini_pool", "utils.gemini_pool.policy", "utils.gemini_pool.errors"])
def test_it_loads_nothing_foreign(room: str):
    """The front door, the rules and the errors load neither the SDK nor a network library."""
    foreign = "('google', 'aiohttp', 'pydantic', 'httpx2', 'sqlalchemy', 'discord', 'asyncio')"
    assert run(f"import {room}, sys; print([name for name in {foreign} if name in sys.modules])") == "[]"


def test_it_starts_nothing_and_reads_no_environment():
    """Importing every room of the pool starts no thread, opens no file of ours, and reads no key."""
    script = """
import os, threading
class Watched(dict):
    read = []
    def __getitem__(self, name):
        self.read.append(name); return dict.__getitem__(self, name)
    def get(self, name, default=None):
        self.read.append(name); return dict.get(self, name, default)
import google.genai, aiohttp, utils.settings
os.environ = Watched(os.environ)
import utils.gemini_pool.pool, utils.gemini_pool.default
from utils.gemini_pool import *
print(threading.active_count(), [name for name in Watched.read if "GEMINI" in name or "GOOGLE" in name])
print(utils.gemini_pool.default._installed)
"""
    assert run(script, GEMINI_API_KEYS="not a key\n").splitlines() == ["1 []", "[]"]


def test_every_name_of_the_front_door_can_be_had():
    """What is promised is there, and nothing else."""
    for name in front.__all__:
        assert getattr(front, name) is not None
    assert dir(front) == sorted(front.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        front.no_such_name  # noqa: B018  # looking it up is the test


def test_every_error_stands_in_the_tree_and_at_the_front_door():
    """One tree; each class is shown in the docstring, has a sentence of its own, and carries the shape of an answer."""
    classes = [found for _, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__]
    for found in classes:
        assert issubclass(found, PoolError)
        assert found.__doc__
        assert errors.__doc__ is not None
        assert found.__name__ in errors.__doc__
        assert found.__name__ in front.__all__
        assert found.text is None
