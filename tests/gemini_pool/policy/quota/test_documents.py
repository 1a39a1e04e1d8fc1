"""What is written of a quota for a restart, and how it is read back: to the second, and nothing that cannot be."""

from __future__ import annotations

import json
import math

import pytest

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.quota import documents
from utils.gemini_pool.policy.quota.closures import Closed, Closure
from utils.gemini_pool.policy.quota.documents import Facts
from utils.gemini_pool.policy.quota.limits import OwnLimit
from utils.gemini_pool.policy.quota.texts import Measure

CONFIG = PoolConfig(own_per_hour=10)
RPM, TPM, RPD = Measure.REQUESTS_PER_MINUTE, Measure.TOKENS_PER_MINUTE, Measure.REQUESTS_PER_DAY
NOW = 1000.0
#: The clock of the new process shows 700 less than the old one's.
SHIFT, LATER = 5000.0, 5700.0


def facts(**known: object) -> Facts:
    """Give facts of a project that is not closed."""
    return Facts(**{"closure": Closure(CONFIG), **known})  # type: ignore[arg-type]  # facts by name


def learned(value: int, until: float, share: int = 0, share_at: float = 0.0) -> OwnLimit:
    """Give a limit that the service named."""
    own = OwnLimit()
    own.learn(value, until)
    own.share, own.share_at = share, share_at
    return own


def again(written: Facts, *, now: float = NOW, config: PoolConfig = CONFIG) -> Facts:
    """Write and read in a process whose clock shows 700 less."""
    document = documents.write(written, SHIFT, now)
    assert document is not None
    return documents.read(json.loads(json.dumps(document)), LATER, now - 700.0, config)


def test_nothing_is_written_of_a_project_without_a_past() -> None:
    """Whatever its margin is; a closure that is over is none."""
    assert documents.write(facts(margin_s=3.0), SHIFT, NOW) is None
    closure = Closure(CONFIG)
    closure.close_minute(NOW - 60.0, 30.0)
    assert documents.write(facts(closure=closure), SHIFT, NOW) is None
    assert documents.write(facts(limits={RPM: learned(5, NOW)}), SHIFT, NOW) is None


def test_what_is_written_is_in_unix_seconds() -> None:
    """The whole document, to the name."""
    closure = Closure(CONFIG)
    closure.close_minute(NOW, 30.0)
    document = documents.write(
        facts(
            closure=closure,
            limits={RPM: learned(15, NOW + 100.0, 4, NOW - 10.0), RPD: learned(3, NOW)},
            margin_s=1.5,
            unexplained=True,
            starts=[990.0, 995.12345],
            hour=[100.0],
            tokens=[(991.0, 70)],
            today=9,
            day_ends=2000.0,
        ),
        SHIFT,
        NOW,
    )
    assert document is not None
    assert document.pop("closed") == {
        "why": "minute",
        "until": closure.until + SHIFT,
        "probe_at": max(NOW, closure.probe_at) + SHIFT,
    }
    assert document == {
        "limits": {RPM.value: {"value": 15, "until": 6100.0, "share": 4, "share_at": 5990.0}},
        "unexplained": True,
        "day": {"requests": 9, "ends": 7000.0},
        "starts": [5990.0, 5995.123],
        "hour": [5100.0],
        "tokens": [[5991.0, 70]],
        "margin_s": 1.5,
    }


def test_everything_comes_back_on_the_clock_of_the_new_process() -> None:
    """Shares, starts, tokens, the day, the margin, doubts and closures."""
    closure = Closure(CONFIG)
    closure.close_day(NOW, 8000.0)
    read = again(
        facts(
            closure=closure,
            limits={RPM: learned(15, NOW + 100.0, 4, NOW - 10.0), TPM: learned(900, NOW + 50.0)},
            margin_s=1.5,
            unexplained=True,
            starts=[990.0, 980.0],
            hour=[500.0],
            tokens=[(991.0, 70), (990.0, 1)],
            today=9,
            day_ends=2000.0,
        )
    )
    assert (read.closure.why, read.closure.until) == (Closed.DAY, closure.until - 700.0)
    assert read.closure.probe_at == closure.probe_at - 700.0
    assert sorted(read.limits) == sorted([RPM, TPM])
    assert (read.limits[RPM].learned, read.limits[RPM].learned_until) == (15, 400.0)
    assert (read.limits[RPM].share, read.limits[RPM].share_at) == (4, 290.0)
    assert (read.limits[TPM].learned, read.limits[TPM].share) == (900, 0)
    assert (read.margin_s, read.unexplained, read.today, read.day_ends) == (1.5, True, 9, 1300.0)
    assert (read.starts, read.hour, read.tokens) == ([280.0, 290.0], [-200.0], [(290.0, 1), (291.0, 70)])


