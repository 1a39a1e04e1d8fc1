"""Interactions of an unmodified discord.py: commands, menus, buttons, forms, choices."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import discord
from discord import app_commands

from tests.sandbox.discord.conftest import Bot, BotMaker, Raw, Server, ServerMaker, until

Interaction = discord.Interaction[discord.Client]


def commands(bot: Bot) -> None:
    """Register what these tests call."""

    @bot.tree.command()
    async def ask(interaction: Interaction, prompt: str, file: discord.Attachment | None = None) -> None:
        await interaction.response.defer(thinking=True)
        content = (await file.read()).decode() if file else ""
        await interaction.edit_original_response(content=f"{prompt} {content}".strip())
        await interaction.followup.send("more")

    @bot.tree.command()
    async def secret(interaction: Interaction) -> None:
        await interaction.response.send_message("only you", ephemeral=True)
        await interaction.edit_original_response(content="still only you")
        await interaction.followup.send("and this", ephemeral=True)

    @bot.tree.command()
    @app_commands.default_permissions(manage_guild=True)
    async def admin(interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.edit_original_response(content=f"{interaction.permissions.manage_guild}")

    @bot.tree.command()
    async def pick(interaction: Interaction, model: str, count: app_commands.Range[int, 1, 5] = 1) -> None:
        await interaction.response.send_message(f"{model} {count} {interaction.locale}")

    @pick.autocomplete("model")
    async def models(interaction: Interaction, current: str) -> list[app_commands.Choice[str]]:
        names = ["gemini-4-hydrogen", "gemini-4-helium", "gemma"]
        return [app_commands.Choice(name=name, value=name) for name in names if current in name]

    group = app_commands.Group(name="stats", description="numbers")

    @group.command()
    async def keys(interaction: Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"keys for {user.display_name}")

    bot.tree.add_command(group)

    @bot.tree.context_menu(name="Ask Gemini")
    async def ask_gemini(interaction: Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"about: {message.content}")

    @bot.tree.context_menu(name="Who is this")
    async def who(interaction: Interaction, user: discord.Member) -> None:
        await interaction.response.send_message(f"this is {user.display_name}")


async def answered(server: Server, interaction_id: str) -> list[dict[str, Any]]:
    """Wait for an interaction and return its responses."""
    shown = await server.emulator.interaction(interaction_id, wait_s=5)
    assert not shown["expired"]
    assert shown["acknowledged_ms"] is not None
    responses: list[dict[str, Any]] = shown["responses"]
    return responses


async def test_a_deferred_answer_is_edited_and_followed(server: Server, start_bot: BotMaker):
    """Defer, edit of the original, follow-up: in this order, with the attachment's bytes read from the file server."""
    await start_bot(server, commands)
    general = server.channel("general")
    made = server.emulator.invoke(
        general,
        name="ask",
        options={"prompt": "read", "file": "files[0]"},
        user="Mina",
        files=[("note.txt", "text/plain", b"the note")],
    )
    await until(lambda: len(server.texts(general)) == 2)
    assert server.texts(general) == ["read the note", "more"]
    responses = await answered(server, made)
    assert [response["content"] for response in responses] == ["read the note", "more"]
    assert responses[0]["flags"] == 0
    assert responses[0]["interaction"]["name"] == "ask"


async def test_ephemeral_answers_are_only_the_callers(server: Server, start_bot: BotMaker):
    """An ephemeral message has flag 64, can be edited by token, and is not in the channel's history."""
    bot = await start_bot(server, commands)
    general = server.channel("general")
    made = server.emulator.invoke(general, name="secret", user="Mina")
    await until(lambda: len(server.emulator.messages(general)) == 2)
    responses = await answered(server, made)
    assert [(r["content"], r["flags"] & 64) for r in responses] == [("still only you", 64), ("and this", 64)]
    assert {m["only_for"] for m in server.emulator.messages(general)} == {server.user("Mina")}
    assert [m async for m in bot.text_channel(general).history()] == []


async def test_an_administrator_has_permissions_in_the_interaction(server: Server, start_bot: BotMaker):
    """The member's permissions arrive with the interaction."""
    await start_bot(server, commands)
    made = server.emulator.invoke(server.channel("staff"), name="admin", user="Ada")
    assert (await answered(server, made))[0]["content"] == "True"


