"""The charts of the admin commands: from sums over time to pictures of them. Pure but for reading the sums.

``Period`` is how far back a chart looks; ``pool_pictures`` shows models, ``key_pictures`` keys and projects. A picture
is given as a function of the locale, which ``Charts`` calls. What always holds: every number is the store's or the
pool's own; keys are named by label; times are told from now backwards, since nobody's time zone is known.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cogs.insight import QuotaStats
from cogs.tables import kind_name
from utils.i18n import translate
from utils.rendering.charts import Panel, Picture, Series, top
from utils.storage import Span, SpanKey, Spans

PeriodName = Literal["hour", "day", "week"]
BuildPicture = Callable[[str], Picture]

_MOST_SERIES = 6
_MOST_BARS = 12
_MINUTE_S = 60
#: How requests end for which neither key nor service is to blame.
_NO_ERRORS = frozenset({"ok", "caller", "cancelled"})


@dataclass(frozen=True, slots=True)
class Period:
    """How far back (``length_s``), in how long spans; ``steps`` are the places named under a chart, up to now."""

    name: PeriodName
    length_s: int
    span_s: int
    unit: str
    steps: tuple[int, ...]

    @property
    def count(self) -> int:
        """How many spans there are."""
        return self.length_s // self.span_s


PERIODS: Mapping[PeriodName, Period] = {
    "hour": Period("hour", 3600, 120, "minutes", (60, 45, 30, 15)),
    "day": Period("day", 86400, 3600, "hours", (24, 18, 12, 6)),
    "week": Period("week", 7 * 86400, 6 * 3600, "days", (7, 6, 5, 4, 3, 2, 1)),
}


@dataclass(frozen=True, slots=True)
class Past:
    """The sums of one period, which begins at ``since`` (unix seconds)."""

    period: Period
    since: int
    spans: Sequence[Span]

    def series(self, value: Callable[[Span], float | None], name: Callable[[Span], str]) -> list[Series]:
        """Give one series for each name; spans of one name and place are added up, None where nothing is."""
        found: dict[str, list[float | None]] = {}
        for span in self.spans:
            measured = value(span)
            if measured is None:
                continue
            values = found.setdefault(name(span), [None] * self.period.count)
            place = (span.start - self.since) // self.period.span_s
            values[place] = (values[place] or 0.0) + measured
        return [Series(one, tuple(values)) for one, values in found.items()]

    def kinds(self, locale: str) -> list[Series]:
        """Give one series for each kind of error."""
        kinds = sorted({kind for span in self.spans for kind in span.kinds} - _NO_ERRORS)
        return [one for kind in kinds for one in self.series(_counter(kind), _named(kind_name(kind, locale)))]


async def load_past(spans: Spans, period: Period, *, by: SpanKey, now: float) -> Past:
    """Read the sums up to the minute that runs now.

    :raises StorageError: they could not be read.
    """
    until = (int(now) // _MINUTE_S + 1) * _MINUTE_S
    since = until - period.length_s
    return Past(period, since, await spans.load(since=since, until=until, length_s=period.span_s, by=by))


def pool_pictures(past: Past) -> list[tuple[str, BuildPicture]]:
    """Give the pictures of all models, each with its file's name; none when nothing was asked."""
    if not past.spans:
        return []

    def traffic(locale: str) -> Picture:
        requests = past.series(lambda span: span.requests, _model)
        return Picture(
            (
                _over_time("requests_by_model", requests, past, locale),
                _over_time("errors_by_kind", past.kinds(locale), past, locale),
            )
        )

    def speed(locale: str) -> Picture:
        tokens = [
            *past.series(lambda span: span.input_tokens, _named(translate("admin.chart.tokens_in", locale))),
            *past.series(lambda span: span.output_tokens, _named(translate("admin.chart.tokens_out", locale))),
        ]
        means = past.series(lambda span: span.seconds / span.timed if span.timed else None, _model)
        busiest = {one.name for one in top(past.series(lambda span: span.requests, _model), _MOST_SERIES, "")}
        shown = tuple(one for one in means if one.name in busiest)
        return Picture(
            (
                Panel(_title("average_time", past, locale), "lines", shown, _times(past.period, locale), " s"),
                _over_time("tokens", tokens, past, locale),
            )
        )

    return [("requests.png", traffic), ("time-and-tokens.png", speed)]


