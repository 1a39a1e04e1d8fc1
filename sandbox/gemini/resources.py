"""The methods that are about things, not about answers: models, files, uploads and caches.

``RESOURCES`` lists them as (HTTP method, pattern of the path behind the version, handler). Listings are paged. What
always holds: a key sees only what belongs to its project.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.gemini import refusals
from sandbox.gemini.delivery import ClientLeft, Exchange
from sandbox.gemini.files import Upload, declared_file
from sandbox.gemini.generation import json_response
from sandbox.gemini.models import CATALOGUE, find, page
from sandbox.gemini.wire import Json, invalid
from sandbox.gemini.world import World

Handler = Callable[[World, Exchange, str], Awaitable[web.StreamResponse]]


async def _list_models(_world: World, exchange: Exchange, _name: str) -> web.StreamResponse:
    return _page(exchange, [model.document() for model in CATALOGUE], "models")


async def _get_model(_world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    model = find(name, exchange.version)
    if model is None:
        raise refusals.model_missing(name, exchange.version, "getModel")
    return json_response(model.document())


async def _start_upload(world: World, exchange: Exchange, _name: str) -> web.StreamResponse:
    request = exchange.request
    upload = world.files.start(
        exchange.owner.project,
        declared_file(exchange.body),
        mime_type=request.headers.get("X-Goog-Upload-Header-Content-Type", ""),
        now=world.clock.now(),
    )
    address = f"{request.url.origin()}/upload/{exchange.version}/files?upload_id={upload.id}&upload_protocol=resumable"
    headers = {"X-Goog-Upload-URL": address, "X-Goog-Upload-Status": "active"}
    return web.Response(headers=headers, body=b"", content_type="application/json")


async def continue_upload(world: World, exchange: Exchange, upload_id: str) -> web.StreamResponse:
    """Take in a chunk of an upload; it comes without a key, the id is what it goes by."""
    request, upload = exchange.request, world.files.upload(upload_id)
    command = request.headers.get("X-Goog-Upload-Command", "")
    await _receive(world, exchange, upload)
    if "finalize" not in command:
        return web.Response(headers={"X-Goog-Upload-Status": "active"}, body=b"")
    now = world.clock.now()
    stored = world.files.finish(upload, now)
    response = json_response({"file": stored.document(now, _base(exchange))})
    response.headers["X-Goog-Upload-Status"] = "final"
    return response


async def _receive(world: World, exchange: Exchange, upload: Upload) -> None:
    try:
        offset = int(exchange.request.headers.get("X-Goog-Upload-Offset", "0"))
    except ValueError as error:
        raise invalid("X-Goog-Upload-Offset must be a number.") from error
    if offset != upload.size:
        raise invalid(f"The upload goes on at offset {upload.size}, not at {offset}.")
    try:
        async for data in exchange.request.content.iter_any():
            world.files.append(upload, data)
    except ConnectionError as error:
        raise ClientLeft from error


async def _list_files(world: World, exchange: Exchange, _name: str) -> web.StreamResponse:
    now, base = world.clock.now(), _base(exchange)
    stored = world.files.listing(exchange.owner.project, now)
    return _page(exchange, [one.document(now, base) for one in stored], "files")


async def _get_file(world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    now = world.clock.now()
    return json_response(world.files.get(name, exchange.owner.project, now).document(now, _base(exchange)))


async def _delete_file(world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    world.files.delete(name, exchange.owner.project, world.clock.now())
    return json_response({})


async def _create_cache(world: World, exchange: Exchange, _name: str) -> web.StreamResponse:
    name = str(exchange.body.get("model", "")).removeprefix("models/")
    model = find(name, exchange.version)
    if model is None or "createCachedContent" not in model.methods:
        raise refusals.model_missing(name, exchange.version, "createCachedContent")
    cache = world.caches.create(exchange.body, exchange.owner.project, model, world.clock.now())
    return json_response(cache.document())


async def _list_caches(world: World, exchange: Exchange, _name: str) -> web.StreamResponse:
    caches = world.caches.listing(exchange.owner.project, world.clock.now())
    return _page(exchange, [cache.document() for cache in caches], "cachedContents")


async def _get_cache(world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    return json_response(world.caches.get(name, exchange.owner.project, world.clock.now()).document())


async def _update_cache(world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    project, now = exchange.owner.project, world.clock.now()
    return json_response(world.caches.update(name, project, exchange.body, now).document())


async def _delete_cache(world: World, exchange: Exchange, name: str) -> web.StreamResponse:
    world.caches.delete(name, exchange.owner.project, world.clock.now())
    return json_response({})


def _page(exchange: Exchange, documents: list[Json], field: str) -> web.Response:
    query = exchange.request.query
    return json_response(page(documents, field, query.get("pageSize", ""), query.get("pageToken", "")))


def _base(exchange: Exchange) -> str:
    return f"{exchange.request.url.origin()}/{exchange.version}"


_ID = r"/(?P<name>[^/:]+)"
RESOURCES: tuple[tuple[str, re.Pattern[str], Handler], ...] = tuple(
    (method, re.compile(pattern), handler)
    for method, pattern, handler in (
        ("GET", "models", _list_models),
        ("GET", "models" + _ID, _get_model),
        ("POST", "upload/files", _start_upload),
        ("GET", "files", _list_files),
        ("GET", "files" + _ID, _get_file),
        ("DELETE", "files" + _ID, _delete_file),
        ("POST", "cachedContents", _create_cache),
        ("GET", "cachedContents", _list_caches),
        ("GET", "cachedContents" + _ID, _get_cache),
        ("PATCH", "cachedContents" + _ID, _update_cache),
        ("DELETE", "cachedContents" + _ID, _delete_cache),
    )
)


def find_resource(method: str, path: str) -> tuple[Handler, str] | None:
    """The handler of a path behind the version, and the name in it (empty for collections)."""
    for wanted, pattern, handler in RESOURCES:
        match = pattern.fullmatch(path)
        if match is not None and wanted == method:
            return handler, match.groupdict().get("name") or ""
    return None
