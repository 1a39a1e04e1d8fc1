"""The size limits of a message's body, a modal and a set of commands.

Each ``check_*`` returns the list of (dotted path, sentence) pairs that Discord's 400 with code 50035 carries; an empty
list means that the body is within all limits. Lengths are counted in UTF-16 units: Discord's own way of counting is not
published, and this is the stricter one. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sandbox.discord.limits import DiscordLimits

Problems = list[tuple[str, str]]

ACTION_ROW, BUTTON, STRING_SELECT, TEXT_INPUT, TEXT_DISPLAY = 1, 2, 3, 4, 10


def units(text: object) -> int:
    """Count a text's UTF-16 units."""
    return len(str(text or "").encode("utf-16-le", "surrogatepass")) // 2


def _over(path: str, value: object, limit: int) -> Iterator[tuple[str, str]]:
    if units(value) > limit:
        yield path, f"Must be {limit} or fewer in length."


def _too_many(path: str, items: object, limit: int) -> Iterator[tuple[str, str]]:
    if isinstance(items, list) and len(items) > limit:
        yield path, f"Must be {limit} or fewer in length."


def check_message(body: dict[str, Any], limits: DiscordLimits) -> Problems:
    """Check content, embeds, components and nonce of a message to send or edit."""
    problems = list(_over("content", body.get("content"), limits.content))
    problems += _over("nonce", body.get("nonce"), limits.nonce)
    problems += _too_many("embeds", body.get("embeds"), limits.embeds)
    total = 0
    for index, embed in enumerate(body.get("embeds") or []):
        problems += _check_embed(f"embeds.{index}", embed, limits)
        total += _embed_units(embed)
    if total > limits.embed_total:
        problems.append(("embeds", f"Embed size exceeds maximum size of {limits.embed_total}"))
    problems += check_components(body.get("components") or [], limits)
    problems += _too_many("attachments", body.get("attachments"), limits.files)
    return problems


def _check_embed(path: str, embed: dict[str, Any], limits: DiscordLimits) -> Iterator[tuple[str, str]]:
    yield from _over(f"{path}.title", embed.get("title"), limits.embed_title)
    yield from _over(f"{path}.description", embed.get("description"), limits.embed_description)
    yield from _over(f"{path}.footer.text", (embed.get("footer") or {}).get("text"), limits.embed_footer)
    yield from _over(f"{path}.author.name", (embed.get("author") or {}).get("name"), limits.embed_author)
    yield from _too_many(f"{path}.fields", embed.get("fields"), limits.embed_fields)
    for index, each in enumerate(embed.get("fields") or []):
        for part, limit in (("name", limits.embed_field_name), ("value", limits.embed_field_value)):
            yield from _over(f"{path}.fields.{index}.{part}", each.get(part), limit)
            if not each.get(part):
                yield f"{path}.fields.{index}.{part}", "This field is required"


def _embed_units(embed: dict[str, Any]) -> int:
    texts = [embed.get("title"), embed.get("description")]
    texts += [(embed.get("footer") or {}).get("text"), (embed.get("author") or {}).get("name")]
    for each in embed.get("fields") or []:
        texts += [each.get("name"), each.get("value")]
    return sum(units(text) for text in texts)


def walk(components: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Every component and those inside it, outermost first."""
    for component in components:
        if not isinstance(component, dict):
            continue
        yield component
        inner = [*(component.get("components") or []), component.get("component"), component.get("accessory")]
        yield from walk(inner)


def check_components(components: list[Any], limits: DiscordLimits) -> Problems:
    """Check rows, buttons, selects, labels, custom ids and the text of all text displays together."""
    problems: Problems = []
    rows = [c for c in components if isinstance(c, dict) and c.get("type") == ACTION_ROW]
    if len(rows) == len(components):
        problems += _too_many("components", components, limits.rows)
    everything = list(walk(components))
    if len(everything) > limits.v2_components:
        problems.append(("components", f"The maximum number of components is {limits.v2_components}."))
    text = sum(units(c.get("content")) for c in everything if c.get("type") == TEXT_DISPLAY)
    if text > limits.v2_text:
        problems.append(("components", f"The text of all components exceeds {limits.v2_text}."))
    seen: set[str] = set()
    for component in everything:
        problems += _check_component(component, limits)
        custom_id = component.get("custom_id")
        if custom_id and custom_id in seen:
            problems.append(("components", f"Component custom id cannot be duplicated: {custom_id}"))
        seen.add(custom_id or "")
    return problems


def _check_component(component: dict[str, Any], limits: DiscordLimits) -> Iterator[tuple[str, str]]:
    yield from _over("components.custom_id", component.get("custom_id"), limits.custom_id)
    if component.get("type") == ACTION_ROW:
        yield from _too_many("components.components", component.get("components"), limits.row_buttons)
    if component.get("type") == BUTTON:
        yield from _over("components.label", component.get("label"), limits.button_label)
    if component.get("type") == STRING_SELECT:
        yield from _too_many("components.options", component.get("options"), limits.select_options)


def check_modal(data: dict[str, Any], limits: DiscordLimits) -> Problems:
    """Check a modal's title, custom id and components."""
    problems = list(_over("title", data.get("title"), limits.modal_title))
    problems += _over("custom_id", data.get("custom_id"), limits.custom_id)
    problems += _too_many("components", data.get("components"), limits.modal_components)
    for component in walk(data.get("components") or []):
        problems += _check_component(component, limits)
        if component.get("type") == TEXT_INPUT:
            problems += _over("components.value", component.get("value"), limits.text_input)
    return problems


def check_commands(commands: list[dict[str, Any]], limits: DiscordLimits) -> Problems:
    """Check the numbers and lengths of a whole set of application commands."""
    problems: Problems = []
    for kind, limit in ((1, limits.chat_commands), (2, limits.menu_commands), (3, limits.menu_commands)):
        if sum(1 for command in commands if command.get("type", 1) == kind) > limit:
            problems.append(("commands", f"Maximum number of application commands reached ({limit})."))
    for index, command in enumerate(commands):
        problems += _check_command(str(index), command, limits)
        if _command_units(command) > limits.command_total:
            problems.append((str(index), f"Command exceeds maximum size ({limits.command_total})."))
    return problems


def _check_command(path: str, command: dict[str, Any], limits: DiscordLimits) -> Iterator[tuple[str, str]]:
    for key, limit in (("name", limits.command_name), ("description", limits.command_description)):
        for text in [command.get(key), *(command.get(f"{key}_localizations") or {}).values()]:
            yield from _over(f"{path}.{key}", text, limit)
    if not command.get("name"):
        yield f"{path}.name", "This field is required"
    if command.get("type", 1) == 1 and not command.get("description"):
        yield f"{path}.description", "This field is required"
    yield from _too_many(f"{path}.options", command.get("options"), limits.command_options)
    yield from _too_many(f"{path}.choices", command.get("choices"), limits.choices)
    for index, option in enumerate(command.get("options") or []):
        yield from _check_command(f"{path}.options.{index}", {"description": "", **option}, limits)


def _command_units(command: dict[str, Any]) -> int:
    total = 0
    for key in ("name", "description"):
        longest = [command.get(key), *(command.get(f"{key}_localizations") or {}).values()]
        total += max(units(text) for text in longest)
    total += sum(units(c.get("name")) + units(c.get("value")) for c in command.get("choices") or [])
    return total + sum(_command_units(option) for option in command.get("options") or [])
