"""Questions and their answers: stored, given in order, with all that was said before.

``Conversations`` is the room's service, ``Question`` and ``Attachment`` what it is asked; a ``Guide`` says how a
conversation is answered. ``limits`` holds the checks that come before. Nothing here knows Discord: whoever does makes
questions of messages, and shows the texts.
"""

from utils.conversations.answers import CUT_OFF, STOPPED
from utils.conversations.context import ContextLimits
from utils.conversations.errors import AnswerTakenError, EmptyAnswerError, StoppedAnswerError, TurnStateError
from utils.conversations.guides import CODE, SEARCH, OwnChoices, chosen_tools
from utils.conversations.ports import Guidance, Guide
from utils.conversations.questions import Attachment, Question
from utils.conversations.register import CHAT_KINDS
from utils.conversations.service import Conversations
from utils.conversations.waiting import OWN_ANSWER, OnWait, Waiting
from utils.storage import Conversation, Turn

__all__ = [
    "CHAT_KINDS",
    "CODE",
    "CUT_OFF",
    "OWN_ANSWER",
    "SEARCH",
    "STOPPED",
    "AnswerTakenError",
    "Attachment",
    "ContextLimits",
    "Conversation",
    "Conversations",
    "EmptyAnswerError",
    "Guidance",
    "Guide",
    "OnWait",
    "OwnChoices",
    "Question",
    "StoppedAnswerError",
    "Turn",
    "TurnStateError",
    "Waiting",
    "chosen_tools",
]
