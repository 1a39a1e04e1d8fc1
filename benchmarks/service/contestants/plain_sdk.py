"""The google-genai client in turn over the keys: without retries, or (variant ``retries``) with its own defaults.

A client of the SDK belongs to one key, so its retries stay on that key. No timeout is set, as none is by default.
"""

from __future__ import annotations

from itertools import cycle

from google import genai
from google.genai import types

from benchmarks.service.driving import Contestant, serve
from benchmarks.service.protocol import Setup


class InTurn:
    """Asks with each key in turn."""

    def __init__(self, clients: list[genai.Client], model: str) -> None:
        self._clients = clients
        self._turn = cycle(clients)
        self._model = model

    async def ask(self, question: str, patience_s: float) -> str:  # noqa: ARG002  # the SDK has no deadline to be told
        """Answer the text; raises the SDK's errors."""
        answer = await next(self._turn).aio.models.generate_content(model=self._model, contents=question)
        return answer.text or ""

    async def aclose(self) -> None:
        """Close every client."""
        for client in self._clients:
            await client.aio.aclose()
            client.close()


async def make(setup: Setup) -> Contestant:
    """Make a client for every key."""
    retries = types.HttpRetryOptions() if setup.variant == "retries" else types.HttpRetryOptions(attempts=1)
    options = types.HttpOptions(base_url=setup.base_url, retry_options=retries)
    clients = [genai.Client(api_key=key.secret, enterprise=False, http_options=options) for key in setup.keys]
    return InTurn(clients, setup.model)


if __name__ == "__main__":
    serve(make)
