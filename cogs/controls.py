"""The buttons under an answer: which there are, and what they are called.

``TurnButton`` is one of them; all that it knows is in its id (an action and a turn), so it works after a restart. A
press becomes the client's event ``turn_button``, with the interaction, the action and the turn's id. ``AnswerControls``
says which buttons stand under the answer of a turn, while it is given and once it has ended. What always holds: the
labels are in the language of who asked; views are never remembered by the client. Who may press, and what happens then,
is ``cogs.buttons``'s.
"""

from __future__ import annotations

import re
from typing import Any, Final, Literal, Self, get_args

import discord

from utils.conversations import CUT_OFF, STOPPED, Conversations, Turn
from utils.i18n import translate
from utils.storage import StorageError

Action = Literal["stop", "again", "more", "branch"]
ACTIONS: Final = get_args(Action)

_STYLES: Final[dict[Action, discord.ButtonStyle]] = {"stop": discord.ButtonStyle.danger}
_EMOJI: Final[dict[Action, str]] = {"stop": "⏹️", "again": "🔄", "more": "⏩", "branch": "🌱"}
_ID: Final = re.compile(r"turn:(?P<action>stop|again|more|branch):(?P<turn>[0-9]{1,19})")


class TurnButton(discord.ui.DynamicItem[discord.ui.Button[discord.ui.View]], template=_ID):
    """A button about one turn."""

    def __init__(self, action: Action, turn_id: int, label: str | None = None) -> None:
        super().__init__(
            discord.ui.Button(
                label=label,
                emoji=_EMOJI[action],
                style=_STYLES.get(action, discord.ButtonStyle.secondary),
                custom_id=f"turn:{action}:{turn_id}",
            )
        )
        self.action = action
        self.turn_id = turn_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction[Any],  # noqa: ARG003 - the base's signature; the id says it all
        item: discord.ui.Item[Any],  # noqa: ARG003 - the same
        match: re.Match[str],
        /,
    ) -> Self:
        """Read a pressed button's id."""
        action: Action = next(known for known in ACTIONS if known == match["action"])
        return cls(action, int(match["turn"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand the press over."""
        interaction.client.dispatch("turn_button", interaction, self.action, self.turn_id)


def turn_of_components(message: discord.Message) -> int | None:
    """Give the id of the turn whose buttons stand under a message, or None."""
    for row in message.components:
        for part in getattr(row, "children", ()):
            match = _ID.fullmatch(getattr(part, "custom_id", None) or "")
            if match is not None:
                return int(match["turn"])
    return None


def view_of(turn: Turn, *actions: Action) -> discord.ui.View | None:
    """Make a row of buttons about a turn; None for none."""
    if not actions:
        return None
    view = discord.ui.View(timeout=None)
    for action in actions:
        view.add_item(TurnButton(action, turn.id, translate(f"chat.button.{action}", turn.locale)))
    return view


class AnswerControls:
    """The buttons of one turn; ``here`` are the actions for which there is a place."""

    def __init__(self, conversations: Conversations, turn: Turn, *, here: frozenset[Action]) -> None:
        self._conversations = conversations
        self._turn = turn
        self._here = here

    def running(self) -> discord.ui.View | None:
        """Give what stands under an answer that is being given."""
        return view_of(self._turn, "stop")

    async def ended(self) -> discord.ui.View | None:
        """Give what stands under one that has ended, by how it did."""
        try:
            turn = await self._conversations.turn(self._turn.id)
        except StorageError:
            # buttons whose turn cannot be looked up would not work either
            return None
        return view_of(turn, *self.offered(turn)) if turn is not None else None

    def offered(self, turn: Turn) -> list[Action]:
        """Name the actions that make sense for a turn that has ended."""
        if turn.state not in {"answered", "failed"} or turn.error_kind == "deleted":
            return []
        wanted: list[Action] = ["again"]
        if turn.state == "answered":
            cut = turn.finish_reason in {STOPPED, CUT_OFF}
            wanted = ["more", "again", "branch"] if cut else ["again", "branch"]
        return [action for action in wanted if action in self._here]
