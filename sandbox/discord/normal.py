"""How Discord completes what a bot sends: embeds and components as they come back in messages.

``embeds`` and ``components`` fill in the fields that Discord always answers (kinds, numbering, defaults) and drop the
empty ones. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

Json = dict[str, Any]

_DEFAULTS: dict[int, Json] = {
    1: {"components": []},
    3: {"min_values": 1, "max_values": 1, "options": []},
    5: {"min_values": 1, "max_values": 1},
    6: {"min_values": 1, "max_values": 1},
    7: {"min_values": 1, "max_values": 1},
    8: {"min_values": 1, "max_values": 1},
    9: {"components": []},
    11: {"description": None, "spoiler": False},
    12: {"items": []},
    13: {"name": None, "size": None, "spoiler": False},
    14: {"spacing": 1, "divider": True},
    17: {"accent_color": None, "spoiler": False, "components": []},
}
_MEDIA: Json = {
    "proxy_url": "",
    "width": None,
    "height": None,
    "content_type": None,
}


def embeds(given: list[Json] | None) -> list[Json]:
    """Return embeds as they come back: kind ``rich``, fields with ``inline``, nothing empty."""
    return [_embed(embed) for embed in given or []]


def _embed(given: Json) -> Json:
    embed: Json = {"type": "rich"}
    embed.update({key: value for key, value in given.items() if value is not None and key != "type"})
    if "fields" in embed:
        embed["fields"] = [{"inline": False, **field} for field in embed["fields"]]
    return embed


def components(given: list[Json] | None) -> list[Json]:
    """Return components as they come back, each with a number of its own."""
    numbers = count(1)
    taken = {c["id"] for c in _all(given or []) if c.get("id")}
    return [_component(component, (n for n in numbers if n not in taken)) for component in given or []]


def _all(given: list[Json]) -> Iterator[Json]:
    for component in given:
        yield component
        yield from _all(component.get("components") or [])


def _component(given: Json, numbers: Iterator[int]) -> Json:
    kind = int(given.get("type", 0))
    shown: Json = {**_DEFAULTS.get(kind, {}), **{k: v for k, v in given.items() if v is not None}}
    shown["id"] = given.get("id") or next(numbers)
    for key in ("accessory", "component"):
        if key in shown:
            shown[key] = _component(shown[key], numbers)
    if "components" in shown:
        shown["components"] = [_component(inner, numbers) for inner in shown["components"]]
    for key in ("media", "file"):
        if isinstance(shown.get(key), dict):
            shown[key] = _media(shown[key], shown["id"])
    if isinstance(shown.get("emoji"), dict):
        # one of Unicode's own has no id, and comes back without the key
        shown["emoji"] = {key: value for key, value in shown["emoji"].items() if value is not None}
    if "items" in shown:
        shown["items"] = [
            {"description": None, "spoiler": False, **item, "media": _media(item["media"], shown["id"])}
            for item in shown["items"]
        ]
    return shown


def _media(given: Json, number: int) -> Json:
    return {"id": str(number), **_MEDIA, **given, "proxy_url": given.get("url", "")}
