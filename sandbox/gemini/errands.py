"""What the emulated model answers when its system instruction sends it on an errand instead of into a conversation.

``errand`` gives the title, the summary or the transcript that was asked for, so that each can be told from every other
answer; ``heard`` the words of a voice message, which the emulator cannot hear; ``sources`` the pages that an answer
with web search rests on, ``calculation`` the code that was run for one. What always holds: pure, and the same for the
same text. Shapes: https://ai.google.dev/gemini-api/docs/google-search and .../code-execution
"""

from __future__ import annotations

import html
import re

from sandbox.gemini.wire import Json

_TITLE = re.compile(r"\bwrite a title\b", re.IGNORECASE)
_SUMMARY = re.compile(r"\bsummari[sz]e the conversation\b", re.IGNORECASE)
_TRANSCRIPT = re.compile(r"\btranscribe what is said\b", re.IGNORECASE)
_VOICE = re.compile(r"\(a voice message: [^()]*\)")
_RUNS = re.compile(r"\b(?:calculate|compute|run)\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,6}")
HEARD = "these are the words that the emulator hears in every recording"
_SPEAKER = re.compile(r"^\[[^\]]*\]\s*")
_ID = re.compile(r"#q-[\w-]+")
_MOST_WORDS = 6
_MOST_SUMMARY = 1_000


def errand(system: str, text: str) -> str | None:
    """Give what the system instruction asks to be made of a text; None: it asks for nothing of the kind."""
    if _TITLE.search(system):
        words = _ID.sub("", _SPEAKER.sub("", text.split("\n\n", 1)[0])).split()[:_MOST_WORDS]
        return " ".join(["About", *words])
    if _TRANSCRIPT.search(system):
        return f"{HEARD.capitalize()}."
    if _SUMMARY.search(system):
        said = [_SPEAKER.sub("", line) for line in text.split("\n\n")]
        return f"In short, {len(said)} things were said: {' / '.join(said)}"[:_MOST_SUMMARY]
    return None


def heard(question: str) -> tuple[str | None, str]:
    """Give the line with a voice message's words, if one came with the question, and the question without its note."""
    without = _VOICE.sub("", question)
    return (f"> 🎤 {HEARD}" if without != question else None), without


def sources(question: str, answer: str) -> Json:
    """Give grounding metadata for a question that was searched for; ``answer`` is what the pages support."""
    pages = [("https://example.com/one", "First page"), ("https://example.org/two?a=1&b=2", "Second [page]")]
    query = " ".join(question.split())[:80]
    said = answer.split("\n", 1)[0]
    return {
        "webSearchQueries": [query],
        "searchEntryPoint": {"renderedContent": f'<div class="container">{html.escape(query)}</div>'},
        "groundingChunks": [{"web": {"uri": uri, "title": title}} for uri, title in pages],
        "groundingSupports": [
            {
                # positions are counted in bytes of UTF-8
                "segment": {"endIndex": len(said.encode("utf-8", "surrogatepass")), "text": said},
                "groundingChunkIndices": [0, 1],
            }
        ],
    }


def calculation(question: str) -> list[Json]:
    """Give the code that was run for a question that asks to calculate, and its output; nothing for any other."""
    if not _RUNS.search(question):
        return []
    numbers = [int(number) for number in _NUMBER.findall(question)] or [6, 7]
    failed = "fail" in question.lower()
    code = f"print(sum({numbers}))" if not failed else "print(1 / 0)"
    output = f"{sum(numbers)}\n" if not failed else "ZeroDivisionError: division by zero\n"
    outcome = "OUTCOME_FAILED" if failed else "OUTCOME_OK"
    return [
        {"executableCode": {"language": "PYTHON", "code": code}},
        {"codeExecutionResult": {"outcome": outcome, "output": output}},
    ]
