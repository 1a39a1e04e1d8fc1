"""Every sentence a person sees, by its id and in the reader's language.

``translate(message_id, locale, **values)`` looks the id up in the catalogues ``locales/<language>/LC_MESSAGES/*.po``,
a file for each subject, all of which make one, and fills in the values. Locales are written as Discord writes them
(``en-GB``, ``zh-TW``); a locale without a catalogue, and an id that its catalogue lacks, are answered in English.
Readers of Simplified Chinese get the Traditional catalogue, which they read more easily than English. A message with
plural forms takes the form from its value ``count``.

The catalogues are plain text that translators edit; Babel compiles them in memory, so no generated file
can be stale. Nothing is read at import: the first use reads one language, and ``load_catalogues()`` reads
all, which a program with an event loop calls before the loop runs. What always holds: catalogue text is
ours; values are inserted, never read as a format. Which id belongs to which error is for
``utils/rendering/sentences`` to say.
"""

from __future__ import annotations

import gettext
import io
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

DEFAULT_LANGUAGE = "en"
LOCALES_FOLDER = Path(__file__).parent.parent / "locales"

#: Languages that are read in the catalogue of another.
_NEIGHBOURS = {"zh_CN": "zh_TW"}


@cache
def languages() -> frozenset[str]:
    """Name the languages that have a catalogue, as their folders are called (``en``, ``zh_TW``)."""
    return frozenset(path.parent.parent.name for path in LOCALES_FOLDER.glob("*/LC_MESSAGES/*.po"))


def catalogue_files(language: str) -> list[Path]:
    """List the files that make a language's catalogue, one a subject."""
    return sorted((LOCALES_FOLDER / language / "LC_MESSAGES").glob("*.po"))


def covers(locale: str) -> bool:
    """Tell whether readers of the locale have a catalogue they can read; falling back to English does not count."""
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


@lru_cache(maxsize=128)
def _own_language(locale: str) -> str | None:
    code = locale.replace("-", "_")
    for candidate in (code, code.partition("_")[0], _NEIGHBOURS.get(code)):
        if candidate in languages():
            return candidate
    return None


@cache
def _catalogue(language: str) -> gettext.GNUTranslations:
    compiled = io.BytesIO()
    write_mo(compiled, _whole(language))
    compiled.seek(0)
    translations = gettext.GNUTranslations(compiled)
    if language != DEFAULT_LANGUAGE:
        translations.add_fallback(_catalogue(DEFAULT_LANGUAGE))
    return translations


def _whole(language: str) -> Catalog:
    """Read a language's files into the first of them, whose header says which plural forms there are."""
    parts = []
    for path in catalogue_files(language):
        with path.open("rb") as file:
            parts.append(read_po(file, locale=language, abort_invalid=True))
    whole = parts[0]
    for part in parts[1:]:
        for message in part:
            if message.id:
                whole[message.id] = message
    return whole
