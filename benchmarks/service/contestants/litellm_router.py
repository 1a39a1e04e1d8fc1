"""LiteLLM's Router over the keys: its default strategy, or (variant ``usage``) the one that is told requests a minute.

Runs in an environment of its own (``benchmarks/envs``) and imports nothing of the product. Settings: a timeout of 10 s
a call, without which a hanging key would hold a user for ever; all others are its defaults (2 retries, 5 s of
cooldown). What always holds: it asks only the emulator, and its prices come from its own package, not from the
network. It reads the time with ``time.time`` and one function of its own; both are led to the scaled clock before a
Router is made. https://docs.litellm.ai/docs/routing
"""

from __future__ import annotations

import datetime as dt
import os
import time
from importlib import import_module
from typing import Any

from benchmarks.service.driving import Contestant, serve
from benchmarks.service.protocol import Setup
from benchmarks.service.scaled_time import Wall

GROUP = "gemini"
_TIMEOUT_S = 10.0
#: Where the Router and its strategies read the minute.
_CLOCKS = ("litellm.router", "litellm.router_strategy.lowest_tpm_rpm_v2")


class Routed:
    """Asks through one Router."""

    def __init__(self, router: Any) -> None:
        self._router = router

    async def ask(self, question: str, patience_s: float) -> str:  # noqa: ARG002  # it has a timeout a call, no deadline
        """Answer the text; raises LiteLLM's errors."""
        answer = await self._router.acompletion(model=GROUP, messages=[{"role": "user", "content": question}])
        return str(answer.choices[0].message.content)

    async def aclose(self) -> None:
        """Let the Router forget its deployments."""
        self._router.reset()


def build_router(setup: Setup) -> Any:
    """Make a Router with one deployment for every key."""
    limit = {"rpm": setup.rpm} if setup.variant == "usage" and setup.rpm else {}
    common = {"model": f"gemini/{setup.model}", "api_base": f"{setup.base_url}/v1beta", **limit}
    deployments = [
        {"model_name": GROUP, "litellm_params": {**common, "api_key": key.secret}, "model_info": {"id": key.label}}
        for key in setup.keys
    ]
    strategy = "usage-based-routing-v2" if setup.variant == "usage" else "simple-shuffle"
    return _litellm().Router(model_list=deployments, timeout=_TIMEOUT_S, routing_strategy=strategy)


def _litellm() -> Any:
    # must be said before the package is imported, which would fetch them
    os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
    litellm: Any = import_module("litellm")
    # else it prints advice to standard output, where answers belong
    litellm.suppress_debug_info = True
    return litellm


def _scale_time(speed: float) -> None:
    wall = Wall(speed)
    time.time = wall
    _litellm()
    for name in _CLOCKS:
        vars(import_module(name))["get_utc_datetime"] = lambda: dt.datetime.fromtimestamp(wall(), dt.UTC)


async def make(setup: Setup) -> Contestant:
    """Make a Router that lives in scaled time."""
    if setup.speed != 1 and not isinstance(time.time, Wall):
        _scale_time(setup.speed)
    return Routed(build_router(setup))


if __name__ == "__main__":
    serve(make)
