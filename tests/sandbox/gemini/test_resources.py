"""Models, files, caches, counting and embedding, with the real SDK."""

from __future__ import annotations

import base64
import hashlib
import io
import json

import pytest
from google.genai import errors, types

from tests.sandbox.gemini.conftest import MODEL, Running, Start, until


async def test_models_are_listed_page_by_page(running: Running) -> None:
    """Every model once, whatever the size of the page, with what it can do."""
    pager = await running.client().aio.models.list(config={"page_size": 5})
    listed = [model async for model in pager]
    names = [str(model.name).removeprefix("models/") for model in listed]
    assert len(set(names)) == len(names) == len(running.emulator.models()) > 10
    by_name = dict(zip(names, listed, strict=True))
    assert "generateContent" in (by_name[MODEL].supported_actions or [])
    assert by_name[MODEL].input_token_limit == 1_048_576
    assert "generateContent" not in (by_name["gemini-embedding-2"].supported_actions or [])


@pytest.mark.parametrize("name", ["gemini-2.0-flash", "gemini-1.5-pro", "gemini-pro", "nonsense", "gemini-embedding-2"])
async def test_retired_and_unknown_models_are_not_found(running: Running, name: str) -> None:
    """404 in Google's words, which is no error of the key."""
    with pytest.raises(errors.ClientError, match=f"models/{name} is not found for API version v1, or is not"):
        await running.ask("Hi", model=name)
    assert running.key()["errors"] == 0


async def test_aliases_exist_on_v1beta_only(running: Running) -> None:
    """And the answer says which model it really was."""
    beta = running.client(version="v1beta").aio.models
    response = await beta.generate_content(model="gemini-flash-latest", contents="Hi")
    assert response.model_version == MODEL
    with pytest.raises(errors.ClientError, match="not found"):
        await running.ask("Hi", model="gemini-flash-latest")


async def test_replaced_models_are_answered_by_their_successor(running: Running) -> None:
    """Silently, as Google does."""
    assert (await running.ask("Hi", model="gemini-3.7-flash")).model_version == "gemini-3.8-flash"


async def test_counted_tokens_are_those_a_request_is_charged(running: Running) -> None:
    """Text by its bytes, a picture as 258."""
    part = types.Part.from_bytes(data=b"\x89PNG", mime_type="image/png")
    counted = await running.client().aio.models.count_tokens(
        model=MODEL, contents=types.Content(parts=[part, types.Part(text="x" * 9)])
    )
    assert counted.total_tokens == 258 + 3
    asked = await running.ask([part, "x" * 9])
    assert asked.usage_metadata.prompt_token_count == counted.total_tokens


async def test_embeddings_are_one_per_content_and_deterministic(running: Running) -> None:
    """Unit vectors of the length asked for; texts that share words are nearer."""
    texts = ["the cat sleeps", "the cat eats", "quantum field theory"]
    response = await running.client().aio.models.embed_content(
        model="gemini-embedding-001",
        contents=[types.Content(parts=[types.Part(text=text)]) for text in texts],
        config={"output_dimensionality": 256},
    )
    vectors = [embedding.values or [] for embedding in response.embeddings or []]
    assert [len(vector) for vector in vectors] == [256] * 3
    assert sum(value * value for value in vectors[0]) == pytest.approx(1)
    near, far = (sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:])
    assert near > far


async def test_a_single_embedding_has_its_own_method(running: Running) -> None:
    """`embedContent` answers one vector in the default length."""
    headers = {"x-goog-api-key": running.secrets["a1"]}
    body = {"content": {"parts": [{"text": "Hi"}]}}
    address = f"{running.address}/v1/models/gemini-embedding-2:embedContent"
    async with running.session.post(address, json=body, headers=headers) as response:
        document = await response.json()
    assert len(document["embedding"]["values"]) == 3072


# The SDK hands its 8 MiB chunks to aiohttp as bytes, which aiohttp warns of above 1 MiB.
@pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
async def test_files_are_uploaded_in_chunks_and_used(running: Running) -> None:
    """Nine megabytes in two chunks; the answer names the file."""
    content = b"n" * (9 * 1024 * 1024)
    config = types.UploadFileConfig(mime_type="text/plain", display_name="notes")
    file = await running.client().aio.files.upload(file=io.BytesIO(content), config=config)
    assert (file.size_bytes, file.mime_type, file.display_name) == (len(content), "text/plain", "notes")
    assert base64.b64decode(str(file.sha256_hash)) == hashlib.sha256(content).digest()
    assert file.state == types.FileState.ACTIVE
    response = await running.ask([file, "Read this"], "a2")
    assert f"text/plain file {str(file.uri)[-80:]}" in response.text
    names = [one.name async for one in await running.client().aio.files.list()]
    assert names == [file.name]
    await running.client().aio.files.delete(name=str(file.name))
    with pytest.raises(errors.ClientError, match="permission"):
        await running.client().aio.files.get(name=str(file.name))


