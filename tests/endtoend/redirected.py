"""The bot as it runs with a token of its own, except that Discord is at the addresses of an emulator.

``python -m tests.endtoend.redirected API GATEWAY CDN [argument of bot.py ...]``: ``bot.py`` itself does not know that
its Discord is no real one, so that what it does for the real one's sake only is done here, too.
"""

from __future__ import annotations

import sys

import bot
from sandbox.redirect import redirect_discord

if __name__ == "__main__":
    redirect_discord(*sys.argv[1:4])
    sys.exit(bot.main(sys.argv[4:]))
