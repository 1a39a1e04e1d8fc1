"""The gateway: one WebSocket connection of a client, from HELLO to its end.

``Connection`` speaks the protocol of Discord's page events/gateway: HELLO, heartbeats and their acknowledgement,
IDENTIFY, RESUME with replay, presence, member requests, and the close codes. It watches the rules (frames too large or
too many, missing heartbeats, too frequent IDENTIFY) and records violations. Events come from ``sessions``; what READY
and GUILD_CREATE show comes from ``payloads``. Times here are real seconds, since heartbeats are the client's own clock.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import deque
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.discord.frames import encoder
from sandbox.discord.hub import Hub
from sandbox.discord.profiles import member_json, user_json
from sandbox.discord.sessions import GUILD_MEMBERS, GUILDS, Session

Json = dict[str, Any]

UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, BAD_TOKEN, AUTHENTICATED_TWICE = 4001, 4002, 4003, 4004, 4005
RATE_LIMITED, TIMED_OUT, BAD_INTENTS, INTENTS_REFUSED = 4008, 4009, 4013, 4014
_GONE = (1000, 1001)
#: A heartbeat's answer comes from afar: discord.py notes when it sent one only after the send, in another thread, and
#: an answer that comes before that note reads as one that took the whole interval.
_TRAVELS_S = 0.05


class ProtocolError(Exception):
    """The client broke the protocol; the connection is closed with ``code``."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Connection:
    """One client on the gateway; ``run`` lives as long as it does."""

    def __init__(self, hub: Hub, socket: web.WebSocketResponse, compression: str | None) -> None:
        self._hub = hub
        self._socket = socket
        self._encode = encoder(compression)
        self._outbox: asyncio.Queue[str | int] = asyncio.Queue()
        self._session: Session | None = None
        self._dropped = False
        self._frames: deque[float] = deque()
        self._loop = asyncio.get_running_loop()
        self._alarm: asyncio.TimerHandle | None = None
        self._handlers = {
            1: self._heartbeat,
            2: self._identify,
            3: self._presence,
            4: self._nothing,
            6: self._resume,
            8: self._request_members,
        }

    def send_text(self, text: str) -> None:
        """Queue a frame."""
        self._outbox.put_nowait(text)

    def drop(self, code: int) -> None:
        """Close the connection after what is queued."""
        self._dropped = True
        self._outbox.put_nowait(code)

    def _send(self, op: int, data: Any = None) -> None:
        self.send_text(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    async def run(self) -> None:
        """Serve the client until the connection ends."""
        writer = asyncio.create_task(self._write())
        self._send(10, {"heartbeat_interval": int(self._hub.limits.heartbeat_s * 1000), "_trace": []})
        self._expect_heartbeat()
        try:
            await self._read()
        finally:
            if self._alarm:
                self._alarm.cancel()
            if not self._dropped:
                writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
            self._leave()

    async def _write(self) -> None:
        while True:
            item = await self._outbox.get()
            if isinstance(item, int):
                await self._socket.close(code=item)
                return
            frame = self._encode(item)
            with contextlib.suppress(ConnectionError):
                await (self._socket.send_str(frame) if isinstance(frame, str) else self._socket.send_bytes(frame))

    async def _read(self) -> None:
        async for frame in self._socket:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                return
            try:
                self._receive(frame.data if isinstance(frame.data, str) else frame.data.decode("utf-8", "replace"))
            except ProtocolError as error:
                self._refuse(error.code)

    def _refuse(self, code: int) -> None:
        if self._session is not None and code != RATE_LIMITED:
            self._hub.sessions.end(self._session)
        self.drop(code)

    def _leave(self) -> None:
        session = self._session
        if session is None or session.wire is not self:
            return
        self._hub.sessions.leave(session)
        if not self._dropped and self._socket.close_code in _GONE:
            self._hub.sessions.end(session)
        self._hub.sessions.announce()

    def _violation(self, kind: str, detail: str, request: str = "gateway") -> None:
        self._hub.violations.record(kind, detail, request)

    def _receive(self, text: str) -> None:
        self._judge_frame(text)
        try:
            payload = json.loads(text)
            op, data = int(payload["op"]), payload.get("d")
        except (ValueError, KeyError, TypeError):
            self._violation("frame_malformed", "a frame that is no JSON object with an op")
            raise ProtocolError(DECODE_ERROR, "malformed frame") from None
        handler = self._handlers.get(op)
        if handler is None:
            self._violation("frame_malformed", f"opcode {op} is not known")
            raise ProtocolError(UNKNOWN_OPCODE, "unknown opcode")
        if self._session is None and op not in (1, 2, 6):
            self._violation("frame_malformed", f"opcode {op} before IDENTIFY")
            raise ProtocolError(NOT_AUTHENTICATED, "not authenticated")
        try:
            handler(data)
        except (KeyError, TypeError, ValueError, AttributeError):
            self._violation("frame_malformed", f"the data of opcode {op} is not what it should be")
            raise ProtocolError(DECODE_ERROR, "malformed data") from None

    def _judge_frame(self, text: str) -> None:
        limits = self._hub.limits
        size = len(text.encode())
        if size > limits.frame_bytes:
            self._violation("frame_size", f"{size} bytes")
            raise ProtocolError(DECODE_ERROR, "frame too large")
        now = self._loop.time()
        self._frames.append(now)
        while self._frames[0] < now - limits.frames_s:
            self._frames.popleft()
        if len(self._frames) > limits.frames:
            self._violation("frame_rate", f"{len(self._frames)} frames in {limits.frames_s:g} s")
            raise ProtocolError(RATE_LIMITED, "too many frames")

    def _expect_heartbeat(self) -> None:
        wait = self._hub.limits.heartbeat_s + self._hub.limits.heartbeat_grace_s
        self._set_alarm(wait, "heartbeat_missing")

    def ask_heartbeat(self) -> None:
        """Ask the client for a heartbeat, which it must send at once."""
        self._send(1)
        self._set_alarm(self._hub.limits.heartbeat_grace_s, "heartbeat_unanswered")

    def lose(self) -> None:
        """Lose the connection, as when a gateway server is restarted; the session can be resumed."""
        self.drop(1012)

    def ask_reconnect(self) -> None:
        """Tell the client to come back by a new connection and RESUME."""
        self._send(7)

    def invalidate(self) -> None:
        """Tell the client that its session is gone."""
        if self._session is not None:
            self._hub.sessions.end(self._session)
            self._session = None
        self._send(9, data=False)

    def _set_alarm(self, seconds: float, kind: str) -> None:
        if self._alarm:
            self._alarm.cancel()
        self._alarm = self._loop.call_later(seconds, self._too_quiet, kind, seconds)

    def _too_quiet(self, kind: str, seconds: float) -> None:
        self._violation(kind, f"none for {seconds:g} s")
        self.drop(TIMED_OUT)

    def _heartbeat(self, _: Any) -> None:
        self._loop.call_later(_TRAVELS_S, self._send, 11)
        self._expect_heartbeat()

    def _nothing(self, _: Any) -> None:
        """Voice states are taken and not acted upon: there is no voice here."""

    def _presence(self, data: Json) -> None:
        if self._session:
            self._session.status = str(data["status"])
            self._hub.sessions.announce()

    def _identify(self, data: Json) -> None:
        if self._session is not None:
            raise ProtocolError(AUTHENTICATED_TWICE, "identified twice")
        if not self._hub.knows_token(str(data["token"])):
            raise ProtocolError(BAD_TOKEN, "authentication failed")
        intents = int(data["intents"])
        if intents < 0 or intents >= 1 << 26:
            raise ProtocolError(BAD_INTENTS, "invalid intents")
        if intents & self._hub.faults.refused_bits():
            raise ProtocolError(INTENTS_REFUSED, "disallowed intents")
        if not self._hub.identifies.allow(self._loop.time()):
            self._violation("identify_rate", f"more than {self._hub.limits.identifies} in a row", "gateway IDENTIFY")
            self._send(9, data=False)
            return
        number, of = data.get("shard") or (0, 1)
        self._begin(intents, (int(number), int(of)), (data.get("presence") or {}).get("status") or "online")

    def _begin(self, intents: int, shard: tuple[int, int], status: str) -> None:
        hub = self._hub
        session = Session(hub.new_session_id(), intents, shard, hub.limits.replay, wire=self, status=status)
        self._session = session
        hub.sessions.open(session)
        guild_here = (int(hub.world.guild_id) >> 22) % shard[1] == shard[0]
        ready: Json = {
            "v": 10,
            "user": {**user_json(hub.world.bot), "verified": True, "mfa_enabled": False, "email": None},
            "session_id": session.id,
            "resume_gateway_url": hub.gateway_url,
            "guilds": hub.membership.listed() if guild_here else [],
            "private_channels": [],
            "application": {"id": hub.world.bot.id, "flags": hub.application_flags()},
            "shard": list(shard),
        }
        session.dispatch("READY", ready)
        if guild_here and hub.membership.reachable and intents & GUILDS:
            session.dispatch("GUILD_CREATE", hub.payloads.guild_event())
        hub.sessions.announce()

    def _resume(self, data: Json) -> None:
        if not self._hub.knows_token(str(data["token"])):
            raise ProtocolError(BAD_TOKEN, "authentication failed")
        session = self._hub.sessions.find(str(data["session_id"]))
        frames = session.missed(int(data["seq"] or 0)) if session else None
        if session is None or frames is None:
            self._send(9, data=False)
            return
        if isinstance(session.wire, Connection):
            session.wire.drop(4000)
        self._session = session
        self._hub.sessions.join(session, self)
        for frame in frames:
            self.send_text(frame)
        session.dispatch("RESUMED", {"_trace": []})
        self._hub.sessions.announce()

    def _request_members(self, data: Json) -> None:
        wanted = {str(i) for i in _as_list(data.get("user_ids"))}
        query = str(data.get("query") or "").casefold()
        members = [
            member_json(member)
            for member in self._hub.world.members.values()
            if (member.user.id in wanted if wanted else member.user.username.casefold().startswith(query))
        ]
        chunk: Json = {
            "guild_id": str(data["guild_id"]),
            "members": members,
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
            "nonce": data.get("nonce"),
        }
        if self._session and (wanted or query or self._session.intents & GUILD_MEMBERS):
            self._session.dispatch("GUILD_MEMBERS_CHUNK", chunk)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
