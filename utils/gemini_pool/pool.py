"""The pool: composes rules, provider and features behind the names its users know.

``GeminiAPIPool`` may be used from any number of loops and threads at once. What always holds: making one starts nothing
and does no I/O; ``generate_content`` never raises for a failed call; ``start`` and ``aclose`` are needed only where
figures are to be stored. How keys are chosen is ``policy/``'s, the way to the service ``provider/``'s.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from types import TracebackType
from typing import Any, Self

from utils.gemini_pool import configuration
from utils.gemini_pool.alerts import Announcer
from utils.gemini_pool.caretaker import Caretaker
from utils.gemini_pool.chat import Chat, Content
from utils.gemini_pool.configuration import Configuration, ConfiguredKey
from utils.gemini_pool.dispatcher import Dispatcher, Question
from utils.gemini_pool.errors import NoKeysError, PoolClosedError, PoolError, UsageError
from utils.gemini_pool.models import Catalogue, ModelInfo
from utils.gemini_pool.persistence import Keeper, PoolStore
from utils.gemini_pool.policy import Failure, KeySpec, Policy, PoolConfig, Wait
from utils.gemini_pool.policy.alerts import Alert
from utils.gemini_pool.policy.explaining.explain import explain
from utils.gemini_pool.policy.explaining.recorded import Recorded, recorded
from utils.gemini_pool.policy.statistics import key_states, key_stats, model_stats, quota_stats
from utils.gemini_pool.provider.attempts import Response
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.clients import Clients
from utils.gemini_pool.provider.notify import Webhook
from utils.gemini_pool.queries import Query, prepare
from utils.gemini_pool.threads import LoopThread
from utils.security import Redactor, Secret

_log = logging.getLogger(__name__)

DEFAULT_MODEL = "gemini-4-hydrogen"
_LIST_TIMEOUT_S = 10.0
_NO_KEYS = "No Gemini key is configured: set GEMINI_API_KEYS, or GEMINI_API_KEY_1, in the environment or in .env."


class GeminiAPIPool:
    """A pool of Gemini keys.

    ``api_keys``: texts ``key`` or ``label@project:key``; None: none. ``pool_size``: instances per model (default: as
    many as keys, at least 5). ``config``: the constants. ``base_url``, ``api_version``, ``proxy``: the way to the
    service. ``store``: keeps figures and states over restarts. ``reload``: gives the configuration anew at every
    reset. ``webhook``: is posted alerts while the pool is started. Raises ``KeyFormatError`` for what cannot be a key.
    """

    def __init__(
        self,
        api_keys: Sequence[str] | None = None,
        pool_size: int | None = None,
        config: PoolConfig | None = None,
        base_url: str | None = None,
        *,
        api_version: str | None = None,
        proxy: str | None = None,
        default_model: str = DEFAULT_MODEL,
        store: PoolStore | None = None,
        reload: Callable[[], Configuration] | None = None,
        webhook: Webhook | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        rng: random.Random | None = None,
    ) -> None:
        if pool_size is not None and pool_size < 1:
            raise UsageError("pool_size must be 1 or more.")
        self.default_model = default_model
        self._reload = reload
        self._lock = threading.Lock()
        self._redactor = Redactor()
        self._secrets: dict[str, Secret] = {}
        listed = ((f"api_keys (entry {index})", text, None) for index, text in enumerate(api_keys or (), 1))
        specs = self._take_keys(configuration.parse_keys(listed))
        chance = rng or random.Random()  # noqa: S311  # spreads load, guards no secret
        self._policy = Policy(config or PoolConfig(), clock, wall, chance, keys=specs, pool_size=pool_size)
        clients = Clients(base_url=base_url, api_version=api_version, proxy=proxy)
        self._provider = Provider(clients, self._secrets.__getitem__, self._redactor)
        self._dispatcher = Dispatcher(self._policy, self._provider, self._lock)
        self._catalogue = Catalogue(clock)
        self._private = LoopThread()
        self._keeper = Keeper(self._policy, self._lock, store, self._dispatcher.rotate_if_due)
        self._announcer = Announcer(webhook.post if webhook is not None else None)
        self._caretaker = Caretaker(self._policy, self._lock, self._announcer, self._is_accepted, self._dispatcher.wake)
        self._closed = False

    @classmethod
    def from_configuration(
        cls,
        reload: Callable[[], Configuration],
        *,
        store: PoolStore | None = None,
        default_model: str = DEFAULT_MODEL,
    ) -> GeminiAPIPool:
        """Make a pool from a configuration that is read now and again at every reset."""
        found = reload()
        webhook = Webhook(found.alert_webhook, found.alert_proxy) if found.alert_webhook is not None else None
        pool = cls(
            config=found.pool,
            base_url=found.base_url,
            api_version=found.api_version,
            proxy=found.proxy,
            store=store,
            reload=reload,
            webhook=webhook,
            default_model=default_model,
        )
        pool._policy.reset_pools(pool._take_keys(found.keys))
        return pool

    def _take_keys(self, keys: Sequence[ConfiguredKey]) -> list[KeySpec]:
        for key in keys:
            self._secrets[key.secret.fingerprint] = key.secret
            self._redactor.add(key.secret)
        return [KeySpec(key.secret.fingerprint, key.name, key.project) for key in keys]

    async def start(self) -> None:
        """Load stored figures and states; store, rotate and tell alerts in this loop until ``aclose``."""
        await self._keeper.start()
        self._caretaker.start()

    async def aclose(self) -> None:
        """Store what is left and close this loop's connections; a closed pool answers nothing more."""
        self._closed = True
        await self._caretaker.aclose()
        await self._keeper.aclose()
        await self._provider.aclose()
        await asyncio.to_thread(self._private.close)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def generate_content(
        self,
        prompt: str | Sequence[Any] | None = None,
        model_name: str | None = None,
        temperature: float | None = None,
        max_retries: int | None = None,
        *,
        contents: Sequence[Content] | None = None,
        deadline_s: float | None = None,
        user: str | None = None,
        fallback_models: Sequence[str] = (),
        request_id: str | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        **options: Any,
    ) -> tuple[Response, bool] | tuple[PoolError, bool]:
        """Answer ``(response, True)``, or ``(error, False)`` with a ``PoolError``; never raises for a failed call.

        ``prompt``: a text or a list of parts; ``contents``: whole turns in the API's shape instead. ``max_retries``
        bounds the paid further attempts (None: the pool's own bound; 0: none). ``deadline_s``: seconds for everything.
        ``user``: who asks, for fairness. ``fallback_models``: models that may answer when this one cannot, best first;
        ``response.model_version`` says which did. ``request_id``: your own name for the question, by which ``explain``
        finds it. ``on_wait``: called with a ``Wait`` (``place`` in the line, ``estimate_s`` seconds, ``obstacle``)
        whenever the question has to wait. ``options``: generation options by the SDK's names, such as
        ``top_p``, ``max_output_tokens``, ``system_instruction``, ``safety_settings``, ``tools``.
        """
        options["temperature"] = temperature
        query = Query(
            prompt=prompt,
            contents=contents,
            model_name=model_name,
            deadline_s=deadline_s,
            max_retries=max_retries,
            user=user,
            fallback_models=fallback_models,
            options=options,
            request_id=request_id,
            on_wait=on_wait,
        )
        try:
            return await self.answer(query), True
        except PoolError as error:
            return error, False

    async def stream_content(
        self,
        prompt: str | Sequence[Any] | None = None,
        model_name: str | None = None,
        temperature: float | None = None,
        max_retries: int | None = None,
        *,
        contents: Sequence[Content] | None = None,
        deadline_s: float | None = None,
        user: str | None = None,
        fallback_models: Sequence[str] = (),
        request_id: str | None = None,
        on_wait: Callable[[Wait], None] | None = None,
        **options: Any,
    ) -> AsyncGenerator[Response, None]:
        """Yield the pieces of an answer (``piece.text``); raises ``PoolError``. The deadline ends with the first."""
        options["temperature"] = temperature
        query = Query(
            prompt=prompt,
            contents=contents,
            model_name=model_name,
            deadline_s=deadline_s,
            max_retries=max_retries,
            user=user,
            fallback_models=fallback_models,
            options=options,
            request_id=request_id,
            on_wait=on_wait,
        )
        pieces = self.pieces(query)
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()

    async def create_chat(
        self,
        model_name: str | None = None,
        *,
        history: Sequence[Content] = (),
        user: str | None = None,
        fallback_models: Sequence[str] = (),
        **options: Any,
    ) -> tuple[Chat, int] | tuple[None, int]:
        """Answer ``(chat, instance_index)``; ``(None, -1)`` only with no keys or when all are dead."""
        model = self._catalogue.resolve(model_name or self.default_model)
        with self._lock:
            index = self._policy.peek(model)
        if index < 0:
            return None, -1
        query = Query(model_name=model, user=user, fallback_models=fallback_models, options=options)
        return Chat(self, query, history, self._private), index

    async def answer(self, query: Query) -> Response:
        """Answer a query; raises ``PoolError``."""
        try:
            return await self._dispatcher.answer(await self._prepare(query))
        finally:
            self._keeper.note_change()

    async def pieces(self, query: Query) -> AsyncGenerator[Response, None]:
        """Stream the answer to a query; raises ``PoolError``."""
        pieces = self._dispatcher.stream(await self._prepare(query))
        try:
            async for piece in pieces:
                yield piece
        finally:
            await pieces.aclose()
            self._keeper.note_change()

    async def _prepare(self, query: Query) -> Question:
        if self._closed:
            raise PoolClosedError("This pool was closed: make a new one.")
        if not self._policy.keys:
            raise NoKeysError(_NO_KEYS)
        await self._provider.warm_up()
        return prepare(query, self.default_model, self._catalogue.resolve, self._policy.config)

    async def list_models(self) -> tuple[ModelInfo, ...]:
        """Give the models these keys can see, kept for an hour; the data file's when the service cannot be asked."""
        if self._catalogue.is_fresh:
            return self._catalogue.known
        for key in [key for key in self._policy.keys if key.dead is None]:
            found = await self._provider.list_models(key.fingerprint, _LIST_TIMEOUT_S)
            if isinstance(found, Failure):
                _log.info("%s cannot list models: %s", key.label, found.transport or found.http_status)
                continue
            self._catalogue.hear([_info(model) for model in found if model.name])
            return self._catalogue.known
        return self._catalogue.known or self._catalogue.fallback()

    def known_models(self) -> tuple[ModelInfo, ...]:
        """Give the service's last list without I/O; empty before ``list_models`` was first answered by it."""
        return self._catalogue.known

    async def _is_accepted(self, fingerprint: str) -> bool:
        """Ask the service for its models with this key, which is free."""
        return not isinstance(await self._provider.list_models(fingerprint, _LIST_TIMEOUT_S), Failure)

    def set_alert_listener(self, on_alert: Callable[[Alert], None] | None) -> None:
        """Have a function called with every alert, in the loop that started the pool; None: nobody."""
        self._announcer.on_alert = on_alert

    def explain(self, request_id: str) -> str:
        """Tell a request's way through the pool, a sentence a line; empty when it is not kept (any more)."""
        with self._lock:
            record = self._policy.history.find(request_id)
            return "\n".join(explain(record)) if record is not None else ""

    def records(self) -> tuple[Recorded, ...]:
        """Give the newest requests, the oldest first: what their attempts came to and how they ended."""
        with self._lock:
            return tuple(recorded(record) for record in self._policy.history)

    def get_model_stats(self) -> dict[str, dict[str, Any]]:
        """Answer ``{model: {pool_size, active_instances, error_instances, total_usage, ...}}``."""
        with self._lock:
            return model_stats(self._policy)

    def get_api_key_stats(self) -> dict[str, Any]:
        """Answer ``{total_keys, total_requests, failed_requests, ..., key_usage: {"Key #1": {...}}}``."""
        with self._lock:
            return key_stats(self._policy)

    def key_states(self) -> dict[str, str]:
        """Answer the state of every key (``live``, ``dead``, ...) by its fingerprint."""
        with self._lock:
            return key_states(self._policy)

    def get_quota_stats(self) -> dict[str, dict[str, dict[str, int]]]:
        """Answer ``{project: {model: {"limit": requests a day, "left": of them}}}`` where a daily limit is known."""
        with self._lock:
            return quota_stats(self._policy)

    def reset_api_pool(self, model_name: str | None = None) -> None:
        """Start health anew for one model or all, and take in the keys as configured now; counts stay."""
        specs = None
        if self._reload is not None:
            specs = self._take_keys(self._reload().keys)
        with self._lock:
            if specs is None:
                specs = [key.spec for key in self._policy.keys]
            model = self._catalogue.resolve(model_name) if model_name else None
            self._policy.reset_pools(specs, model)
        self._dispatcher.wake()
        self._keeper.note_change()

    def reload_keys(self) -> None:
        """Take in the keys as configured now, and leave health, quota and counts of those that stay as they are.

        Calls under way with a key that left end as they would; a new key joins at the mean usage of the others.
        """
        if self._reload is None:
            return
        specs = self._take_keys(self._reload().keys)
        with self._lock:
            self._policy.reload_keys(specs)
        self._dispatcher.wake()
        self._keeper.note_change()

    def reset_api_stats(self) -> None:
        """Empty the counts; cooldowns and dead marks stay."""
        with self._lock:
            self._policy.reset_counts()
        self._keeper.note_change(cleared=True)


def _info(model: Any) -> ModelInfo:
    name = str(model.name).removeprefix("models/")
    return ModelInfo(
        name=name,
        display_name=model.display_name or name,
        input_token_limit=model.input_token_limit or 0,
        output_token_limit=model.output_token_limit or 0,
        can_generate="generateContent" in (model.supported_actions or ()),
    )
