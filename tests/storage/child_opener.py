"""A process that writes one value and says how it went: ``python -m tests.storage.child_opener PATH``.

Tests of rights run it as a process that obeys them, which root's does not.
"""

from __future__ import annotations

import asyncio
import sys

from utils.storage import StorageError, open_storage


async def main(path: str) -> str:
    try:
        async with open_storage(path) as storage:
            await storage.meta.set("a", "b")
    except StorageError as error:
        return f"{type(error).__name__}: {error}"
    return "written"


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(main(sys.argv[1])))
