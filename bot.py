"""The composition root: reads the configuration, builds the rooms in order, runs the bot, closes in reverse.

Called as ``python bot.py [--sandbox [all|gemini|discord]] [--sandbox-url URL] [--port N] [--keep] [--auto]``, or with
``--new-master-key``, which only puts a new key on top of the master key file: the next start encrypts all anew.

The order is settings, sandbox (if any), storage, pool, conversations, bot; each is closed after those behind
it. ``choose`` is the start matrix, ``compose`` the building, ``run_until_stopped`` the life. SIGTERM and SIGINT
take no new work, give running answers 20 seconds and end the process within 25; a second signal does not wait
for the answers.

What always holds: whatever keeps the bot from starting becomes one sentence on stderr and an exit code that is
not 0, without traceback or secret; in the sandbox no real key, token or proxy variable is used.
Errors: StartError; everything else that can be mended has its sentence from the room it comes from.
"""

from __future__ import annotations

import argparse
import asyncio
import functools
import gc
import logging
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import discord

import sandbox
from cogs import CDN_HOSTS, GeminiBot, make_bot
from cogs.custody import Custody, make_custody
from cogs.identifies import Identifies
from cogs.insight import look_into
from cogs.keychain import KeyChain, load_added
from utils.conversations import Conversations
from utils.conversations.fairness import FairUse, OwnerLimits
from utils.conversations.preferences import Preferences
from utils.gemini_pool import Configuration, GeminiAPIPool, Keyring, PoolError, install_default_pool, read
from utils.i18n import load_catalogues, translate
from utils.rendering.parts import DiscordMarkdown
from utils.security import Redactor, Secret, install_redaction
from utils.security.encryption import EncryptionError
from utils.security.masterkeys import MasterKeys
from utils.settings import (
    Settings,
    SettingsError,
    environment,
    gemini_secrets,
    has_gemini_keys,
    load_settings,
    without_gemini_keys,
)
from utils.storage import Storage, StorageError, database_exists, open_storage

_log = logging.getLogger("bot")

SandboxPart = Literal["all", "gemini", "discord"]

SANDBOX_DATABASE = Path("data/sandbox.db")
SANDBOX_LOG = Path("data/sandbox.log")
SANDBOX_MASTER_KEY = Path(".keys/sandbox.key")
DRAIN_TIMEOUT_S = 20.0
CLOSE_TIMEOUT_S = 1.5
_RUN_ID = "sandbox.run_id"