async def test_an_opened_command_reaches_the_handler_of_a_member(server: Server, start_bot: BotMaker):
    """A server's administrator can let everybody use a command; the handler then sees who calls."""
    await start_bot(server, commands)
    server.emulator.faults.open_command("admin")
    made = server.emulator.invoke(server.channel("general"), name="admin", user="Mina")
    assert (await answered(server, made))[0]["content"] == "False"


async def test_autocomplete_offers_choices(server: Server, start_bot: BotMaker):
    """Choices come back for what is typed so far, and one of them can be used."""
    await start_bot(server, commands)
    general = server.channel("general")
    choices = await server.emulator.autocomplete(
        general, name="pick", options={"model": "hel"}, focused="model", user="小美"
    )
    assert [choice["value"] for choice in choices] == ["gemini-4-helium"]
    made = server.emulator.invoke(general, name="pick", options={"model": choices[0]["value"], "count": 2}, user="小美")
    assert (await answered(server, made))[0]["content"] == "gemini-4-helium 2 zh-TW"


async def test_a_subcommand_resolves_a_user(server: Server, start_bot: BotMaker):
    """Subcommands are called with a space; a user option takes a name."""
    await start_bot(server, commands)
    made = server.emulator.invoke(server.channel("general"), name="stats keys", options={"user": "Dewi"}, user="Ada")
    assert (await answered(server, made))[0]["content"] == "keys for Dewi"


async def test_context_menus_carry_their_target_without_the_intent(server: Server, start_bot: BotMaker):
    """The message of a context menu has its content though the bot may not read messages."""
    await start_bot(server, commands, content=False)
    general = server.channel("general")
    said = server.emulator.say(general, content="what is this?", user="Mina")
    made = server.emulator.invoke(general, name="Ask Gemini", user="Ivan", locale="ru", target=said["id"])
    assert (await answered(server, made))[0]["content"] == "about: what is this?"
    made = server.emulator.invoke(general, name="Who is this", user="Ivan", target="지우")
    assert (await answered(server, made))[0]["content"] == "this is 지우"


async def test_a_command_works_in_a_direct_message(server: Server, start_bot: BotMaker):
    """Without a guild there is a user instead of a member."""
    await start_bot(server, commands)
    made = server.emulator.invoke(server.channel("Mina"), name="ask", options={"prompt": "hi"}, user="Mina")
    await until(lambda: len(server.texts(server.channel("Mina"))) == 2)
    assert (await answered(server, made))[0]["content"] == "hi"


class Panel(discord.ui.View):
    """A persistent panel with a button that opens a form, one that edits in place, and a menu."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="form", custom_id="panel:form")
    async def form(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.send_modal(Form())

    @discord.ui.button(label="edit", custom_id="panel:edit")
    async def edit(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.edit_message(content=f"pressed by {interaction.user.display_name}")

    @discord.ui.button(label="later", custom_id="panel:later")
    async def later(self, interaction: Interaction, _: discord.ui.Button[Any]) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")

    @discord.ui.select(
        custom_id="panel:menu", options=[discord.SelectOption(label="a"), discord.SelectOption(label="b")]
    )
    async def menu(self, interaction: Interaction, select: discord.ui.Select[Any]) -> None:
        await interaction.response.send_message(f"chose {select.values}", ephemeral=True)


class Form(discord.ui.Modal, title="A form"):
    """A form with text, a menu and files."""

    subject: discord.ui.Label[Any] = discord.ui.Label(
        text="Subject", component=discord.ui.TextInput(custom_id="subject")
    )
    kind: discord.ui.Label[Any] = discord.ui.Label(
        text="Kind",
        component=discord.ui.Select(custom_id="kind", options=[discord.SelectOption(label="poem")]),
    )
    papers: discord.ui.Label[Any] = discord.ui.Label(
        text="Papers", component=discord.ui.FileUpload(custom_id="papers", required=False)
    )

    async def on_submit(self, interaction: Interaction) -> None:
        subject, kind, papers = self.subject.component, self.kind.component, self.papers.component
        assert isinstance(subject, discord.ui.TextInput)
        assert isinstance(kind, discord.ui.Select)
        assert isinstance(papers, discord.ui.FileUpload)
        read = [(await paper.read()).decode() for paper in papers.values]
        await interaction.response.send_message(f"{subject.value} {kind.values} {read}")


def panel(bot: Bot) -> None:
    """Register the panel, as after a restart."""
    bot.add_view(Panel())

    @bot.tree.command(name="panel")
    async def show(interaction: Interaction) -> None:
        await interaction.response.send_message("a panel", view=Panel())


async def test_a_panel_survives_a_restart(server: Server, start_bot: BotMaker):
    """Buttons of a persistent view work in the bot's next life: edit in place, defer, menu."""
    first = await start_bot(server, panel)
    general = server.channel("general")
    made = server.emulator.invoke(general, name="panel", user="Mina")
    message = (await answered(server, made))[0]
    await first.close()
    await start_bot(server, panel)
    server.emulator.press(custom_id="panel:edit", user="Dewi", message_id=message["id"])
    await until(lambda: server.texts(general) == ["pressed by Dewi"])
    server.emulator.press(custom_id="panel:later", user="Dewi", interaction_id=made)
    await until(lambda: server.texts(general) == ["later"])
    chosen = server.emulator.press(custom_id="panel:menu", user="Dewi", message_id=message["id"], values=["b"])
    assert (await answered(server, chosen))[0]["content"] == "chose ['b']"


