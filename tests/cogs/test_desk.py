"""The error desk: one sentence for the reader, one entry for the log, nothing foreign in either place."""

from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from cogs.desk import ErrorDesk, StoppingError
from cogs.incoming import AttachmentUnreadError
from utils.gemini_pool import QuotaExhaustedError
from utils.storage import StorageBusyError

CANARY = "canary-text-of-a-foreign-error"


def http_error(kind: type[discord.HTTPException], status: int) -> discord.HTTPException:
    """Make an error as discord.py raises it."""
    response: Any = SimpleNamespace(status=status, reason=CANARY)
    return kind(response, {"code": 0, "message": CANARY})


@pytest.fixture
def desk():
    return ErrorDesk(lambda: "e-17")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (QuotaExhaustedError(CANARY), "quota"),
        (StorageBusyError(CANARY), "database"),
        (http_error(discord.Forbidden, 403), "Discord"),
        (discord.RateLimited(100), "Discord"),
        (AttachmentUnreadError("a`b.png"), "`ab.png`"),
        (StoppingError(), "restarting"),
        (asyncio.CancelledError(), "stopped"),
        (RuntimeError(CANARY), "`e-17`"),
    ],
)
def test_every_failure_has_one_sentence_without_foreign_text(desk, caplog, error, words):
    """The sentence says what to do; the text of the error stays out of it."""
    sentence = desk.sentence(error, "en-US", where="/ask")
    assert words in sentence
    assert CANARY not in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    [record] = caplog.records
    assert "e-17" in record.getMessage()
    assert "/ask" in record.getMessage()


def test_only_the_unexpected_carries_its_traceback(desk, caplog):
    """What can be expected is one line in the log; a mistake of ours shows where it was made."""
    desk.sentence(QuotaExhaustedError("limit"), "en-US", where="/ask")
    desk.sentence(RuntimeError("bug"), "en-US", where="/ask")
    expected, unexpected = caplog.records
    assert expected.exc_info is None
    assert unexpected.exc_info is not None
    assert unexpected.levelno == logging.ERROR


async def test_a_mistake_in_a_command_reaches_its_user_as_a_sentence(house, monkeypatch):
    """An unexpected error in a command ends as a sentence with a number that stands in the log too."""

    def fail() -> None:
        raise RuntimeError(CANARY)

    monkeypatch.setattr(house.pool, "get_model_stats", fail)
    answer = await house.answer("pool-stats", user="Ada")
    assert "number `" in answer["content"]
    assert CANARY not in answer["content"]


async def test_a_sentence_that_cannot_be_delivered_is_only_logged(house, caplog):
    """When the place of the sentence is gone, the log says so and nothing else happens."""
    channel = house.channel("general")
    said = house.discord.say(channel, content="x", user="Mina")
    message = await house.bot.get_channel(int(channel)).fetch_message(int(said["id"]))
    house.discord.faults.fail(f"POST /channels/{channel}/messages", status=403)
    await house.bot.desk.reply(message, "a sentence")
    assert "could not be delivered" in caplog.text