class StartError(Exception):
    """The bot cannot start as it was asked to; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Options:
    """The command line. ``part`` is what the sandbox stands for, or None; ``auto`` lets the bot choose.

    ``new_master_key``: do nothing but put a new master key on top of the file.
    """

    part: SandboxPart | None
    url: str | None
    port: int | None
    keep: bool
    auto: bool
    new_master_key: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """How to start: with which part of the sandbox, and what to say first (None: nothing)."""

    part: SandboxPart | None
    note: str | None = None


def choose(options: Options, *, has_token: bool, has_keys: bool) -> Plan:
    """Decide how to start from what is asked for and what is configured; raises StartError."""
    if options.part == "gemini" and not has_token:
        raise StartError(translate("start.gemini_needs_token", "en"))
    if options.part == "discord" and not has_keys:
        raise StartError(translate("start.discord_needs_keys", "en"))
    if options.part is not None:
        return Plan(options.part)
    if has_token and has_keys:
        return Plan(None)
    if options.auto and has_keys:
        return Plan("discord", translate("start.keys_only", "en"))
    if options.auto and not has_token:
        return Plan("all", translate("start.nothing_configured", "en"))
    if has_token:
        raise StartError(translate("start.token_only", "en"))
    raise StartError(translate("start.no_token" if has_keys else "start.no_configuration", "en"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the bot until it is stopped; gives the process's exit code."""
    options = _options(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    # the bot never joins a voice channel: that parts for it are missing is no news
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
    # what these say at every start and every question tells an operator nothing, or (aiosqlite) what people said
    for chatty in ("alembic", "google_genai", "aiosqlite"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    redactor = Redactor()
    put_back = install_redaction(redactor)
    try:
        load_catalogues()
        if options.new_master_key:
            add_master_key()
        else:
            asyncio.run(serve(options, redactor))
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - the last border: whatever it is, the operator gets a sentence
        code, sentence = explain(error)
        if code == 1:
            _log.debug("the bot ended", exc_info=error)
        sys.stderr.write(redactor.clean(sentence) + "\n")
        return code
    finally:
        put_back()
    return 0


def add_master_key() -> None:
    """Put a new key on top of the master key file, and say so; raises SettingsError and EncryptionError."""
    keys = _master_keys(load_settings(environment()))
    ring = keys.add()
    _say(translate("start.master_key_added", "en", path=keys.path, key_id=ring.ids[0]))


def explain(error: Exception) -> tuple[int, str]:
    """Give the exit code and the sentence for an error that ended the bot: 2 is for what must be configured."""
    match error:
        case StartError() | SettingsError() | StorageError() | EncryptionError() | PoolError() | sandbox.SandboxError():
            return 2, str(error)
        case discord.LoginFailure() | discord.ConnectionClosed(code=4004):
            return 2, translate("start.bad_token", "en")
        case discord.PrivilegedIntentsRequired():
            return 2, translate("start.refused_intent", "en")
        case discord.app_commands.CommandSyncFailure():
            return 1, translate("start.commands_refused", "en")
        case discord.DiscordException() | OSError() | TimeoutError():
            return 1, translate("start.discord_unreachable", "en")
        case _ if any(base.__module__.partition(".")[0] == "aiohttp" for base in type(error).__mro__):
            return 1, translate("start.discord_unreachable", "en")
        case _:
            _log.error("unexpected error", exc_info=error)
            return 1, translate("start.unexpected", "en")


@dataclass(frozen=True, slots=True)
class Start:
    """What is settled before the rooms are built. ``configured`` reads the pool's configuration anew each time."""

    settings: Settings
    token: Secret
    configured: Callable[[], Configuration]
    box: sandbox.Sandbox | None
    keep: bool
    #: Whether Discord is the sandbox's, which takes no token away from a bot that starts too often.
    emulated_discord: bool


async def serve(options: Options, redactor: Redactor) -> None:
    """Build everything, run the bot until a signal comes or it fails, close everything in reverse."""
    signals = _Signals()
    async with AsyncExitStack() as stack:
        building = asyncio.create_task(compose(options, redactor, stack))
        await signals.first_of(building)
        if not building.done():
            building.cancel()
            await asyncio.wait([building])
            return
        bot, token = building.result()
        keep_for_good()
        await run_until_stopped(bot, token, signals)


async def compose(options: Options, redactor: Redactor, stack: AsyncExitStack) -> tuple[GeminiBot, Secret]:
    """Build the rooms in order and leave their closing on the stack; gives the bot and its token."""
    begun = await settle(options, redactor, stack)
    logging.getLogger().setLevel(begun.settings.log_level)
    storage = await _open_storage(begun, stack)
    keyring = Keyring(begun.configured)
    damaged = await load_added(storage.vault, keyring, redactor)
    make_pool = functools.partial(
        GeminiAPIPool.from_configuration,
        keyring,
        store=storage.statistics,
        default_model=begun.settings.gemini_model,
    )
    # reads `.env`, which the event loop must not wait for
    pool = await asyncio.to_thread(make_pool)
    await stack.enter_async_context(pool)
    install_default_pool(pool)
    chain = KeyChain(storage.vault, keyring, pool, redactor, damaged=damaged)
    custody = make_custody(storage, chain, retention_days=begun.settings.retention_days)
    fair = FairUse(storage.limits, OwnerLimits.of_settings(begun.settings))
    stack.push_async_callback(fair.aclose)
    return _make_bot(begun, pool, storage, custody, fair), begun.token


def keep_for_good() -> None:
    """Take all that was built out of the garbage collector's sight, since it stays until the process ends.

    A full collection looks at everything it knows of: with the modules and the rooms that would hold up every answer
    for a tenth of a second, again and again (https://docs.python.org/3/library/gc.html#gc.freeze).
    """
    gc.freeze()


async def settle(options: Options, redactor: Redactor, stack: AsyncExitStack) -> Start:
    """Read the configuration and enter the sandbox, if there is to be one."""
    variables = await asyncio.to_thread(environment)
    _learn_secrets(redactor, variables)
    has_token = bool(variables.get("DISCORD_TOKEN", "").strip())
    has_keys = has_gemini_keys(variables) or (has_token and await _has_added_keys(options, variables))
    plan = choose(options, has_token=has_token, has_keys=has_keys)
    if plan.note is not None:
        _say(plan.note)
    box = None
    part: SandboxPart = plan.part or "all"
    if plan.part is not None:
        # looking it up reads the sandbox's rooms from disk, which the event loop must not wait for
        enter = await asyncio.to_thread(lambda: sandbox.enter)
        box = await enter(parts=part, url=options.url, port=options.port, log_file=SANDBOX_LOG)
        stack.push_async_callback(box.close)
        _say(translate("start.page", "en", url=box.page_url))

    def read_variables() -> dict[str, str]:
        fresh = environment() if box is None else sandboxed(environment(), box, part)
        _learn_secrets(redactor, fresh)
        return fresh

    settings = load_settings(await asyncio.to_thread(read_variables))
    if settings.discord_token is None:
        raise StartError(translate("start.no_token", "en"))
    emulated = plan.part is not None and plan.part != "gemini"
    return Start(settings, settings.discord_token, lambda: read(read_variables()), box, options.keep, emulated)


async def _has_added_keys(options: Options, variables: Mapping[str, str]) -> bool:
    """Tell whether the database holds keys that were added while running, for a start without any other."""
    settings = load_settings(variables)
    if options.part is not None or not await asyncio.to_thread(database_exists, settings.database_url):
        return False
    async with open_storage(settings.database_url, keys=_master_keys(settings)) as storage:
        return any(key.secret is not None for key in await storage.vault.load())


def sandboxed(variables: Mapping[str, str], box: sandbox.Sandbox, part: SandboxPart) -> dict[str, str]:
    """Put the sandbox's keys, token and database in place of the real ones, and leave out every proxy."""
    values = {name: value for name, value in variables.items() if not name.lower().endswith("_proxy")}
    values["DATABASE_URL"] = f"sqlite:///{SANDBOX_DATABASE.as_posix()}"
    values["MASTER_KEY_FILE"] = str(SANDBOX_MASTER_KEY)
    values.pop("MASTER_KEYS", None)
    if part != "discord":
        values = without_gemini_keys(values)
        values["GEMINI_API_KEYS"] = ",".join(box.gemini_keys)
        values["GOOGLE_GEMINI_BASE_URL"] = box.gemini_base_url
    if part != "gemini":
        values["DISCORD_TOKEN"] = box.discord_token
    return values


async def run_until_stopped(bot: GeminiBot, token: Secret, signals: _Signals) -> None:
    """Stay connected until a signal comes; raises what ends the connection before that."""
    connection = asyncio.create_task(bot.start(token.reveal()), name="discord")
    try:
        await signals.first_of(connection)
        if connection.done():
            connection.result()
            return
        _say(translate("start.stopping", "en"))
        draining = asyncio.create_task(bot.running.drain(DRAIN_TIMEOUT_S))
        await signals.first_of(draining)
        if not draining.done():
            # the second signal: the answers end now, but the store still learns how they ended
            await bot.running.drain(0)
    finally:
        await _close(bot, connection)


async def _close(bot: GeminiBot, connection: asyncio.Task[None]) -> None:
    closing = asyncio.create_task(bot.close())
    await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)
    unfinished = [task for task in (closing, connection) if not task.done()]
    for task in unfinished:
        task.cancel()
    if unfinished:
        await asyncio.wait(unfinished)


class _Signals:
    """SIGTERM and SIGINT as something to wait for, one signal at a time."""

    def __init__(self) -> None:
        self._count = asyncio.Semaphore(0)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._count.release)

    async def first_of(self, work: asyncio.Task[Any]) -> None:
        """Return when the work has ended or the next signal has come, whichever is first."""
        signalled = asyncio.create_task(self._count.acquire())
        await asyncio.wait({work, signalled}, return_when=asyncio.FIRST_COMPLETED)
        if not signalled.done():
            signalled.cancel()
            await asyncio.wait([signalled])


