"""Live sessions with the real SDK, over WSS with a certificate made at start."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from google import genai
from google.genai import errors, types

from sandbox.clock import SandboxClock
from sandbox.events import EventBus
from sandbox.gemini import GeminiEmulator, self_signed
from tests.sandbox.gemini.conftest import make_specs

LIVE = "gemini-3.8-live"
TEXT = types.LiveConnectConfig(response_modalities=[types.Modality.TEXT])


class LiveServer:
    """The emulator behind TLS, and clients that trust it."""

    def __init__(self, emulator: GeminiEmulator, runner: web.AppRunner, address: str, trust: ssl.SSLContext) -> None:
        self.emulator = emulator
        self.runner = runner
        self._address = address
        self._trust = trust

    def client(self, key: str | None = None) -> genai.Client:
        """The real SDK with the first key, or another one."""
        options = types.HttpOptions(
            base_url=self._address,
            client_args={"verify": self._trust},
            async_client_args={"verify": self._trust, "ssl": self._trust},
        )
        secret = key or self.emulator.key_specs()[0].split(":")[1]
        return genai.Client(api_key=secret, http_options=options, enterprise=False)


@pytest.fixture
async def server() -> AsyncIterator[LiveServer]:
    """A Live server on a port of its own."""
    emulator = GeminiEmulator(SandboxClock(), EventBus(), keys=make_specs(), latency_s=0, gap_s=0)
    context, pem = await asyncio.to_thread(self_signed, dt.datetime.now(dt.UTC))
    runner = web.AppRunner(emulator.app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    trust = ssl.create_default_context(cadata=pem.decode())
    yield LiveServer(emulator, runner, f"https://127.0.0.1:{runner.addresses[0][1]}/", trust)
    await runner.cleanup()


async def test_text_turns_are_answered_in_order(server: LiveServer) -> None:
    """Two turns, each with its own answer; the second knows the first."""
    async with server.client().aio.live.connect(model=LIVE, config=TEXT) as session:
        heard = []
        for number in (1, 2):
            turn = types.Content(role="user", parts=[types.Part(text=f"Hello #q-{number}")])
            await session.send_client_content(turns=turn, turn_complete=True)
            heard.append("".join([message.text or "" async for message in session.receive()]))
    assert heard[0].startswith("Answer to #q-1")
    assert heard[1].startswith("Answer to #q-2")
    assert "Turns seen: 3" in heard[1]
    assert server.emulator.diary()[-1]["model"] == LIVE


async def test_realtime_audio_is_named_in_the_answer(server: LiveServer) -> None:
    """Type and size of what was heard, once the stream of audio ends."""
    async with server.client().aio.live.connect(model=LIVE, config=TEXT) as session:
        audio = types.Blob(data=b"\0" * 320, mime_type="audio/pcm;rate=16000")
        await session.send_realtime_input(audio=audio)
        await session.send_realtime_input(audio_stream_end=True)
        heard = "".join([message.text or "" async for message in session.receive()])
    assert "audio/pcm;rate=16000 320 bytes" in heard


async def test_an_unknown_model_closes_the_session_with_a_reason(server: LiveServer) -> None:
    """1008 and Google's words, as the SDK reports a close frame."""
    with pytest.raises(errors.APIError) as caught:
        async with server.client().aio.live.connect(model="gemini-4-hydrogen", config={}):
            pass
    assert caught.value.code == 1008
    assert "is not found for API version" in str(caught.value.details)


async def test_closing_the_emulator_ends_open_sessions(server: LiveServer) -> None:
    """The client is told, and nothing holds the end up."""
    async with (
        asyncio.timeout(5),
        server.client().aio.live.connect(model=LIVE, config=TEXT) as session,
    ):
        await server.runner.cleanup()
        with pytest.raises(errors.APIError):
            async for _ in session.receive():
                pass
