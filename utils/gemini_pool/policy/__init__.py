"""The pool's rules: pure decisions, without await, I/O, clock or dice of their own.

``Policy`` is the whole; ``Request`` a question's life; ``PoolConfig`` every constant. Importing this loads the standard
library and nothing else, so that a simulator can drive the very objects that serve.
"""

from utils.gemini_pool.policy.config import PoolConfig
from utils.gemini_pool.policy.keys import KeySpec
from utils.gemini_pool.policy.outcome import Failure, Kind, Outcome, classify
from utils.gemini_pool.policy.policy import Policy
from utils.gemini_pool.policy.request import Answered, Call, Refuse, Request, Wait

__all__ = [
    "Answered",
    "Call",
    "Failure",
    "KeySpec",
    "Kind",
    "Outcome",
    "Policy",
    "PoolConfig",
    "Refuse",
    "Request",
    "Wait",
    "classify",
]
