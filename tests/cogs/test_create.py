"""`/ai-art`: a described work of art as an embed titled with the theme."""

from __future__ import annotations

EPHEMERAL = 1 << 6


async def test_the_embed_bears_the_theme_and_the_description(house):
    """The theme is the title, the model's text the description, the model's name the footer."""
    answer = await house.answer("ai-art", options={"theme": "a lighthouse #q-1"})
    [embed] = answer["embeds"]
    assert embed["title"] == "a lighthouse #q-1"
    assert "#q-1" in embed["description"]
    assert "gemini" in embed["footer"]["text"]


async def test_long_themes_and_texts_keep_within_an_embed(house):
    """A title of at most 256 characters and a description of at most 4096, cut where they must be."""
    answer = await house.answer("ai-art", options={"theme": "900 words about 🎉" + "x" * 300})
    [embed] = answer["embeds"]
    assert len(embed["title"].encode("utf-16-le")) // 2 <= 256
    assert 4000 < len(embed["description"].encode("utf-16-le")) // 2 <= 4096
    assert embed["description"].endswith("…")


async def test_an_empty_theme_is_refused_to_the_author_alone(house):
    """Nothing is sent to the model for a theme of spaces."""
    answer = await house.answer("ai-art", options={"theme": "  "})
    assert answer["flags"] & EPHEMERAL
    assert house.generated() == []


async def test_the_instructions_are_in_the_readers_language(house):
    """A reader of Traditional Chinese gets the description in it, under the localized command's theme."""
    await house.answer("ai-art", options={"theme": "海"}, user="小美", locale="zh-TW")
    body = house.generated()[0]["body"]
    assert "systemInstruction" in body
    assert "文" in body


async def test_a_failure_is_one_sentence(house):
    """When the model cannot be had, the deferred answer becomes the sentence that says why."""
    house.gemini.set_faults([{"kind": "promptblock"}])
    answer = await house.answer("ai-art", options={"theme": "x"})
    assert "safety" in answer["content"]
    assert answer["embeds"] == []
