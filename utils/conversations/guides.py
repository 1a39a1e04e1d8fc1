"""How a conversation is answered where nobody knows better than its owner.

``OwnChoices`` is the plain ``Guide``: the model, the temperature and the instructions that the conversation was opened
with, and the tools that were asked for (``options["search"]``, ``options["code"]``). What always holds: it asks
nobody. A guide that also knows personas and a server's settings stands before it.
"""

from __future__ import annotations

from typing import Any

from utils.conversations.ports import Guidance
from utils.storage import Conversation

#: The name of the option under which a conversation keeps that its answers may search the web.
SEARCH = "search"
#: The name of the option under which it keeps that the model may run Python for an answer.
CODE = "code"

_TOOLS = {SEARCH: "google_search", CODE: "code_execution"}


def chosen_tools(*, search: bool, code: bool) -> dict[str, Any]:
    """Give a conversation's options for the tools that were chosen."""
    return {name: True for name, chosen in ((SEARCH, search), (CODE, code)) if chosen}


class OwnChoices:
    """What was chosen for the conversation itself."""

    async def guidance(self, conversation: Conversation) -> Guidance:
        """Give the conversation's own choices."""
        tools: list[dict[str, Any]] = [
            {tool: {}} for option, tool in _TOOLS.items() if conversation.options.get(option)
        ]
        options: dict[str, Any] = {"tools": tools} if tools else {}
        return Guidance(conversation.model, conversation.instructions, conversation.temperature, options)
