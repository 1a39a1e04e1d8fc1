"""Enter the sandbox from a program: start it as a process of its own, or join one that runs.

``enter`` answers a frozen ``Sandbox`` with the addresses, and points discord.py there when the emulated Discord is
used; call it before anything of discord.py is built. The child has a session of its own, so that a killed program
leaves it running and finds it again by the state file; ``Sandbox.close`` ends it on a clean stop, and without anybody
it ends by itself. What always holds: proxies of the environment are not used; only
loopback is ever asked.

Errors::

    SandboxError                one sentence for a person
    ├── SandboxStartError       the child did not come up (its port is taken, it failed, it took too long)
    ├── SandboxUnreachableError nothing answers at the address that was given
    └── SandboxMismatchError    what answers is no sandbox, or one without the parts that are needed
"""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Json = Mapping[str, Any]

_PROJECT = Path(__file__).resolve().parent.parent
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_ASK_S = 3.0
_START_S = 30.0
_STOP_S = 5.0
_IDLE_S = 600.0
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class SandboxError(Exception):
    """The sandbox cannot be entered; the text is one sentence."""


class SandboxStartError(SandboxError):
    """The child did not come up."""


class SandboxUnreachableError(SandboxError):
    """Nothing answers at the address that was given."""


class SandboxMismatchError(SandboxError):
    """What answers is not the sandbox that is needed."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A sandbox that was entered; what belongs to a part that does not run is empty.

    ``gemini_keys`` are ``label@project:secret`` as ``GEMINI_API_KEYS`` takes them. ``started_child`` says that this
    program started it, now or before it was killed; then ``close`` ends it.
    """

    run_id: str
    page_url: str
    gemini_base_url: str
    gemini_keys: tuple[str, ...] = field(repr=False)
    discord_token: str = field(repr=False)
    started_child: bool
    _state_file: Path | None = field(default=None, repr=False)
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    async def close(self) -> None:
        """End the sandbox if this program started it; call it on a clean stop only. Safe to call twice."""
        if self.started_child:
            await asyncio.to_thread(self._end)

    def _end(self) -> None:
        # gone already, or another run answers there now: neither is ours to end
        with suppress(SandboxError):
            _ask(f"{self.page_url}_sandbox/stop", {"run_id": self.run_id}, timeout_s=_STOP_S)
        if self._child is not None:
            _reap(self._child)
        if self._state_file is not None:
            self._state_file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class _Wish:
    """What ``enter`` was asked for."""

    parts: str
    url: str | None
    port: int | None
    seed: int
    state_file: Path | None
    log_file: Path | None
    leave_when_idle_s: float
    start_timeout_s: float


async def enter(
    *,
    parts: str = "all",
    url: str | None = None,
    port: int | None = None,
    seed: int = 0,
    state_file: Path | None = Path("data/sandbox.json"),
    log_file: Path | None = None,
    leave_when_idle_s: float = _IDLE_S,
    start_timeout_s: float = _START_S,
) -> Sandbox:
    """Start a sandbox or join one, and point discord.py at it; returns when it answers.

    ``parts`` is all, gemini or discord. With ``url`` the running one there is joined and nothing is started. Else the
    one that ``state_file`` names is joined if it still answers as the same run with the same parts, else a child is
    started with the page on ``port`` (None: the usual one; 0: any free one) and its log in ``log_file``.
    Raises SandboxError.
    """
    wish = _Wish(parts, url, port, seed, state_file, log_file, leave_when_idle_s, start_timeout_s)
    working = asyncio.ensure_future(asyncio.to_thread(_enter, wish))
    try:
        sandbox, found = await asyncio.shield(working)
    except asyncio.CancelledError:
        # the thread goes on; a child that comes up after all must not be left behind
        with suppress(SandboxError):
            await (await working)[0].close()
        raise
    if parts != "gemini":
        redirect_discord = await asyncio.to_thread(_load_redirect)
        redirect_discord(found["discord_api"], found["discord_gateway"], found["discord_cdn"])
    return sandbox


def _enter(wish: _Wish) -> tuple[Sandbox, Json]:
    child: subprocess.Popen[bytes] | None = None
    found = _join(wish.url, wish.parts) if wish.url else _remembered(wish.state_file, wish.parts)
    if found is None:
        child, found = _start(wish)
    noted = wish.state_file if wish.url is None else None
    try:
        _ask(f"{found['page']}_sandbox/programs", {"pid": os.getpid()})
        if noted is not None:
            _remember(noted, found)
    except SandboxError:
        if child is not None:
            child.terminate()
            _reap(child)
        raise
    sandbox = Sandbox(
        run_id=found["run_id"],
        page_url=found["page"],
        gemini_base_url=found["gemini_base_url"] or "",
        gemini_keys=tuple(found["gemini_keys"]),
        discord_token=found["discord_token"] or "",
        started_child=wish.url is None,
        _state_file=noted,
        _child=child,
    )
    return sandbox, found


def _load_redirect() -> Callable[[str, str, str], object]:
    from sandbox.redirect import redirect_discord  # noqa: PLC0415 - a sandbox without Discord must not load discord.py

    return redirect_discord


