"""An operator hears of each event once: a death, a shortage that lasts, its end, and that no key is left."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import DEAD, MODEL, NO_QUOTA, WALL, World, quota
from utils.gemini_pool.policy import KeySpec, PoolConfig
from utils.gemini_pool.policy.alerts import Alert, AlertKind, Watch, able
from utils.gemini_pool.policy.keys import Death, Key
from utils.gemini_pool.policy.outcome import Window
from utils.gemini_pool.policy.quota.closures import Closed


def make_keys(count: int = 4) -> list[Key]:
    """Give live keys, the first with a name."""
    return [Key(number, KeySpec(f"secret-{number}", "team" if not number else None)) for number in range(count)]


def kinds(alerts: list[Alert]) -> list[AlertKind]:
    """Give the kinds only."""
    return [alert.kind for alert in alerts]


def watch() -> Watch:
    """Give a watch of a process that has just started."""
    return Watch(PoolConfig(), WALL)


def test_a_sound_pool_is_silent() -> None:
    """Nothing to tell while all keys can serve."""
    watching, keys = watch(), make_keys()
    assert not any(watching.look(keys, {MODEL: 4}, float(now)) for now in range(0, 10_000, 10))


def test_a_death_is_told_once_by_label() -> None:
    """The alert names the key as people know it, and why; never its fingerprint."""
    watching, keys = watch(), make_keys()
    keys[0].dead = Death("API_KEY_INVALID", WALL + 5)
    (alert,) = watching.look(keys, {MODEL: 3}, 5.0)
    assert alert.text == "Key #1 (team) is dead: API_KEY_INVALID. Replace it, then reset the pool."
    assert "secret" not in repr(alert)
    assert not any(watching.look(keys, {MODEL: 3}, float(now)) for now in range(6, 20_000, 60))


def test_a_death_that_an_earlier_process_saw_is_not_told_again() -> None:
    """After a restart only new deaths are news, but all that a restart found dead is no news either."""
    watching, keys = watch(), make_keys(2)
    for key in keys:
        key.dead = Death("leaked", WALL - 100)
    assert not watching.look(keys, {MODEL: 0}, 1.0)


def test_a_key_that_dies_again_within_the_hour_is_not_told_again() -> None:
    """An operator who resets a dead key over and over hears of it once an hour."""
    watching, keys = watch(), make_keys()
    told = []
    for minute in range(0, 130, 10):
        now = minute * 60.0
        keys[1].dead = None
        told += watching.look(keys, {MODEL: 4}, now)
        keys[1].dead = Death("invalid", WALL + now)
        told += watching.look(keys, {MODEL: 3}, now)
    assert kinds(told) == [AlertKind.KEY_DEAD] * 3


def test_few_keys_are_told_once_it_lasts_and_again_when_they_are_enough() -> None:
    """A minute's quota that closes three of four projects is no alert; what lasts longer is one, and its end."""
    watching, keys = watch(), make_keys()
    assert not watching.look(keys, {MODEL: 1}, 0.0)
    assert not watching.look(keys, {MODEL: 1}, 59.0)
    assert not watching.look(keys, {MODEL: 2}, 59.5)
    assert not watching.look(keys, {MODEL: 1}, 60.0)
    assert not watching.look(keys, {MODEL: 1}, 119.0)
    (few,) = watching.look(keys, {MODEL: 1}, 121.0)
    assert few.text == f"Only 1 of 4 keys could serve {MODEL} for 61 s. See the key statistics."
    assert not watching.look(keys, {MODEL: 0}, 4000.0)
    (enough,) = watching.look(keys, {MODEL: 3}, 4001.0)
    assert enough.text == f"3 of 4 keys can serve {MODEL} again."


def test_a_shortage_that_comes_and_goes_is_told_once_an_hour() -> None:
    """Only what was told is told to be over; one that goes on past the hour is told then."""
    watching, keys = watch(), make_keys()
    told: list[tuple[int, AlertKind]] = []
    for now in range(7200):
        able = 1 if now % 300 < 200 else 4
        told += [(now, alert.kind) for alert in watching.look(keys, {MODEL: able}, float(now))]
    assert [kind for _, kind in told] == [AlertKind.FEW_KEYS, AlertKind.ENOUGH_KEYS] * 2
    assert told[0][0] == 60
    assert told[2][0] - told[0][0] >= 3600


def test_models_are_watched_apart() -> None:
    """A shortage of one model says nothing of another; a model that is no longer in use is forgotten."""
    watching, keys = watch(), make_keys()
    watching.look(keys, {MODEL: 1, "other": 4}, 0.0)
    (alert,) = watching.look(keys, {MODEL: 1, "other": 4}, 60.0)
    assert alert.values["model"] == MODEL
    assert not watching.look(keys, {"other": 4}, 61.0)


