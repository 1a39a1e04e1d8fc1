"""Every request leaves a record: bounded, found by its id, told in plain words, written down and read back."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gemini_pool.policy.conftest import MODEL, WALL
from utils.gemini_pool.policy.explaining.explain import ENGLISH, explain, tell
from utils.gemini_pool.policy.explaining.history import Choice, History, Record
from utils.gemini_pool.policy.explaining.recorded import Recorded, from_lines, recorded, to_lines
from utils.gemini_pool.policy.latency import Limits
from utils.gemini_pool.policy.outcome import Kind, Outcome, Refused
from utils.gemini_pool.policy.waiting.slots import Obstacle

LIMITS = Limits(10.0, 15.0)
INSIDE = Limits(4.0, 15.0, stream_inside=True)
SECRET_WORDS = "the question itself, quoted by the service"


def opened(history: History | None = None, *, now: float = 100.0, name: str | None = None) -> Record:
    """Begin a record at 100 on the clock."""
    history = History(10, WALL) if history is None else history
    return history.open(MODEL, now=now, wall=WALL, deadline_s=30.0, name=name)


def call(record: Record, now: float, key: int = 1, **facts: object) -> None:
    """Begin an attempt with a key."""
    given_facts: dict[str, object] = {"model": MODEL, "probe": "none", "limits": LIMITS, "choice": None, **facts}
    record.call(now, f"Key #{key}", f"p{key}", **given_facts)  # type: ignore[arg-type]  # facts by name


def eventful() -> Record:
    """Give a request that waited in the line, was refused by one project, and was answered by another."""
    record = opened()
    record.wait(100.0, "quota", 3)
    record.wait(102.0, "quota", 1)
    call(record, 104.2, 2, choice=Choice(0.25, 3, "Key #1", 0.2, dead=2, closed=1))
    record.feed(104.5, Outcome(Kind.QUOTA, detail="limit per minute"))
    call(record, 104.5, 1, limits=INSIDE, choice=Choice(0.2, 1))
    record.feed(106.0, Outcome(Kind.OK, input_tokens=120, output_tokens=400))
    record.end(106.0)
    return record


def test_the_whole_way_is_told_in_order() -> None:
    """Waiting, place in the line, choice, runner-up, who was passed over, limits, outcomes and the end."""
    record = eventful()
    assert explain(record) == [
        f"{MODEL} was asked at 2026-11-21 00:00:00 UTC, with 30 s for an answer (request {record.id}).",
        "It waited 4.2 s because every project was at a limit.",
        "In the line it stood at place 3, and last at place 1.",
        "Attempt 1 went to Key #2 of p2: score 0.25, the best of 3 projects.",
        "Next would have come Key #1 with 0.2.",
        "Dead keys: 2.",
        "Projects closed because their quota is spent: 1.",
        "It had 10.0 s for the first byte.",
        "It was refused after 0.3 s by a quota (limit per minute), so another project came next.",
        "Attempt 2 went to Key #1 of p1: score 0.2, and nothing else could serve.",
        "It was asked for in pieces, with 4.0 s for the first; whole answers take long.",
        "It answered after 1.5 s: 120 tokens in, 400 out.",
        "Answered 6.0 s after it was asked.",
    ]


def test_a_request_under_way_is_told_as_far_as_it_has_come() -> None:
    """Both an attempt and a time of waiting may be without an end."""
    record = opened()
    call(record, 100.0)
    assert explain(record)[-1] == "It is under way."
    record.feed(101.0, Outcome(Kind.FAULT, detail="HTTP 500"))
    record.wait(101.0, "overloaded", 0)
    assert explain(record)[-2:] == ["It failed after 1.0 s (HTTP 500).", "It is waiting now (the model is overloaded)."]


@pytest.mark.parametrize("probe", ["gate", "quota", "model"])
def test_a_probe_is_told_as_one(probe: str) -> None:
    """Whoever rode a probe reads what it was for."""
    record = opened()
    call(record, 100.0, probe=probe)
    assert any("probe" in sentence for sentence in explain(record))


def test_a_fallback_model_is_named() -> None:
    """When another model of the caller's list answered, the record says which."""
    record = opened()
    call(record, 100.0, model="other")
    assert "It asked other instead, as the caller's list allows." in explain(record)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_outcome_has_a_sentence(kind: Kind) -> None:
    """No outcome breaks the telling."""
    record = opened()
    call(record, 100.0)
    record.feed(101.0, Outcome(kind))
    assert tell(record)[-1].id == f"attempt.{kind.value}"
    assert explain(record)[-1].endswith(".")


