"""Gates and breakers by themselves: exactly when they turn, for how long, and what they forget."""

from __future__ import annotations

import random

import pytest

from utils.gemini_pool.policy import PoolConfig
from utils.gemini_pool.policy.breaker import Gate, GateState, ModelBreaker

EXACT = PoolConfig(open_jitter=0.0)


def make_gate(config: PoolConfig = EXACT, seed: int = 1) -> Gate:
    """Give a gate without jitter."""
    return Gate(config, random.Random(seed))


def length(gate: Gate, now: float) -> float:
    """Open a gate and give for how long."""
    gate.open(now)
    return gate.open_until - now


def test_a_new_gate_is_live_and_knows_of_nothing() -> None:
    """No run, no ejection, no illness, no probe."""
    gate = make_gate()
    assert gate.is_live(0.0)
    assert gate.state(1e9) is GateState.LIVE
    assert (gate.faults_in_row, gate.timeouts_in_row, gate.ejections, gate.version) == (0, 0, 0, 0)
    assert gate.ill_since is None
    assert not gate.probing
    assert not gate.wants_probe(0.0)


def test_a_timeout_is_a_fault_too() -> None:
    """Both runs grow by one with a timeout, only one with another fault; an answer ends both."""
    gate = make_gate()
    gate.count_fault(timeout=True)
    gate.count_fault(timeout=False)
    gate.count_fault(timeout=True)
    assert (gate.faults_in_row, gate.timeouts_in_row) == (3, 2)
    gate.count_success()
    assert (gate.faults_in_row, gate.timeouts_in_row) == (0, 0)


@pytest.mark.parametrize(
    ("faults", "timeouts", "calls", "error", "bad"),
    [
        (2, 0, 0.0, 0.0, False),
        (3, 0, 0.0, 0.0, True),
        (0, 1, 0.0, 0.0, False),
        (0, 2, 0.0, 0.0, True),
        (0, 0, 4.0, 0.2, False),
        (0, 0, 4.0, 0.21, True),
        (0, 0, 3.9, 0.9, False),
    ],
)
def test_a_record_looks_bad_from_its_bounds_on(
    faults: int, timeouts: int, calls: float, error: float, bad: bool
) -> None:
    """Three faults, two timeouts, or more than a fifth of at least four calls: each by itself, none of them less."""
    gate = make_gate()
    for _ in range(timeouts):
        gate.count_fault(timeout=True)
    for _ in range(faults):
        gate.count_fault(timeout=False)
    assert gate.looks_bad(calls, error) is bad


def test_it_is_open_until_its_very_time() -> None:
    """Just before it nothing may pass, at it a probe may; the change counts once."""
    gate = make_gate()
    gate.open(100.0)
    assert (gate.open_until, gate.version) == (130.0, 1)
    assert gate.state(129.9) is GateState.OPEN
    assert not gate.wants_probe(129.9)
    assert gate.version == 1
    assert gate.wants_probe(130.0)
    assert gate.state(131.0) is GateState.HALF_OPEN
    assert gate.version == 2


def test_a_probe_under_way_is_the_only_one() -> None:
    """While it is under way nobody else probes; its failure and its answer both end that."""
    gate = make_gate()
    gate.open(0.0)
    gate.state(30.0)
    gate.probing = True
    assert not gate.wants_probe(30.0)
    gate.open(30.0)
    assert not gate.probing
    gate.state(gate.open_until)
    gate.probing = True
    gate.close(gate.open_until)
    assert not gate.probing


def test_its_time_doubles_up_to_a_floor_and_grows_with_the_illness() -> None:
    """30, 60, 120 s; then 120 s until a fifth of the illness is longer; never more than 300 s."""
    gate = make_gate()
    assert [length(gate, now) for now in (0.0, 30.0, 90.0, 210.0, 330.0)] == [30.0, 60.0, 120.0, 120.0, 120.0]
    assert length(gate, 700.0) == 140.0
    assert length(gate, 10_000.0) == 300.0
    assert gate.ill_since == 0.0


def test_an_illness_begins_with_the_first_ejection_and_ends_with_an_answer() -> None:
    """A failed probe does not begin another one."""
    gate = make_gate()
    gate.open(50.0)
    gate.state(80.0)
    gate.open(80.0)
    begun = [gate.ill_since]
    gate.close(200.0)
    begun.append(gate.ill_since)
    gate.open(900.0)
    assert [*begun, gate.ill_since] == [50.0, None, 900.0]


def test_ejections_are_forgotten_after_ten_healthy_minutes() -> None:
    """Not a moment before; the time counts from the last closing of the gate."""
    gate = make_gate()
    gate.open(0.0)
    gate.close(100.0)
    assert length(gate, 699.0) == 60.0
    gate.close(1000.0)
    assert length(gate, 1600.0) == 30.0
    assert gate.ejections == 1


