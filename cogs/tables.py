"""Tables of the pool's statistics, as text for a code block or a file. Pure: numbers in, lines out.

``Table`` lines its columns up by the width of characters in a monospaced font, so that Chinese headings
stand over their numbers. ``narrow_key_lines`` fits a phone, where a code block shows some forty characters and breaks
longer lines; ``key_table`` says all there is, for a file. Both, and ``pool_fields``, take the shapes that
``GeminiAPIPool.get_api_key_stats`` and ``get_model_stats`` answer. What always holds: every number is the
pool's own; nothing is added up anew.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from utils.i18n import translate
from utils.rendering.charts import figure

#: What a phone shows of a line in a code block.
NARROW = 40

_GAP = "  "
_LONGEST_LABEL = 11
_MOST_RETURNS = 6
_NAMED_KINDS = frozenset(
    {"ok", "quota", "no_quota", "key_dead", "overloaded", "timeout", "fault", "caller", "cancelled"}
)


@dataclass(frozen=True, slots=True)
class Table:
    """A heading and rows of equally many cells; the first ``texts`` columns stand left, the numbers after them right.

    Without ``texts`` all columns stand left.
    """

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    texts: int | None = None
    gap: str = _GAP

    def lines(self) -> list[str]:
        """Give heading and rows with their columns lined up."""
        table = (self.heading, *self.rows)
        widths = [max(_width(row[column]) for row in table) for column in range(len(self.heading))]
        return [
            self.gap.join(
                self._padded(cell, width, column) for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]

    def _padded(self, cell: str, width: int, column: int) -> str:
        space = " " * (width - _width(cell))
        return cell + space if self.texts is None or column < self.texts else space + cell


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


def _cut(text: str, width: int) -> str:
    if _width(text) <= width:
        return text
    taken = ""
    for char in text:
        if _width(taken) + _width(char) > width - 1:
            break
        taken += char
    return taken + "…"


def key_table(key_usage: Mapping[str, Mapping[str, Any]], locale: str) -> Table:
    """Make one row per key: label, project, state, requests, errors, error rate, average time, when again."""
    columns = ("key", "project", "state", "requests", "errors", "error_rate", "avg_time", "retry")
    heading = tuple(translate(f"admin.column.{column}", locale) for column in columns)
    return Table(heading, tuple(_key_row(label, key, locale) for label, key in key_usage.items()))


def _key_row(label: str, key: Mapping[str, Any], locale: str) -> tuple[str, ...]:
    return (
        _name(label, key),
        str(key.get("project") or "-"),
        translate(f"state.{key['state']}", locale),
        f"{key['usage']:,}",
        f"{key['errors']:,}",
        f"{key['error_rate']:.1%}",
        f"{key['avg_time']:.2f} s",
        duration(key.get("retry_after")),
    )


def _name(label: str, key: Mapping[str, Any]) -> str:
    name = str(key.get("name") or label)
    return label if name == label else f"{label} {name}"


def narrow_key_lines(key_usage: Mapping[str, Mapping[str, Any]], locale: str) -> list[str]:
    """Give at most ``NARROW`` characters a line: the keys of each project under its name.

    One line per key: its own name, state, requests, error rate, average time.
    """
    columns = ("key", "state", "requests_short", "errors_short", "average_short")
    heading = tuple(translate(f"admin.column.{column}", locale) for column in columns)
    groups: dict[str, list[tuple[str, ...]]] = {}
    for label, key in key_usage.items():
        groups.setdefault(str(key.get("project") or ""), []).append(_narrow_row(label, key, locale))
    ordered = Table(heading, tuple(row for rows in groups.values() for row in rows), texts=2, gap=" ").lines()
    lines, place = ordered[:1], 1
    for project, rows in groups.items():
        if project:
            lines.append(_cut(f"[{project}]", NARROW))
        lines.extend(ordered[place : place + len(rows)])
        place += len(rows)
    return lines


def _narrow_row(label: str, key: Mapping[str, Any], locale: str) -> tuple[str, ...]:
    name = str(key.get("name") or label)
    used = int(key["usage"])
    return (
        _cut(name, _LONGEST_LABEL),
        translate(f"state.{key['state']}", locale),
        figure(used),
        f"{key['error_rate']:.0%}" if used else "-",
        f"{figure(key['avg_time'])}s" if used else "-",
    )


def returns_line(key_usage: Mapping[str, Mapping[str, Any]], now: float) -> str:
    """Say when resting keys serve again, the soonest first, as times that Discord shows in the reader's own words.

    ``now`` is unix seconds.
    """
    resting = sorted(
        (float(key["retry_after"]), str(key.get("name") or label))
        for label, key in key_usage.items()
        if key.get("retry_after") is not None
    )
    shown = [f"`{name.replace('`', '')}` <t:{int(now + seconds)}:R>" for seconds, name in resting[:_MOST_RETURNS]]
    return " · ".join(shown) + (" · …" if len(resting) > _MOST_RETURNS else "")


def sick_first(key_usage: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Order keys so that those which do not serve stand first, else as they were."""
    return dict(sorted(key_usage.items(), key=lambda item: item[1]["state"] == "live"))


def kinds_line(key_usage: Mapping[str, Mapping[str, Any]], locale: str) -> str:
    """Sum how requests ended over all keys, the most frequent first: ``quota 12 · timeout 3``."""
    total: dict[str, int] = {}
    for key in key_usage.values():
        for kind, count in dict(key.get("kinds") or {}).items():
            total[kind] = total.get(kind, 0) + int(count)
    ordered = sorted(total.items(), key=lambda item: (-item[1], item[0]))
    return " · ".join(f"{kind_name(kind, locale)} {count:,}" for kind, count in ordered if count)


def kind_name(kind: str, locale: str) -> str:
    """Name a way in which requests end, as the pool counts them; one that has no name keeps the pool's."""
    return translate(f"admin.kind.{kind}", locale) if kind in _NAMED_KINDS else kind


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
