"""Every warning that pytest.ini lets pass is still needed."""

from __future__ import annotations

import subprocess
import sys


def test_discord_still_imports_audioop() -> None:
    """The one exception to "warnings are errors" exists because discord.py imports a deprecated module."""
    if sys.version_info >= (3, 13):
        return  # the module is gone from the standard library there, and with it the warning
    done = subprocess.run(
        [sys.executable, "-W", "error::DeprecationWarning", "-c", "import discord"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "'audioop' is deprecated" in done.stderr