@pytest.mark.parametrize("why", [*(one.value for one in Obstacle), *(one.value for one in Refused)])
def test_every_refusal_has_words(why: str) -> None:
    """What stood in the way is said in words, not by its name in the code."""
    record = opened()
    record.wait(100.0, why, 0)
    record.end(130.0, why, retry_after=12.4)
    last = explain(record)[-1]
    assert "_" not in last
    assert last.startswith("Refused 30.0 s after it was asked: ")
    assert last.endswith("a later try made sense after 12 s.")


def test_what_the_service_said_of_the_question_is_not_told() -> None:
    """A refusal of the caller's own request may quote the question, so its words are neither told nor written down."""
    record = opened()
    call(record, 100.0)
    record.feed(101.0, Outcome(Kind.CALLER, detail=SECRET_WORDS))
    record.end(101.0, "invalid")
    assert SECRET_WORDS not in " ".join(explain(record))
    assert SECRET_WORDS not in "".join(to_lines([recorded(record)]))


def test_every_sentence_names_its_values_only() -> None:
    """Templates use plain names, so that other languages can use the same ones."""
    for template in ENGLISH.values():
        for _, name, _, _ in string.Formatter().parse(template):
            assert name is None or name.isidentifier()


def test_the_first_end_stands() -> None:
    """A caller that leaves after the answer does not turn it into a cancelled request."""
    record = opened()
    record.end(101.0)
    record.end(102.0, "cancelled")
    assert (record.ended_at, record.why) == (101.0, None)


def test_the_ring_keeps_the_newest() -> None:
    """Older requests are gone, from the ring and by their ids."""
    history = History(3, WALL)
    records = [opened(history) for _ in range(5)]
    assert list(history) == records[2:]
    assert [history.find(record.id) for record in records] == [None, None, *records[2:]]
    assert len({record.id for record in records}) == 5


def test_a_ring_of_nothing_keeps_nothing() -> None:
    """Records can be turned off; requests still have an id, and one to write to that takes nothing in."""
    history = History(0, 255.0)
    record, named = opened(history), opened(history, name="turn 7")
    record.wait(100.0, "quota", 3)
    call(record, 100.0)
    record.feed(101.0, Outcome(Kind.OK), "Key #1")
    record.end(101.0, "quota", 5.0)
    assert (record.id, named.id) == ("ff-1", "turn 7")
    assert not record.is_kept
    assert opened().is_kept
    assert not len(history)
    assert history.find(record.id) is history.find("turn 7") is None


def test_a_caller_names_its_request() -> None:
    """A request is found by the caller's own id, the newest of that id, even after an older one of it is dropped."""
    history = History(2, WALL)
    opened(history, name="turn 7")
    newer = opened(history, name="turn 7")
    opened(history)
    assert history.find("turn 7") is newer
    assert opened(history, name="x" * 500).id == "x" * 64
    assert history.find("x" * 500) is not None


def test_lines_are_read_back_as_written() -> None:
    """Arrival, waiting, attempts and end survive; a request under way is left out."""
    (read,) = from_lines(to_lines([recorded(eventful()), recorded(opened())]))
    assert (read.model, read.asked_at, read.deadline_s) == (MODEL, WALL, 30.0)
    assert read.waited_s == pytest.approx(4.2)
    assert [(one.key, one.kind) for one in read.attempts] == [("Key #2", Kind.QUOTA), ("Key #1", Kind.OK)]
    assert [one.seconds for one in read.attempts] == pytest.approx([0.3, 1.5])
    assert read.end == "answered"
    assert read.seconds == pytest.approx(6.0)


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"id": 1}', "null", '"text"'])
def test_a_line_that_is_no_record_is_refused_by_its_number(line: str) -> None:
    """The reader of a damaged file learns where."""
    good = next(to_lines([recorded(eventful())]))
    with pytest.raises(ValueError, match="line 3"):
        list(from_lines([good, "", line]))


