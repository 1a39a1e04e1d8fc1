"""A Gemini API on this machine: ``GeminiEmulator`` is the whole of it.

It answers the unmodified google-genai over HTTP (and, for Live, over a WebSocket), with keys of its own, quota by
project and model, and faults on order. ``Limits`` is a project's quota; ``self_signed`` makes the certificate that
Live needs.
"""

from sandbox.gemini.live import self_signed
from sandbox.gemini.quota import Limits
from sandbox.gemini.server import GeminiEmulator

__all__ = ["GeminiEmulator", "Limits", "self_signed"]
