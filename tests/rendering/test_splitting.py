"""Cutting answers into messages: what always holds for any text, and where cuts fall in ordinary ones."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from utils.rendering.fences import scan
from utils.rendering.graphemes import is_border, units
from utils.rendering.splitting import SMALLEST_LIMIT, pieces, preview, split

LIMIT = SMALLEST_LIMIT
FAMILY = "👨‍👩‍👧‍👦"

_FRAGMENTS = [
    "word ", "Ends here. ", "\n", "\n\n", "\r\n", "x" * 90, "y" * 500, " " * 20, "# Head\n", "- item\n", "| a | b |\n",
    "```py\n", "```\n", "````\n", "~~~\n", "   ```js\n", "```", "`", "~~~~ info words\n", "```" + "n" * 80 + "\n",
    FAMILY, FAMILY * 40, "🇹🇼🇰🇷", "👍🏽", "e\u0301\u0302", "漢字。", "漢" * 300, "שלום\u200f ",
    "각", "ᄀ" * 30, "\u0301" * 450,
]  # fmt: skip
texts = st.lists(st.sampled_from(_FRAGMENTS) | st.text(max_size=30), max_size=60).map("".join)


def is_whole(message: str) -> bool:
    """Whether every fence opened in a message is closed in it."""
    lines = scan(message)
    return not lines or lines[-1].fence is None


@given(texts)
@settings(max_examples=150, deadline=None)
@example("```" + "🙂" * 90 + "\n" + "🙂" * 900)
@example("`" * 5000)
@example("```py\n" + "`" * 3000)
@example("\u0301" * 450 + "```py\n")
@example("word ```word ")
@example("word ```word" + " " * 40)
@example("word " * 70 + "```" + " " * 40)
@example("```py" + " " * 70)
@example("```" + "word " * 12 + "> > ")
@example("> ```\n ")
def test_nothing_is_lost_or_doubled_and_every_message_is_whole_and_within_the_limit(text):
    """The bodies join to the text; each message fits, is not blank, and closes what it opens."""
    cut = list(pieces(text, LIMIT))
    assert "".join(piece.body for piece in cut) == text
    for piece in cut:
        assert units(piece.text) <= LIMIT
        assert is_whole(piece.text)
        assert piece.body
    messages = split(text, LIMIT)
    assert all(message.strip() for message in messages)
    kept = [piece for piece in cut if piece.body.strip()]
    assert "".join("".join(piece.body for piece in kept).split()) == "".join(text.split())


@given(texts)
@settings(max_examples=100, deadline=None)
def test_every_state_of_a_running_answer_is_one_whole_message(text):
    """A preview fits, closes its fences, and is empty only where nothing could be read."""
    for end in {len(text) // 3, len(text) // 2, len(text)}:
        shown = preview(text[:end], 500)
        assert units(shown) <= 500
        assert is_whole(shown)


@given(st.lists(st.sampled_from([FAMILY, "🇹🇼", "👍🏽", "e\u0301", "각", "a", "漢"]), min_size=300, max_size=500))
@settings(max_examples=30, deadline=None)
def test_no_visible_character_is_divided(characters):
    """Cuts fall between the characters that a reader sees, also where there is no space at all."""
    borders = {0}
    for character in characters:
        borders.add(max(borders) + len(character))
    position = 0
    for piece in pieces("".join(characters), LIMIT):
        position += len(piece.body)
        assert position in borders


@pytest.mark.parametrize(
    "character", [FAMILY, "🇹🇼", "👍🏽", "e\u0301", "\r\n", "ב\u200f", "ᄀ\u1161\u11a8", "1\ufe0f\u20e3"]
)
def test_a_character_of_several_code_points_has_no_border_inside(character):
    """Joiners, flags, skin tones, marks and jamo stay with their neighbours."""
    assert not any(is_border(character, index) for index in range(1, len(character)))


def test_flags_are_divided_in_pairs():
    """Four flag letters are two flags."""
    assert [is_border("🇹🇼🇰🇷", index) for index in range(1, 4)] == [False, True, False]


def test_units_count_astral_characters_twice():
    """Sizes are counted the longest way Discord might count them."""
    assert (units("abc"), units("漢字"), units("🙂"), units(FAMILY)) == (3, 2, 2, 11)


def test_a_short_answer_is_one_message_as_it_is():
    """Nothing is added where nothing is cut, and blank answers are no message."""
    assert split("Hello\n\n```py\nx = 1\n```\nBye") == ["Hello\n\n```py\nx = 1\n```\nBye"]
    assert split("") == split(" \n ") == []


def test_cuts_prefer_paragraphs_to_lines_to_sentences_to_words():
    """The best border in the fuller half of a message is taken."""
    paragraphs = "\n\n".join("One two three. Four five six.\nSeven eight." * 4 for _ in range(4))
    assert all(message.endswith("eight.") for message in split(paragraphs, LIMIT))
    lines = "\n".join("One two three. Four five six" for _ in range(40))
    assert all(message.endswith("six") for message in split(lines, LIMIT))
    sentences = "One two three four five. " * 40
    assert all(message.endswith("five.") for message in split(sentences, LIMIT))
    assert all(message.endswith("。") for message in split("一二三四五六七八九十。" * 100, LIMIT))
    words = "word " * 200
    assert all(message.endswith("word") for message in split(words, LIMIT))


def test_a_divided_code_block_is_opened_again_with_its_language():
    """Each part of long code is a code block by itself."""
    code = "".join(f"line_{number} = {number}\n" for number in range(100))
    messages = split(f"Look:\n\n~~~~python title\n{code}~~~~\nDone.", LIMIT)
    assert len(messages) > 3
    assert all(message.startswith("~~~~python\n") for message in messages[1:])
    assert all(message.endswith("\n~~~~") for message in messages[:-1])
    assert messages[-1].endswith("~~~~\nDone.")
    inner = "".join(message for message in messages)
    assert all(f"line_{number} = {number}\n" in inner for number in range(100))


def test_no_empty_code_block_is_left_behind():
    """A cut falls neither right behind the opening line nor right before the closing one."""
    for length in range(300, 420):
        for message in split("a" * length + "\n```py\n" + "b\n" * 150 + "```\n" + "c " * 200, LIMIT):
            assert "```py\n```" not in message


def test_a_shorter_fence_inside_a_longer_one_is_code():
    """Only as many of the same marker close a block."""
    text = "````md\n" + ("```py\nx\n```\n" * 60) + "````\nafter"
    messages = split(text, LIMIT)
    assert all(message.startswith("````md\n") for message in messages)
    assert all(message.count("````") == 2 for message in messages)


@pytest.mark.parametrize("block", ["| a | b |\n" * 30, "```\n" + "code()\n" * 40 + "```\n"])
def test_a_table_or_code_block_that_fits_is_moved_rather_than_divided(block):
    """What belongs together stands in one message."""
    messages = split("A short sentence, and then some more words. " * 3 + "\n" + block + "The end.", LIMIT)
    assert any(block.rstrip("\n") in message for message in messages)


def test_a_heading_stays_with_its_text():
    """No message ends in a heading."""
    text = "\n".join(f"# Part {number}\n" + "Some words here. " * 9 for number in range(12))
    assert not any(message.splitlines()[-1].startswith("#") for message in split(text, LIMIT))


def test_a_limit_too_small_for_fences_is_refused():
    """The promise cannot be kept below the smallest limit."""
    with pytest.raises(ValueError, match="at least 400"):
        split("x", 399)


def test_a_preview_has_a_cursor_inside_an_open_code_block():
    """The reader sees where text is still arriving."""
    assert preview("Hello") == "Hello▍"
    assert preview("```py\nx = 1") == "```py\nx = 1▍\n```"
    assert preview("```py\n") == "```py\n▍\n```"
    assert preview("Look:\n```py\nx\n```\n") == "Look:\n```py\nx\n```\n▍"
    assert preview("Look:\n```py\nx\n```\nso") == "Look:\n```py\nx\n```\nso▍"


@pytest.mark.parametrize("begun", ["`", "``", "```", "```p", "~", "~~~", "   ```"])
def test_a_preview_leaves_out_a_fence_line_that_has_only_begun(begun):
    """A language that is still arriving would flicker as text."""
    assert preview(f"Look:\n{begun}") == "Look:▍"


def test_a_long_preview_stays_at_its_head_and_counts_the_rest():
    """The message does not jump while it is read, and still shows that the answer goes on."""
    shown = preview("Some words here. " * 1000)
    assert shown.startswith("Some words here. Some")
    assert shown.splitlines()[-1].startswith("-# … +15,")
