"""What a caller of the pool asks, as one value.

``Query`` gathers the arguments of every way to ask, so that each of them is named once; ``prepare`` checks it and
gives the ``Question`` that the dispatcher carries. What always holds: nothing is sent and nothing is counted here; what
cannot be asked is an error with a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from utils.gemini_pool.dispatcher import Question
from utils.gemini_pool.errors import UsageError
from utils.gemini_pool.messages import Content, has_media, to_contents
from utils.gemini_pool.policy import PoolConfig, Wait
from utils.gemini_pool.provider.attempts import Ask


@dataclass(frozen=True, slots=True)
class Query:
    """One question as it was asked: a prompt or contents, for a model (None: the default one) and maybe others.

    ``deadline_s``: seconds for everything, None: the pool's own. ``max_retries``: paid further attempts, None: the
    pool's own bound. ``user``: who asks. ``fallback_models``: what else may answer. ``options``: generation options.
    ``request_id``: the caller's own name for the question. ``on_wait``: told whenever it has to wait.
    """

    prompt: str | Sequence[Any] | None = None
    contents: Sequence[Content] | None = None
    model_name: str | None = None
    deadline_s: float | None = None
    max_retries: int | None = None
    user: str | None = None
    fallback_models: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    request_id: str | None = None
    on_wait: Callable[[Wait], None] | None = None


def prepare(query: Query, default_model: str, resolve: Callable[[str], str], config: PoolConfig) -> Question:
    """Check a query and give its question; ``resolve`` gives the id of a model by its name.

    Raises ``UsageError`` for what no question can be, ``InvalidRequestError`` for a wrong option.
    """
    if query.max_retries is not None and query.max_retries < 0:
        raise UsageError("max_retries must be 0 or more, or None.")
    if isinstance(query.fallback_models, str):
        raise UsageError("fallback_models must be a list of model names.")
    turns = to_contents(query.prompt, query.contents)
    usual_s = config.deadline_media_s if has_media(turns) else config.deadline_text_s
    return Question(
        ask=Ask.prepare(resolve(query.model_name or default_model), turns, query.options),
        deadline_s=query.deadline_s or usual_s,
        max_retries=query.max_retries,
        user=query.user,
        fallbacks=tuple(resolve(name) for name in query.fallback_models),
        request_id=query.request_id,
        max_output_tokens=bound if isinstance(bound := query.options.get("max_output_tokens"), int) else None,
        on_wait=query.on_wait,
    )
