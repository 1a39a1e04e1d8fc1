"""A small discord.py bot that shows the page one of everything: streams, embeds, buttons, forms, menus, files.

It is the unmodified library; it answers what it is asked without a Gemini, so that the page's tests need only the
emulated Discord. ``make_bot`` builds it; nothing is connected before ``start``.
"""

from __future__ import annotations

import asyncio
import io
from typing import Any, ClassVar

import discord
from discord import app_commands

MODELS = ("gemini-4-hydrogen", "gemini-4-carbon", "gemini-3.8-flash")

LONG = """# A heading
Some **bold**, *italic*, ~~struck~~ and `inline` text with a ||secret|| and <https://example.com/page>.

- first
- second
  - nested

> quoted

```python
def area(radius: float) -> float:
    return 3.14159 * radius**2
```
-# small print"""


class Names(app_commands.Translator):
    """Traditional Chinese names for two commands and one option."""

    TABLE: ClassVar[dict[str, str]] = {
        "ask": "提問",
        "prompt": "問題",
        "ai-art": "ai藝術",
        "theme": "主題",
        "Ask the model": "問模型一個問題",
    }

    async def translate(self, string, locale, context):
        return self.TABLE.get(string.message) if locale is discord.Locale.taiwan_chinese else None


class Feedback(discord.ui.Modal, title="Feedback"):
    """A form with a text and a choice."""

    words: Any = discord.ui.Label(
        text="What was good?", component=discord.ui.TextInput(style=discord.TextStyle.paragraph)
    )
    kind: Any = discord.ui.Label(
        text="Kind",
        component=discord.ui.Select(options=[discord.SelectOption(label="Praise"), discord.SelectOption(label="Bug")]),
    )

    async def on_submit(self, interaction):
        text, kind = self.words.component.value, self.kind.component.values[0]
        await interaction.response.send_message(f"Thank you: {text} ({kind})", ephemeral=True)


class Panel(discord.ui.View):
    """Buttons and a menu."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Again", style=discord.ButtonStyle.primary, custom_id="panel:again")
    async def again(self, interaction, _button):
        await interaction.response.send_message("Pressed again.", ephemeral=True)

    @discord.ui.button(label="Stop", style=discord.ButtonStyle.danger, custom_id="panel:stop")
    async def stop_it(self, interaction, _button):
        await interaction.response.edit_message(content="Stopped.", view=None)

    @discord.ui.select(
        placeholder="Tone",
        custom_id="panel:tone",
        options=[discord.SelectOption(label="Warm"), discord.SelectOption(label="Dry")],
    )
    async def tone(self, interaction, select):
        await interaction.response.send_message(f"Tone: {interaction.data['values'][0]}", ephemeral=True)


def make_bot(ready: asyncio.Event) -> discord.Client:
    """Build the bot with its commands; ``ready`` is set once it is connected."""
    intents = discord.Intents.default()
    intents.message_content = True
    bot = discord.Client(intents=intents, allowed_mentions=discord.AllowedMentions.none(), guild_ready_timeout=0.1)
    tree = app_commands.CommandTree(bot)
    _add_ask(tree)
    _add_others(tree)

    @bot.event
    async def setup_hook():
        await tree.set_translator(Names())
        await tree.sync()
        bot.add_view(Panel())

    @bot.event
    async def on_ready():
        ready.set()

    @bot.event
    async def on_message(message):
        if message.author.bot or bot.user not in message.mentions:
            return
        await message.reply(f"You said: {message.content.split('>', 1)[1].strip()}")

    return bot


def _add_ask(tree: app_commands.CommandTree) -> None:
    @tree.command(name="ask", description="Ask the model")
    async def ask(
        interaction: discord.Interaction,
        prompt: str,
        file: discord.Attachment | None = None,
        model: str | None = None,
    ) -> None:
        await interaction.response.defer(thinking=True)
        told = f" about {file.filename}" if file else ""
        text = LONG if prompt == "markdown" else f"You asked{told}: {prompt} [{model or MODELS[0]}]"
        for end in (len(text) // 2, len(text)):
            await interaction.edit_original_response(content=text[:end])

    @ask.autocomplete("model")
    async def suggest(_interaction: discord.Interaction, current: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=name, value=name) for name in MODELS if current in name]

    @tree.context_menu(name="Ask Gemini")
    async def ask_about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"About: {message.content}")


def _add_others(tree: app_commands.CommandTree) -> None:
    @tree.command(name="ai-art", description="Describe an artwork")
    async def art(interaction: discord.Interaction, theme: str) -> None:
        wide = "```\n" + "wide " * 60 + "\n```"
        embed = discord.Embed(title=theme, description=f"A **quiet** harbour.\n{wide}", colour=0x4A55C8)
        embed.add_field(name="Style", value="Ink").add_field(name="Mood", value="Calm").set_footer(text="one of many")
        picture = discord.File(io.BytesIO(b"name,value\nink,1\n"), "palette.csv")
        await interaction.response.send_message(embed=embed, file=picture)

    @tree.command(name="panel", description="Buttons and a menu")
    async def panel(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Choose.", view=Panel())

    @tree.command(name="feedback", description="Open a form")
    async def feedback(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Feedback())

    @tree.command(name="stats", description="Only for you")
    @app_commands.default_permissions(manage_guild=True)
    async def stats(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Numbers for you.", ephemeral=True)

    @tree.command(name="chat", description="Open a thread")
    async def chat(interaction: discord.Interaction, topic: str) -> None:
        await interaction.response.send_message(f"A chat about {topic}.")
        message = await interaction.original_response()
        thread = await message.create_thread(name=topic)
        await thread.send(f"Let us talk about {topic}.")

    @tree.command(name="wait", description="Think for a while")
    async def wait(interaction: discord.Interaction) -> None:
        await interaction.response.defer(thinking=True)
        await asyncio.sleep(2)
        await interaction.edit_original_response(content="Done thinking.")