async def _open_storage(begun: Start, stack: AsyncExitStack) -> Storage:
    """Open the database; in the sandbox an empty one for each new run, unless it is to be kept."""
    url, box, keys = begun.settings.database_url, begun.box, _master_keys(begun.settings)
    storage = await stack.enter_async_context(open_storage(url, keys=keys))
    if box is None:
        return storage
    if not begun.keep and await storage.meta.get(_RUN_ID) not in (None, box.run_id):
        await storage.aclose()
        await asyncio.to_thread(_remove_sandbox_database)
        storage = await stack.enter_async_context(open_storage(url, keys=keys))
    await storage.meta.set(_RUN_ID, box.run_id)
    return storage


def _master_keys(settings: Settings) -> MasterKeys:
    return MasterKeys(settings.master_key_file, settings.master_keys)


def _remove_sandbox_database() -> None:
    for path in SANDBOX_DATABASE.parent.glob(f"{SANDBOX_DATABASE.name}*"):
        # whoever waits for the lock holds it by its file
        if not path.name.endswith(".lock"):
            path.unlink()


def _make_bot(begun: Start, pool: GeminiAPIPool, storage: Storage, custody: Custody, fair: FairUse) -> GeminiBot:
    settings, box = begun.settings, begun.box
    preferences = Preferences(storage.settings, storage.personas)
    conversations = Conversations(
        storage.conversations,
        pool,
        wall=time.time,
        default_model=settings.gemini_model,
        guide=preferences,
        presentation=DiscordMarkdown(),
        fair=fair,
    )
    cdn_host = urlsplit(discord.Asset.BASE).netloc
    bot = make_bot(
        pool,
        conversations,
        storage.meta,
        preferences=preferences,
        personas=storage.personas,
        custody=custody,
        insight=look_into(storage, watch=pool, quotas=pool),
        fair=fair,
        admin_ids=settings.admin_ids,
        default_model=settings.gemini_model,
        reads_content=settings.message_content_intent,
        cdn_hosts={cdn_host} if box is not None else CDN_HOSTS | {cdn_host},
        commands_epoch=box.run_id if box is not None else "",
        identifies=None if begun.emulated_discord else Identifies(storage.limits),
    )

    async def say_ready() -> None:
        bot.remove_listener(say_ready, "on_ready")
        _say(translate("start.ready", "en", name=str(bot.user)))

    bot.add_listener(say_ready, "on_ready")
    return bot


