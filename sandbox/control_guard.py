"""Who may use the control interface, and how its refusals look.

``guard`` is the middleware around every answer on the page's port. What always holds: a request whose Host is not
loopback with our own port is refused (a name that was rebound to 127.0.0.1 gets nothing), so is a foreign Origin; a
write must be something that no foreign page can send without asking first (``application/json``, or our own header);
every refusal is JSON with one sentence; nothing is offered across origins; the page may load only itself and pictures
of the emulated CDN.

Errors::

    ControlError    a refusal by the control interface: an HTTP status and one sentence
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from sandbox.discord import ActionError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

OWN_HEADER = "X-Sandbox"
_READS = frozenset({"GET", "HEAD"})
_NAMES = ("127.0.0.1", "localhost", "[::1]")
_log = logging.getLogger(__name__)


class ControlError(Exception):
    """A refusal: ``status`` is HTTP's, the text is one sentence for a person."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let loopback's own page and tools in, and turn every failure into a sentence."""
    try:
        _check(request)
        return await handler(request)
    except ControlError as error:
        return _refusal(error.status, str(error))
    except ActionError as error:
        return _refusal(400, str(error))
    except web.HTTPRequestEntityTooLarge:
        return _refusal(413, "That is too large for the sandbox; send at most 25 MiB of files.")
    except web.HTTPNotFound:
        return _refusal(404, f"There is nothing at {request.path}; the page is at /.")
    except web.HTTPMethodNotAllowed as error:
        return _refusal(405, f"{request.path} takes {' or '.join(sorted(error.allowed_methods))}.")
    except (ConnectionError, web.HTTPException):
        raise
    except Exception:  # noqa: BLE001 - logged whole; a person gets a sentence instead of a page of Python
        _log.exception("the control interface failed at %s %s", request.method, request.path)
        return _refusal(500, "The sandbox made a mistake; its log has the details.")


def own_port(request: web.Request) -> int:
    """The port on which the request came in."""
    address = request.get_extra_info("sockname")
    return int(address[1]) if address else 0


def page_headers(cdn_origin: str | None) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Make the signal that sets the security headers of every answer."""
    pictures = f"'self' blob: {cdn_origin}" if cdn_origin else "'self' blob:"
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {pictures}",
            f"media-src {cdn_origin}" if cdn_origin else "media-src 'none'",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )

    async def on_prepare(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
        response.headers.setdefault("Cache-Control", "no-store")

    return on_prepare


def _check(request: web.Request) -> None:
    port = own_port(request)
    hosts = {f"{name}:{port}" for name in _NAMES}
    if request.headers.get("Host", "").lower() not in hosts:
        raise ControlError(f"This sandbox answers only to http://127.0.0.1:{port}.", 403)
    origin = request.headers.get("Origin")
    if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
        raise ControlError("Another site's page may not use the sandbox.", 403)
    if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.headers.get("Sec-Fetch-Mode") != "navigate":
        raise ControlError("Another site's page may not use the sandbox.", 403)
    if request.method not in _READS:
        _check_write(request)


def _check_write(request: web.Request) -> None:
    if request.content_type == "application/json":
        return
    if request.content_type == "multipart/form-data" and request.headers.get(OWN_HEADER):
        return
    raise ControlError(
        f"A write must be application/json, or multipart/form-data with the header {OWN_HEADER}: 1.", 415
    )


def _refusal(status: int, sentence: str) -> web.Response:
    return web.json_response({"error": sentence}, status=status)
