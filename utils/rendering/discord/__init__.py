"""Answers in Discord: the writer, and the two places it can write to."""

from utils.rendering.discord.targets import ChannelTarget, InteractionTarget
from utils.rendering.writer import AnswerWriter, Place, WrittenAnswer

__all__ = ["AnswerWriter", "ChannelTarget", "InteractionTarget", "Place", "WrittenAnswer"]
