"""The clients that are compared, and how each is started.

LiteLLM lives in an environment of its own under ``benchmarks/envs`` (``make clients`` installs it from
``litellm.lock``); where that is missing, ``available`` leaves it out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.service.children import ROOT

LITELLM_PYTHON = ROOT / "benchmarks" / "envs" / ".litellm" / "bin" / "python"
_SLOW_PACE = 0.25
_MODULES = "benchmarks.service.contestants"


@dataclass(frozen=True, slots=True)
class Client:
    """One client: its short name, its title, the module and interpreter of its process, its variant.

    ``pace`` is the share of the runner's speed it is first tried at: one whose questions cost much CPU needs slower
    time to play the same load.
    """

    name: str
    title: str
    module: str
    variant: str = ""
    pace: float = 1.0
    python: Path = Path(sys.executable)

    @property
    def command(self) -> Sequence[str]:
        """How to start it."""
        return [str(self.python), "-m", f"{_MODULES}.{self.module}"]


OURS = Client("ours", "this pool", "ours")
SDK = Client("sdk", "google-genai in turn", "plain_sdk")
LITELLM = Client("litellm", "LiteLLM Router", "litellm_router", pace=_SLOW_PACE, python=LITELLM_PYTHON)
CLIENTS = (
    OURS,
    Client("plain-formula", "plain formula", "ours", variant="plain"),
    SDK,
    Client("sdk-retries", "google-genai in turn, own retries", "plain_sdk", variant="retries", pace=0.5),
    LITELLM,
    Client(
        "litellm-usage",
        "LiteLLM Router, by usage",
        "litellm_router",
        variant="usage",
        pace=_SLOW_PACE,
        python=LITELLM_PYTHON,
    ),
)


def available() -> tuple[Client, ...]:
    """Those whose environment is there."""
    return tuple(client for client in CLIENTS if client.python.exists())