async def test_a_form_is_opened_and_submitted_with_a_file(server: Server, start_bot: BotMaker):
    """A modal is the first response; its submission carries text, choices and attachments."""
    await start_bot(server, panel)
    made = server.emulator.invoke(server.channel("general"), name="panel", user="Mina")
    message = (await answered(server, made))[0]
    opened = server.emulator.press(custom_id="panel:form", user="Mina", message_id=message["id"])
    modal = (await answered(server, opened))[0]
    assert modal["title"] == "A form"
    sent = server.emulator.submit(
        interaction_id=opened,
        values={"subject": "rain", "kind": ["poem"], "papers": ["files[0]"]},
        user="Mina",
        files=[("a.txt", "text/plain", b"drops")],
    )
    assert (await answered(server, sent))[0]["content"] == "rain ['poem'] ['drops']"


async def test_a_components_v2_answer_is_shown(server: Server, start_bot: BotMaker):
    """A layout view arrives with flag 32768 and numbered components."""

    def setup(bot: Bot) -> None:
        @bot.tree.command()
        async def layout(interaction: Interaction) -> None:
            view = discord.ui.LayoutView()
            container: discord.ui.Container[Any] = discord.ui.Container(
                discord.ui.TextDisplay("# title"), discord.ui.Separator()
            )
            row: discord.ui.ActionRow[Any] = discord.ui.ActionRow()
            row.add_item(discord.ui.Button(label="ok", custom_id="ok"))
            container.add_item(row)
            view.add_item(container)
            await interaction.response.send_message(view=view)

    await start_bot(server, setup)
    made = server.emulator.invoke(server.channel("general"), name="layout", user="Mina")
    message = (await answered(server, made))[0]
    assert message["flags"] & 32768
    assert message["components"][0]["components"][0]["content"] == "# title"


async def test_an_interaction_without_a_bot_expires_without_blame(
    make_server: ServerMaker, open_raw: Callable[[Server], Raw]
):
    """Nobody is there to answer: the person sees a failure, and no one broke a rule."""
    server = await make_server(ack_s=0.05)
    await open_raw(server).register({"name": "ask", "description": "d"})
    made = server.emulator.invoke(server.channel("general"), name="ask", user="Mina")
    shown = await server.emulator.interaction(made, wait_s=5)
    assert shown == {"id": made, "acknowledged_ms": None, "expired": True, "responses": []}


async def test_events_tell_the_page_what_happens(server: Server, start_bot: BotMaker):
    """The bus carries the interaction and the messages, ephemeral ones included."""
    await start_bot(server, commands)
    with server.bus.subscribe() as events:
        server.emulator.invoke(server.channel("general"), name="secret", user="Mina")
        seen = []
        async with asyncio.timeout(5):
            async for event in events:
                seen.append(event)
                if event.kind == "message_update":
                    break
    assert [event.kind for event in seen] == ["interaction", "message_create", "interaction", "message_update"]
    assert seen[2].data["acknowledged_ms"] is not None
    assert seen[3].data["content"] == "still only you"
