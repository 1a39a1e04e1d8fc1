"""The Gemini emulator: an HTTP server that speaks the API's wire format, with keys that can be broken.

``GeminiEmulator.app()`` is an aiohttp application for a port of its own; everything else is for the control interface
and for tests. One request runs: path (``//`` normalised, /v1, /v1beta, /v1alpha) -> diary -> key -> fault -> method ->
answer -> counts. What always holds: each request is in the diary once, with the outcome under which it is counted;
an error body never holds a secret, except CONSUMER_SUSPENDED, which repeats the key as the real one does.
Methods are in ``generation``, ``resources`` and ``live``; what the service knows is in ``world``.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence

from aiohttp import web

from sandbox.clock import SandboxClock
from sandbox.events import EventBus
from sandbox.gemini import refusals
from sandbox.gemini.delivery import ClientLeft, Exchange, strike_first
from sandbox.gemini.faults import HARMLESS_KINDS, KEY_KINDS, parse_faults
from sandbox.gemini.generation import json_response, resolve
from sandbox.gemini.keys import make_keys, make_spare, parse_spec
from sandbox.gemini.live import LIVE_PATH, talk
from sandbox.gemini.models import CATALOGUE
from sandbox.gemini.notices import KeyNotices
from sandbox.gemini.quota import Limits
from sandbox.gemini.resources import continue_upload, find_resource
from sandbox.gemini.wire import Json, Refusal, compact, invalid, parse
from sandbox.gemini.world import World

_MAX_BODY_BYTES = 140 * 1024 * 1024
_SLASHES = re.compile(r"/+")
_PATH = re.compile(r"/(?P<upload>upload/)?(?P<version>v1|v1beta|v1alpha)/(?P<rest>.+)")
_CALL = re.compile(r"(?:tuned)?[mM]odels/(?P<model>[^/:]+):(?P<method>\w+)")
_GENERATING = frozenset({"generateContent", "streamGenerateContent"})
_NO_ERROR = HARMLESS_KINDS | {"ok", "request", "cancelled"}


class GeminiEmulator:
    """A Gemini on loopback.

    ``keys`` are ``label@project:secret`` (None: eight in four projects, drawn from the seed). ``latency_s`` is the
    time to the first byte and ``gap_s`` the time between the chunks of a stream, in sandbox seconds; ``processing_s``
    how long an uploaded file is PROCESSING; ``limits`` every project's quota unless ``set_quota`` says otherwise.
    """

    def __init__(
        self,
        clock: SandboxClock,
        bus: EventBus,
        *,
        seed: int = 0,
        keys: Sequence[str] | None = None,
        latency_s: float = 0.25,
        gap_s: float = 0.05,
        processing_s: float = 0.5,
        limits: Limits | None = None,
    ) -> None:
        self._bus = bus
        self._world = World(
            clock,
            make_keys(seed) if keys is None else [parse_spec(spec) for spec in keys],
            seed=seed,
            limits=limits or Limits(),
            latency_s=latency_s,
            gap_s=gap_s,
            processing_s=processing_s,
        )
        self._own_keys = len(self._world.ring.keys)
        self._notices = KeyNotices(bus, self.state)
        self._closing = asyncio.Event()

    def app(self) -> web.Application:
        """The application to serve on a port of its own; make a new one for every runner."""
        app = web.Application(client_max_size=_MAX_BODY_BYTES)
        app.router.add_route("*", "/{path:.*}", self._serve)
        app.on_startup.append(self._open)
        app.on_shutdown.append(self._close)
        return app

    def state(self) -> list[Json]:
        """Every key: label, project, state, requests, errors, kinds, in_flight, its project's quota used by model."""
        return self._world.key_states()

    def key_specs(self) -> list[str]:
        """The keys it began with, as ``GEMINI_API_KEYS`` takes them: ``label@project:secret``."""
        return [key.spec for key in self._world.ring.keys[: self._own_keys]]

    def make_key(self) -> str:
        """Make one more key, which the bot is not told of; gives its secret."""
        ring = self._world.ring
        made = make_spare(len(ring.keys) - self._own_keys + 1)
        ring.add(made)
        self._notices.changed()
        return made.secret

    def say(self, question_id: str, text: str) -> None:
        """Have a question that holds this id (``#q-...``) answered with exactly this text."""
        self._world.sayings[question_id] = text

    def models(self) -> list[Json]:
        """The models on offer, as the API lists them."""
        return [model.document() for model in CATALOGUE]

    def faults(self) -> list[Json]:
        """The faults in force, as they were set."""
        return self._world.faults.documents()

    def set_faults(self, faults: object) -> None:
        """Put a list of faults in force; raises ValueError with one sentence and changes nothing if it is bad."""
        self._world.faults.set(parse_faults(faults), self._world.clock.now())
        self._notices.changed()

    def set_quota(
        self,
        project: str,
        model: str | None = None,
        *,
        rpm: int | None = None,
        tpm: int | None = None,
        rpd: int | None = None,
    ) -> None:
        """Set a project's limits for a model (None: all its models); None is no limit. Raises ValueError."""
        self._world.quota.set(project, model, Limits(rpm, tpm, rpd))
        self._notices.changed()

    def diary(self) -> list[Json]:
        """Every request received, oldest first; see ``diary.Entry``."""
        return self._world.diary.documents()

    def reset(self) -> None:
        """Start afresh: no faults, counts, use of quota, files, caches or diary; the keys stay."""
        self._world.reset()
        self._notices.changed()

    async def _open(self, _app: web.Application) -> None:
        self._closing.clear()

    async def _close(self, _app: web.Application) -> None:
        # Requests that hang by order must not hold up the end.
        self._closing.set()
        self._notices.close()

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        exchange = self._exchange(request)
        entry, started = exchange.entry, self._world.clock.now()
        try:
            response = await self._answer(exchange)
            entry.outcome = entry.outcome or _outcome(exchange)
            entry.status = 0 if entry.outcome == "reset" else response.status
        except Refusal as refusal:
            entry.outcome, entry.status = refusal.kind, refusal.code
            response = _refused(refusal)
        except (ClientLeft, asyncio.CancelledError) as left:
            entry.outcome, entry.client_left = _left_outcome(exchange), not self._closing.is_set()
            if isinstance(left, asyncio.CancelledError):
                raise
            # Whoever is still there when the emulator closes must not take the end for an empty answer.
            exchange.tear()
            response = web.Response()
        finally:
            # Only a mistake of the emulator's own gets here without an outcome; aiohttp logs it and answers 500.
            entry.outcome = entry.outcome or "500"
            entry.seconds = self._world.clock.now() - started
            self._count_end(exchange)
            self._bus.publish("gemini_request", entry.summary())
        return response

    def _exchange(self, request: web.Request) -> Exchange:
        """Find the key and open the diary entry, before anything can refuse the request."""
        path = _SLASHES.sub("/", request.path)
        secret = request.headers.get("x-goog-api-key") or request.query.get("key") or ""
        key = self._world.ring.find(secret)
        entry = self._world.diary.open(
            at=self._world.clock.now(),
            key=key.label if key else None,
            project=key.project if key else None,
            path=path,
            method=request.method,
        )
        match = _PATH.fullmatch(path)
        call = _CALL.fullmatch(match["rest"]) if match else None
        if call is not None:
            entry.model = call["model"]
            entry.stream = call["method"] == "streamGenerateContent"
        exchange = Exchange(request, entry, match["version"] if match else "v1", self._world.clock, self._closing)
        exchange.key = key
        if _generates(exchange) and key is not None:
            account = self._world.ring.account(key)
            account.requests += 1
            account.in_flight += 1
            self._notices.changed()
        return exchange

    def _count_end(self, exchange: Exchange) -> None:
        if not _generates(exchange) or exchange.key is None:
            return
        account = self._world.ring.account(exchange.key)
        account.in_flight -= 1
        if exchange.entry.outcome not in _NO_ERROR:
            account.kinds[exchange.entry.outcome] += 1
        self._notices.changed()

    async def _answer(self, exchange: Exchange) -> web.StreamResponse:
        if LIVE_PATH.fullmatch(exchange.entry.path):
            return await self._live(exchange)
        match = _PATH.fullmatch(exchange.entry.path)
        if match is None:
            raise Refusal(404, "NOT_FOUND", "The requested URL was not found on this server.")
        upload_id = exchange.request.query.get("upload_id")
        if match["upload"] and upload_id:
            return await continue_upload(self._world, exchange, upload_id)
        await self._read(exchange)
        _check_key(exchange)
        call = _CALL.fullmatch(match["rest"])
        early = await self._strike(exchange, call["model"] if call else None)
        if early is not None:
            return early
        if call is not None and exchange.request.method == "POST":
            model, handler = resolve(call["model"], exchange.version, call["method"])
            return await handler(self._world, exchange, model)
        resource = find_resource(exchange.request.method, (match["upload"] or "") + match["rest"])
        if resource is None:
            raise Refusal(404, "NOT_FOUND", "The requested URL was not found on this server.")
        return await resource[0](self._world, exchange, resource[1])

    async def _read(self, exchange: Exchange) -> None:
        try:
            raw = await exchange.request.read()
        except web.HTTPRequestEntityTooLarge as error:
            raise invalid(f"Request payload size exceeds the limit: {_MAX_BODY_BYTES} bytes.") from error
        except ConnectionError as error:
            raise ClientLeft from error
        exchange.body = parse(raw)
        if raw:
            self._world.diary.received(exchange.entry, exchange.body)

    async def _strike(self, exchange: Exchange, model: str | None) -> web.StreamResponse | None:
        exchange.strike = self._world.faults.strike(
            exchange.owner, model, self._world.clock.now(), generates=_generates(exchange)
        )
        fault = exchange.strike.fault
        return None if fault is None else await strike_first(exchange, fault, model or "")

    async def _live(self, exchange: Exchange) -> web.StreamResponse:
        _check_key(exchange)
        await self._strike(exchange, None)
        return await talk(self._world, exchange)


def _generates(exchange: Exchange) -> bool:
    return exchange.request.method == "POST" and exchange.entry.path.rpartition(":")[2] in _GENERATING


def _check_key(exchange: Exchange) -> None:
    if exchange.key is not None:
        return
    headers, query = exchange.request.headers, exchange.request.query
    if headers.get("x-goog-api-key") or query.get("key"):
        raise refusals.key_invalid()
    if "Authorization" in headers:
        raise refusals.unauthenticated()
    raise refusals.key_missing()


def _outcome(exchange: Exchange) -> str:
    """The word for a request that was answered without a refusal: the fault's kind, or ``ok``."""
    fault = exchange.strike.fault
    return "ok" if fault is None or fault.kind in KEY_KINDS else fault.kind


def _left_outcome(exchange: Exchange) -> str:
    """Who leaves a request that was made to hang or slow gives up on a fault; who leaves another is just gone."""
    fault = exchange.strike.fault
    if fault is not None and fault.kind not in HARMLESS_KINDS:
        return fault.kind
    return "cancelled" if exchange.strike.slowness == 1 else "slow"


def _refused(refusal: Refusal) -> web.Response:
    response = json_response({})
    response.body = compact(refusal.body())
    response.set_status(refusal.code)
    return response
