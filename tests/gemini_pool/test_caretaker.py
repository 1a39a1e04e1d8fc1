"""Over HTTP: a dead key that is alive again comes back by itself, and people hear of what happens, by label."""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.gemini_pool.conftest import QUICK, Running, until
from utils.gemini_pool import AllKeysDeadError
from utils.gemini_pool.policy.alerts import Alert, AlertKind
from utils.gemini_pool.provider.notify import Webhook
from utils.security import Secret
from utils.storage import open_storage

#: A day of 0.2 s between the probes of a dead key, and a minute of 0.1 s until a shortage is told.
HASTY = dataclasses.replace(QUICK, dead_probe_s=0.2, alert_few_for_s=0.1)
PATIENT = dataclasses.replace(QUICK, alert_few_for_s=0.1)


class Inbox:
    """What arrived at a webhook."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.address = ""

    async def take(self, request: web.Request) -> web.Response:
        """Take a message."""
        self.texts.append((await request.json())["content"])
        return web.Response(status=204)

    def webhook(self) -> Webhook:
        """Give the webhook that leads here."""
        return Webhook(Secret(self.address, "GEMINI_POOL_ALERT_WEBHOOK"))


@pytest.fixture
async def inbox() -> AsyncIterator[Inbox]:
    """A webhook on loopback."""
    inbox = Inbox()
    app = web.Application()
    app.router.add_post("/alerts", inbox.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    inbox.address = f"http://127.0.0.1:{runner.addresses[0][1]}/alerts"
    yield inbox
    await runner.cleanup()


def listings(running: Running, key: str) -> int:
    """How often a key asked for the list of models."""
    return sum(entry["key"] == key and entry["path"].endswith("/models") for entry in running.emulator.diary())


async def test_a_dead_key_that_is_alive_again_comes_back(running: Running, inbox: Inbox):
    """It is asked for free until the service accepts it; then it serves again, and both are told by label."""
    running.break_key("k1", kind="invalid")
    async with running.pool(2, config=HASTY, webhook=inbox.webhook()) as pool:
        heard: list[Alert] = []
        pool.set_alert_listener(heard.append)
        for number in range(4):
            assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
        assert pool.get_api_key_stats()["key_usage"]["Key #1"]["state"] == "dead"
        await until(lambda: listings(running, "k1") >= 2)
        assert pool.get_api_key_stats()["key_usage"]["Key #1"]["state"] == "dead"
        running.heal()
        await until(lambda: pool.get_api_key_stats()["key_usage"]["Key #1"]["state"] == "live")
        before = running.asked_by_key()["k1"]
        for number in range(4):
            assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
        assert running.asked_by_key()["k1"] > before == 1
        await until(lambda: len(inbox.texts) == 2)
    assert [alert.kind for alert in heard] == [AlertKind.KEY_DEAD, AlertKind.KEY_BACK]
    assert inbox.texts == [alert.text for alert in heard]
    assert inbox.texts[0].startswith("Key #1 (k1) is dead: ")
    assert not any(secret in text for secret in running.secrets() for text in inbox.texts)


async def test_a_dead_key_costs_nothing_before_its_day_is_over(running: Running, inbox: Inbox):
    """While the shortage it makes is told, no question is put to a key that died a moment ago."""
    running.emulator.set_faults([{"keys": ["k1", "k2", "k3"], "kind": "leaked"}])
    async with running.pool(config=PATIENT, webhook=inbox.webhook()) as pool:
        for number in range(6):
            assert (await pool.generate_content(prompt=f"#q-{number}"))[1]
        await until(lambda: any("Only 1 of 4 keys could serve" in text for text in inbox.texts))
        assert listings(running, "k1") == 0
    assert running.asked_by_key()["k1"] == 1


async def test_that_no_key_is_left_is_told_once_over_restarts(
    running: Running, inbox: Inbox, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """All deaths come in one message with their consequence; a restart has no news."""
    running.break_all("invalid")
    url = f"sqlite:///{tmp_path / 'pool.db'}"
    with caplog.at_level(logging.INFO):
        async with (
            open_storage(url) as storage,
            running.pool(config=PATIENT, store=storage.statistics, webhook=inbox.webhook()) as pool,
        ):
            assert isinstance((await pool.generate_content(prompt="Hello"))[0], AllKeysDeadError)
            await until(lambda: any("All 4 keys are dead" in text for text in inbox.texts))
        told = list(inbox.texts)
        async with (
            open_storage(url) as storage,
            running.pool(config=PATIENT, store=storage.statistics, webhook=inbox.webhook()) as pool,
        ):
            assert isinstance((await pool.generate_content(prompt="Hello"))[0], AllKeysDeadError)
            await pool._caretaker.look()
    assert inbox.texts == told
    assert sum("is dead" in record.getMessage() for record in caplog.records) == 4
    assert sum("All 4 keys are dead" in record.getMessage() for record in caplog.records) == 1
    assert inbox.address not in caplog.text


async def test_a_request_is_explained_by_its_way(running: Running):
    """What the emulator saw is what is told: the key that failed, the key that answered, how it ended."""
    running.break_key("k1", kind="500")
    async with running.pool(2) as pool:
        assert (await pool.generate_content(prompt="a question with words of its own"))[1]
        (record,) = pool.records()
        told = pool.explain(record.id)
        assert pool.explain("unknown") == ""
    assert [(one.key, one.kind.value) for one in record.attempts] == [("Key #1", "fault"), ("Key #2", "ok")]
    assert record.end == "answered"
    assert re.search(r"Attempt 1 went to Key #1 of .*score 1, the best of 2 projects\.", told)
    assert "It failed after" in told
    assert "Attempt 2 went to Key #2" in told
    assert told.splitlines()[-1].startswith("Answered ")
    assert "words of its own" not in told
    assert not any(secret in told for secret in running.secrets())
