"""Routes of interactions: the first answer, and what follows by the interaction's token; none needs the bot's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.discord.errors import unknown_webhook
from sandbox.discord.followups import Followups
from sandbox.discord.hub import Hub
from sandbox.discord.interactions import Interactions
from sandbox.discord.rest.routes import Call, Route

_HOOK = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGE = _HOOK + "/messages/{message_id}"
_ORIGINAL = _HOOK + "/messages/@original"


class InteractionRoutes:
    """Serves answers to interactions."""

    def __init__(self, hub: Hub, interactions: Interactions, followups: Followups) -> None:
        self._hub = hub
        self._interactions = interactions
        self._followups = followups

    def routes(self) -> Iterable[Route]:
        """Return the table of this resource."""
        yield Route("POST", "/interactions/{interaction_id}/{interaction_token}/callback", self.callback, open=True)
        yield Route("POST", _HOOK, self.send, "webhook", open=True)
        for template in (_ORIGINAL, _MESSAGE):
            yield Route("GET", template, self.get, "webhook", open=True)
            yield Route("PATCH", template, self.edit, "webhook", open=True)
            yield Route("DELETE", template, self.delete, "webhook", open=True)

    def callback(self, call: Call) -> Any:
        """Take the first answer."""
        token = call.ids["interaction_token"]
        answer = self._interactions.answer(call.ids["interaction_id"], token, call.body, call.files)
        return answer if call.query.get("with_response", "").lower() in ("1", "true") else None

    def _token(self, call: Call) -> tuple[str, str]:
        if call.ids["webhook_id"] != self._hub.world.bot.id:
            raise unknown_webhook()
        return call.ids["webhook_token"], call.ids.get("message_id", "@original")

    def send(self, call: Call) -> Any:
        """Send a follow-up."""
        token, _ = self._token(call)
        return self._hub.payloads.message(self._followups.send(token, call.body, call.files))

    def get(self, call: Call) -> Any:
        """Fetch the first answer or a follow-up."""
        return self._hub.payloads.message(self._followups.get(*self._token(call)))

    def edit(self, call: Call) -> Any:
        """Edit the first answer or a follow-up."""
        return self._hub.payloads.message(self._followups.edit(*self._token(call), call.body, call.files))

    def delete(self, call: Call) -> None:
        """Delete the first answer or a follow-up."""
        self._followups.delete(*self._token(call))