def test_jitter_only_shortens_and_by_its_share_at_most() -> None:
    """Gates that opened together do not ask together; none waits longer than its length."""
    lengths = [length(make_gate(PoolConfig(open_jitter=0.2), seed), 0.0) for seed in range(50)]
    assert all(24.0 <= one <= 30.0 for one in lengths)
    assert min(lengths) < 25.5
    assert max(lengths) > 28.5


def test_closing_forgets_the_run_of_faults() -> None:
    """A key that came back needs three new faults."""
    gate = make_gate()
    for _ in range(3):
        gate.count_fault(timeout=True)
    gate.open(0.0)
    gate.close(30.0)
    assert (gate.faults_in_row, gate.timeouts_in_row) == (0, 0)
    assert gate.is_live(30.0)
    assert gate.version == 2


def test_a_reset_forgets_the_ejections_too() -> None:
    """An operator who resets starts the key anew, with the first length again."""
    gate = make_gate()
    gate.open(0.0)
    gate.open(30.0)
    gate.reset()
    assert gate.is_live(31.0)
    assert gate.ejections == 0
    assert length(gate, 40.0) == 30.0


def test_an_ejection_goes_on_after_a_restart() -> None:
    """Its end, its number and the begin of the illness are as they were."""
    gate = make_gate()
    gate.restore(ejections=3, open_until=100.0, ill_since=-500.0)
    assert gate.state(99.0) is GateState.OPEN
    assert gate.wants_probe(100.0)
    assert (gate.ejections, gate.ill_since) == (3, -500.0)
    assert length(gate, 100.0) == 120.0
    assert length(gate, 250.0) == 150.0


def make_breaker(run: str = "", *, live_keys: int = 8) -> ModelBreaker:
    """Give a breaker after 503 of these keys (digits), at times 0, 1, 2, ..."""
    breaker = ModelBreaker(PoolConfig())
    for now, key in enumerate(run):
        breaker.count_overload(int(key), live_keys, float(now))
    return breaker


@pytest.mark.parametrize(
    ("run", "live_keys", "opens"),
    [
        ("01201", 8, False),
        ("012012", 8, True),
        ("010101", 8, False),
        ("0101012", 8, True),
        ("010101", 2, True),
        ("000000", 1, True),
        ("000000", 0, True),
        ("000000", 2, False),
        ("00000", 0, False),
    ],
)
def test_it_opens_after_six_of_three_keys_or_of_all_there_are(run: str, live_keys: int, opens: bool) -> None:
    """Fewer live keys make fewer enough, but one is always needed."""
    assert make_breaker(run, live_keys=live_keys).is_open is opens


def test_the_503_that_opens_it_is_told_from_the_others() -> None:
    """Those before and those after answer no."""
    breaker = ModelBreaker(PoolConfig())
    told = [breaker.count_overload(key, 8, 10.0) for key in (0, 1, 2, 0, 1, 2, 3)]
    assert told == [False] * 5 + [True, False]
    assert breaker.run == 6
    assert breaker.next_probe_at == 12.0


def test_an_answer_closes_it_and_ends_the_run() -> None:
    """Whether it was open is answered; the next run needs as many 503 of as many keys again."""
    breaker = make_breaker("012012")
    breaker.probing = True
    assert breaker.count_answer() is True
    assert (breaker.is_open, breaker.probing, breaker.run) == (False, False, 0)
    assert breaker.count_answer() is False
    for key in (0, 0, 0, 0, 0, 0):
        breaker.count_overload(key, 8, 20.0)
    assert not breaker.is_open


def test_probes_are_two_seconds_apart_and_then_twice_as_long_up_to_the_cap() -> None:
    """2, 4, 8, 9.5, 9.5 s; after an answer the next run begins with 2 s again."""
    breaker = make_breaker("012012")
    at = breaker.next_probe_at
    assert at == 7.0
    gaps = []
    for _ in range(4):
        assert not breaker.wants_probe(at - 0.1)
        assert breaker.wants_probe(at)
        breaker.probing = True
        assert not breaker.wants_probe(at)
        breaker.probe_failed(at)
        assert not breaker.probing
        gaps.append(breaker.next_probe_at - at)
        at = breaker.next_probe_at
    assert gaps == [4.0, 8.0, 9.5, 9.5]
    breaker.count_answer()
    assert not breaker.wants_probe(at)
    for key in (0, 1, 2, 0, 1, 2):
        breaker.count_overload(key, 8, 100.0)
    assert breaker.next_probe_at == 102.0
