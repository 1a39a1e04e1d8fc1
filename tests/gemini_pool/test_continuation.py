"""A stream that breaks goes on through another key, and the reader sees one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gemini_pool.conftest import QUICK, Running, Start
from utils.gemini_pool import UpstreamError
from utils.gemini_pool.joints import Joint, repeated


@pytest.mark.parametrize("kind", ["midreset", "truncate", "miderror"])
async def test_a_broken_stream_goes_on_through_another_key(start: Start, kind: str) -> None:
    """The text is the one an unbroken stream would have given, up to the name of the key that ended it."""
    running: Running = await start(2)
    pool = running.pool()
    whole = "".join([piece.text or "" async for piece in pool.stream_content(prompt="Tell me 300 words #q-7")])
    running.break_key("k2", kind=kind)
    broken = "".join([piece.text or "" async for piece in pool.stream_content(prompt="Tell me 300 words #q-7")])

    kept = whole.index("Key k1")
    assert broken[:kept] == whole[:kept]
    assert "Key k1 of project p1" in broken
    rest = running.asked()[-1]["turns"]
    assert [turn["role"] for turn in rest] == ["user", "model", "user"]
    assert whole.startswith(rest[1]["text"][:100])


async def test_what_was_said_is_kept_when_no_key_can_go_on(start: Start) -> None:
    """The pieces that came stay valid, and the error follows them."""
    running: Running = await start(2)
    running.break_all("truncate")
    seen: list[str] = []

    async def read() -> None:
        async for piece in running.pool().stream_content(prompt="Tell me 300 words #q-8", max_retries=2):
            seen.append(piece.text or "")  # noqa: PERF401  # what was read before the error is what is looked at

    with pytest.raises(UpstreamError):
        await read()
    assert "".join(seen).startswith("Answer to #q-8:")
    assert len(running.asked()) == 3


async def test_an_answer_that_is_more_than_text_is_not_continued(start: Start) -> None:
    """Where nothing can say how far the answer came, the break is an error at once."""
    running: Running = await start(2)
    running.break_all("truncate")
    pool = running.pool(config=QUICK)

    async def read() -> None:
        async for _ in pool.stream_content(prompt="Two of 300 words", candidate_count=2):
            pass

    with pytest.raises(UpstreamError):
        await read()
    assert len(running.asked()) == 1


def test_a_continuation_that_repeats_itself_is_trimmed_once() -> None:
    """Words said again at the joint are dropped; later repeats are the answer's own."""
    joint = Joint()
    joint.take("The sky is blue because light scatters")
    joint.break_off()
    assert joint.take("because light scatters in the air, because light scatters") == (
        " in the air, because light scatters"
    )
    assert joint.take("because light scatters") == "because light scatters"


@given(st.text(max_size=60), st.text(max_size=60))
def test_only_a_real_repeat_is_found(said: str, text: str) -> None:
    """What is trimmed stood at the end of what was said, and a short repeat is left alone."""
    length = repeated(said, text)
    assert said.endswith(text[:length])
    assert length == 0 or length >= 12
