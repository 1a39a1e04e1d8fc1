"""Tables of the pool's statistics, as text for a code block or a file. Pure: numbers in, lines out.

``Table`` lines its columns up by the width of characters in a monospaced font, so that Chinese headings
stand over their numbers. ``key_table`` and ``pool_fields`` take the shapes that
``GeminiAPIPool.get_api_key_stats`` and ``get_model_stats`` answer. What always holds: every number is the
pool's own; nothing is added up anew.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.i18n import translate

_GAP = "  "


@dataclass(frozen=True, slots=True)
class Table:
    """A heading and rows of equally many cells; the first column is text, the others may be numbers."""

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def lines(self) -> list[str]:
        """Give heading and rows with their columns lined up."""
        table = (self.heading, *self.rows)
        widths = [max(_width(row[column]) for row in table) for column in range(len(self.heading))]
        return [
            _GAP.join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in table
        ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def key_table(key_usage: Mapping[str, Mapping[str, Any]], locale: str) -> Table:
    """Make one row per key: label, project, state, requests, errors, error rate, average time, when again."""
    columns = ("key", "project", "state", "requests", "errors", "error_rate", "avg_time", "retry")
    heading = tuple(translate(f"admin.column.{column}", locale) for column in columns)
    return Table(heading, tuple(_key_row(label, key, locale) for label, key in key_usage.items()))


def _key_row(label: str, key: Mapping[str, Any], locale: str) -> tuple[str, ...]:
    name = str(key.get("name") or label)
    return (
        label if name == label else f"{label} {name}",
        str(key.get("project") or "-"),
        translate(f"state.{key['state']}", locale),
        f"{key['usage']:,}",
        f"{key['errors']:,}",
        f"{key['error_rate']:.1%}",
        f"{key['avg_time']:.2f} s",
        duration(key.get("retry_after")),
    )


def sick_first(key_usage: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Order keys so that those which do not serve stand first, else as they were."""
    return dict(sorted(key_usage.items(), key=lambda item: item[1]["state"] == "live"))


def kinds_line(key_usage: Mapping[str, Mapping[str, Any]]) -> str:
    """Sum the kinds of errors over all keys, the most frequent first: ``quota 12 · timeout 3``."""
    total: dict[str, int] = {}
    for key in key_usage.values():
        for kind, count in dict(key.get("kinds") or {}).items():
            total[kind] = total.get(kind, 0) + int(count)
    ordered = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return " · ".join(f"{kind} {count:,}" for kind, count in ordered if count)


def pool_fields(stats: Mapping[str, Mapping[str, Any]], locale: str) -> list[tuple[str, str]]:
    """Make one heading and text per model: instances, requests, and how many instances each key has."""
    return [(model, _pool_text(pool, locale)) for model, pool in stats.items()]


def _pool_text(pool: Mapping[str, Any], locale: str) -> str:
    instances = translate(
        "admin.pool_stats.instances",
        locale,
        active=pool["active_instances"],
        size=pool["pool_size"],
        failed=pool["error_instances"],
    )
    usage = translate("admin.pool_stats.usage", locale, count=pool["total_usage"])
    keys = ", ".join(f"{label} × {count}" for label, count in pool["key_distribution"].items())
    each = ", ".join(f"{count:,}" for count in pool["usage_distribution"])
    lines = [instances, f"{usage}: {each}" if each else usage, keys]
    return "\n".join(line for line in lines if line)


def duration(seconds: float | None) -> str:
    """Write a length of time in its largest fitting unit: ``45 s``, ``12 min``, ``3.5 h``; None as a dash."""
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def fitting(lines: Sequence[str], limit: int) -> list[str]:
    """Give as many leading lines as fit into ``limit`` characters, line breaks included."""
    taken: list[str] = []
    room = limit
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        taken.append(line)
    return taken


def as_text(parts: Iterable[tuple[str, str]]) -> str:
    """Write headings and texts one under the other, for a file."""
    return "\n\n".join(f"{heading}\n{text}" for heading, text in parts) + "\n"
