"""What a turn's request to the pool is named, so that the pool can be asked about it later.

What always holds: the name says the turn and nothing else; of a turn that was answered anew, the newest request counts.
"""

from __future__ import annotations


def request_name(turn_id: int) -> str:
    """Name the request that answers a turn."""
    return f"turn-{turn_id}"
