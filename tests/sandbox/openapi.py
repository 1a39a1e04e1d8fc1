"""Where Discord's published description may lie, for tests that judge requests and answers by it.

The file is never part of the project; it is looked for beside it. Without it ``schema_check`` is None and the same
tests run without that judge.
"""

from __future__ import annotations

from pathlib import Path

from sandbox.discord import SchemaCheck

OPENAPI = Path(__file__).parents[2].parent / "shared" / "reference" / "discord-openapi.json"


# Read when the tests are collected: doing it in a running loop would block that loop.
_CHECK = SchemaCheck(OPENAPI) if OPENAPI.exists() else None


def schema_check() -> SchemaCheck | None:
    """Return the judge, one for all tests, or None when the file is not there."""
    return _CHECK
