"""Keys added while running: one list with the configuration's, checked with the service, in the pool at once."""

from __future__ import annotations

import pytest

from tests.gemini_pool.conftest import MODEL, Running
from utils.gemini_pool import Configuration, ConfiguredKey, GeminiAPIPool, KeyFormatError, Keyring, read
from utils.security import Secret


def key(value: str, name: str | None = None) -> ConfiguredKey:
    return ConfiguredKey(Secret(value, name or "x"), name, None)


def ring(*values: str) -> Keyring:
    return Keyring(lambda: read({"GEMINI_API_KEYS": ",".join(values)}))


def test_added_keys_come_after_the_configurations_and_count_once():
    """The configuration's own entry wins; what is off is listed, and not given."""
    keyring = ring("one", "two")
    keyring.replace([key("two", "double"), key("three", "new")], [Secret("one", "").fingerprint])
    given = keyring()
    assert [found.secret.reveal() for found in given.keys] == ["two", "three"]
    assert [(found.name, found.added, found.enabled) for found in keyring.listed()] == [
        (None, False, False),
        (None, False, True),
        ("new", True, True),
    ]


def test_the_configuration_is_read_anew_each_time():
    """A key that was written into the environment meanwhile is there with the next reading."""
    values = ["one"]
    keyring = Keyring(lambda: read({"GEMINI_API_KEYS": ",".join(values)}))
    keyring.replace([key("three")], [])
    assert len(keyring().keys) == 2
    values.append("two")
    assert [found.secret.reveal() for found in keyring().keys] == ["one", "two", "three"]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        (" abc ", "north", ("abc", "north", "alpha")),
        ("abc", None, ("abc", None, "alpha")),
        ("south@beta:abc", "north", ("abc", "south", "beta")),
    ],
)
def test_a_key_is_read_as_in_the_configuration(text: str, name: str | None, expected: tuple[str, str | None, str]):
    """What stands in the text wins over the fields beside it."""
    found = ring().parse(text, name=name, project="alpha")
    assert (found.secret.reveal(), found.name, found.project) == expected


@pytest.mark.parametrize("text", ["", "  ", "a b", "ключ", "a\nb"])
def test_what_can_be_no_key_is_refused_unseen(text: str):
    """The error names the form, never the text."""
    with pytest.raises(KeyFormatError) as caught:
        ring().parse(text, name=None, project=None)
    assert not text.strip() or text not in str(caught.value)


async def _checked(running: Running, spec: str) -> tuple[str, int]:
    keyring = Keyring(lambda: Configuration(base_url=running.address))
    found = await keyring.check(keyring.parse(spec, name=None, project=None))
    return found.verdict, found.models


async def test_a_check_asks_the_service_and_costs_nothing(running: Running):
    """A known key is good, an unknown one refused; no request to generate was sent."""
    verdict, models = await _checked(running, running.specs[0])
    assert verdict == "good"
    assert models > 0
    assert await _checked(running, "AQ" + ".no-such-key") == ("refused", 0)
    assert running.asked() == []
    assert len(running.emulator.diary()) == 2


@pytest.mark.parametrize("kind", ["leaked", "suspended", "expired", "invalid", "403", "blocked"])
async def test_a_dead_key_is_refused(running: Running, kind: str):
    """Whatever the service's words for it are."""
    running.break_key("k1", kind=kind)
    assert await _checked(running, running.specs[0]) == ("refused", 0)


async def test_a_service_that_cannot_be_reached_says_nothing_of_the_key():
    """Nobody listens at the address."""
    keyring = Keyring(lambda: Configuration(base_url="http://127.0.0.1:9"))
    found = await keyring.check(key("abc"))
    assert (found.verdict, found.models) == ("unreached", 0)


async def test_a_key_that_is_added_or_switched_off_counts_from_the_next_reset(running: Running):
    """The pool takes it in, and lets it go, without being made anew."""
    first, second = running.specs[:2]
    keyring = Keyring(lambda: read({"GEMINI_API_KEYS": first, "GOOGLE_GEMINI_BASE_URL": running.address}))
    async with GeminiAPIPool.from_configuration(keyring) as pool:
        added = keyring.parse(second, name=None, project=None)
        keyring.replace([added], [keyring.listed()[0].fingerprint])
        pool.reset_api_pool()
        for _ in range(3):
            _, success = await pool.generate_content("hello", model_name=MODEL)
            assert success
    assert set(running.asked_by_key()) == {"k2"}