def test_a_document_of_nothing_is_nothing() -> None:
    """No closure, no limit, no doubt."""
    read = documents.read({}, SHIFT, NOW, CONFIG)
    assert read.closure.why is None
    assert (read.limits, read.margin_s, read.unexplained, read.today) == ({}, 0.0, False, 0)
    assert (read.starts, read.hour, read.tokens) == ([], [], [])
    assert (Facts(Closure(CONFIG)).margin_s, Facts(Closure(CONFIG)).unexplained) == (0.0, False)
    assert (Facts(Closure(CONFIG)).today, Facts(Closure(CONFIG)).day_ends) == (0, 0.0)


@pytest.mark.parametrize("number", ["5", None, True, math.nan, math.inf, [5], {}])
def test_what_is_no_number_is_left_out(number: object) -> None:
    """Text, truth values and what is not finite are read as nothing, wherever they stand."""
    document = {
        "closed": {"why": "minute", "until": number, "probe_at": number},
        "limits": {RPM.value: {"value": number, "until": 9e9}, TPM.value: {"value": 7, "until": 9e9, "share": number}},
        "margin_s": number,
        "unexplained": number,
        "starts": [number, NOW + SHIFT],
        "tokens": [[NOW + SHIFT, number], [number, 5], [NOW + SHIFT, 5], [NOW + SHIFT, 5, 6], "ab", {1: 2, 3: 4}],
        "day": {"requests": number, "ends": number},
    }
    read = documents.read(document, SHIFT, NOW, CONFIG)
    assert not read.closure.is_closed(NOW)
    assert list(read.limits) == [TPM]
    assert read.limits[TPM].share == 0
    assert (read.margin_s, read.today, read.day_ends) == (0.0, 0, -SHIFT)
    assert read.unexplained is (number is True)
    assert (read.starts, read.tokens) == ([NOW], [(NOW, 5)])


@pytest.mark.parametrize("why", [["day"], None, "never heard of", 7, {}])
def test_a_reason_that_nobody_knows_closes_nothing(why: object) -> None:
    """Whatever its shape."""
    read = documents.read({"closed": {"why": why, "until": 9e9, "probe_at": 9e9}}, SHIFT, NOW, CONFIG)
    assert read.closure.why is None


def test_only_amounts_above_nothing_count() -> None:
    """A limit of 0, calls without tokens and a negative day are left out; the others are read all the same."""
    document = {
        "limits": {RPM.value: {"value": 0, "until": 9e9}, RPD.value: {"value": 1, "until": 9e9, "share": 1}},
        "tokens": [[NOW + SHIFT, 0], [NOW + SHIFT, 1], [NOW + SHIFT, -1]],
        "day": {"requests": -5, "ends": 0},
    }
    read = documents.read(document, SHIFT, NOW, CONFIG)
    assert {measure: own.learned for measure, own in read.limits.items()} == {RPD: 1}
    assert read.limits[RPD].share == 0
    assert (read.tokens, read.today) == ([(NOW, 1)], 0)


@pytest.mark.parametrize(("share", "read_as"), [(0, 0), (1, 1), (9, 9), (10, 0), (-1, 0)])
def test_a_share_is_a_part_of_its_limit(share: int, read_as: int) -> None:
    """More than nothing and less than all."""
    document = {"limits": {RPM.value: {"value": 10, "until": NOW + SHIFT, "share": share, "share_at": NOW + SHIFT}}}
    own = documents.read(document, SHIFT, NOW, CONFIG).limits[RPM]
    assert (own.share, own.share_at) == (read_as, NOW if read_as else 0.0)


def test_nothing_reaches_further_than_it_can() -> None:
    """After a wall clock was set back: closures, limits and starts are bounded by the longest there is."""
    document = {
        "closed": {"why": "no_quota", "until": 1e9, "probe_at": 1e9},
        "limits": {RPM.value: {"value": 10, "until": 1e9, "share": 3, "share_at": 1e9}},
        "starts": [1e9],
        "tokens": [[1e9, 5]],
    }
    read = documents.read(document, SHIFT, NOW, CONFIG)
    assert (read.closure.until, read.closure.probe_at) == (NOW + 90_000.0, NOW + 90_000.0)
    own = read.limits[RPM]
    assert (own.learned_until, own.share_at) == (NOW + 86_400.0, NOW + 86_400.0)
    assert (read.starts, read.tokens) == ([NOW], [(NOW, 5)])
    long = PoolConfig(closed_probe_s=200_000.0)
    assert documents.read(document, SHIFT, NOW, long).closure.until == NOW + 200_000.0


def test_only_what_may_still_count_is_kept_of_the_starts() -> None:
    """A minute and the widest margin of the minute's, an hour of the hour's, and that only with a limit for it."""
    document = {"starts": [SHIFT + 932.0, SHIFT + 932.1], "hour": [SHIFT - 2600.0, SHIFT - 2599.9]}
    read = documents.read(document, SHIFT, NOW, CONFIG)
    assert read.starts == [pytest.approx(932.1)]
    assert read.hour == [pytest.approx(-2599.9)]
    assert documents.read(document, SHIFT, NOW, PoolConfig()).hour == []
