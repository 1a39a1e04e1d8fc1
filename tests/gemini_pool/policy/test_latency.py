"""Usual times are learned, and limits follow them: good long answers are not cut, a hanging key costs little."""

from __future__ import annotations

import json
import random

import pytest

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.latency import Latency, Limits, Size, Times, size_of

CONFIG = PoolConfig()


def taught(seconds: float, *, first_s: float | None = None, answers: int = 40) -> Times:
    """Give times that learned from answers of one length."""
    times = Times(CONFIG)
    for _ in range(answers):
        times.observe(first_s, seconds)
    return times


def limits(times: Times, **facts: object) -> Limits:
    """Give the limits of a first attempt within 30 s, while another key is live."""
    asked: dict[str, object] = {"deadline_s": 30.0, "remaining_s": 30.0, "overruns": 0, "another_live": True}
    return times.limits(**{**asked, **facts})  # type: ignore[arg-type]  # facts by name


@pytest.mark.parametrize(
    ("tokens", "size"),
    [
        (None, Size.UNKNOWN),
        (1, Size.SMALL),
        (256, Size.SMALL),
        (257, Size.MEDIUM),
        (2048, Size.MEDIUM),
        (2049, Size.LARGE),
        (65536, Size.LARGE),
    ],
)
def test_an_answer_is_sized_by_what_the_caller_allows(tokens: int | None, size: Size) -> None:
    """The bound on output tokens decides the class; without a bound it is unknown."""
    assert size_of(tokens) is size


def test_before_enough_is_known_the_configured_times_hold() -> None:
    """Nineteen answers teach nothing yet; a few more do."""
    before = taught(1.0, answers=19).usual
    assert (before.p50, before.p95, before.p97, before.learned) == (2.5, 8.0, 10.0, False)
    after = taught(1.0, answers=22).usual
    assert after.learned
    assert after.p97 == pytest.approx(1.0, rel=0.11)


def test_unknown_answers_are_asked_for_as_a_whole_within_the_configured_limit() -> None:
    """The configured p97 is just within the configured limit, which is looked at again while nothing is known."""
    assert limits(Times(CONFIG)) == Limits(10.0, 15.0, stream_inside=False, review_s=1.0)
    assert limits(Times(CONFIG), another_live=False).review_s == 0.0


def test_a_few_answers_shorten_the_limit_but_nothing_else() -> None:
    """Five answers of a second: two and a half times the longest of them is enough; what is usual is not known yet."""
    assert limits(taught(1.0, answers=4)) == limits(Times(CONFIG))
    few = taught(1.0, answers=5)
    assert limits(few).first_byte_s == pytest.approx(2.5, rel=0.11)
    assert limits(few).review_s == 0.0
    assert not few.usual.learned
    assert limits(taught(9.0, answers=5)).first_byte_s == 10.0
    assert limits(taught(1.0, first_s=0.5, answers=5), streamed=True).first_byte_s == 2.0


def test_a_few_answers_tell_which_calls_are_overdue() -> None:
    """Before there are five, and where they take longer than is presumed, the configured times hold."""
    for seconds, answers, p95 in ((1.0, 4, 8.0), (1.0, 5, 1.0), (20.0, 5, 8.0), (20.0, 40, 20.0)):
        latency = Latency(CONFIG)
        for _ in range(answers):
            latency.of(Size.SMALL).observe(None, seconds)
        assert latency.longest_p95_s == pytest.approx(p95, rel=0.11)


def test_quick_answers_have_a_short_limit_but_not_below_the_floor() -> None:
    """A hanging key costs two and a half times the usual p97, two seconds at least."""
    assert limits(taught(2.0)).first_byte_s == pytest.approx(5.0, rel=0.11)
    assert limits(taught(0.1)).first_byte_s == 2.0


def test_a_doubtful_key_has_less_time_while_another_is_live() -> None:
    """Its probes are ridden by people: one and a half times the usual p97 is enough to find out."""
    assert limits(taught(2.0), doubtful=True).first_byte_s == pytest.approx(3.0, rel=0.11)
    assert limits(taught(0.1), doubtful=True).first_byte_s == 2.0
    assert limits(Times(CONFIG), doubtful=True).first_byte_s == 10.0
    alone = {"another_live": False, "remaining_s": 60.0}
    assert limits(taught(2.0), doubtful=True, **alone) == limits(taught(2.0), **alone)


