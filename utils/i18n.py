"""Every sentence a person sees, by its id and in the reader's language.

``translate(message_id, locale, **values)`` looks the id up in ``locales/<language>/LC_MESSAGES/bot.po``
and fills in the values. Locales are written as Discord writes them (``en-GB``, ``zh-TW``); a locale
without a catalogue, and an id that its catalogue lacks, are answered in English. A message with plural
forms takes the form from its value ``count``.

The catalogues are plain text that translators edit; Babel compiles them in memory, so no generated file
can be stale. Nothing is read at import: the first use reads one language, and ``load_catalogues()`` reads
all, which a program with an event loop calls before the loop runs. What always holds: catalogue text is
ours; values are inserted, never read as a format. Which id belongs to which error is for
``utils/rendering/sentences`` to say.
"""

from __future__ import annotations

import gettext
import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT_LANGUAGE = "en"
DOMAIN = "bot"
LOCALES_FOLDER = Path(__file__).parent.parent / "locales"


@cache
def languages() -> frozenset[str]:
    """Name the languages that have a catalogue, as their folders are called (``en``, ``zh_TW``)."""
    return frozenset(path.parent.parent.name for path in LOCALES_FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def covers(locale: str) -> bool:
    """Tell whether the locale's own language has a catalogue; falling back to English does not count."""
    return _own_language(locale) is not None


def language_of(locale: str) -> str:
    """Name the language a reader of this Discord locale is answered in, as its folder is called."""
    return _own_language(locale) or DEFAULT_LANGUAGE


def translate(message_id: str, locale: str, **values: object) -> str:
    """Give the sentence of that id to a reader of that locale, its ``{placeholders}`` filled from ``values``.

    ``count``, where given, is an int and also selects the plural form. An id that no catalogue knows comes
    back as it is; raises KeyError when a placeholder has no value.
    """
    catalogue = _catalogue(language_of(locale))
    count = values.get("count")
    text = catalogue.ngettext(message_id, message_id, count) if isinstance(count, int) else message_id
    if text == message_id:
        text = catalogue.gettext(message_id)
    return text.format(**values)


def load_catalogues() -> None:
    """Read every catalogue now, so that no later ``translate`` touches the disk."""
    for language in languages():
        _catalogue(language)


def _own_language(locale: str) -> str | None:
    code = locale.replace("-", "_")
    for candidate in (code, code.partition("_")[0]):
        if candidate in languages():
            return candidate
    return None


@cache
def _catalogue(language: str) -> gettext.GNUTranslations:
    path = LOCALES_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale=language, abort_invalid=True)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    if language != DEFAULT_LANGUAGE:
        translations.add_fallback(_catalogue(DEFAULT_LANGUAGE))
    return translations
