"""Discord's limits as parameters: what the emulator refuses, and after how long.

``DiscordLimits`` holds them all with Discord's own numbers as defaults (source: Discord's documentation, pages
resources/message, interactions/receiving-and-responding, interactions/application-commands, topics/rate-limits,
events/gateway). Lengths of time are real seconds, not sandbox seconds: the bot on the other side has only the real
clock, and would otherwise be judged by one it cannot see. A test passes its own numbers.

The sizes of the buckets are not published; those here are the ones commonly seen. ``bucket_scale`` multiplies them,
0 switches them off.
"""

from __future__ import annotations

from dataclasses import dataclass, field


def _buckets() -> dict[str, tuple[int, float]]:
    return {
        "send": (5, 5.0),
        "edit": (5, 5.0),
        "delete": (5, 1.0),
        "read": (50, 5.0),
        "typing": (5, 5.0),
        "reaction": (4, 1.0),
        "thread": (50, 300.0),
        "channel": (10, 10.0),
        "webhook": (5, 2.0),
        "commands": (10, 20.0),
    }


@dataclass(frozen=True, slots=True)
class DiscordLimits:
    """Every number the emulator judges by; times in real seconds, lengths in UTF-16 units, sizes in bytes."""

    ack_s: float = 3.0
    token_s: float = 900.0
    cdn_s: float = 86_400.0
    """How long a signed attachment address works, in sandbox seconds."""
    nonce_s: float = 300.0

    content: int = 2000
    embed_title: int = 256
    embed_description: int = 4096
    embed_field_name: int = 256
    embed_field_value: int = 1024
    embed_footer: int = 2048
    embed_author: int = 256
    embed_fields: int = 25
    embeds: int = 10
    embed_total: int = 6000
    v2_text: int = 4000
    v2_components: int = 40
    rows: int = 5
    row_buttons: int = 5
    select_options: int = 25
    button_label: int = 80
    custom_id: int = 100
    modal_title: int = 45
    modal_components: int = 5
    text_input: int = 4000
    files: int = 10
    file_bytes: int = 10 * 1024 * 1024
    request_bytes: int = 25 * 1024 * 1024
    nonce: int = 25
    string_option: int = 6000
    chat_commands: int = 100
    menu_commands: int = 15
    command_name: int = 32
    command_description: int = 100
    command_options: int = 25
    command_total: int = 8000
    choices: int = 25
    choice: int = 100
    thread_name: int = 100
    history: int = 100

    heartbeat_s: float = 41.25
    heartbeat_grace_s: float = 20.0
    """How long after its time a heartbeat is still waited for; also for the answer to a heartbeat asked for."""
    frame_bytes: int = 4096
    frames: int = 120
    frames_s: float = 60.0
    identifies: int = 3
    """Discord allows one; two more so that a person can restart the bot at once without being called a crash loop."""
    identifies_s: float = 5.0
    resume_s: float = 180.0
    """How long a session waits for a lost client to RESUME."""
    replay: int = 1000
    """How many events a session keeps for RESUME."""

    buckets: dict[str, tuple[int, float]] = field(default_factory=_buckets)
    bucket_scale: float = 1.0
    global_per_s: int = 50