def key_pictures(past: Past, labels: Mapping[str, str], quotas: QuotaStats) -> list[tuple[str, BuildPicture]]:
    """Give the pictures of all keys, and of quotas where they are known; ``labels`` names keys by fingerprint."""
    pictures: list[tuple[str, BuildPicture]] = []

    def traffic(locale: str) -> Picture:
        gone = translate("admin.chart.removed", locale)

        def label(span: Span) -> str:
            return labels.get(span.name, gone)

        requests = _over_time("requests_by_key", past.series(lambda span: span.requests, label), past, locale)
        faults = _errors_by_key(past, label, locale)
        return Picture((requests, faults) if faults is not None else (requests,))

    if past.spans:
        pictures.append(("requests-by-key.png", traffic))
    known = [
        (project, model, entry)
        for project, models in quotas.items()
        for model, entry in models.items()
        if entry.get("limit")
    ]
    if known:
        pictures.append(("quota-left.png", lambda locale: Picture((_quota_left(known, locale),))))
    return pictures


def _errors_by_key(past: Past, label: Callable[[Span], str], locale: str) -> Panel | None:
    """Show the keys with most errors, the worst first."""
    counts: dict[str, dict[str, int]] = {}
    for span in past.spans:
        for kind in span.kinds.keys() - _NO_ERRORS:
            of_key = counts.setdefault(label(span), {})
            of_key[kind] = of_key.get(kind, 0) + span.kinds[kind]
    worst = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))[:_MOST_BARS]
    if not worst:
        return None
    kinds = sorted({kind for name in worst for kind in counts[name]})
    series = [
        Series(kind_name(kind, locale), tuple(float(counts[name].get(kind, 0)) for name in worst)) for kind in kinds
    ]
    shown = top(series, _MOST_SERIES, translate("admin.chart.others", locale))
    return Panel(_title("errors_by_key", past, locale), "lying", shown, tuple(worst))


def _quota_left(known: Sequence[tuple[str, str, Mapping[str, Any]]], locale: str) -> Panel:
    """Show what is left in percent, the least first."""
    several = len({model for _, model, _ in known}) > 1
    left = sorted((_share(entry), f"{project} {model}" if several else project) for project, model, entry in known)[
        :_MOST_BARS
    ]
    values = Series("", tuple(share for share, _ in left))
    names = tuple(name for _, name in left)
    return Panel(translate("admin.chart.quota_left", locale), "lying", (values,), names, " %")


def _share(entry: Mapping[str, Any]) -> float:
    return 100.0 * max(0.0, float(entry.get("left", 0))) / float(entry["limit"])


def _over_time(title: str, series: Sequence[Series], past: Past, locale: str) -> Panel:
    shown = top(series, _MOST_SERIES, translate("admin.chart.others", locale))
    return Panel(_title(title, past, locale), "bars", shown, _times(past.period, locale))


def _title(name: str, past: Past, locale: str) -> str:
    what = translate(f"admin.chart.{name}", locale)
    return translate(f"admin.chart.period.{past.period.name}", locale, what=what)


def _times(period: Period, locale: str) -> tuple[str, ...]:
    ago = [translate(f"admin.chart.{period.unit}_ago", locale, number=step) for step in period.steps]
    return (*ago, translate("admin.chart.now", locale))


def _model(span: Span) -> str:
    return span.name


def _counter(kind: str) -> Callable[[Span], float | None]:
    return lambda span: span.kinds.get(kind)


def _named(name: str) -> Callable[[Span], str]:
    return lambda _span: name
