"""An operator hears of each event once: a death, a shortage that lasts, its end, and that no key is left."""

from __future__ import annotations

from tests.gemini_pool.policy.conftest import MODEL, WALL
from utils.gemini_pool.policy import KeySpec, PoolConfig
from utils.gemini_pool.policy.alerts import Alert, AlertKind, Watch
from utils.gemini_pool.policy.keys import Death, Key


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
