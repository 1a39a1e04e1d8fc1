"""Every constant of the pool's rules, in one frozen object.

``PoolConfig`` holds no behaviour. Lengths of time are seconds, shares and rates lie between 0 and 1. A test that wants
a day in a second scales the times; ``PoolConfig.plain()`` is the limit case of the rules: lifetime counts, nothing
forgotten, the first best key wins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolConfig:
    """The constants of the pool; see ``docs/pool.md`` for what each rule does with them."""

    # Score: (1 / usage) x (1 - error)
    usage_half_life_s: float = 300.0
    error_half_life_s: float = 60.0
    #: Imagined good calls that every key starts with, so that one first failure does not condemn it.
    error_prior: float = 5.0
    #: New and healed keys start at the mean usage of the live ones instead of drawing all traffic.
    lift_newcomers: bool = True
    min_pool_size: int = 5
    #: A key whose error is above this is ranked anew every ``rerank_s``, since its order changes with time alone.
    rerank_error: float = 0.02
    rerank_s: float = 10.0

    # Gate of a key for a model
    open_after_faults: int = 3
    open_after_timeouts: int = 2
    open_min_calls: float = 4.0
    open_error_rate: float = 0.20
    #: A key must be this many times as bad as the others together before it is ejected.
    peer_factor: float = 2.0
    max_ejected_share: float = 0.5
    open_first_s: float = 30.0
    open_floor_s: float = 120.0
    open_ill_share: float = 0.2
    open_cap_s: float = 300.0
    open_jitter: float = 0.2
    forget_ejections_after_s: float = 600.0
    #: A key with a call under way for longer than this many times the usual p95 is passed over while another is live.
    overdue_times_p95: float = 1.5
    #: A dead key is asked for free (its list of models) once in this long, in case it is alive again.
    dead_probe_s: float = 86400.0

    # Breaker of a model
    model_open_after: int = 6
    model_open_keys: int = 3
    model_probe_first_s: float = 2.0
    model_probe_cap_s: float = 9.5
    #: Who waits for an overloaded model is told so after this long.
    model_told_after_s: float = 3.0

    # Rotation and the soft mark for a busy project
    rotation_s: float = 300.0
    unhealthy_error_rate: float = 0.20
    busy_share: float = 0.50
    #: A share also has to be this many times the fair one (1 / number of projects) to mean anything.
    busy_times_fair: float = 1.5
    busy_min_calls: float = 10.0

    # Quota
    #: Requests a project may send for one model in a minute, as the operator declares it; 0: not declared.
    requests_per_minute: int = 0
    minute_s: float = 60.0
    #: Input tokens a minute and requests a Pacific day of a project for one model, as declared; 0: not declared.
    tokens_per_minute: int = 0
    requests_per_day: int = 0
    #: Our own limits of a project for one model, below the service's: in a second, a minute and an hour; 0: none.
    own_per_second: int = 0
    own_per_minute: int = 0
    own_per_hour: int = 0
    #: A place in the minute is free this much later than a minute after its start, since clocks differ.
    minute_margin_s: float = 1.0
    #: A refusal that asks for less than ``margin_early_s`` while our count says free widens the margin, up to the cap.
    margin_early_s: float = 4.0
    margin_widen: float = 1.5
    margin_cap_s: float = 8.0
    #: A share of a limit that was found to be divided grows by one request in this long.
    share_grow_s: float = 120.0
    #: Two closures whose ends agree within this are of one project, if nothing speaks against it.
    wall_agree_s: float = 0.1
    #: A limit that the service named is believed for so long.
    believe_limit_s: float = 86400.0
    cooling_default_s: float = 60.0
    day_probe_s: float = 3600.0
    closed_probe_s: float = 86400.0

    # Attempts of one request
    max_attempts: int = 8
    #: Moving on after a fault is paid from a bucket; a first-try success adds to it, a served request gets all back.
    budget_size: float = 100.0
    budget_cost: float = 5.0
    budget_success: float = 1.0
    backoff_first_s: float = 0.5
    backoff_cap_s: float = 20.0
    deadline_text_s: float = 30.0
    deadline_media_s: float = 120.0
    first_byte_s: float = 10.0
    between_chunks_s: float = 15.0
    #: While another key is live, waiting for a first byte takes at most this share of the deadline.
    first_byte_share: float = 1 / 3
    usual_p50_s: float = 2.5
    usual_p95_s: float = 8.0
    usual_p97_s: float = 10.0
    #: The usual times are learned per model and size of answer once so many answers are known.
    latency_known_after: int = 20
    #: From so many on they may shorten the limit until the first byte, and tell which calls are overdue.
    latency_few_after: int = 5
    #: What was learned from an answer is worth half once so many later ones are known.
    latency_half_life_answers: float = 300.0
    #: A learned limit until the first byte is this many times the learned p97, and never less than this share of
    #: ``first_byte_s``. 2.5 times the p97 is exceeded by 1 answer in 1,000 (log-normal, median 2.5 s, p97 10 s).
    first_byte_times_p97: float = 2.5
    first_byte_floor: float = 0.2
    #: ... and this many times for a key that has run out of time since its last answer, while another is live.
    first_byte_times_doubtful: float = 1.5
    #: A whole answer is asked for in one piece only if its limit is at least this many times the learned p97.
    whole_answer_room: float = 1.5
    #: A second call beside one that takes long, begun after this many seconds; 0: never, since both are billed.
    hedge_after_s: float = 0.0

    # The line of those who wait
    max_waiting: int = 100
    #: After a closure the line is let go at this many times the usual rate of arrivals.
    release_factor: float = 2.0
    arrival_half_life_s: float = 60.0

    # What is kept to explain
    records_kept: int = 1000

    # Alerts
    #: The keys that can serve a model are few below this share of all; told once that lasted for so long.
    alert_few_share: float = 0.5
    alert_few_for_s: float = 60.0
    #: The same is not told again within this time.
    alert_again_s: float = 3600.0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, (int, float)) and (math.isnan(value) or value < 0):
                raise ValueError(f"PoolConfig.{field.name} must be 0 or more, not {value!r}")
        if self.max_attempts < 1:
            raise ValueError("PoolConfig.max_attempts must be 1 or more")

    @classmethod
    def plain(cls) -> PoolConfig:
        """Give the formula as it stands in its shortest description: counts of a lifetime, nothing forgotten."""
        return cls(
            usage_half_life_s=math.inf,
            error_half_life_s=math.inf,
            error_prior=0.0,
            lift_newcomers=False,
            rerank_s=0.0,
            busy_times_fair=0.0,
            busy_min_calls=1.0,
        )