def test_answers_that_barely_fit_are_asked_for_in_pieces() -> None:
    """Where a whole answer has no room to be half as long again, its first byte is waited for instead."""
    assert not limits(taught(6.0)).stream_inside
    asked = limits(taught(8.0))
    assert asked.stream_inside
    # nothing is known of first bytes yet
    assert asked.first_byte_s == 10.0
    assert limits(taught(8.0, first_s=1.5)).first_byte_s == pytest.approx(3.75, rel=0.11)


def test_a_short_deadline_makes_usual_answers_long() -> None:
    """A third of six seconds is less than the configured usual answer takes."""
    asked = limits(Times(CONFIG), deadline_s=6.0, remaining_s=6.0)
    assert asked == Limits(2.0, 15.0, stream_inside=True, review_s=1.0)


def test_a_lone_key_may_use_the_whole_deadline() -> None:
    """Where no other key could take over, it is cut only if a usual answer would still fit in what is left."""
    times = taught(7.5)
    assert limits(times).stream_inside
    alone = limits(times, another_live=False)
    assert not alone.stream_inside
    assert alone.first_byte_s == pytest.approx(18.75, rel=0.11)
    assert limits(times, another_live=False, remaining_s=25.0).first_byte_s == 25.0


def test_each_overrun_doubles_the_limit_up_to_a_third_of_the_deadline() -> None:
    """Whoever ran out of time once is asked for in pieces, with twice as long until the first."""
    times = taught(2.0, first_s=0.9)
    assert [limits(times, overruns=count).stream_inside for count in (0, 1, 2)] == [False, True, True]
    assert limits(times, overruns=1).first_byte_s == pytest.approx(4.5, rel=0.11)
    assert limits(times, overruns=2).first_byte_s == pytest.approx(9.0, rel=0.11)
    assert limits(times, overruns=3).first_byte_s == 10.0
    assert limits(times, overruns=3, remaining_s=-1.0).first_byte_s == 0.0


def test_a_stream_for_the_reader_is_limited_by_its_first_byte() -> None:
    """It is in pieces already, so it is not asked for in pieces inside."""
    asked = limits(taught(20.0, first_s=2.0), streamed=True)
    assert not asked.stream_inside
    assert asked.first_byte_s == pytest.approx(5.0, rel=0.11)
    assert limits(Times(CONFIG), streamed=True).first_byte_s == 10.0


def test_sizes_learn_apart() -> None:
    """Short answers tell nothing of long ones."""
    latency = Latency(CONFIG)
    for _ in range(40):
        latency.of(Size.SMALL).observe(None, 0.5)
    assert latency.of(Size.SMALL).usual.learned
    assert not latency.of(Size.UNKNOWN).usual.learned


def test_what_was_learned_survives_a_restart() -> None:
    """Through JSON, the usual times and the limits are what they were."""
    rng = random.Random(2)
    before = Latency(CONFIG)
    for _ in range(256):
        whole = rng.lognormvariate(0.9, 0.5)
        before.of(Size.LARGE).observe(whole / 3, whole)
    after = Latency(CONFIG)
    after.restore(json.loads(json.dumps(before.save())))
    old, new = before.of(Size.LARGE), after.of(Size.LARGE)
    assert old.usual_first is not None
    assert new.usual_first is not None
    assert new.usual.p97 == pytest.approx(old.usual.p97, rel=0.06)
    assert new.usual_first.p97 == pytest.approx(old.usual_first.p97, rel=0.06)
    assert not after.of(Size.UNKNOWN).usual.learned
    assert json.dumps(after.save()) == json.dumps(before.save())


def test_nothing_learned_is_nothing_saved() -> None:
    """A model nobody asked leaves no document."""
    assert Latency(CONFIG).save() == {}


def test_what_is_saved_changes_seldom() -> None:
    """Storage is not written anew for every answer: only when a quarter of what is known is new."""
    times = taught(2.0, answers=400)
    saved = times.save()
    changes = 0
    for _ in range(400):
        times.observe(None, 2.0)
        changes += times.save() is not saved
        saved = times.save()
    assert 1 <= changes <= 5


