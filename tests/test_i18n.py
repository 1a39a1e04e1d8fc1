"""Sentences by id: every id the code names exists, languages agree, and unknown ones fall back."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

from utils.i18n import LOCALES_FOLDER, covers, language_of, languages, load_catalogues, translate

ROOT = Path(__file__).parent.parent
_ID = re.compile(
    r"(?!\S+\.md\Z)(?:admin|answer|art|ask|chat|cog|command|error|start|state)\.[a-z0-9_]+(?:\.[a-z0-9_]+)*\Z"
)


def catalogue(language: str) -> Catalog:
    with (LOCALES_FOLDER / language / "LC_MESSAGES" / "bot.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def texts(found: Catalog) -> dict[str, tuple[str, ...]]:
    """Every id with all its forms."""
    return {
        message.id if isinstance(message.id, str) else message.id[0]: (
            (message.string,) if isinstance(message.string, str) else tuple(message.string or ())
        )
        for message in found
        if message.id
    }


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def sources() -> Iterator[Path]:
    yield from (path for folder in ("utils", "cogs", "gateway") for path in (ROOT / folder).rglob("*.py"))
    if (ROOT / "bot.py").exists():
        yield ROOT / "bot.py"


def named_ids() -> Iterator[tuple[str, str]]:
    """Every text in the code that reads like an id, and every id given to ``translate``, with its place."""
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "translate" and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield first.value, f"{path.relative_to(ROOT)}:{node.lineno}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _ID.match(node.value):
                yield node.value, f"{path.relative_to(ROOT)}:{node.lineno}"


def test_every_id_that_the_code_names_is_in_the_catalogue():
    """A missing id would show a person its bare name."""
    known = texts(catalogue("en"))
    missing = sorted({f"{place}: {message_id}" for message_id, place in named_ids() if message_id not in known})
    assert not missing
    assert any(message_id == "error.quota" for message_id, _ in named_ids()), "the scan finds nothing"


@pytest.mark.parametrize("language", sorted(languages() - {"en"}))
def test_languages_have_the_same_ids_with_the_same_placeholders(language):
    """A translation that lacks a value hides it, one with another raises when it is shown."""
    english, other = texts(catalogue("en")), texts(catalogue(language))
    assert set(english) == set(other)
    for message_id, forms in english.items():
        for form in other[message_id]:
            assert placeholders(form) == placeholders(forms[-1]), message_id


@pytest.mark.parametrize("language", sorted(languages()))
def test_catalogues_are_complete_and_valid(language):
    """No empty form, no fuzzy entry, as many forms as the language has, nothing that Babel objects to."""
    found = catalogue(language)
    for message in found:
        assert not message.fuzzy or not message.id
        assert not list(message.check(found)), message.id
        if isinstance(message.id, tuple):
            assert len(message.string or ()) == found.num_plurals, message.id
    assert all(form.strip() for forms in texts(found).values() for form in forms)


@pytest.mark.parametrize("language", sorted(languages()))
def test_command_texts_are_what_discord_takes(language):
    """Names: 1-32 lower-case word characters, or a menu's prose; descriptions: at most 100 characters."""
    for message_id, (text, *_) in texts(catalogue(language)).items():
        if message_id.startswith("command.") and message_id.endswith(".description"):
            assert 1 <= len(text) <= 100, message_id
        elif message_id.startswith("command.") and message_id != "command.ask_message.name":
            assert re.fullmatch(r"[-\w]{1,32}", text), message_id
            assert text == text.lower(), message_id


def test_names_in_traditional_chinese_are_the_promised_ones():
    """These names are part of what was asked for."""
    names = {
        "command.ai_art.name": "ai藝術",
        "command.ai_art.theme.name": "主題",
        "command.pool_stats.name": "連接池統計",
        "command.api_key_stats.name": "api密鑰統計",
        "command.reset_pool.name": "重置連接池",
        "command.reset_api_stats.name": "重置api統計",
    }
    assert {message_id: translate(message_id, "zh-TW") for message_id in names} == names


@pytest.mark.parametrize(
    ("locale", "language"),
    [("en-US", "en"), ("en-GB", "en"), ("zh-TW", "zh_TW"), ("fr", "en"), ("xx-YY", "en"), ("", "en"), ("../en", "en")],
)
def test_discord_locales_find_their_language_and_others_english(locale, language):
    """A reader whose language has no catalogue reads English."""
    assert language_of(locale) == language
    assert translate("ask.empty", locale) == texts(catalogue(language))["ask.empty"][0]


def test_only_a_locale_of_a_catalogues_language_is_covered():
    """English in place of French is no French."""
    assert [covers(locale) for locale in ("en-US", "zh-TW", "fr", "zh-CN")] == [True, True, False, False]


def test_count_chooses_the_plural_form():
    """English has two forms, Chinese one."""
    assert "1 character, and" in translate("ask.too_long", "en-US", count=1, limit=8000)
    assert "9000 characters, and" in translate("ask.too_long", "en-US", count=9000, limit=8000)
    assert "9000 個字元" in translate("ask.too_long", "zh-TW", count=9000, limit=8000)
    assert translate("ask.empty", "en-US", count=1) == translate("ask.empty", "en-US")


def test_values_are_inserted_and_never_read_as_a_format():
    """A model or file name with braces stays what it is."""
    assert "{0.__class__}" in translate("ask.model_unknown", "en-US", model="{0.__class__}")


def test_an_unknown_id_comes_back_and_a_missing_value_is_an_error():
    """A mistake in the code is seen, never hidden."""
    assert translate("no.such.id", "zh-TW") == "no.such.id"
    with pytest.raises(KeyError):
        translate("ask.model_unknown", "en-US")


def test_loading_reads_every_catalogue_so_that_later_use_reads_none(monkeypatch):
    """An event loop that was prepared never waits for the disk."""
    load_catalogues()

    def refuse(*_args, **_options):
        raise AssertionError("the disk was touched")

    monkeypatch.setattr(Path, "open", refuse)
    assert [translate("state.live", locale) for locale in ("en-US", "zh-TW")] == ["live", "可用"]
