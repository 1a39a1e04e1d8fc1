"""The life of an interaction: handed to the bot, acknowledged within three seconds, answered within fifteen minutes.

``Interaction`` is one of them, ``Interactions`` makes them, takes the bot's first answer (the callback) and finds them
by token for what follows. What always holds: there is one first answer; after ``ack_s`` without it the interaction is
expired; an interaction that no connected bot received, or whose bot went away, expires without blame. Editing and
following up are ``followups``'; what people put into an interaction is ``people``'s.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from sandbox.discord import drafts
from sandbox.discord.errors import ApiError, invalid_form, unknown_interaction
from sandbox.discord.hub import Hub
from sandbox.discord.messages import Messages
from sandbox.discord.payloads import Payloads
from sandbox.discord.permissions import compute
from sandbox.discord.profiles import member_json, user_json
from sandbox.discord.sessions import Session, Wire
from sandbox.discord.sizes import check_modal, units
from sandbox.discord.world import (
    EPHEMERAL,
    LOADING,
    MENU_COMMAND,
    SLASH_COMMAND,
    Channel,
    Member,
    Message,
    Upload,
    User,
)

Json = dict[str, Any]

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
REPLY, DEFER, DEFER_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
_ALLOWED = {
    COMMAND: {REPLY, DEFER, MODAL},
    COMPONENT: {REPLY, DEFER, DEFER_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {REPLY, DEFER, DEFER_UPDATE, UPDATE},
}


@dataclass(slots=True, eq=False)
class Interaction:
    """One interaction; ``born`` is the real monotonic clock, ``source`` the message a component sits on."""

    id: str
    token: str
    kind: int
    user: User
    channel: Channel
    data: Json
    locale: str
    born: float
    metadata: Json
    source: Message | None = None
    name: str | None = None
    acknowledged_ms: int | None = None
    expired: bool = False
    callback: int | None = None
    original: Message | None = None
    modal: Json | None = None
    responses: list[Message | Json] = field(default_factory=list)
    received_by: list[tuple[Session, Wire | None]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def notify(self) -> None:
        """Wake whoever waits for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    def has_something_to_show(self) -> bool:
        """Whether there is an answer to read: not expired, past its thinking state."""
        if self.callback in (DEFER_UPDATE, UPDATE):
            return True
        return any(not (isinstance(r, Message) and r.flags & LOADING) for r in self.responses)

    def shown(self, payloads: Payloads) -> Json:
        """Return what people can see of it: acknowledgement, and messages, modals or choices."""
        return {
            "id": self.id,
            "acknowledged_ms": self.acknowledged_ms,
            "expired": self.expired,
            "responses": [payloads.message_event(r) if isinstance(r, Message) else r for r in self.responses],
        }


