"""Questions and their answers: stored, given in order, with all that was said before.

``Conversations`` is the room's service, ``Question`` and ``Attachment`` what it is asked. ``limits`` holds
the checks that come before. Nothing here knows Discord: whoever does makes questions of messages, and
shows the texts.
"""

from utils.conversations.context import ContextLimits
from utils.conversations.errors import EmptyAnswerError, TurnStateError
from utils.conversations.questions import Attachment, Question
from utils.conversations.service import Conversations
from utils.storage import Conversation, Turn

__all__ = [
    "Attachment",
    "ContextLimits",
    "Conversation",
    "Conversations",
    "EmptyAnswerError",
    "Question",
    "Turn",
    "TurnStateError",
]