def _learn_secrets(redactor: Redactor, variables: Mapping[str, str]) -> None:
    """Tell the redactor everything in the configuration that must never be shown."""
    for secret in gemini_secrets(variables):
        redactor.add(secret)
    redactor.add(Secret(variables.get("DISCORD_TOKEN", ""), "DISCORD_TOKEN"))
    for master in variables.get("MASTER_KEYS", "").split(","):
        redactor.add(Secret(master.strip(), "MASTER_KEYS"))
    try:
        password = urlsplit(variables.get("DATABASE_URL", "")).password
    except ValueError:
        # an address that cannot be taken apart is refused later, with a sentence
        return
    redactor.add(Secret(password or "", "DATABASE_URL password"))


def _options(arguments: Sequence[str] | None) -> Options:
    parser = argparse.ArgumentParser(description="A Discord bot that answers with Google Gemini.")
    parser.add_argument(
        "--sandbox",
        nargs="?",
        const="all",
        choices=["all", "gemini", "discord"],
        help="use an emulated Gemini, Discord, or both (default) on this machine",
    )
    parser.add_argument("--sandbox-url", metavar="URL", help="join a sandbox that runs already")
    parser.add_argument("--port", type=int, help="port of the sandbox's page (0: any free one)")
    parser.add_argument("--keep", action="store_true", help="keep the sandbox's database over a new run")
    parser.add_argument("--auto", action="store_true", help="use the sandbox for what is not configured")
    parser.add_argument("--new-master-key", action="store_true", help="add a master key to the file, and end")
    given = parser.parse_args(arguments)
    part: SandboxPart | None = given.sandbox or ("all" if given.sandbox_url else None)
    return Options(
        part=part,
        url=given.sandbox_url,
        port=given.port,
        keep=given.keep,
        auto=given.auto,
        new_master_key=given.new_master_key,
    )


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