@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.floats(0.0, 60.0), st.floats(0.0, 30.0)), max_size=8),
    st.sampled_from([None, *(one.value for one in Obstacle)]),
)
def test_any_request_is_told_and_read_back(attempts: list[tuple[Kind, float, float]], end: str | None) -> None:
    """Whatever happened: a sentence for all of it, and the same attempts after writing and reading."""
    record, now = opened(), 100.0
    for kind, waits, takes in attempts:
        record.wait(now, None)
        call(record, now := now + waits)
        record.feed(now := now + takes, Outcome(kind))
    record.end(now, end)
    assert len(explain(record)) >= 2 + 3 * len(attempts)
    (read,) = from_lines(to_lines([recorded(record)]))
    assert isinstance(read, Recorded)
    assert [one.kind for one in read.attempts] == [kind for kind, _, _ in attempts]
    assert read.waited_s == pytest.approx(sum(waits for _, waits, _ in attempts), abs=0.01)


def told(record: Record) -> dict[str, dict[str, object]]:
    """Give the values of every sentence by its id."""
    return {sentence.id: dict(sentence.values) for sentence in tell(record)}


def test_waiting_between_attempts_and_for_the_unknown_has_words() -> None:
    """No obstacle is backoff; one without a sentence of its own says why in general."""
    record = opened()
    record.wait(100.0, None)
    record.wait(103.0, "deadline")
    record.wait(104.0, "never heard of")
    record.end(106.0)
    said = [(sentence.id, sentence.values.get("seconds"), sentence.values.get("why")) for sentence in tell(record)[1:4]]
    assert said == [
        ("waited.backoff", 3.0, "before the next try"),
        ("waited.other", 1.0, "the time ran out"),
        ("waited.other", 2.0, "before the next try"),
    ]


def test_waiting_on_for_the_same_is_one_time_of_waiting() -> None:
    """Another obstacle begins a new one, with a place of its own."""
    record = opened()
    record.wait(100.0, "quota", 3)
    record.wait(101.0, "quota", 2)
    record.wait(102.0, "faults", 5)
    record.end(110.0)
    assert [(step.at, length) for step, length in record.waited()] == [(100.0, 2.0), (102.0, 8.0)]
    places = [(step.first_place, step.last_place) for step, _ in record.waited()]
    assert places == [(3, 2), (5, 5)]


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (Choice(0.5, 1, None, 0.0), "chosen.alone"),
        (Choice(0.5, 2, "Key #2", 0.4), "chosen.best"),
        (Choice(0.5, 2, "Key #2", 0.5), "chosen.best"),
        (Choice(0.5, 2, "Key #2", 0.6), "chosen.fresh"),
    ],
)
def test_a_choice_is_the_best_the_only_or_a_fresh_one(choice: Choice, kind: str) -> None:
    """As good as the next is the best."""
    record = opened()
    call(record, 100.0, choice=choice)
    assert kind in told(record)


def test_an_attempt_without_details_says_so() -> None:
    """Nothing stands in place of what nobody told."""
    record = opened()
    call(record, 100.0)
    record.feed(101.0, Outcome(Kind.FAULT))
    assert told(record)["attempt.fault"] == {"seconds": 1.0, "detail": "no more is known"}


def test_attempts_are_numbered() -> None:
    """From 1; times of waiting between them do not count."""
    record = opened()
    for now in (100.0, 102.0, 104.0):
        call(record, now)
        record.feed(now + 1.0, Outcome(Kind.FAULT))
        record.wait(now + 1.0, None)
    assert [sentence.values["number"] for sentence in tell(record) if sentence.id == "chosen"] == [1, 2, 3]


def test_ids_are_those_of_the_process_and_count_up() -> None:
    """The second of its birth in hexadecimal, then 1, 2, 3."""
    history = History(5, 255.9)
    assert [opened(history).id for _ in range(3)] == ["ff-1", "ff-2", "ff-3"]
    assert opened(history, name="ff-1").id == "ff-1"
    assert history.find("ff-1") is list(history)[3]


