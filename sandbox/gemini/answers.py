"""What the emulated model answers: the question again, with what was received, and whatever it asked for.

``compose`` makes an ``Answer`` from a ``Prompt``; ``Answer`` becomes one document (unary) or a list of chunks (stream).
What always holds: an answer repeats its question and the question's id (``#q-...``), says how many turns and which
parts were seen, by which key, with how many tokens, and is the same for the same request, so that a test can compare
every answer with its question. Texts on request are ``triggers``' work, delivering (and spoiling) is ``delivery``'s.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sandbox.gemini.diary import describe
from sandbox.gemini.errands import calculation, errand, heard, sources
from sandbox.gemini.keys import EmulatedKey
from sandbox.gemini.media import picture, tone
from sandbox.gemini.prompts import Prompt, content_text
from sandbox.gemini.sampling import sample
from sandbox.gemini.triggers import pieces
from sandbox.gemini.wire import MEDIA_TOKENS, Json, compact, invalid, text_tokens

_QUESTION_ID = re.compile(r"#q-[\w-]+")
_GOES_ON = re.compile(r"\b(?:continue|go on)\b.*\bwhere (?:you|it)\b", re.IGNORECASE | re.DOTALL)
_CALLS = re.compile(r"\bcall\b|\btool\b", re.IGNORECASE)
_THINKS = re.compile(r"\bthink(?:ing)?\b", re.IGNORECASE)
_MAX_ECHO = 300
_CHUNK_CHARACTERS = 60
_MAX_CHUNKS = 60
_MIN_CHUNKS = 3
_THOUGHTS = "The question is read, the turns before it are counted, and the answer is put together from them."


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, ready to be sent whole or in pieces.

    ``texts`` holds one text per candidate; ``parts`` follow the text of every candidate.
    """

    texts: tuple[str, ...]
    parts: tuple[Json, ...]
    thoughts: str
    finish_reason: str
    model_name: str
    response_id: str
    prompt_tokens: int
    cached_tokens: int
    continuation: str = ""
    grounding: Json | None = None

    @property
    def output_tokens(self) -> int:
        """Tokens of all candidates, thoughts apart."""
        parts = sum(_output_tokens(part) for part in self.parts)
        return sum(text_tokens(text) for text in self.texts) + parts * len(self.texts)

    def document(self) -> Json:
        """The whole answer as ``generateContent`` sends it."""
        parts = [[*self._thoughts(), *self._text(text), *self.parts] for text in self.texts]
        return self._frame([self._candidate(n, some, last=True) for n, some in enumerate(parts)])

    def chunks(self) -> list[Json]:
        """The answer in the pieces of a stream: text, then other parts; only the last ends it."""
        pieces_of = [_cut(text) for text in self.texts]
        rounds = max(len(some) for some in pieces_of)
        chunks = [self._frame([self._candidate(0, self._thoughts(), last=False)])] if self.thoughts else []
        for turn in range(rounds):
            last = turn == rounds - 1
            candidates = [
                self._candidate(number, self._chunk_parts(some, turn, last=last), last=last)
                for number, some in enumerate(pieces_of)
                if turn < len(some) or last
            ]
            chunks.append(self._frame(candidates))
        return chunks

    def _chunk_parts(self, some: list[str], turn: int, *, last: bool) -> list[Json]:
        text = some[turn] if turn < len(some) else ""
        # A last chunk without parts would make a chat drop the turn, so an empty text stands in.
        return [*self._text(text), *self.parts] or [{"text": ""}] if last else [{"text": text}]

    def _text(self, text: str) -> list[Json]:
        return [{"text": text}] if text else []

    def _thoughts(self) -> list[Json]:
        return [{"text": self.thoughts, "thought": True}] if self.thoughts else []

    def _candidate(self, number: int, parts: list[Json], *, last: bool) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": number}
        if last:
            candidate["finishReason"] = self.finish_reason
            if self.grounding is not None:
                candidate["groundingMetadata"] = self.grounding
            if self.continuation:
                candidate["continuationToken"] = self.continuation
        return candidate

    def _frame(self, candidates: list[Json]) -> Json:
        return {
            "candidates": candidates,
            "usageMetadata": self.usage(),
            "modelVersion": self.model_name,
            "responseId": self.response_id,
        }

    def usage(self) -> Json:
        """The usageMetadata: prompt (cached included), candidates, thoughts, total."""
        thoughts = text_tokens(self.thoughts)
        usage: Json = {
            "promptTokenCount": self.prompt_tokens,
            "candidatesTokenCount": self.output_tokens,
            "totalTokenCount": self.prompt_tokens + self.output_tokens + thoughts,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": self.prompt_tokens}],
        }
        if thoughts:
            usage["thoughtsTokenCount"] = thoughts
        if self.cached_tokens:
            usage["cachedContentTokenCount"] = self.cached_tokens
        return usage