async def test_files_belong_to_the_project_of_the_key(running: Running) -> None:
    """Another project's key neither sees nor uses them."""
    file = await running.client("a1").aio.files.upload(file=io.BytesIO(b"secret"), config={"mime_type": "text/plain"})
    for call in (running.client("b1").aio.files.get(name=str(file.name)), running.ask([file, "Read"], "b1")):
        with pytest.raises(errors.ClientError) as caught:
            await call
        assert caught.value.code == 403
    assert [one async for one in await running.client("b1").aio.files.list()] == []


async def test_files_are_processed_before_they_are_active(start: Start) -> None:
    """A request that comes too early is refused, and a patient one is served."""
    running = await start(processing_s=1000.0)
    client = running.client()
    file = await client.aio.files.upload(file=io.BytesIO(b"video"), config={"mime_type": "video/mp4"})
    assert file.state == types.FileState.PROCESSING
    with pytest.raises(errors.ClientError, match="not in an ACTIVE state"):
        await running.ask([file, "Watch"])
    running.clock.set_speed(10_000)
    ready = running.clock.now() + 1000
    await until(lambda: running.clock.now() > ready)
    assert (await client.aio.files.get(name=str(file.name))).state == types.FileState.ACTIVE
    assert (await running.ask([file, "Watch"])).text


async def test_caches_are_made_used_and_deleted(running: Running) -> None:
    """Their tokens count as cached; they belong to a model and a project."""
    caches = running.client().aio.caches
    config = types.CreateCachedContentConfig(contents="word " * 4_000, ttl="600s", display_name="book")
    cache = await caches.create(model=MODEL, config=config)
    assert cache.usage_metadata is not None
    assert cache.usage_metadata.total_token_count == 5_000
    usage = (await running.ask("Hi", cached_content=cache.name)).usage_metadata
    assert (usage.cached_content_token_count, usage.prompt_token_count) == (5_000, 5_001)
    longer = await caches.update(name=str(cache.name), config=types.UpdateCachedContentConfig(ttl="3600s"))
    assert longer.expire_time is not None
    assert cache.expire_time is not None
    assert longer.expire_time > cache.expire_time
    assert [one.name async for one in await caches.list()] == [cache.name]
    with pytest.raises(errors.ClientError, match="has to be the same"):
        await running.ask("Hi", model="gemini-3.8-flash", cached_content=cache.name)
    with pytest.raises(errors.ClientError, match="not found"):
        await running.ask("Hi", "b1", cached_content=cache.name)
    await caches.delete(name=str(cache.name))
    with pytest.raises(errors.ClientError, match="not found"):
        await caches.get(name=str(cache.name))


async def test_a_cache_that_is_too_small_is_refused(running: Running) -> None:
    """With the figures, as the service words it."""
    config = types.CreateCachedContentConfig(contents="word")
    with pytest.raises(errors.ClientError, match="total_token_count=1, min_total_token_count=4096"):
        await running.client().aio.caches.create(model=MODEL, config=config)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/v2/models", 404),
        ("GET", "/v1/nothing", 404),
        ("GET", "/v1/models?pageToken=x", 400),
        ("POST", "/upload/v1/files?upload_id=unknown", 404),
    ],
)
async def test_odd_requests_get_an_error_in_googles_shape(
    running: Running, method: str, path: str, status: int
) -> None:
    """Never a traceback, never a hang."""
    headers = {"x-goog-api-key": running.secrets["a1"]}
    async with running.session.request(method, running.address + path, headers=headers) as response:
        assert response.status == status
        assert (await response.json())["error"]["code"] == status


@pytest.mark.parametrize("raw", [b"{", b"[]", b"[" * 100_000, b'{"contents": 5}', b'{"contents": [{"parts": [{}]}]}'])
async def test_broken_bodies_are_refused(running: Running, raw: bytes) -> None:
    """400 whatever arrives."""
    headers = {"x-goog-api-key": running.secrets["a1"], "Content-Type": "application/json"}
    address = f"{running.address}/v1/models/{MODEL}:generateContent"
    async with running.session.post(address, data=raw, headers=headers) as response:
        assert response.status == 400
        assert json.loads(await response.text())["error"]["status"] == "INVALID_ARGUMENT"
