"""Where Discord's errors end, on the way of an answer, and files become uploads.

``border()`` wraps whatever calls Discord: nothing foreign comes out of it but as a ``DeliveryError`` with its numbers
and without its text. ``upload`` makes a file that discord.py can send once. What always holds: a cancellation passes
through.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator

import discord

from utils.rendering.errors import DeliveryError, DeliveryRefusedError, PlaceClosedError, PlaceGoneError, TimeOverError
from utils.rendering.writer import TextFile

#: Invalid Webhook Token: asking again would be refused again, and be counted.
_TOKEN_OVER = 50027
_ARCHIVED = 50083


def upload(file: TextFile) -> discord.File:
    """Make the upload of a file, anew for each try."""
    return discord.File(io.BytesIO(file.content), filename=file.name)


@contextlib.contextmanager
def border() -> Iterator[None]:
    """Let nothing foreign out but as a DeliveryError."""
    try:
        yield
    except discord.NotFound as error:
        raise PlaceGoneError(f"Discord knows it no more (404, code {error.code})") from error
    except discord.Forbidden as error:
        raise DeliveryRefusedError(f"Discord refuses it (403, code {error.code})") from error
    except discord.HTTPException as error:
        if error.code == _TOKEN_OVER:
            raise TimeOverError(f"the interaction's time is over ({error.status}, code {error.code})") from error
        if error.code == _ARCHIVED:
            raise PlaceClosedError(f"the thread is archived ({error.status}, code {error.code})") from error
        raise DeliveryError(f"Discord did not take it ({error.status}, code {error.code})") from error
    except DeliveryError:
        raise
    except Exception as error:
        # the connection's own errors are of a library that only discord.py knows
        raise DeliveryError(f"Discord was not reached ({type(error).__name__})") from error
