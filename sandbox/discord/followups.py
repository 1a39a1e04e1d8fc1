"""What follows an interaction's first answer: edits of it, further messages, deletions, by the interaction's token.

``Followups`` keeps the rules of the token: unknown before the acknowledgement, dead after its life, good for all
messages of its interaction, ephemeral ones included. The first follow-up after a deferral fills the thinking message.
"""

from __future__ import annotations

from typing import Any

from sandbox.discord.errors import ApiError, unknown_message, unknown_webhook
from sandbox.discord.hub import Hub
from sandbox.discord.interactions import Interaction, Interactions
from sandbox.discord.messages import Messages
from sandbox.discord.world import EPHEMERAL, LOADING, Message, Upload

Json = dict[str, Any]


class Followups:
    """The webhook of every interaction."""

    def __init__(self, hub: Hub, interactions: Interactions, messages: Messages) -> None:
        self._hub = hub
        self._interactions = interactions
        self._messages = messages

    def _open(self, token: str) -> Interaction:
        interaction = self._interactions.by_token(token)
        if interaction is None or interaction.callback is None:
            raise unknown_webhook()
        if self._hub.monotonic() - interaction.born > self._hub.limits.token_s:
            raise ApiError(401, 50027, "Invalid Webhook Token", kind="token_expired")
        return interaction

    def _message(self, interaction: Interaction, message_id: str) -> Message:
        original = message_id == "@original"
        message = interaction.original if original else self._hub.world.find_message(message_id)
        own = message is not None and (message is interaction.original or message in interaction.responses)
        if message is None or not own:
            raise unknown_message(message_id)
        if message.id not in interaction.channel.messages:
            raise unknown_message(message.id)
        return message

    def send(self, token: str, body: Json, files: list[Upload]) -> Message:
        """Send a further message."""
        interaction = self._open(token)
        original = interaction.original
        if original is not None and original.flags & LOADING:
            self._messages.rewrite(original, _without_ephemeral(body), files)
            message = original
        else:
            message = self._interactions.respond(interaction, body, files)
        interaction.notify()
        return message

    def get(self, token: str, message_id: str) -> Message:
        """Fetch a message of an interaction."""
        return self._message(self._open(token), message_id)

    def edit(self, token: str, message_id: str, body: Json, files: list[Upload]) -> Message:
        """Edit a message of an interaction."""
        interaction = self._open(token)
        message = self._message(interaction, message_id)
        self._messages.rewrite(message, body, files)
        interaction.notify()
        return message

    def delete(self, token: str, message_id: str) -> None:
        """Delete a message of an interaction."""
        interaction = self._open(token)
        message = self._message(interaction, message_id)
        if message in interaction.responses:
            interaction.responses.remove(message)
        self._messages.delete(message)


def _without_ephemeral(body: Json) -> Json:
    if body.get("flags") is None:
        return body
    return {**body, "flags": int(body["flags"]) & ~EPHEMERAL}
