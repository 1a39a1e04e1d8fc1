"""A webhook is posted to once, in a shape Discord takes; what goes wrong is a word, and never the address."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from utils.gemini_pool.provider.notify import Webhook
from utils.security import Secret

TOKEN = "token-that-lets-anybody-post"


@dataclass
class Receiver:
    """A server that takes messages and answers with ``status``."""

    address: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    received: list[Any] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Take a message in."""
        self.received.append((request.content_type, await request.json()))
        return web.Response(status=self.status, headers=self.headers)

    def webhook(self) -> Webhook:
        """Give the webhook that posts here."""
        return Webhook(Secret(f"{self.address}/hooks/{TOKEN}", "GEMINI_POOL_ALERT_WEBHOOK"))


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/{path:.*}", receiver.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield receiver
    await runner.cleanup()


async def test_a_message_arrives_as_json(receiver: Receiver):
    """The body is what Discord's webhooks take."""
    assert await receiver.webhook().post("Key #2 (team) is dead.") is None
    assert receiver.received == [("application/json", {"content": "Key #2 (team) is dead."})]


async def test_a_long_message_is_cut_to_what_discord_takes(receiver: Receiver):
    """A hundred alerts at once still arrive, as far as they fit."""
    await receiver.webhook().post("x" * 5000)
    assert receiver.received[0][1] == {"content": "x" * 2000}


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_refusal_is_told_by_its_status(receiver: Receiver, status: int):
    """A redirection counts as a refusal: it is not followed."""
    receiver.status, receiver.headers = status, {"Location": f"{receiver.address}/elsewhere"}
    assert await receiver.webhook().post("text") == f"HTTP {status}"
    assert len(receiver.received) == 1


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/{}", "no address {}", "ftp://127.0.0.1/{}", "{}"])
async def test_an_address_that_cannot_be_reached_is_told_without_it(address: str):
    """Nothing is raised, and the word holds no part of the address."""
    failed = await Webhook(Secret(address.format(TOKEN), "GEMINI_POOL_ALERT_WEBHOOK")).post("text")
    assert failed is not None
    assert failed.isidentifier()
    assert TOKEN not in failed


async def test_a_post_can_be_cancelled(receiver: Receiver):
    """The end of the process does not wait for a webhook."""
    posting = asyncio.create_task(receiver.webhook().post("text"))
    posting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await posting


def test_a_webhook_does_not_show_its_address():
    """Whoever knows the address may post."""
    assert TOKEN not in repr(Webhook(Secret(TOKEN, "GEMINI_POOL_ALERT_WEBHOOK")))
