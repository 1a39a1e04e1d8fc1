"""The Live API, the smallest useful part: a session over a WebSocket, text turns in, text out.

``talk`` serves one session: ``setup`` -> ``setupComplete``, then every ``client_content`` with ``turnComplete`` is
answered by the same model as elsewhere, in chunks, ended by ``generationComplete`` and ``turnComplete``. Audio and
images as realtime input are counted and named in the next answer. What always holds: no error is ever sent in band,
which the SDK cannot take; a refusal closes the socket with 1007 or 1008 and Google's words. The SDK speaks only WSS:
``self_signed`` makes the certificate at start.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import re
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.gemini import refusals
from sandbox.gemini.answers import Answer, compose
from sandbox.gemini.delivery import ClientLeft, Exchange
from sandbox.gemini.models import LIVE, Model, find
from sandbox.gemini.prompts import read_prompt
from sandbox.gemini.wire import Json, Refusal, compact, invalid, mapping, objects, parse
from sandbox.gemini.world import World

LIVE_PATH = re.compile(
    r"/ws/google\.ai\.generativelanguage\.(?P<version>v1|v1beta|v1alpha)\.GenerativeService\.BidiGenerateContent"
)
_BAD_ARGUMENT, _POLICY = 1007, 1008
_MAX_FRAME = 16 * 1024 * 1024


@dataclass(slots=True)
class _Session:
    """What a session has heard so far."""

    model: Model
    setup: Json
    contents: list[Json] = field(default_factory=list)
    heard: list[Json] = field(default_factory=list)


async def talk(world: World, exchange: Exchange) -> web.StreamResponse:
    """Serve one session until either side closes it."""
    match = LIVE_PATH.fullmatch(exchange.entry.path)
    exchange.version = match["version"] if match else exchange.version
    wire = web.WebSocketResponse(max_msg_size=_MAX_FRAME)
    await wire.prepare(exchange.request)
    closer = asyncio.create_task(_close_at_end(exchange, wire))
    try:
        await _listen(world, exchange, wire)
    except (ClientLeft, ConnectionError):
        exchange.entry.client_left, exchange.entry.outcome = True, "cancelled"
    except Refusal as refusal:
        exchange.entry.outcome = refusal.kind
        code = _POLICY if refusal.code in {403, 404} else _BAD_ARGUMENT
        # A close frame holds 123 bytes of reason at most.
        await wire.close(code=code, message=refusal.message.encode()[:123])
    finally:
        closer.cancel()
        await asyncio.gather(closer, return_exceptions=True)
    return wire


async def _listen(world: World, exchange: Exchange, wire: web.WebSocketResponse) -> None:
    session: _Session | None = None
    async for message in wire:
        if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
            break
        raw = message.data.encode() if isinstance(message.data, str) else message.data
        session = await _hear(world, exchange, wire, session, parse(raw))


async def _close_at_end(exchange: Exchange, wire: web.WebSocketResponse) -> None:
    await exchange.closing.wait()
    await wire.close()


async def _hear(
    world: World, exchange: Exchange, wire: web.WebSocketResponse, session: _Session | None, frame: Json
) -> _Session:
    if session is None:
        return await _set_up(exchange, wire, frame)
    if isinstance(content := frame.get("clientContent"), dict):
        await _client_content(world, exchange, wire, session, content)
    elif isinstance(heard := frame.get("realtimeInput"), dict):
        await _realtime(world, exchange, wire, session, heard)
    elif isinstance(results := frame.get("toolResponse"), dict):
        parts = [{"functionResponse": one} for one in objects(results, "functionResponses")]
        await _client_content(
            world, exchange, wire, session, {"turns": [{"role": "user", "parts": parts}], "turnComplete": True}
        )
    return session


async def _set_up(exchange: Exchange, wire: web.WebSocketResponse, frame: Json) -> _Session:
    setup = frame.get("setup")
    if not isinstance(setup, dict):
        raise invalid("The first message of a session must be setup.")
    name = str(setup.get("model", "")).removeprefix("models/")
    model = find(name, exchange.version)
    if model is None or LIVE not in model.methods:
        raise refusals.model_missing(name, exchange.version, LIVE)
    exchange.entry.model = model.name
    await _send(wire, {"setupComplete": {"sessionId": f"sandbox-{exchange.entry.id}"}})
    return _Session(model, setup)


async def _client_content(
    world: World, exchange: Exchange, wire: web.WebSocketResponse, session: _Session, content: Json
) -> None:
    session.contents += objects(content, "turns")
    if content.get("turnComplete"):
        await _reply(world, exchange, wire, session)


async def _realtime(
    world: World, exchange: Exchange, wire: web.WebSocketResponse, session: _Session, heard: Json
) -> None:
    for name in ("audio", "video"):
        if isinstance(blob := heard.get(name), dict):
            session.heard.append({"inlineData": blob})
    if text := heard.get("text"):
        session.contents.append({"role": "user", "parts": [{"text": text}]})
    if text or heard.get("audioStreamEnd") or "activityEnd" in heard:
        await _reply(world, exchange, wire, session)


async def _reply(world: World, exchange: Exchange, wire: web.WebSocketResponse, session: _Session) -> None:
    if session.heard:
        session.contents.append({"role": "user", "parts": session.heard})
        session.heard = []
    body = {**session.setup, "contents": session.contents}
    # A live model answers in text here, whatever the modality asked for.
    body["generationConfig"] = {
        name: value
        for name, value in mapping(session.setup, "generationConfig").items()
        if name != "responseModalities"
    }
    key, now = exchange.owner, world.clock.now()
    prompt = read_prompt(body, session.model, check_file=lambda uri: world.files.check_uri(uri, key.project, now))
    world.spend(key, session.model.name, prompt.prompt_tokens)
    world.diary.received(exchange.entry, body)
    answer = compose(prompt, key, response_id=f"sandbox-{exchange.entry.id}")
    session.contents.append({"role": "model", "parts": [{"text": answer.texts[0]}, *answer.parts]})
    await _speak(world, exchange, wire, answer)


async def _speak(world: World, exchange: Exchange, wire: web.WebSocketResponse, answer: Answer) -> None:
    await exchange.pause(world.latency_s)
    calls = [part["functionCall"] for part in answer.parts if "functionCall" in part]
    if calls:
        await _send(wire, {"toolCall": {"functionCalls": calls}})
        return
    for number, chunk in enumerate(answer.chunks()):
        await exchange.pause(world.gap_s if number else 0.0)
        await _send(wire, {"serverContent": {"modelTurn": chunk["candidates"][0]["content"]}})
    await _send(wire, {"serverContent": {"generationComplete": True}})
    usage = answer.usage()
    usage["responseTokenCount"] = usage.pop("candidatesTokenCount")
    await _send(wire, {"serverContent": {"turnComplete": True}, "usageMetadata": usage})


async def _send(wire: web.WebSocketResponse, document: dict[str, Any]) -> None:
    await wire.send_str(compact(document).decode())


def self_signed(now: dt.datetime) -> tuple[ssl.SSLContext, bytes]:
    """A server context for loopback and the PEM to trust; the private key never outlives this call on disk.

    It blocks for some milliseconds (a key pair, a temporary file): inside a running loop, call it in a thread.
    """
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox on loopback")])
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=7))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.touch(mode=0o600)
        path.write_bytes(pem + secret)
        context.load_cert_chain(path)
    return context, pem
