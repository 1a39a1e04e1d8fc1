"""The start matrix: what is started with what is configured."""

from __future__ import annotations

import pytest

from bot import Options, SandboxPart, StartError, choose


def options(part: SandboxPart | None = None, *, auto: bool = False) -> Options:
    return Options(part=part, url=None, port=None, keep=False, auto=auto)


@pytest.mark.parametrize("auto", [True, False])
def test_token_and_keys_are_the_real_thing(auto):
    """With both configured nothing is emulated, and nothing is said about it."""
    plan = choose(options(auto=auto), has_token=True, has_keys=True)
    assert (plan.part, plan.note) == (None, None)


def test_nothing_configured_is_the_sandbox():
    """`make run` on a fresh clone starts the whole sandbox and says so."""
    plan = choose(options(auto=True), has_token=False, has_keys=False)
    assert plan.part == "all"
    assert plan.note is not None
    assert "sandbox" in plan.note


def test_keys_alone_get_a_private_page():
    """With keys and no token Gemini is real and Discord is the page; the first line says so."""
    plan = choose(options(auto=True), has_token=False, has_keys=True)
    assert plan.part == "discord"
    assert plan.note is not None
    assert "real Gemini" in plan.note


@pytest.mark.parametrize("auto", [True, False])
def test_a_token_alone_names_the_way_out(auto):
    """With a token and no key, the sentence names `--sandbox gemini`."""
    with pytest.raises(StartError, match="--sandbox gemini"):
        choose(options(auto=auto), has_token=True, has_keys=False)


@pytest.mark.parametrize(("has_keys", "named"), [(True, "--sandbox discord"), (False, ".env.example")])
def test_without_a_token_the_plain_start_is_refused(has_keys, named):
    """Plain `python bot.py` never starts a sandbox by itself; it names what is missing and what to do."""
    with pytest.raises(StartError, match="DISCORD_TOKEN") as caught:
        choose(options(), has_token=False, has_keys=has_keys)
    assert named in str(caught.value)


@pytest.mark.parametrize("has_token", [True, False])
@pytest.mark.parametrize("has_keys", [True, False])
def test_the_whole_sandbox_starts_with_anything(has_token, has_keys):
    """What is configured does not matter to `--sandbox`."""
    assert choose(options("all"), has_token=has_token, has_keys=has_keys).part == "all"


def test_half_a_sandbox_needs_the_other_half_configured():
    """`--sandbox gemini` needs a token, `--sandbox discord` needs keys."""
    assert choose(options("gemini"), has_token=True, has_keys=False).part == "gemini"
    assert choose(options("discord"), has_token=False, has_keys=True).part == "discord"
    with pytest.raises(StartError, match="DISCORD_TOKEN"):
        choose(options("gemini"), has_token=False, has_keys=True)
    with pytest.raises(StartError, match="GEMINI_API_KEYS"):
        choose(options("discord"), has_token=True, has_keys=False)
