"""Where keys, addresses and constants come from, and what cannot be a key."""

from __future__ import annotations

import pytest

from utils.gemini_pool import ConfigurationError, GeminiAPIPool, KeyFormatError, PoolConfig, UsageError, read


def keys_of(environment: dict[str, str]) -> list[tuple[str, str | None, str | None]]:
    """Give (secret, name, project) of every key found."""
    return [(key.secret.reveal(), key.name, key.project) for key in read(environment).keys]


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, []),
        ({"GEMINI_API_KEYS": ""}, []),
        ({"GEMINI_API_KEYS": " , ,"}, []),
        ({"GEMINI_API_KEYS": "one"}, [("one", None, None)]),
        ({"GEMINI_API_KEYS": "one,two, three ,"}, [("one", None, None), ("two", None, None), ("three", None, None)]),
        ({"GEMINI_API_KEYS": "a@north:one,two"}, [("one", "a", "north"), ("two", None, None)]),
        ({"GEMINI_API_KEYS": "a@north:with:colon"}, [("with:colon", "a", "north")]),
        ({"GEMINI_API_KEY_1": "one", "GEMINI_API_KEY_1_PROJECT": "north"}, [("one", None, "north")]),
        ({"GEMINI_API_KEY_1": "b@east:one", "GEMINI_API_KEY_1_PROJECT": "north"}, [("one", "b", "east")]),
        (
            {"GEMINI_API_KEY_10": "ten", "GEMINI_API_KEY_2": "two", "GEMINI_API_KEY_2_PROJECT": ""},
            [("two", None, None), ("ten", None, None)],
        ),
        ({"GEMINI_API_KEY": "lone"}, [("lone", None, None)]),
        ({"GEMINI_API_KEY_X": "no", "GEMINI_API_KEY_1_PROJECT": "p", "MY_GEMINI_API_KEY_1": "no"}, []),
        (
            {"GEMINI_API_KEY": "c", "GEMINI_API_KEY_1": "b", "GEMINI_API_KEYS": "a"},
            [("a", None, None), ("b", None, None), ("c", None, None)],
        ),
        (
            {"GEMINI_API_KEY": "a", "GEMINI_API_KEY_1": "a", "GEMINI_API_KEYS": "x@p:a,a"},
            [("a", "x", "p")],
        ),
    ],
)
def test_keys_are_found_in_their_order(environment: dict[str, str], expected: list[tuple[str, str | None, str | None]]):
    """The comma list first, then by number, then the lone one; doubles dropped, the first place wins."""
    assert keys_of(environment) == expected


@pytest.mark.parametrize(
    "bad", ["line\nbreak", "with space", "tab\tin", "schlüssel", "ключ", "zero\u200bwidth", "a@b:bad key", "null\0byte"]
)
@pytest.mark.parametrize("place", ["GEMINI_API_KEYS", "GEMINI_API_KEY_3", "GEMINI_API_KEY"])
def test_what_cannot_be_a_key_is_refused_by_its_place(bad: str, place: str):
    """One sentence names the variable and never shows what stands there."""
    with pytest.raises(KeyFormatError) as caught:
        read({place: bad})
    sentence = str(caught.value)
    assert place in sentence
    assert bad not in sentence
    assert bad.rsplit("@b:", maxsplit=1)[-1] not in sentence
    assert "\n" not in sentence


def test_keys_given_in_code_are_refused_by_their_number():
    """The same check holds for ``api_keys``."""
    with pytest.raises(KeyFormatError, match=r"api_keys \(entry 2\)"):
        GeminiAPIPool(api_keys=["good", "not good"])


def test_a_pool_needs_at_least_one_instance():
    """A size of 0 is refused."""
    with pytest.raises(UsageError, match="pool_size"):
        GeminiAPIPool(api_keys=["key"], pool_size=0)


def test_address_and_version_are_the_sdks_variables():
    """They are read from the names the SDK uses; nothing set means the service itself."""
    found = read({"GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9", "GOOGLE_GENAI_API_VERSION": "v1beta"})
    assert (found.base_url, found.api_version) == ("http://127.0.0.1:9", "v1beta")
    assert (read({}).base_url, read({}).api_version) == (None, None)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://proxy:1"}, "http://proxy:1"),
        ({"https_proxy": "http://proxy:2", "HTTPS_PROXY": "http://proxy:1"}, "http://proxy:2"),
        ({"ALL_PROXY": "http://proxy:3"}, "http://proxy:3"),
        ({"HTTP_PROXY": "http://proxy:1"}, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "googleapis.com"}, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "*"}, None),
        ({"HTTP_PROXY": "http://proxy:1", "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9"}, None),
        ({"HTTP_PROXY": "http://proxy:1", "GOOGLE_GEMINI_BASE_URL": "http://elsewhere:9"}, "http://proxy:1"),
    ],
)
def test_the_proxy_is_chosen_once_from_the_usual_variables(environment: dict[str, str], expected: str | None):
    """By scheme, by exception list, and never for this machine."""
    assert read(environment).proxy == expected


def test_every_constant_can_be_set():
    """``GEMINI_POOL_<FIELD>`` overrides a constant; empty means the default."""
    found = read({"GEMINI_POOL_FIRST_BYTE_S": "4.5", "GEMINI_POOL_MAX_ATTEMPTS": "3", "GEMINI_POOL_ROTATION_S": " "})
    assert (found.pool.first_byte_s, found.pool.max_attempts) == (4.5, 3)
    assert found.pool.rotation_s == PoolConfig().rotation_s


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GEMINI_POOL_FIRST_BYTE_S", "soon"),
        ("GEMINI_POOL_MAX_ATTEMPTS", "2.5"),
        ("GEMINI_POOL_MAX_ATTEMPTS", "0"),
        ("GEMINI_POOL_FIRST_BYTE_S", "-1"),
        ("GEMINI_POOL_FIRST_BYTE_S", "nan"),
    ],
)
def test_a_constant_that_cannot_be_is_named(name: str, value: str):
    """The sentence names the variable or the field."""
    with pytest.raises(ConfigurationError, match=r"GEMINI_POOL_\w+|PoolConfig\.\w+"):
        read({name: value})


@pytest.mark.parametrize("bad", ["hooks.example/1", "ftp://h/1", "https:///token", "http://[broken"])
def test_an_alert_webhook_that_is_no_address_is_refused_without_showing_it(bad: str):
    """The sentence names the variable; the address would let anybody post."""
    with pytest.raises(ConfigurationError, match="GEMINI_POOL_ALERT_WEBHOOK") as caught:
        read({"GEMINI_POOL_ALERT_WEBHOOK": bad})
    assert bad not in str(caught.value)


def test_an_alert_webhook_is_a_secret_with_its_own_way_through_the_proxy():
    """It does not show in the configuration; a proxy is chosen by the webhook's host, none for loopback."""
    found = read({"GEMINI_POOL_ALERT_WEBHOOK": " https://hooks.example/token ", "https_proxy": "http://proxy:1"})
    assert found.alert_webhook is not None
    assert found.alert_webhook.reveal() == "https://hooks.example/token"
    assert found.alert_proxy == "http://proxy:1"
    assert "hooks.example" not in repr(found)
    assert (
        read({"GEMINI_POOL_ALERT_WEBHOOK": "http://127.0.0.1:9/x", "http_proxy": "http://proxy:1"}).alert_proxy is None
    )
    assert read({}).alert_webhook is None