class Interactions:
    """All interactions of a run."""

    def __init__(self, hub: Hub, messages: Messages) -> None:
        self._hub = hub
        self._messages = messages
        self._by_id: dict[str, Interaction] = {}
        self._by_token: dict[str, Interaction] = {}

    def find(self, interaction_id: str) -> Interaction | None:
        """Find an interaction by id."""
        return self._by_id.get(interaction_id)

    def by_token(self, token: str) -> Interaction | None:
        """Find an interaction by its token."""
        return self._by_token.get(token)

    def create(
        self,
        kind: int,
        user: User,
        channel: Channel,
        data: Json,
        *,
        locale: str | None = None,
        source: Message | None = None,
        name: str | None = None,
        extra: Json | None = None,
    ) -> Interaction:
        """Make an interaction and hand it to the bot; ``extra`` goes into what its messages tell of it."""
        made_id = self._hub.ids.next()
        # who installed the bot for this use: the server ("0": its id, "0" in direct messages), or the user ("1")
        owners = {"1": user.id} if self._hub.world.is_private(channel) else {"0": channel.guild_id or "0"}
        metadata: Json = {
            "id": made_id,
            "type": kind,
            "user": user_json(user),
            "authorizing_integration_owners": owners,
            **(extra or {}),
        }
        token = f"aW50ZXJhY3Rpb24{made_id}"
        interaction = Interaction(
            made_id,
            token,
            kind,
            user,
            channel,
            data,
            locale or user.locale,
            self._hub.monotonic(),
            metadata,
            source=source,
            name=name,
        )
        self._by_id[made_id] = self._by_token[token] = interaction
        reached = self._hub.announce.interaction(self._event(interaction), channel.guild_id)
        interaction.received_by = [(session, session.wire) for session in reached]
        asyncio.get_running_loop().call_later(self._hub.limits.ack_s, self._expire, interaction)
        self._publish(interaction)
        return interaction

    def _event(self, interaction: Interaction) -> Json:
        world, channel, user = self._hub.world, interaction.channel, interaction.user
        event: Json = {
            "id": interaction.id,
            "application_id": world.bot.id,
            "type": interaction.kind,
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel": self._hub.payloads.channel(channel, viewer=user),
            "channel_id": channel.id,
            "locale": interaction.locale,
            "app_permissions": str(compute(world, world.bot, channel)),
            "attachment_size_limit": self._hub.limits.file_bytes,
            "entitlements": [],
            "authorizing_integration_owners": interaction.metadata["authorizing_integration_owners"],
            "context": self._hub.world.context(channel),
        }
        if channel.guild_id:
            permissions = str(compute(world, user, channel))
            event["guild_id"] = channel.guild_id
            event["guild"] = {"id": channel.guild_id, "locale": "en-US", "features": []}
            event["guild_locale"] = "en-US"
            event["member"] = {**member_json(self._member(user, channel)), "permissions": permissions}
        else:
            event["user"] = user_json(user)
        if interaction.source is not None:
            event["message"] = self._hub.payloads.message(interaction.source)
        return event

    def _member(self, user: User, channel: Channel) -> Member:
        known = self._hub.world.members[user.id]
        # the roles are those of the bot's own server
        return Member(user, [], known.joined_at) if self._hub.world.is_foreign(channel) else known

    def _expire(self, interaction: Interaction) -> None:
        if interaction.callback is not None:
            return
        interaction.expired = True
        still_there = any(session.wire is wire for session, wire in interaction.received_by)
        if still_there:
            detail = f"interaction {interaction.id} ({interaction.name or interaction.data.get('custom_id')})"
            self._hub.violations.record("ack_missing", detail, "gateway INTERACTION_CREATE")
        self._publish(interaction)
        interaction.notify()

    def _publish(self, interaction: Interaction) -> None:
        self._hub.announce.publish(
            "interaction",
            {
                "id": interaction.id,
                "type": interaction.kind,
                "channel_id": interaction.channel.id,
                "user_id": interaction.user.id,
                "name": interaction.name,
                "acknowledged_ms": interaction.acknowledged_ms,
                "expired": interaction.expired,
                "modal": interaction.modal,
            },
        )

    def answer(self, interaction_id: str, token: str, body: Json, files: list[Upload]) -> Json:
        """Take the bot's first answer; returns what Discord answers to it (with_response=1)."""
        interaction = self._by_token.get(token)
        if interaction is None or interaction.id != interaction_id:
            raise ApiError(404, 10062, "Unknown interaction")
        if interaction.callback is not None:
            wrong = "Interaction has already been acknowledged."
            raise ApiError(400, 40060, wrong, kind="second_response")
        if interaction.expired:
            raise unknown_interaction()
        kind, data = int(body.get("type") or 0), body.get("data") or {}
        if kind not in _ALLOWED[interaction.kind] or (kind in (DEFER_UPDATE, UPDATE) and not interaction.source):
            raise invalid_form([("type", "This type of response is not allowed here.")], kind="provoked_400")
        message = self._take(interaction, kind, data, files)
        interaction.callback = kind
        interaction.acknowledged_ms = int((self._hub.monotonic() - interaction.born) * 1000)
        self._publish(interaction)
        interaction.notify()
        return self._callback_response(interaction, kind, message)

    def _take(self, interaction: Interaction, kind: int, data: Json, files: list[Upload]) -> Message | None:
        if kind == REPLY:
            return self.respond(interaction, data, files)
        if kind == DEFER:
            return self._defer(interaction, data)
        if kind == CHOICES:
            self._take_choices(interaction, data)
        elif kind == MODAL:
            self._take_modal(interaction, data)
        elif kind == UPDATE and interaction.source:
            self._messages.rewrite(interaction.source, data, files)
        return self._answers_to_source(interaction, kind)

    def _answers_to_source(self, interaction: Interaction, kind: int) -> Message | None:
        if kind not in (DEFER_UPDATE, UPDATE):
            return None
        interaction.original = interaction.source
        return interaction.source

    def respond(self, interaction: Interaction, data: Json, files: list[Upload], *, flags: int = 0) -> Message:
        """Send a message as an answer; the first one becomes the original."""
        drafts.check(self._hub, data, files)
        message = self._blank(interaction, (int(data.get("flags") or 0) & EPHEMERAL) | flags)
        drafts.apply(self._hub, message, data, files)
        self._add(interaction, message)
        return message

    def _defer(self, interaction: Interaction, data: Json) -> Message:
        flags = int(data.get("flags") or 0)
        if flags & ~EPHEMERAL:
            wrong = "Only the EPHEMERAL flag can be set on a deferred response."
            raise invalid_form([("data.flags", wrong)], kind="provoked_400")
        message = self._blank(interaction, flags | LOADING)
        self._add(interaction, message)
        return message

    def _blank(self, interaction: Interaction, flags: int) -> Message:
        kind = 0
        if interaction.kind == COMMAND:
            kind = SLASH_COMMAND if interaction.data.get("type") == 1 else MENU_COMMAND
        message = self._messages.blank(self._hub.world.bot, interaction.channel, kind=kind)
        message.flags, message.interaction = flags, interaction.metadata
        if interaction.original is None:
            message.interaction_name = interaction.name
        else:
            message.type, message.reference = 19, (interaction.channel.id, interaction.original.id)
        if flags & EPHEMERAL:
            message.only_for = interaction.user.id
        return message

    def _add(self, interaction: Interaction, message: Message) -> None:
        if interaction.original is None:
            interaction.original = message
        interaction.responses.append(message)
        self._messages.publish(message)

    def _take_choices(self, interaction: Interaction, data: Json) -> None:
        choices = data.get("choices") or []
        limits = self._hub.limits
        lengths_ok = all(
            1 <= units(c.get("name")) <= limits.choice and units(c.get("value")) <= limits.choice for c in choices
        )
        if len(choices) > limits.choices or not lengths_ok:
            raise invalid_form([("data.choices", "Must be 25 or fewer in length.")], kind="autocomplete_choices")
        interaction.responses.append({"choices": choices})

    def _take_modal(self, interaction: Interaction, data: Json) -> None:
        problems = check_modal(data, self._hub.limits)
        if problems:
            raise invalid_form(problems)
        interaction.modal = data
        interaction.responses.append(data)

    def _callback_response(self, interaction: Interaction, kind: int, message: Message | None) -> Json:
        about: Json = {"id": interaction.id, "type": interaction.kind}
        answer: Json = {"interaction": about}
        if message is None:
            return answer
        about["response_message_id"] = message.id
        about["response_message_loading"] = bool(message.flags & LOADING)
        about["response_message_ephemeral"] = bool(message.flags & EPHEMERAL)
        shown_as = UPDATE if kind in (DEFER_UPDATE, UPDATE) else REPLY
        answer["resource"] = {"type": shown_as, "message": self._hub.payloads.message(message)}
        return answer
