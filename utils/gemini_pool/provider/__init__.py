"""The border to google-genai: clients, single calls, and the translation of what comes back.

This is the only room that imports google-genai. ``Provider`` makes exactly one attempt per call, never retries, and
turns everything foreign into ``policy.Failure``; secrets leave the process here and nowhere else.
"""

from utils.gemini_pool.provider.attempts import Ask, Attempt
from utils.gemini_pool.provider.calls import Provider
from utils.gemini_pool.provider.streams import StreamedCall

__all__ = ["Ask", "Attempt", "Provider", "StreamedCall"]
