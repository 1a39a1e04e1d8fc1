"""Who may what: one table of everything that a person can do with the bot, by who they are and where.

``ROWS`` is the table, ``document`` writes it as ``docs/permissions.md`` (``python -m tests.cogs.permissions`` does).
Each row names how it is done (``act``, see ``acting``) and what is expected in each column: ``y`` it is done, ``n`` it
is refused in a sentence and nothing is changed or asked, ``-`` Discord does not offer it there, or there is no such
thing there. What always holds: a command, button or form of the bot without a row fails ``test_permissions``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

#: The columns: a name for the tests, and for readers.
COLUMNS: Final = {
    "owner": "Bot's owner",
    "server_owner": "Server's owner",
    "manager": "Manage Server",
    "insider": "Role let in",
    "member": "Member",
    "outsider": "Kept out",
    "direct": "In a DM",
    "guest": "Elsewhere",
    "host": "Elsewhere, its owner",
    "bot": "Another bot",
}

ANYWHERE: Final = "yyyyynyyyn"
HERE: Final = "yyyyyny--n"
SERVER: Final = "yyyyyn---n"
OWN: Final = "yyyyyyyyyn"
MANAGE: Final = "yyynnn---n"
RUN: Final = "ynnnnnn--n"
MANAGED_CHAT: Final = "nyynnn---n"

#: Rows with these are administration: what Discord does not offer is refused all the same when it arrives.
ADMINISTRATION: Final = (MANAGE, RUN)

FILE: Final = Path(__file__).parents[2] / "docs" / "permissions.md"
_SIGNS: Final = {"y": "yes", "n": "no", "-": "–"}


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to do; ``command`` is the command it is or came of, ``what`` says more where that is not all."""

    command: str
    expected: str
    what: str = ""
    act: str = "command"
    options: Mapping[str, Any] = field(default_factory=dict)
    form: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What readers call it."""
        name = f"/{self.command}" if self.command.islower() else self.command
        return f"`{name}` {self.what}".strip() if self.command else self.what

    def expects(self, column: str) -> str:
        """Give what is expected of somebody."""
        return self.expected[list(COLUMNS).index(column)]


_MINE, _THEIRS = {"persona": "mine"}, {"persona": "theirs"}
_TEXT: Final = {"name": "Sage", "instructions": "Be wise."}

ROWS: Final = (
    Row("ask", ANYWHERE, options={"prompt": "a word #q-1"}),
    Row("Ask Gemini", ANYWHERE, act="menu"),
    Row("", HERE, "a message to the bot", act="message"),
    Row("", HERE, "a question that is changed", act="change"),
    Row("chat", SERVER, options={"prompt": "a word #q-2"}),
    Row("", SERVER, "a message in one's chat", act="thread message"),
    Row("model", HERE, "in one's chat", act="in own chat"),
    Row("model", MANAGED_CHAT, "in another's chat", act="in other chat"),
    Row("persona create", HERE, form=_TEXT),
    Row("persona list", HERE),
    Row("persona show", HERE, options=_MINE),
    Row("persona edit", HERE, "one's own", options=_MINE, form={"name": "mine", "instructions": "Be wiser."}),
    Row("persona edit", "nnnnnnn--n", "another's", options=_THEIRS),
    Row("persona use", HERE, "in one's chat", act="in own chat", options=_MINE),
    Row("persona use", MANAGED_CHAT, "in another's chat", act="in other chat", options=_THEIRS),
    Row("persona share", HERE, "one's own", options={**_MINE, "audience": "me"}),
    Row("persona share", "nyynnnn--n", "another's, taking it back", options={**_THEIRS, "audience": "me"}),
    Row("persona delete", HERE, "one's own", options=_MINE),
    Row("image", HERE, options={"prompt": "a boat"}),
    Row("speak", HERE, options={"text": "hello"}),
    Row("ai-art", HERE, options={"theme": "rain"}),
    Row("Transcribe", HERE, act="menu"),
    Row("why", HERE),
    Row("Why this answer?", ANYWHERE, act="menu"),
    Row("", OWN, "Stop, under one's answer", act="own stop"),
    Row("", ANYWHERE, "Regenerate, under one's answer", act="own again"),
    Row("", HERE, "Continue, under one's answer", act="own more"),
    Row("", SERVER, "Branch, under one's answer", act="own branch"),
    Row("", "nynnnn-nyn", "Stop, under another's answer", act="other stop"),
    Row("", "nynnnn-nyn", "Regenerate, under another's answer", act="other again"),
    Row("", "nynnnn-n-n", "Continue, under another's answer", act="other more"),
    Row("", "nynnnn-n-n", "Branch, under another's answer", act="other branch"),
    Row("usage", ANYWHERE),
    Row("help", ANYWHERE),
    Row("settings show", MANAGE),
    Row("settings set", MANAGE, options={"safety": "high"}),
    Row("settings clear", MANAGE, options={"setting": "safety"}),
    Row("settings restrict", MANAGE, options={"role": "Member", "model": "gemini-4-argon"}),
    Row("settings open", MANAGE, options={"model": "gemini-4-argon"}),
    Row("limits show", MANAGE),
    Row("limits set", MANAGE, options={"whom": "members", "per_day": 100_000}),
    Row("limits role", MANAGE, options={"role": "Member", "times": 2.0}),
    Row("limits clear", MANAGE, options={"what": "members"}),
    Row("pool-stats", MANAGE),
    Row("api-key-stats", MANAGE),
    Row("reset-pool", MANAGE),
    Row("reset-api-stats", MANAGE),
    Row("doctor", MANAGE),
    Row("keys list", RUN),
    Row("keys add", RUN, form={"key": "not a key"}),
    Row("keys disable", RUN, options={"key": "{key}"}),
    Row("keys enable", RUN, options={"key": "{key}"}),
    Row("keys remove", RUN, options={"key": "{key}"}),
    Row("my-data show", OWN),
    Row("my-data export", OWN),
    Row("my-data delete", OWN),
    Row("my-data delete", "yyyyyyyyy-", "its button", act="delete"),
)

#: Every kind of button and form that a cog makes, by its class, and the acts above that try it.
PARTS: Final = {
    "TurnButton": ("own stop", "own again", "own more", "own branch"),
    "_Question": ("delete",),
    "PersonaForm": ("command",),
    "KeyForm": ("command",),
}


def document() -> str:
    """Write the table for readers."""
    lines = [
        "# Who may what",
        "",
        textwrap.fill(_ABOUT, 120, break_on_hyphens=False),
        "",
        *_COLUMN_NOTES,
        "",
        f"| | {' | '.join(COLUMNS.values())} |",
        f"|---|{'---|' * len(COLUMNS)}",
    ]
    lines += [f"| {row.title} | {' | '.join(_SIGNS[sign] for sign in row.expected)} |" for row in ROWS]
    return "\n".join(lines) + "\n"


_ABOUT: Final = (
    "This table is written by the test that tries every cell of it, end to end: `python -m tests.cogs.permissions`"
    " writes it anew. *yes*: it is done; *no*: it is refused in one sentence, and nothing is changed or asked; *–*:"
    " Discord does not offer it there, or there is none. The bot checks by itself, whatever a server's own settings"
    " under Integrations let through, and a button or form is checked again when it is pressed or sent."
)
_COLUMN_NOTES: Final = (
    "- *Bot's owner*: owns the application or is named in `ADMIN_IDS`, here without any rights in the server.",
    "- *Manage Server*: has that permission and no other.",
    "- *Role let in*, *Kept out*: every command is restricted by `/settings restrict` to a role; they have it or not.",
    "  Whoever manages the server or runs the bot passes; `/my-data` cannot be restricted.",
    "- *Elsewhere*: somebody who installed the bot for themselves, in a server that the bot is not in.",
    "- *Continue* and *Branch* need a place where the bot may write by itself. Who may manage messages, or opened the",
    "  thread, may press the buttons under others' answers; a model that is restricted is checked too.",
)

if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
