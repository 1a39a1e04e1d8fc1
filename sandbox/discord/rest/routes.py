"""Routes of the REST interface: templates as Discord's published description writes them, and what serves them.

``Call`` is one request as a handler sees it; ``Route`` joins a method and a template with a handler and a bucket.
``Router.match`` finds the route of a path; literal segments win over parameters. Handlers return JSON for 200, a
``Reply`` for another status, or None for 204; they raise ``ApiError``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord.world import Upload

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with a status of its own."""

    status: int
    body: Any


@dataclass(frozen=True, slots=True)
class Call:
    """One request: the path's parameters, the query, the JSON body and the files with it."""

    ids: Mapping[str, str]
    query: Mapping[str, str]
    json: Any
    files: list[Upload]

    @property
    def body(self) -> Json:
        """The JSON body as an object; empty when there was none."""
        return self.json if isinstance(self.json, dict) else {}


Handler = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template with its handler; ``bucket`` names its rate limit, ``open`` needs no bot token."""

    method: str
    template: str
    handler: Handler
    bucket: str = ""
    open: bool = False
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        parameterised = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.template))
        object.__setattr__(self, "pattern", re.compile(parameterised))


class Router:
    """Finds routes; those with fewer parameters are tried first."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(routes, key=lambda route: route.template.count("{"))

    def match(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Return the route and its parameters, or None."""
        for route in self._routes:
            hit = route.pattern.fullmatch(path)
            if hit and route.method == method:
                return route, hit.groupdict()
        return None