def _output_tokens(part: Mapping[str, Any]) -> int:
    return MEDIA_TOKENS if "inlineData" in part else text_tokens(compact(dict(part)).decode())


def _cut(text: str) -> list[str]:
    """Cut a text into the pieces of a stream; there is always at least one, which may be empty."""
    size = max(1, min(_CHUNK_CHARACTERS, -(-len(text) // _MIN_CHUNKS)), -(-len(text) // _MAX_CHUNKS))
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def compose(
    prompt: Prompt,
    key: EmulatedKey,
    *,
    response_id: str,
    interrupted: bool = False,
    sayings: Mapping[str, str] | None = None,
) -> Answer:
    """Make the answer; ``interrupted`` ends it half way with CONTINUATION and a token to go on with.

    ``sayings`` are answers given word for word, by the id of their question.
    """
    told = _told(prompt, sayings or {})
    text, parts = (told, []) if told is not None else _content(prompt, key)
    thoughts = _THOUGHTS if _wants_thoughts(prompt) else ""
    texts = tuple(text if number == 0 else f"{text}\n(candidate {number + 1})" for number in _numbers(prompt))
    limited = [_limit(one, prompt, text_tokens(thoughts)) for one in texts]
    finish = "MAX_TOKENS" if any(cut for _, cut in limited) else "STOP"
    answer = Answer(
        texts=tuple(one for one, _ in limited),
        parts=tuple(parts),
        thoughts=thoughts,
        finish_reason=finish,
        model_name=prompt.model.name,
        response_id=response_id,
        prompt_tokens=prompt.prompt_tokens,
        cached_tokens=prompt.cached_tokens,
        grounding=sources(prompt.question, texts[0]) if prompt.searches else None,
    )
    return _continued(answer, prompt.continuation, interrupted=interrupted)


def _told(prompt: Prompt, sayings: Mapping[str, str]) -> str | None:
    match = _QUESTION_ID.search(prompt.question)
    return sayings.get(match[0]) if match and errand(prompt.system, prompt.question) is None else None


def _numbers(prompt: Prompt) -> range:
    return range(prompt.config.candidate_count)


def _wants_thoughts(prompt: Prompt) -> bool:
    asked = prompt.config.include_thoughts or _THINKS.search(prompt.question) is not None
    return asked and prompt.model.thinks and not prompt.continuation


def _content(prompt: Prompt, key: EmulatedKey) -> tuple[str, list[Json]]:
    if call := _function_call(prompt):
        return "", [call]
    if (made := errand(prompt.system, prompt.question)) is not None:
        return made, []
    if prompt.config.wants_json:
        return _json_text(prompt, key), []
    if prompt.model.makes_speech or "AUDIO" in prompt.config.modalities:
        data = base64.b64encode(tone(prompt.question)).decode()
        return "", [{"inlineData": {"mimeType": "audio/L16;codec=pcm;rate=24000", "data": data}}]
    if (rest := _rest(prompt, key)) is not None:
        return rest, []
    words, question = heard(prompt.question)
    wanted = pieces(question)
    parts = [piece for piece in wanted if isinstance(piece, dict)]
    parts += calculation(question) if prompt.runs_code else []
    if not parts and (prompt.model.makes_images or "IMAGE" in prompt.config.modalities):
        data = base64.b64encode(picture(prompt.question)).decode()
        parts = [{"inlineData": {"mimeType": "image/png", "data": data}}]
    told = [one for one in wanted if isinstance(one, str)]
    texts = [words or "", _echo(question), *_returned(prompt), *told, _facts(prompt, key)]
    return "\n\n".join(text for text in texts if text), parts


def _rest(prompt: Prompt, key: EmulatedKey) -> str | None:
    """The rest of the answer before, if it was cut short and the question is to go on where it stopped."""
    if len(prompt.contents) < 3 or not _GOES_ON.search(prompt.question) or prompt.contents[-2]["role"] != "model":
        return None
    whole, _ = _content(replace(prompt, contents=prompt.contents[:-2]), key)
    said = content_text(prompt.contents[-2])
    return (whole[len(said) :] or None) if said and whole.startswith(said[:_MAX_ECHO]) else None


def _echo(question: str) -> str:
    words = " ".join(question.split())
    echo = words if len(words) <= _MAX_ECHO else words[:_MAX_ECHO] + "…"
    said = f"You asked: “{echo}”." if echo else "You sent no text."
    match = _QUESTION_ID.search(question)
    return f"Answer to {match[0]}: {said}" if match else said


def _returned(prompt: Prompt) -> list[str]:
    """A sentence for every function result that came back."""
    responses = (part.get("functionResponse") for part in prompt.contents[-1]["parts"])
    return [
        f"The function {one.get('name')} returned {json.dumps(one.get('response'), ensure_ascii=False)}."
        for one in responses
        if isinstance(one, dict)
    ]


def _facts(prompt: Prompt, key: EmulatedKey) -> str:
    parts = ", ".join(_received(part) for part in prompt.contents[-1]["parts"])
    sentences = [f"Turns seen: {len(prompt.contents)}.", f"Received: {parts}."]
    if len(prompt.contents) > 1:
        first = " ".join(prompt.first_question.split())[:_MAX_ECHO]
        sentences.append(f"Your first question was: “{first}”.")
    if prompt.system:
        sentences.append(f"My instructions begin: “{' '.join(prompt.system.split())[:80]}”.")
    sentences.append(f"Key {key.label} of project {key.project}, {prompt.prompt_tokens} tokens read.")
    if len(prompt.contents) == 1:
        sentences.append("Say “help” to see what else I can do.")
    return " ".join(sentences)


def _received(part: Mapping[str, Any]) -> str:
    if "text" in part:
        return f"text of {len(str(part['text']).encode('utf-8', 'surrogatepass'))} bytes"
    return describe(part)


def _json_text(prompt: Prompt, key: EmulatedKey) -> str:
    words = _echo(prompt.question)
    if prompt.config.schema is not None:
        return json.dumps(sample(prompt.config.schema, words), ensure_ascii=False)
    facts = {"answer": words, "turns": len(prompt.contents), "key": key.label, "tokens": prompt.prompt_tokens}
    return json.dumps(facts, ensure_ascii=False)


def _function_call(prompt: Prompt) -> Json | None:
    """A call to the function the question names, or to the first one if it says ``call``; never twice in a row."""
    answered = any("functionResponse" in part for part in prompt.contents[-1]["parts"])
    if not prompt.functions or answered or prompt.calling_mode == "NONE":
        return None
    named = [one for one in prompt.functions if str(one.get("name")).lower() in prompt.question.lower()]
    if not named and prompt.calling_mode != "ANY" and not _CALLS.search(prompt.question):
        return None
    chosen = (named or list(prompt.functions))[0]
    schema = chosen.get("parametersJsonSchema") or chosen.get("parameters") or {}
    args = sample(schema, prompt.question[:_MAX_ECHO]) if schema else {}
    digest = hashlib.sha256(prompt.question.encode("utf-8", "surrogatepass"))
    return {
        "functionCall": {"id": f"call-{digest.hexdigest()[:8]}", "name": chosen.get("name"), "args": args},
        "thoughtSignature": base64.b64encode(digest.digest()).decode(),
    }


def _limit(text: str, prompt: Prompt, spent: int) -> tuple[str, bool]:
    """Apply stop sequences and maxOutputTokens (thoughts count too); says whether the latter cut the text."""
    ends = [at for stop in prompt.config.stop_sequences if (at := text.find(stop)) >= 0]
    text = text[: min(ends)] if ends else text
    most = prompt.config.max_output_tokens
    if most is None or text_tokens(text) + spent <= most:
        return text, False
    room = max(0, most - spent) * 4
    return text.encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore"), True


def _continued(answer: Answer, token: str, *, interrupted: bool) -> Answer:
    """Send the second half to whoever brings a token, the first half and a token to whoever is interrupted."""
    text = answer.texts[0]
    if token:
        return _with_text(answer, text[_position(token) :], answer.finish_reason, "")
    if not interrupted:
        return answer
    half = len(text) // 2
    return _with_text(answer, text[:half], "CONTINUATION", base64.b64encode(b"at %d" % half).decode())


def _with_text(answer: Answer, text: str, finish_reason: str, continuation: str) -> Answer:
    return Answer(
        texts=(text,),
        parts=() if continuation else answer.parts,
        thoughts=answer.thoughts,
        finish_reason=finish_reason,
        model_name=answer.model_name,
        response_id=answer.response_id,
        prompt_tokens=answer.prompt_tokens,
        cached_tokens=answer.cached_tokens,
        continuation=continuation,
        grounding=answer.grounding,
    )


def _position(token: str) -> int:
    try:
        return int(base64.b64decode(token, altchars=b"-_").removeprefix(b"at "))
    except ValueError as error:
        raise invalid("The continuation token is invalid.") from error
