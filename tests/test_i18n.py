"""Sentences by id: every id the code names exists, all languages agree, and unknown ones fall back."""

from __future__ import annotations

import ast
import gettext
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from utils.i18n import catalogue_files, covers, language_of, languages, load_catalogues, translate

ROOT = Path(__file__).parent.parent
LANGUAGES = ("en", "id", "ko", "ru", "zh_TW")
DOMAINS = sorted(path.stem for path in catalogue_files("en"))

#: The letters a language is written in; without them a text of some length was not translated.
SCRIPTS = {"ko": "[가-힣]", "ru": "[а-яё]", "zh_TW": "[\u4e00-\u9fff]"}
_ID_SHAPE = re.compile(r"[a-z]+(?:\.[a-z0-9_]+)+\Z")
_FILE_NAME = re.compile(r".*\.(?:css|db|html|js|json|key|log|md|mp3|png|po|py|svg|toml|txt|wav|webp|xml|zip)\Z")


def catalogue(language: str, domain: str) -> Catalog:
    path = next(path for path in catalogue_files(language) if path.stem == domain)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def entries(found: Catalog) -> list[tuple[str, Message]]:
    return [(m.id if isinstance(m.id, str) else m.id[0], m) for m in found if m.id]


def forms(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def texts(language: str) -> dict[str, tuple[str, ...]]:
    """Every id of a language with all its forms."""
    return {i: forms(m) for path in catalogue_files(language) for i, m in entries(catalogue(language, path.stem))}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def words(text: str) -> str:
    """What of a text is to be translated: not placeholders, code, addresses or names in capitals."""
    return re.sub(r"\{\w*\}|`[^`]*`|https?://\S+|\([A-Z][^)]*\)|--?\w+|/\w[-\w]*|\b\w*[A-Z_]\w*\b|[^\w\s]", " ", text)


def nodes() -> Iterator[tuple[ast.AST, str]]:
    """Every piece of the code that may speak to people, with its place; the storage speaks to nobody."""
    paths = [path for folder in ("utils", "cogs", "gateway") for path in (ROOT / folder).rglob("*.py")]
    for path in [*paths, ROOT / "bot.py"]:
        place = path.relative_to(ROOT)
        if place.parts[:2] != ("utils", "storage"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                yield node, f"{place}:{getattr(node, 'lineno', 0)}"


def named_ids(first_parts: set[str]) -> Iterator[tuple[str, str]]:
    """Every text in the code that reads like an id, and every id given to ``translate``, with its place."""
    for node, place in nodes():
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "translate" and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value, place
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _ID_SHAPE.match(node.value):
            is_ours = node.value.partition(".")[0] in first_parts and not _FILE_NAME.match(node.value)
            if is_ours:
                yield node.value, place


def made_ids() -> Iterator[re.Pattern[str]]:
    """A pattern for every formatted text that makes ids: what stands around its values."""
    for node, _ in nodes():
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else None for part in node.values]
            if isinstance(parts[0], str) and re.match(r"[a-z]+\.", parts[0]):
                yield re.compile("".join(r"[a-z0-9_.]+" if part is None else re.escape(str(part)) for part in parts))


def known_first_parts() -> set[str]:
    return {message_id.partition(".")[0] for message_id in texts("en")} - {"command"}


def test_these_languages_have_catalogues_of_the_same_subjects():
    """A subject that one language lacks would be shown in English."""
    assert languages() == set(LANGUAGES)
    for language in LANGUAGES:
        assert sorted(path.stem for path in catalogue_files(language)) == DOMAINS


def test_every_id_that_the_code_names_is_in_the_catalogue():
    """A missing id would show a person its bare name."""
    known = texts("en")
    found = list(named_ids(known_first_parts()))
    missing = sorted({f"{place}: {message_id}" for message_id, place in found if message_id not in known})
    assert not missing
    assert any(message_id == "error.quota" for message_id, _ in found), "the scan finds nothing"


def test_every_sentence_is_used():
    """A sentence that no code names is a burden to translators; texts of commands are counted where they are made."""
    named = {message_id for message_id, _ in named_ids(known_first_parts())}
    patterns = list(made_ids())
    unused = [
        message_id
        for message_id in texts("en")
        if not message_id.startswith("command.")
        and message_id not in named
        and not any(pattern.fullmatch(message_id) for pattern in patterns)
    ]
    assert not unused


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_id_stands_in_two_files(language):
    """Of two sentences with one id nobody could say which is shown."""
    counts = Counter(
        message_id for path in catalogue_files(language) for message_id, _ in entries(catalogue(language, path.stem))
    )
    assert not [message_id for message_id, count in counts.items() if count > 1]
    for path in catalogue_files(language):
        written = re.findall(r'^msgid "(.+)"$', path.read_text(encoding="utf-8"), re.MULTILINE)
        assert len(written) == len(set(written)), path


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_languages_have_the_same_ids_with_the_same_placeholders(language, domain):
    """A translation that lacks a value hides it, one with another raises when it is shown."""
    english, other = dict(entries(catalogue("en", domain))), dict(entries(catalogue(language, domain)))
    assert set(english) == set(other)
    for message_id, message in english.items():
        wanted = placeholders(forms(message)[-1])
        assert isinstance(message.id, tuple) == isinstance(other[message_id].id, tuple), message_id
        for form in forms(other[message_id]):
            missing = wanted - placeholders(form)
            # one file may be "a file": the form for one thing need not say the number
            one_thing = language == "en" and form is not forms(other[message_id])[-1]
            assert missing <= ({"count"} if one_thing else set()), message_id
            assert placeholders(form) <= wanted, message_id


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_are_complete_and_valid(language, domain):
    """No empty form, no fuzzy entry, as many forms as the language has, nothing that Babel objects to."""
    found = catalogue(language, domain)
    for message_id, message in entries(found):
        assert not message.fuzzy, message_id
        assert not list(message.check(found)), message_id
        assert all(form.strip() for form in forms(message)), message_id
        if isinstance(message.id, tuple):
            assert len(message.string or ()) == found.num_plurals, message_id
            assert "count" in placeholders(forms(message)[-1]), message_id
    assert not found.obsolete


@pytest.mark.parametrize("domain", DOMAINS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_are_those_of_the_unicode_rules(language, domain):
    """Two numbers have one form if and only if Unicode's rules for the language put them into one category."""
    found, locale = catalogue(language, domain), Locale.parse(language)
    form_of = gettext.c2py(found.plural_expr)
    pairs = {(form_of(n), locale.plural_form(n)) for n in range(1, 1000)}
    assert len(pairs) == len({form for form, _ in pairs}) == len({category for _, category in pairs})
    assert {form_of(n) for n in range(1000)} == set(range(found.num_plurals))


@pytest.mark.parametrize("language", sorted(set(LANGUAGES) - {"en"}))
def test_no_text_was_left_in_english(language):
    """A text of some length that equals the English one, or has no letter of the language's script, is untranslated."""
    english, other = texts("en"), texts(language)
    left = []
    for message_id, found in other.items():
        to_translate = len(words(english[message_id][-1]).split())
        if to_translate < 2:
            continue
        script = SCRIPTS.get(language)
        foreign = any(not re.search(script, form, re.IGNORECASE) for form in found) if script else False
        if foreign or found[-1] == english[message_id][-1]:
            left.append(message_id)
    assert not left


@pytest.mark.parametrize("language", LANGUAGES)
def test_command_texts_are_what_discord_takes(language):
    """Names: 1-32 lower-case word characters, or a menu's prose; descriptions: at most 100 characters."""
    english = texts("en")
    for message_id, (text, *_) in texts(language).items():
        if message_id.startswith("command.") and message_id.endswith(".description"):
            assert 1 <= len(text) <= 100, message_id
        elif message_id.startswith("command.") and english[message_id][0][0].isupper():
            assert 1 <= len(text) <= 32, message_id
        elif message_id.startswith("command."):
            assert re.fullmatch(r"[-_'\w]{1,32}", text), message_id
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
    [
        ("en-US", "en"),
        ("en-GB", "en"),
        ("zh-TW", "zh_TW"),
        ("zh-CN", "zh_TW"),
        ("ko", "ko"),
        ("id", "id"),
        ("ru", "ru"),
        ("fr", "en"),
        ("xx-YY", "en"),
        ("", "en"),
        ("../en", "en"),
    ],
)
def test_discord_locales_find_their_language_and_others_english(locale, language):
    """A reader whose language has no catalogue reads English; Simplified Chinese reads Traditional."""
    assert language_of(locale) == language
    assert translate("ask.empty", locale) == texts(language)["ask.empty"][0]


def test_only_a_locale_with_a_readable_catalogue_is_covered():
    """English in place of French is no French."""
    locales = ("en-US", "zh-TW", "zh-CN", "ko", "id", "ru", "fr", "pt-BR")
    assert [covers(locale) for locale in locales] == [True] * 6 + [False] * 2


def test_count_chooses_the_plural_form():
    """English has two forms, Russian three, the others one."""
    assert "1 character, and" in translate("ask.too_long", "en-US", count=1, limit=8000)
    assert "9000 characters, and" in translate("ask.too_long", "en-US", count=9000, limit=8000)
    assert "9000 個字元" in translate("ask.too_long", "zh-TW", count=9000, limit=8000)
    russian = {count: translate("ask.too_long", "ru", count=count, limit=8000) for count in (1, 2, 5, 11, 21, 22, 112)}
    assert [f"{count} символ," in russian[count] for count in russian] == [True, *[False] * 3, True, False, False]
    assert all(f"{count} символа," in russian[count] for count in (2, 22))
    assert all(f"{count} символов," in russian[count] for count in (5, 11, 112))
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
    shown = [translate("state.live", locale) for locale in ("en-US", "zh-TW", "ko", "id", "ru")]
    assert shown == ["live", "可用", "정상", "aktif", "работает"]