def test_no_key_left_is_told_once_instead_of_a_shortage() -> None:
    """The last death is followed by one alert that nothing can be answered, not by one for every model."""
    watching, keys = watch(), make_keys(2)
    for key in keys:
        key.dead = Death("suspended", WALL + 1)
    alerts = watching.look(keys, {MODEL: 0, "other": 0}, 1.0)
    assert kinds(alerts) == [AlertKind.KEY_DEAD, AlertKind.KEY_DEAD, AlertKind.NO_KEY_LEFT]
    assert alerts[-1].text.startswith("All 2 keys are dead, so nothing can be answered.")
    assert not any(watching.look(keys, {MODEL: 0}, float(now)) for now in range(2, 8000, 30))


def test_a_key_that_is_alive_after_all_is_told() -> None:
    """The alert of a revived key names it by label."""
    assert watch().back(make_keys()[0]).text == "Key #1 (team) is accepted again and serves as before."


def test_a_pool_without_keys_is_silent() -> None:
    """Nothing is dead where nothing is configured."""
    assert not watch().look([], {}, 0.0)


def at_few(watching: Watch, able_at: dict[float, int], keys: int = 4) -> dict[float, list[AlertKind]]:
    """Look at these times with so many able keys; gives what was told, by time."""
    all_keys = make_keys(keys)
    told = {now: kinds(watching.look(all_keys, {MODEL: count}, now)) for now, count in able_at.items()}
    return {now: alerts for now, alerts in told.items() if alerts}


def test_a_shortage_is_told_at_its_sixtieth_second() -> None:
    """Half of the keys are enough; one less is a shortage, told when it has lasted a minute, not before."""
    assert at_few(watch(), {0.0: 2, 100.0: 2, 200.0: 1, 259.9: 1, 260.0: 1, 300.0: 1, 310.0: 2, 320.0: 2}) == {
        260.0: [AlertKind.FEW_KEYS],
        310.0: [AlertKind.ENOUGH_KEYS],
    }


def test_the_next_shortage_within_the_hour_is_told_when_it_is_over() -> None:
    """Not a second before the hour since the last telling; the end of what was not told is not told either."""
    times = {0.0: 1, 60.0: 1, 70.0: 4, 80.0: 1, 200.0: 1, 210.0: 4, 300.0: 1, 3659.9: 1, 3660.0: 1}
    assert at_few(watch(), times) == {
        60.0: [AlertKind.FEW_KEYS],
        70.0: [AlertKind.ENOUGH_KEYS],
        3660.0: [AlertKind.FEW_KEYS],
    }


def test_how_long_the_keys_were_few_is_said() -> None:
    """From the first look that found too few."""
    watching = watch()
    watching.look(make_keys(), {MODEL: 1}, 100.0)
    (alert,) = watching.look(make_keys(), {MODEL: 0}, 175.0)
    assert alert.text.startswith("Only 0 of 4 keys could serve m for 75 s.")


def test_a_model_that_is_no_longer_used_is_forgotten() -> None:
    """When it comes back, its shortage begins anew."""
    watching, keys = watch(), make_keys()
    watching.look(keys, {MODEL: 1}, 0.0)
    watching.look(keys, {}, 50.0)
    assert not watching.look(keys, {MODEL: 1}, 70.0)
    assert kinds(watching.look(keys, {MODEL: 1}, 130.0)) == [AlertKind.FEW_KEYS]


def test_no_keys_at_all_is_no_death_of_all() -> None:
    """A pool without keys has none to lose."""
    assert not watch().look([], {}, 0.0)


def test_that_none_is_left_is_told_again_after_one_came_back() -> None:
    """Once an hour at most; a death without a reason has words too."""
    watching, (key,) = watch(), make_keys(1)
    told = []
    for now in (0.0, 100.0, 3600.0):
        key.dead = Death("", WALL + now)
        told += watching.look([key], {MODEL: 0}, now)
        key.dead = None
        watching.look([key], {MODEL: 1}, now + 50.0)
    assert kinds(told) == [AlertKind.KEY_DEAD, AlertKind.NO_KEY_LEFT] * 2
    assert "refused for good" in told[0].text


def test_one_new_death_among_old_ones_is_news() -> None:
    """The last key that dies makes it known that none is left, whenever the others died."""
    watching, keys = watch(), make_keys(2)
    keys[0].dead = Death("old", WALL - 5)
    keys[1].dead = Death("new", WALL)
    assert kinds(watching.look(keys, {MODEL: 0}, 1.0)) == [AlertKind.KEY_DEAD, AlertKind.NO_KEY_LEFT]


def test_able_is_who_could_serve_now() -> None:
    """Dead and ejected keys are not; of spent projects those of a day or for good, until the day is over."""
    world = World(keys=7)
    world.call_on(0, DEAD)
    world.eject(1)
    world.call_on(2, quota(600.0, Window.DAY))
    world.call_on(3, NO_QUOTA)
    world.call_on(4, quota(30.0))
    assert able(world.policy.pools, world.now) == {MODEL: 3}
    (day_ends,) = [lane.project.quota.until for lane in world.pool.lanes if lane.project.quota.why is Closed.DAY]
    before = able(world.policy.pools, day_ends - 0.1)[MODEL]
    assert able(world.policy.pools, day_ends)[MODEL] == before + 1