def test_a_name_is_forgotten_with_its_record() -> None:
    """An unnamed one does not hide behind the name of another."""
    history = History(1, WALL)
    named = opened(history, name="turn 1")
    assert history.find("turn 1") is named
    opened(history)
    assert history.find("turn 1") is None
    assert [record.name for record in history] == [None]


def test_a_request_under_way_is_written_as_far_as_it_has_come() -> None:
    """No end yet, 0 seconds; an attempt under way is left out."""
    record = opened()
    record.wait(100.0, "quota")
    call(record, 102.5)
    record.feed(104.0, Outcome(Kind.FAULT, requests=2, input_tokens=3, output_tokens=4))
    call(record, 105.0)
    facts = recorded(record)
    assert (facts.end, facts.seconds, facts.waited_s) == ("", 0.0, 2.5)
    (one,) = facts.attempts
    assert (one.key, one.after_s, one.kind, one.seconds) == ("Key #1", 2.5, Kind.FAULT, 1.5)
    assert (one.requests, one.input_tokens, one.output_tokens) == (2, 3, 4)
    record.wait(105.0, None)
    assert recorded(record).waited_s == 2.5
    record.end(110.0, "faults")
    assert (recorded(record).end, recorded(record).seconds) == ("faults", 10.0)


def test_named_requests_are_found_while_the_ring_has_room() -> None:
    """Nothing is forgotten before it must be."""
    history = History(3, WALL)
    records = [opened(history, name=name) for name in ("turn 1", "turn 2", "turn 3")]
    assert [history.find(f"turn {number}") for number in (1, 2, 3)] == records
    opened(history)
    assert [history.find(f"turn {number}") for number in (1, 2, 3)] == [None, *records[1:]]


@pytest.mark.parametrize(
    ("why", "id_", "words"),
    [
        ("overloaded", "waited.overloaded", "the model was overloaded"),
        ("faults", "waited.faults", "every key that could serve had been failing"),
        ("quota", "waited.quota", "every project was at a limit"),
    ],
)
def test_each_reason_to_wait_has_a_sentence_of_its_own(why: str, id_: str, words: str) -> None:
    """With the length in seconds."""
    record = opened()
    record.wait(100.0, why)
    record.end(103.0)
    (sentence,) = [one for one in tell(record) if one.id == id_]
    assert sentence.text.startswith("It waited 3.0 s because ")
    assert words in sentence.text


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (Obstacle.ALL_DEAD, "every key is dead"),
        (Obstacle.QUOTA, "every project is at a limit"),
        (Obstacle.OVERLOADED, "the model is overloaded"),
        (Obstacle.FAULTS, "the attempts failed"),
        (Obstacle.DEADLINE, "the time ran out"),
        (Obstacle.LINE_FULL, "too many are waiting"),
        (Refused.INVALID, "the service refused the request as it stands"),
        (Refused.UNKNOWN_MODEL, "there is no such model"),
        (Refused.TOO_LARGE, "the request is too large"),
        (Refused.BLOCKED, "a safety rule stopped it"),
        (Refused.LOCATION, "the service does not serve this place"),
    ],
)
def test_a_refusal_says_what_stood_in_the_way(why: Obstacle | Refused, words: str) -> None:
    """In these words; a request that waits for it says the same."""
    record = opened()
    record.wait(100.0, why.value)
    assert explain(record)[-1] == f"It is waiting now ({words})."
    record.end(101.0, why.value)
    assert explain(record)[-1] == f"Refused 1.0 s after it was asked: {words}."


def test_a_fresh_key_and_who_was_passed_over_are_told() -> None:
    """Keys that fail and keys that hang by their number."""
    record = opened()
    call(record, 100.0, choice=Choice(0.25, 3, "Key #2", 0.5, ejected=2, overdue=1))
    assert explain(record)[1:5] == [
        "Attempt 1 went to Key #1 of p1: score 0.25, the best neither tried nor busy.",
        "Next would have come Key #2 with 0.5.",
        "Keys left out for failing: 2.",
        "Keys passed over because a call takes too long: 1.",
    ]
