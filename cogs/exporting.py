"""Somebody's data as files: JSON in parts, none larger than Discord takes.

``parts`` is pure and may be slow with much data: call it in a thread. What always holds: each part is a whole JSON
document that says which part of how many it is; no row is cut; a file's bytes that fit into no part are left out, and
their number stands in their place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

#: Room for what stands around the rows of a part.
_FRAME_BYTES = 2_000


def parts(data: Mapping[str, Sequence[Row]], head: Mapping[str, Any], limit: int) -> list[bytes]:
    """Make JSON documents of at most ``limit`` bytes out of rows by table; ``head`` stands in each of them."""
    groups = list(_groups(data, limit - _FRAME_BYTES))
    documents = []
    for number, group in enumerate(groups, 1):
        document = {**head, "part": number, "parts": len(groups), "data": group}
        documents.append(json.dumps(document, ensure_ascii=False, indent=1).encode())
    return documents


def _groups(data: Mapping[str, Sequence[Row]], room: int) -> Iterator[dict[str, list[Row]]]:
    group: dict[str, list[Row]] = {}
    left = room
    for table, rows in data.items():
        for row in rows:
            fitting, size = _fitting(row, room)
            if size > left and group:
                yield group
                group, left = {}, room
            if table not in group:
                group[table] = []
                left -= len(table) + 20
            group[table].append(fitting)
            left -= size
    if group:
        yield group


def _fitting(row: Row, room: int) -> tuple[Row, int]:
    size = _size(row)
    if size <= room:
        return row, size
    smaller = {
        name: {"left_out_bytes": len(value["base64"]) * 3 // 4}
        if isinstance(value, dict) and "base64" in value
        else value
        for name, value in row.items()
    }
    return smaller, _size(smaller)


def _size(row: Row) -> int:
    # as it will be written: one line a field, indented by four
    return len(json.dumps(row, ensure_ascii=False).encode()) + 6 * len(row) + 10
