"""One writer per answer: turns a stream of text into few, well-paced edits of a message.

``AnswerWriter(target, locale=...)`` reads the deltas of one answer in a task of its own and shows the
newest text, at most once per interval, until the stream ends; then ``run`` shows the whole answer, split
into messages, and says in a ``WrittenAnswer`` what came of it. A ``Target`` is where an answer is shown:
``utils/rendering/discord`` has two, and anything of that shape will do. ``waits`` lets it say what is waited for
before there is any text.

What always holds: states in between are dropped, never queued; no edit starts before the last one returned; the last
state is always sent; splitting happens at the end only, so nothing is shown twice. The interval grows while edits are
slow, for then the platform is holding them back. When the stream fails, the text so far stays and one sentence stands
under it (or alone); when the writer is cancelled, so does it, and the cancellation goes on. A place that is gone ends
the showing, not the reading: the answer is still stored by whoever makes the deltas.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from utils.i18n import translate
from utils.rendering.errors import DeliveryError, DeliveryRefusedError, PlaceGoneError
from utils.rendering.graphemes import units
from utils.rendering.sentences import error_sentence
from utils.rendering.splitting import MESSAGE_LIMIT, preview, split

_log = logging.getLogger(__name__)

#: An answer of more messages than this becomes its first message and a file.
MAX_MESSAGES = 5
FILE_NAME = "answer.md"

_MAX_INTERVAL_S = 15.0
#: Who waits is told so after the first of these times, and again at most every second of them.
_WAITING_AFTER_S = 2.0
_WAITING_EVERY_S = 4.0
_CANCEL_TIMEOUT_S = 2.5


@dataclass(frozen=True, slots=True)
class Place:
    """Where the first message of an answer is, and which messages go on with it."""

    channel_id: int
    message_id: int
    more: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class TextFile:
    """A file under an answer: all of it where it is too long to be read as messages, or what was made with it."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """What came of an answer: its whole text, where it begins (None: nowhere), whether its last state was taken.

    ``error`` is what ended the stream early, already told to the reader in a sentence; None: the answer is
    whole. ``gone``: there is no place any more where it could be shown.
    """

    text: str
    place: Place | None
    delivered: bool
    error: BaseException | None
    gone: bool = False


class Target(Protocol):
    """Where one answer is shown. All methods raise DeliveryError, and never run at the same time."""

    def waiting(self) -> contextlib.AbstractAsyncContextManager[object]:
        """Show that an answer is coming, as long as nothing is shown."""

    async def ready(self) -> None:
        """Wait until a text may be shown, where many answers are written at once; whoever waits may be cancelled."""

    async def show(self, text: str) -> Place:
        """Show this text, in place of what was shown before; ``ready`` was awaited."""

    async def finish(self, texts: Sequence[str], file: TextFile | None, made: Sequence[TextFile] = ()) -> Place:
        """Show these texts, the first in place of what was shown before and with the file and what was made, if any."""


class AnswerWriter:
    """Writes one answer; made anew for each.

    ``interval_s``: seconds between the beginnings of two edits. ``on_place`` is awaited whenever the
    answer stands somewhere new. ``sentence`` says an error to the reader; without it the rendering's own
    sentence does. ``silent`` tells errors after which nothing more is to be shown, ``note`` gives small print for
    the end of an answer that came to one, ``instead`` is shown in place of an answer that failed, ``made`` gives the
    pictures and sounds that go with it.
    """

    def __init__(
        self,
        target: Target,
        *,
        locale: str,
        interval_s: float = 1.1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        on_place: Callable[[Place], Awaitable[None]] | None = None,
        sentence: Callable[[BaseException], str] | None = None,
        silent: Callable[[BaseException], bool] = lambda _: False,
        note: Callable[[], Awaitable[str | None]] | None = None,
        instead: str = "",
        made: Callable[[], Sequence[TextFile]] = tuple,
    ) -> None:
        self._target = target
        self._silent = silent
        self._note = note
        self._instead = instead
        self._made = made
        self._locale = locale
        self._shortest_interval_s = self._interval_s = interval_s
        self._clock = clock
        self._sleep = sleep
        self._on_place = on_place
        self._sentence = sentence or (lambda error: error_sentence(error, locale))
        self._text = ""
        self._shown = ""
        self._place: Place | None = None
        self._gone = False
        self._next_at = clock()
        self._waiting: str | None = None
        self._waiting_at = clock() + _WAITING_AFTER_S
        self._changed = asyncio.Event()

    def waits(self, sentence: str | None) -> None:
        """Say until the first text comes what is waited for; None: nothing any more, so what is shown stays as it is.

        Shown only where it takes long, and replaced by the first text.
        """
        self._waiting = sentence
        self._changed.set()

    async def run(self, deltas: AsyncIterator[str]) -> WrittenAnswer:
        """Show the answer as it comes and then as a whole.

        Raises nothing but what ``on_place`` raises and CancelledError; errors of the stream come back in
        the result.
        """
        reader = asyncio.create_task(self._read(deltas))
        try:
            await self._follow(reader)
        except BaseException as stop:
            reader.cancel()
            await asyncio.wait({reader})  # whoever makes the deltas stores how they ended
            _outcome(reader)
            with contextlib.suppress(TimeoutError):  # the caller is going away and cannot be kept longer
                async with asyncio.timeout(_CANCEL_TIMEOUT_S):
                    await self._conclude(stop)
            raise
        return await self._conclude(_outcome(reader))

    async def _read(self, deltas: AsyncIterator[str]) -> None:
        try:
            async for delta in deltas:
                self._text += delta
                self._changed.set()
        finally:
            self._changed.set()

    async def _follow(self, reader: asyncio.Task[None]) -> None:
        async with self._target.waiting():
            while not reader.done() and not self._text.strip() and not self._gone:
                await self._wait()
        while not reader.done() and not self._gone:
            await self._pause(reader)
            await self._turn(reader)
            if not reader.done():
                await self._show(preview(self._text))
                await self._change()
        await asyncio.wait({reader})

    async def _wait(self) -> None:
        """Wait for a change, or show what is waited for once it is time to."""
        if self._waiting is None or self._waiting == self._shown:
            await self._change()
            return
        left = self._waiting_at - self._clock()
        if left > 0:
            await self._change_within(left)
            return
        await self._target.ready()
        if self._waiting is not None:
            await self._show(self._waiting)
        self._waiting_at = self._clock() + _WAITING_EVERY_S

    async def _change_within(self, seconds: float) -> None:
        """Wait for a change, but not longer than that."""
        change = asyncio.ensure_future(self._change())
        nap = asyncio.ensure_future(self._sleep(seconds))
        try:
            await asyncio.wait({change, nap}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            change.cancel()
            nap.cancel()

    async def _change(self) -> None:
        """Wait for more text, the end of the stream, or another thing to wait for."""
        await self._changed.wait()
        self._changed.clear()
        await asyncio.sleep(0)  # lets a reader that has just come to its end be seen as done

    async def _pause(self, reader: asyncio.Task[None]) -> None:
        """Wait for the interval's end, or the stream's, whichever is first."""
        left = self._next_at - self._clock()
        if left <= 0:
            return
        nap = asyncio.ensure_future(self._sleep(left))
        try:
            await asyncio.wait({reader, nap}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()

    async def _turn(self, reader: asyncio.Task[None]) -> None:
        """Wait for the target's word, or the stream's end, whichever is first: the last state has a turn of its own."""
        if reader.done():
            return
        turn = asyncio.ensure_future(self._target.ready())
        try:
            await asyncio.wait({reader, turn}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            turn.cancel()

    async def _show(self, text: str) -> None:
        if not text or text == self._shown:
            return
        started_at = self._clock()
        try:
            place = await self._target.show(text)
        except (PlaceGoneError, DeliveryRefusedError) as error:
            # what is refused once is refused again, and refusals are counted against the bot
            _log.info("an answer has no place any more; its text is no longer shown: %s", error)
            self._gone = True
        except DeliveryError as error:
            _log.warning("a state of an answer was not shown: %s", error)
            self._adapt(started_at, slow=True)
        else:
            self._shown = text
            self._adapt(started_at)
            await self._stands_at(place)

    def _adapt(self, started_at: float, *, slow: bool = False) -> None:
        took_s = self._clock() - started_at
        if slow or took_s > self._interval_s:
            self._interval_s = min(_MAX_INTERVAL_S, max(took_s, 1.5 * self._interval_s))
        else:
            self._interval_s = max(self._shortest_interval_s, 0.9 * self._interval_s)
        self._next_at = started_at + self._interval_s

    async def _stands_at(self, place: Place) -> None:
        if place == self._place:
            return
        self._place = place
        if self._on_place is not None:
            await self._on_place(place)

    async def _conclude(self, error: BaseException | None) -> WrittenAnswer:
        """Show the last state: the whole answer, or what there is of it with a sentence."""
        if error is not None and self._silent(error):
            return WrittenAnswer(self._text, self._place, delivered=False, error=error)
        sentence = await self._last_sentence(error)
        delivered = False
        if not self._gone:
            try:
                await self._finish(sentence)
                delivered = True
            except (PlaceGoneError, DeliveryRefusedError) as gone:
                # asking again would be refused again
                self._gone = True
                _log.info("there is no place any more for the end of an answer: %s", gone)
            except DeliveryError as undelivered:
                _log.warning("the end of an answer was not shown: %s", undelivered)
        return WrittenAnswer(self._text, self._place, delivered, error, gone=self._gone)

    async def _last_sentence(self, error: BaseException | None) -> str | None:
        if error is not None and self._instead:
            self._text = self._instead
        if isinstance(error, asyncio.CancelledError):
            return error_sentence(error, self._locale)  # being stopped is no failure that anybody has to look into
        if error is not None:
            return self._sentence(error)
        if not self._text.strip():
            return translate("error.empty_answer", self._locale)
        return await self._note() if self._note is not None else None

    async def _finish(self, sentence: str | None) -> None:
        texts = with_sentence(split(self._text), sentence)
        whole, shown = None, texts
        if len(texts) > MAX_MESSAGES:
            hint = translate("answer.in_file", self._locale, name=FILE_NAME)
            shown = with_sentence(texts[:1], f"{hint} {sentence}" if sentence else hint)
            whole = TextFile(FILE_NAME, self._text.encode("utf-8", "replace"))
        made = self._made()
        try:
            # what takes files is asked for them only where there are some
            place = await (self._target.finish(shown, whole, made) if made else self._target.finish(shown, whole))
        except DeliveryRefusedError as refused:
            if whole is None and not made:
                raise
            _log.info("a file is refused here, so an answer becomes %d messages alone: %s", len(texts), refused)
            place = await self._target.finish(texts, None)
        await self._stands_at(place)


def with_sentence(texts: Sequence[str], sentence: str | None) -> list[str]:
    """Set one sentence under the messages in small print, or alone where there are none."""
    if sentence is None:
        return list(texts)
    if not texts:
        return [sentence]
    small = f"-# {sentence}"
    joined = f"{texts[-1]}\n{small}"
    return [*texts[:-1], joined] if units(joined) <= MESSAGE_LIMIT else [*texts, small]


def _outcome(reader: asyncio.Task[None]) -> BaseException | None:
    return asyncio.CancelledError() if reader.cancelled() else reader.exception()
