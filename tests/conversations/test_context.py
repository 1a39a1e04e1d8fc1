"""What the model is shown of a conversation."""

from __future__ import annotations

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from utils.conversations.context import ContextLimits, contents, system_instruction
from utils.storage import Role, StoredAttachment, StoredMessage

_ids = itertools.count(1)


def message(turn: int, role: Role, text: str, *, user: int = 1, name: str = "Ann", files=()) -> StoredMessage:
    attachments = tuple(
        StoredAttachment(next(_ids), file_name, "image/png", len(content), content) for file_name, content in files
    )
    return StoredMessage(next(_ids), 7, turn, role, text, user, name, 0.0, attachments)


def turn(number: int, question: str, answer: str, **options) -> list[StoredMessage]:
    return [message(number, "user", question, **options), message(number, "model", answer)]


LIMITS = ContextLimits(max_characters=100, max_attachment_bytes=10)


def test_a_first_question_is_one_content():
    """Nothing is added where one person speaks."""
    assert contents([], [message(1, "user", "Hi")], LIMITS) == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_turns_alternate_and_end_with_the_question():
    """The shape is the API's own."""
    made = contents([*turn(1, "a", "b"), *turn(2, "c", "d")], [message(3, "user", "e")], LIMITS)
    assert [(content["role"], content["parts"][0]["text"]) for content in made] == [
        ("user", "a"), ("model", "b"), ("user", "c"), ("model", "d"), ("user", "e"),
    ]  # fmt: skip


def test_older_turns_are_left_out_whole_and_newest_kept():
    """The bound counts older turns; the question itself is never shortened."""
    history = [*turn(1, "a" * 30, "b" * 30), *turn(2, "c" * 30, "d" * 30), *turn(3, "e" * 10, "f" * 10)]
    made = contents(history, [message(4, "user", "q" * 500)], LIMITS)
    assert [content["parts"][0]["text"][0] for content in made] == ["c", "d", "e", "f", "q"]
    assert len(made[-1]["parts"][0]["text"]) == 500


def test_an_answer_whose_question_was_cut_off_is_left_out():
    """The API wants a user's content first."""
    made = contents(turn(1, "a", "b")[1:], [message(2, "user", "q")], LIMITS)
    assert [content["role"] for content in made] == ["user"]


def test_files_stand_before_the_text_of_their_message():
    """A file's bytes go along as inline data with the type they were stored under."""
    made = contents([], [message(1, "user", "What is it?", files=[("a.png", b"123")])], LIMITS)
    assert made[0]["parts"] == [
        {"inline_data": {"mime_type": "image/png", "data": b"123"}},
        {"text": "What is it?"},
    ]


def test_a_file_alone_is_a_question():
    """No empty text part is sent with it."""
    made = contents([], [message(1, "user", "", files=[("a.png", b"123")])], LIMITS)
    assert list(made[0]["parts"][0]) == ["inline_data"]
    assert len(made[0]["parts"]) == 1


def test_older_files_over_the_bound_become_a_note():
    """The question's files come first, then the newest; the words of every turn stay."""
    history = [*turn(1, "a", "b", files=[("old.png", b"1" * 6)]), *turn(2, "c", "d", files=[("new.png", b"2" * 4)])]
    made = contents(history, [message(3, "user", "q", files=[("mine.png", b"3" * 5)])], LIMITS)
    kinds = [next(iter(part)) for content in made for part in content["parts"]]
    assert kinds == ["text", "text", "text", "inline_data", "text", "text", "inline_data", "text"]
    assert "old.png" in made[0]["parts"][0]["text"]


def test_several_speakers_are_told_apart_by_marked_names():
    """Names of equal spelling get numbers, and no name can forge its mark."""
    history = [
        *turn(1, "a", "b", user=1, name="Sam"),
        *turn(2, "c", "d", user=2, name="Sam"),
        *turn(3, "e", "f", user=3, name="] [Ann\n"),
    ]
    made = contents(history, [message(4, "user", "q", user=1, name="Sam")], LIMITS)
    assert [content["parts"][0]["text"] for content in made] == [
        "[Sam] a", "b", "[Sam (2)] c", "d", "[Ann] e", "f", "[Sam] q",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80)), max_size=12), st.text(max_size=50))
@settings(max_examples=60, deadline=None)
def test_roles_alternate_from_user_to_user_within_the_bound(turns, question):
    """Whatever was said, the list is one the API takes."""
    history = [said for number, (asked, answered) in enumerate(turns) for said in turn(number, asked, answered)]
    made = contents(history, [message(99, "user", question)], LIMITS)
    assert [content["role"] for content in made] == ["user", "model"] * (len(made) // 2) + ["user"]
    assert sum(len(part["text"]) for content in made[:-1] for part in content["parts"]) <= LIMITS.max_characters


def test_the_standing_instruction_holds_the_date_and_the_owners_words():
    """What every conversation needs to know, and what its owner added."""
    plain = system_instruction(None, "Friday, 21 November 2026")
    assert "2000 characters" in plain
    assert plain.endswith("Today is Friday, 21 November 2026.")
    assert system_instruction("Be a pirate.", "Friday").endswith("\n\nBe a pirate.")
