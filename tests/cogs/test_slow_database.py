"""A database that takes longer than Discord waits: whoever asks for something hears of it in time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.util import await_only

from sandbox.discord.limits import DiscordLimits
from tests.cogs.acting import Stage, people
from tests.cogs.conftest import House
from tests.cogs.permissions import ROWS, Row
from utils.i18n import translate

#: Discord takes an interaction back that is not acknowledged within three seconds.
LONGEST_S = 3.0
COMMANDS = [row for row in ROWS if row.act in ("command", "menu", "in own chat")]


class Hold:
    """Keeps every statement of every database waiting while ``on``, awaited or in a thread."""

    def __init__(self) -> None:
        self._let_go = asyncio.Event()
        self._let_threads_go = threading.Event()
        self.off()

    def on(self) -> None:
        """Let statements begin to wait."""
        self._let_go.clear()
        self._let_threads_go.clear()

    def off(self) -> None:
        """Let them all go on."""
        self._let_go.set()
        self._let_threads_go.set()

    def before(self, *_: Any) -> None:
        """Wait where SQLAlchemy is about to run a statement."""
        if threading.current_thread() is threading.main_thread():
            await_only(self._let_go.wait())
        else:
            self._let_threads_go.wait()


@pytest.fixture
async def hold() -> AsyncIterator[Hold]:
    """Give the means to keep the database from answering."""
    made = Hold()
    event.listen(Engine, "before_cursor_execute", made.before)
    yield made
    event.remove(Engine, "before_cursor_execute", made.before)


@pytest.fixture
async def stage(hold: Hold, tmp_path: Path) -> AsyncIterator[Stage]:
    """Give a running house and somebody who may do everything in it."""
    house = House(tmp_path, discord_limits=DiscordLimits(bucket_scale=0))
    people(house)
    await house.open()
    try:
        await house.start()
        made = Stage(house, "owner")
        await made.set_up()
        yield made
        hold.off()
        await house.stop()
        assert house.discord.violations() == []
    finally:
        await house.close()


def use(stage: Stage, row: Row) -> str:
    """Use a row's command, and give the interaction's id."""
    place = stage.chat if row.act == "in own chat" else stage.place
    target = None
    if row.act == "menu":
        target = stage.answers["own"]["id"] if row.command.startswith("Why") else stage.target
    return stage.house.discord.invoke(
        str(place), name=row.command, user=stage.user, options=stage.options(row), target=target, locale="en-US"
    )


async def test_every_command_is_acknowledged_in_time_however_long_the_database_takes(stage, hold):
    """What cannot be looked up in time is said in a sentence, and nothing is left unanswered."""
    interactions = stage.house.discord._parts.interactions
    hold.on()
    made = {row.title: interactions.find(use(stage, row)) for row in COMMANDS}
    # by then those that are late cannot be acknowledged any more
    await asyncio.sleep(LONGEST_S)
    assert [title for title, one in made.items() if one is None or one.acknowledged_ms is None] == []
    [told] = (await stage.house.discord.interaction(made["`/model` in one's chat"].id))["responses"]
    assert told["content"] == translate("error.storage", "en-US")
