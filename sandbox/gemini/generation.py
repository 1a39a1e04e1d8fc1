"""The methods of a model: generateContent, streamGenerateContent, countTokens, embedContent, batchEmbedContents.

Each handler takes the ``World`` and an ``Exchange`` whose body has been read and whose fault, if it struck before the
answer, has already ended the request. ``METHODS`` maps the word after the colon to its handler. What always holds: a
model that does not list a method answers 404 for it; quota is taken after the request is checked and before anything
is answered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.gemini import refusals
from sandbox.gemini.answers import compose
from sandbox.gemini.delivery import Exchange, send_stream, send_whole
from sandbox.gemini.embeddings import embed
from sandbox.gemini.models import EMBED, GENERATE, Model, find
from sandbox.gemini.prompts import Prompt, content_tokens, read_contents, read_prompt
from sandbox.gemini.wire import Json, compact, invalid, text_tokens
from sandbox.gemini.world import World

_MAX_BATCH = 100
Method = Callable[[World, Exchange, Model], Awaitable[web.StreamResponse]]


def json_response(document: Json) -> web.Response:
    """A 200 with a JSON document, in the service's content type."""
    return web.Response(body=compact(document), content_type="application/json", charset="utf-8")


async def _generate(world: World, exchange: Exchange, model: Model) -> web.StreamResponse:
    prompt = _prompt(world, exchange, model)
    answer = compose(
        prompt,
        exchange.owner,
        response_id=f"sandbox-{exchange.entry.id}",
        interrupted=_interrupts(exchange, prompt),
        sayings=world.sayings,
    )
    if not exchange.entry.stream:
        return await send_whole(exchange, answer, latency_s=world.latency_s)
    sse = exchange.request.query.get("alt") == "sse"
    return await send_stream(exchange, answer, latency_s=world.latency_s, gap_s=world.gap_s, sse=sse)


def _prompt(world: World, exchange: Exchange, model: Model) -> Prompt:
    key, now = exchange.owner, world.clock.now()
    prompt = read_prompt(
        exchange.body,
        model,
        check_file=lambda uri: world.files.check_uri(uri, key.project, now),
        cached_tokens=world.caches.use(exchange.body.get("cachedContent"), key.project, model, now),
    )
    world.spend(key, model.name, prompt.prompt_tokens)
    return prompt


def _interrupts(exchange: Exchange, prompt: Prompt) -> bool:
    fault = exchange.strike.fault
    # Who brings a token is let through, or a client that goes on by itself would do so for ever.
    return fault is not None and fault.kind == "continuation" and not prompt.continuation


async def _count(world: World, exchange: Exchange, model: Model) -> web.StreamResponse:
    body = exchange.body.get("generateContentRequest") or exchange.body
    if not isinstance(body, dict):
        raise invalid("Invalid value at 'generate_content_request'.")
    tokens = sum(content_tokens(content) for content in read_contents(body.get("contents")))
    system = body.get("systemInstruction")
    tokens += content_tokens(system) if isinstance(system, dict) else 0
    tokens += text_tokens(compact(body["tools"]).decode()) if body.get("tools") else 0
    project, now = exchange.owner.project, world.clock.now()
    cached = world.caches.use(body.get("cachedContent"), project, model, now)
    document: Json = {"totalTokens": tokens + cached}
    if cached:
        document["cachedContentTokenCount"] = cached
    return json_response(document)


async def _embed(world: World, exchange: Exchange, model: Model) -> web.StreamResponse:
    embedding, tokens = embed(exchange.body)
    world.spend(exchange.owner, model.name, tokens)
    return json_response({"embedding": embedding, "usageMetadata": _embedding_usage(tokens)})


async def _batch_embed(world: World, exchange: Exchange, model: Model) -> web.StreamResponse:
    requests = exchange.body.get("requests")
    if not isinstance(requests, list) or not 0 < len(requests) <= _MAX_BATCH:
        raise invalid("* BatchEmbedContentsRequest.requests: between 1 and 100 requests can be in one batch\n")
    if not all(isinstance(request, dict) for request in requests):
        raise invalid("Invalid value at 'requests'.")
    if any(str(request.get("model", "")).removeprefix("models/") != model.name for request in requests):
        raise invalid("* BatchEmbedContentsRequest.requests[].model: must match the model of the batch\n")
    found = [embed(request) for request in requests]
    tokens = sum(count for _, count in found)
    world.spend(exchange.owner, model.name, tokens, requests=len(found))
    embeddings = [embedding for embedding, _ in found]
    return json_response({"embeddings": embeddings, "usageMetadata": _embedding_usage(tokens)})


def _embedding_usage(tokens: int) -> Json:
    return {"promptTokenCount": tokens, "totalTokenCount": tokens}


#: The word after the colon -> what a model must list to have it, and the handler.
METHODS: dict[str, tuple[str, Method]] = {
    "generateContent": (GENERATE, _generate),
    "streamGenerateContent": (GENERATE, _generate),
    "countTokens": ("countTokens", _count),
    "embedContent": (EMBED, _embed),
    "batchEmbedContents": (EMBED, _batch_embed),
}


def resolve(name: str, version: str, method: str) -> tuple[Model, Method]:
    """The model and the handler of a call. Raises Refusal (404) if the model does not exist or does not do this."""
    model, (needed, handler) = find(name, version), METHODS.get(method, ("", _generate))
    if model is None or needed not in model.methods:
        raise refusals.model_missing(name, version, method)
    return model, handler
