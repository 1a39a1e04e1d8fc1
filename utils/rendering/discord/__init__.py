"""Answers in Discord: the writer, the places it can write to, and what stands below."""

from utils.rendering.discord.channel import ChannelTarget
from utils.rendering.discord.controls import Controls, NoControls
from utils.rendering.discord.tokens import TOKEN_LIFE_S, InteractionTarget, TokenTarget, writable_channel
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