def _join(url: str, parts: str) -> Json:
    base = url.rstrip("/")
    if urlsplit(base).scheme != "http" or urlsplit(base).hostname not in _LOOPBACK:
        raise SandboxUnreachableError(
            "A sandbox is only joined on this machine; give --sandbox-url as http://127.0.0.1 with its port."
        )
    found = _ask(f"{base}/_sandbox/addresses")
    if not _is_sandbox(found):
        raise SandboxMismatchError(f"What answers at {base} is no sandbox; check --sandbox-url.")
    if not _has_parts(found, parts):
        raise SandboxMismatchError(
            f"The sandbox at {base} runs with --parts {found['parts']}; start one with --parts {parts}."
        )
    return found


def _is_sandbox(found: Json) -> bool:
    return all(name in found for name in ("run_id", "parts", "page", "gemini_keys", "discord_token"))


def _has_parts(found: Json, parts: str) -> bool:
    return found["parts"] in ("all", parts)


def _remembered(state_file: Path | None, parts: str) -> Json | None:
    """The sandbox that an earlier life of this program started, if it still answers as the same run."""
    if state_file is None:
        return None
    try:
        noted = json.loads(state_file.read_text(encoding="utf-8"))
        found = _join(str(noted["page"]), parts)
    except (OSError, ValueError, KeyError, TypeError, SandboxError):
        # an unreadable note or a sandbox that is gone means the same: there is none to join
        return None
    return found if found["run_id"] == noted["run_id"] and found["parts"] == parts else None


def _remember(state_file: Path, found: Json) -> None:
    try:
        state_file.parent.mkdir(parents=True, exist_ok=True)
        note = {"page": found["page"], "run_id": found["run_id"], "parts": found["parts"]}
        state_file.write_text(json.dumps(note), encoding="utf-8")
    except OSError as error:
        raise SandboxStartError(
            f"The sandbox's note {state_file} cannot be written ({error.strerror}); make its folder writable."
        ) from error


def _ask(url: str, body: Json | None = None, *, timeout_s: float = _ASK_S) -> Json:
    """GET, or POST with a body; raises SandboxUnreachableError or SandboxMismatchError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - http and loopback only, by _join
    base = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    try:
        with _DIRECT.open(request, timeout=timeout_s) as answer:
            found = json.loads(answer.read() or b"{}")
    except (urllib.error.HTTPError, ValueError) as error:
        raise SandboxMismatchError(f"What answers at {base} is no sandbox; check --sandbox-url.") from error
    except (OSError, http.client.HTTPException) as error:
        raise SandboxUnreachableError(
            f"No sandbox answers at {base}; start one with python -m sandbox, or leave out --sandbox-url."
        ) from error
    return found if isinstance(found, dict) else {}


def _start(wish: _Wish) -> tuple[subprocess.Popen[bytes], Json]:
    command = [sys.executable, "-m", "sandbox", "--parts", wish.parts, "--seed", str(wish.seed)]
    command += ["--leave-when-idle", str(wish.leave_when_idle_s)]
    if wish.port is not None:
        command += ["--port", str(wish.port)]
    try:
        child = _spawn(command, wish.log_file)
    except OSError as error:
        raise SandboxStartError(
            f"The sandbox cannot be started ({error.strerror}); make {wish.log_file or _PROJECT} usable."
        ) from error
    return child, _await_ready(child, wish.start_timeout_s)


def _spawn(command: list[str], log_file: Path | None) -> subprocess.Popen[bytes]:
    detached: dict[str, Any] = {"start_new_session": True}
    if sys.platform == "win32":
        detached = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    if log_file is not None:
        log_file.parent.mkdir(parents=True, exist_ok=True)
    # a pipe that nobody reads would stop the child one day; what it says of its start is on standard output
    with (log_file or Path(os.devnull)).open("wb") as errors:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module; the rest are numbers and known words
            command, cwd=_PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, **detached
        )


def _await_ready(child: subprocess.Popen[bytes], timeout_s: float) -> Json:
    """Read the child's word that it is ready; raises SandboxStartError with the child's own sentence if it has one."""
    lines: list[bytes] = []
    reader = threading.Thread(target=_read_start, args=(child, lines), daemon=True)
    reader.start()
    reader.join(timeout_s)
    last = lines[-1] if lines else b""
    try:
        said = json.loads(last)
    except ValueError:
        said = {}
    if isinstance(said, dict) and "ready" in said:
        ready: Json = said["ready"]
        return ready
    child.terminate()
    _reap(child)
    if isinstance(said, dict) and "error" in said:
        raise SandboxStartError(str(said["error"]))
    raise SandboxStartError("The sandbox did not start; run python -m sandbox to see why.")


def _read_start(child: subprocess.Popen[bytes], lines: list[bytes]) -> None:
    """Take the child's lines up to the JSON one, then let go of the pipe: nothing is written to it later."""
    if child.stdout is None:
        return
    with child.stdout as output:
        for line in output:
            lines.append(line)
            if line.startswith(b"{"):
                return


def _reap(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
