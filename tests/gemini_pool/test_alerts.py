"""Alerts reach the log, the webhook and the listener; what fails on the way is told once and stops nothing."""

from __future__ import annotations

import logging

import pytest

from utils.gemini_pool.alerts import Announcer
from utils.gemini_pool.policy.alerts import Alert, AlertKind

FEW = Alert(AlertKind.FEW_KEYS, {"model": "m", "able": 1, "keys": 4, "seconds": 61.0})
ENOUGH = Alert(AlertKind.ENOUGH_KEYS, {"model": "m", "able": 3, "keys": 4})
DEAD = Alert(AlertKind.KEY_DEAD, {"key": "Key #1", "name": "team", "reason": "leaked"})


class Post:
    """Takes what is posted and answers ``failed``."""

    def __init__(self, failed: str | None = None) -> None:
        self.failed = failed
        self.posted: list[str] = []

    async def __call__(self, text: str) -> str | None:
        """Take a text."""
        self.posted.append(text)
        return self.failed


async def test_all_that_is_due_is_one_message(caplog: pytest.LogCaptureFixture):
    """Each alert is a line of the log and a call of the listener; together they are one post."""
    post = Post()
    heard: list[Alert] = []
    announcer = Announcer(post)
    announcer.on_alert = heard.append
    with caplog.at_level(logging.INFO):
        await announcer.tell([FEW, ENOUGH])
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, FEW.text),
        (logging.INFO, ENOUGH.text),
    ]
    assert post.posted == [f"{FEW.text}\n{ENOUGH.text}"]
    assert heard == [FEW, ENOUGH]


async def test_nothing_due_is_nothing_sent():
    """A look without alerts posts nothing."""
    post = Post()
    await Announcer(post).tell([])
    assert not post.posted


async def test_a_death_is_in_the_log_once(caplog: pytest.LogCaptureFixture):
    """The line was written when the key died; the webhook still hears of it."""
    post = Post()
    with caplog.at_level(logging.INFO):
        await Announcer(post).tell([DEAD])
    assert not caplog.records
    assert post.posted == [DEAD.text]


async def test_a_webhook_that_fails_is_told_once_by_type(caplog: pytest.LogCaptureFixture):
    """The same failure is one line; after a success, or when it fails in another way, it is told again."""
    post = Post("HTTP 404")
    announcer = Announcer(post)
    with caplog.at_level(logging.WARNING):
        for failed in ("HTTP 404", "HTTP 404", "HTTP 500", None, "HTTP 500"):
            post.failed = failed
            await announcer.tell([DEAD])
    assert len(post.posted) == 5
    assert [record.getMessage().partition("(")[2][:8] for record in caplog.records] == [
        "HTTP 404",
        "HTTP 500",
        "HTTP 500",
    ]


async def test_a_listener_that_raises_stops_nothing(caplog: pytest.LogCaptureFixture):
    """The webhook is still posted to, and the log has the type of the error only."""
    post = Post()

    def listener(_: Alert) -> None:
        raise ValueError("what the listener knows")

    announcer = Announcer(post)
    announcer.on_alert = listener
    await announcer.tell([FEW])
    assert post.posted
    assert "ValueError" in caplog.text
    assert "what the listener knows" not in caplog.text
