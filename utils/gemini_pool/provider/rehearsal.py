"""One question that is never sent, asked in a thread before the first real one.

The SDK imports its transport and builds its models when they are first used, which takes about 100 ms and would hold up
the event loop of the first question. ``rehearse`` walks that way with a transport that refuses. What always holds: no
connection is opened, and no key is involved.
"""

from __future__ import annotations

import contextlib
import ssl
from typing import Any, NoReturn

from google import genai
from google.genai import types

from utils.gemini_pool.provider.lean import lean_config

_TURN: Any = {"role": "user", "parts": [{"text": "-"}]}
_ANSWER = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "-"}]}, "finishReason": "STOP", "index": 0}],
    "usageMetadata": {"promptTokenCount": 1},
}


class _Refusal:
    """A transport that lets nothing out."""

    def handle_request(self, _request: object) -> NoReturn:
        raise ConnectionError("a rehearsal")

    def close(self) -> None:
        """Nothing is open."""


def rehearse(context: ssl.SSLContext) -> None:
    """Make the SDK load and build what a question and its answer need; blocks, so call it in a thread."""
    # the usual transport is only made, so that its modules are loaded
    _client(verify=context).close()
    client = _client(verify=context, transport=_Refusal())
    options = {"temperature": 1.0, "system_instruction": "-"}
    with contextlib.suppress(ConnectionError):
        client.models.generate_content(model="none", contents=[_TURN], config=lean_config(options))
    client.close()
    types.HttpResponse(headers={})
    types.GenerateContentResponse.model_validate(_ANSWER)


def _client(**arguments: object) -> genai.Client:
    return genai.Client(
        api_key="none",
        enterprise=False,
        http_options=types.HttpOptions(
            base_url="http://127.0.0.1",
            retry_options=types.HttpRetryOptions(attempts=1),
            client_args={"trust_env": False, **arguments},
            async_client_args={"verify": arguments["verify"], "ssl": arguments["verify"]},
        ),
    )
