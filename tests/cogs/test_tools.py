"""Web search and code: what an answer rests on and what was run for it, shown with it."""

from __future__ import annotations

from tests.cogs.talk import open_thread

SUPPRESS_EMBEDS = 1 << 2


async def test_an_answer_with_web_search_names_its_sources(house):
    """Numbered links under the answer, without previews, and what was searched for."""
    answer = await house.answer("ask", options={"prompt": "who won? #q-1", "search": True})
    lines = answer["content"].splitlines()
    at = lines.index("-# Sources:")
    assert lines[at + 1] == "-# 1. [First page](<https://example.com/one>)"
    assert lines[at + 2] == "-# 2. [Second page](<https://example.org/two?a=1&b=2>)"
    assert lines[at + 3].startswith("-# Searched for: [who won? #q-1](<https://www.google.com/search?q=who+won")
    assert "google_search" in house.generated()[0]["body"] or "googleSearch" in house.generated()[0]["body"]


async def test_without_the_option_nothing_is_searched_and_nothing_named(house):
    """Tools are asked for, or are not used."""
    answer = await house.answer("ask", options={"prompt": "calculate 1 + 2 #q-1"})
    assert "Sources" not in answer["content"]
    assert "```" not in answer["content"]
    assert "tools" not in house.generated()[0]["body"]


async def test_a_chat_that_searches_does_so_for_every_answer(house):
    """The option is the conversation's; its sources are for people and not shown to the model again."""
    thread = await open_thread(house, search=True)
    first = await house.reply(thread, "who won? #q-1")
    assert "-# Sources:" in first["content"]
    assert first["flags"] & SUPPRESS_EMBEDS
    second = await house.reply(thread, "and before? #q-2")
    assert "-# Sources:" in second["content"]
    assert "Sources" not in house.generated()[-1]["turns"][1]["text"]
    assert "#q-1" in house.generated()[-1]["turns"][1]["text"]


async def test_code_is_shown_with_its_output(house):
    """Two blocks, and what was said around them."""
    answer = await house.answer("ask", options={"prompt": "calculate 40 + 2 #q-1", "code": True})
    assert "\n```python\nprint(sum([40, 2" in answer["content"]
    assert "-# Output\n```\n" in answer["content"]
    assert "#q-1" in answer["content"]


async def test_code_that_failed_says_so(house):
    """In the asker's language, with what the code wrote."""
    answer = await house.answer("ask", options={"prompt": "run it and fail", "code": True}, user="小美", locale="zh-TW")
    assert "-# 程式執行失敗\n```\nZeroDivisionError" in answer["content"]


async def test_code_in_a_chat_is_known_to_the_next_question(house):
    """What was run is part of what was said."""
    thread = await open_thread(house, code=True)
    await house.reply(thread, "calculate 40 + 2")
    await house.reply(thread, "why? #q-2")
    assert "print(sum([40, 2" in house.generated()[-1]["turns"][1]["text"]


async def test_pictures_that_an_answer_comes_with_are_attached(house):
    """What a model draws along with its words, such as with code that it runs, stands under the answer."""
    answer = await house.answer("ask", options={"prompt": "draw it, and calculate 6 + 7 #q-1", "code": True})
    [file] = answer["attachments"]
    assert file["filename"] == "picture-1.png"
    assert house.discord._parts.hub.world.files[file["id"]].content.startswith(b"\x89PNG")
    assert "#q-1" in answer["content"]
    reply = await house.reply(house.channel("general"), f"{house.mention} draw it #q-2")
    assert [one["filename"] for one in reply["attachments"]] == ["picture-1.png"]
