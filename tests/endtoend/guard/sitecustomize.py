"""Loaded by every Python process of a test that watches the network.

Each address beyond loopback is written down and refused, so that nothing leaves the machine even if a test fails.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Any

_LOG = Path(os.environ["NETWORK_GUARD_LOG"])
_connect = socket.socket.connect
_getaddrinfo = socket.getaddrinfo


def _note(host: object) -> None:
    if str(host) not in ("127.0.0.1", "::1", "localhost"):
        with _LOG.open("a", encoding="utf-8") as log:
            log.write(f"{host}\n")
        raise ConnectionRefusedError("this test stays on this machine")


def _guarded_connect(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6):
        _note(address[0])
    _connect(self, address)


def _guarded_getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
    _note(host)
    return _getaddrinfo(host, *args, **options)


socket.socket.connect = _guarded_connect  # type: ignore[method-assign, assignment]  # the point of this file
socket.getaddrinfo = _guarded_getaddrinfo
_LOG.touch()
