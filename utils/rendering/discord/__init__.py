"""Answers in Discord: the writer, the places it can write to, and what stands below."""

from utils.rendering.discord.targets import (
    TOKEN_LIFE_S,
    ChannelTarget,
    Controls,
    InteractionTarget,
    NoControls,
    TokenTarget,
    writable_channel,
)
from utils.rendering.writer import AnswerWriter, Place, TextFile, WrittenAnswer

__all__ = [
    "TOKEN_LIFE_S",
    "AnswerWriter",
    "ChannelTarget",
    "Controls",
    "InteractionTarget",
    "NoControls",
    "Place",
    "TextFile",
    "TokenTarget",
    "WrittenAnswer",
    "writable_channel",
]
