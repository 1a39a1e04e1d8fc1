"""What holds for every test: a blocking call of ours in a running event loop is an error."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from blockbuster import BlockBuster, blockbuster_ctx
from hypothesis import HealthCheck, settings

from utils.i18n import load_catalogues

# the bots that tests start keep what Python compiled, as they do where one is installed; compiling takes seconds
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# how long an example takes is the machine's affair, and benchmarks say how fast the code is
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

#: A long one that came last would leave the other workers without work.
_LONG = ("tests/endtoend/", "tests/start/", "tests/cogs/test_permissions.py", "tests/cogs/test_nasty.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that the workers end together."""
    items.sort(key=lambda item: not item.nodeid.startswith(_LONG))


@pytest.fixture(autouse=True, scope="session")
def catalogues() -> None:
    """Read the catalogues before any event loop runs, as ``bot.py`` does."""
    load_catalogues()


@pytest.fixture(autouse=True)
def no_blocking_calls() -> Iterator[BlockBuster]:
    """Make blocking calls raise where a module of the product makes them in an event loop."""
    with blockbuster_ctx(["cogs", "utils", "sandbox"]) as detector:
        for function in ("io.TextIOWrapper.read", "io.BufferedReader.read", "os.stat", "os.listdir", "os.scandir"):
            # google-genai reads its own version from disk whenever a client is made: 0.4 ms, once per key
            if function in detector.functions:
                detector.functions[function].can_block_in("google/genai/_api_client.py", "__init__")
        yield detector