@pytest.mark.parametrize(
    "document", [{}, {"large": 3}, {"large": {"whole": [1]}}, {"tiny": {}}, {"large": {"whole": {"seen": 9}}}]
)
def test_a_document_of_another_shape_is_ignored(document: dict[str, object]) -> None:
    """What storage gives back may be of another release."""
    latency = Latency(CONFIG)
    latency.restore(document)
    assert not latency.of(Size.LARGE).usual.learned


def test_the_twentieth_answer_makes_the_times_known() -> None:
    """Of whole and of streamed ones, each by itself; the nineteenth does not."""
    assert not taught(1.0, answers=19).usual.learned
    known = Times(PoolConfig(latency_known_after=12))
    for _ in range(11):
        known.observe(0.5, 1.0)
    assert (known.usual.learned, known.usual_first) == (False, None)
    known.observe(0.5, 1.0)
    assert known.usual.learned
    assert known.usual_first is not None


def test_every_overrun_doubles_the_limit() -> None:
    """Within what there is."""
    times = Times(CONFIG)
    lengths = [
        limits(times, deadline_s=900.0, remaining_s=900.0, overruns=overruns).first_byte_s for overruns in range(5)
    ]
    assert lengths == [10.0, 20.0, 40.0, 80.0, 160.0]


def test_the_last_key_gets_the_rest_when_nobody_could_use_it() -> None:
    """What a cut would leave is less than a usual answer takes; with another key live, or more left, it is cut."""
    times = Times(CONFIG)
    assert limits(times, another_live=False, remaining_s=19.9).first_byte_s == 19.9
    assert limits(times, another_live=False, remaining_s=20.0).first_byte_s == 10.0
    assert limits(times, another_live=True, remaining_s=19.9).first_byte_s == 10.0


def test_an_answer_that_just_fits_is_asked_for_as_a_whole() -> None:
    """1.5 times the learned p97; the configured p97 before anything is learned."""
    times = taught(4.0, answers=100)
    most = times.usual.p97 * 1.5
    assert not limits(times, another_live=False, remaining_s=most).stream_inside
    assert limits(times, another_live=False, remaining_s=most - 0.001).stream_inside
    unknown = Times(CONFIG)
    assert not limits(unknown, another_live=False, remaining_s=10.0).stream_inside
    assert limits(unknown, another_live=False, remaining_s=9.9).stream_inside
    assert limits(Times(PoolConfig(first_byte_s=9.9))).stream_inside


def test_the_longest_usual_time_is_that_of_the_slowest_size() -> None:
    """Of those that are known; else the configured one."""
    latency = Latency(CONFIG)
    assert latency.longest_p95_s == 8.0
    for size, seconds in ((Size.SMALL, 1.0), (Size.LARGE, 5.0)):
        for _ in range(30):
            latency.of(size).observe(None, seconds)
    assert latency.longest_p95_s == latency.of(Size.LARGE).usual.p95
    assert 4.5 < latency.longest_p95_s < 5.6


def test_it_is_saved_anew_from_a_quarter_on() -> None:
    """The first answer at once; of what was never counted nothing is written."""
    times = Times(CONFIG)
    assert times.save() == {}
    times.observe(None, 1.0)
    first = times.save()
    assert list(first) == ["whole"]
    for known in (1, 2, 3, 4):
        saved = times.save()
        times.observe(None, 1.0)
        assert (times.save() is not saved) is True, known
    for _ in range(5):
        times.observe(0.5, 1.0)
    assert list(times.save()) == ["whole", "first"]
    twenty = taught(1.0, answers=20)
    saved = twenty.save()
    for _ in range(4):
        twenty.observe(None, 1.0)
    assert twenty.save() is saved
    twenty.observe(None, 1.0)
    assert twenty.save() is not saved


def test_endless_use_is_saved_every_hundred_and_fifty_answers() -> None:
    """A quarter of two half-lives, however many were counted."""
    times = taught(1.0, answers=5000)
    saved = times.save()
    for _ in range(149):
        times.observe(None, 1.0)
    assert times.save() is saved
    times.observe(None, 1.0)
    assert times.save() is not saved


def test_what_was_taken_up_is_saved_as_it_came() -> None:
    """At once, and then not again before a quarter of it is new."""
    old = taught(1.0, answers=40)
    new = Times(CONFIG)
    new.restore(old.save())
    saved = new.save()
    assert saved["whole"] == old.save()["whole"]
    for _ in range(9):
        new.observe(None, 1.0)
    assert new.save() is saved
    new.observe(None, 1.0)
    assert new.save() is not saved
