"""The Pacific day, on which the service counts requests: it begins at midnight in America/Los_Angeles.

Pure: a Unix time comes in, a length of time goes out. What always holds: the days on which the clocks change have 23
and 25 hours. The limits per day and their reset: https://ai.google.dev/gemini-api/docs/rate-limits .
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

_PACIFIC = ZoneInfo("America/Los_Angeles")


def seconds_to_pacific_midnight(wall: float) -> float:
    """Seconds from a Unix time to the next midnight in Los Angeles, right on days of 23 and 25 hours."""
    here = dt.datetime.fromtimestamp(wall, _PACIFIC)
    midnight = dt.datetime.combine(here.date() + dt.timedelta(days=1), dt.time(), _PACIFIC)
    return midnight.timestamp() - wall
