"""What the model is shown of a conversation."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from utils.conversations.context import contents, guessed_tokens, system_instruction, transcript
from utils.conversations.tokens import Ratios, file_tokens, text_tokens
from utils.storage import Role, StoredAttachment, StoredMessage

_ids = itertools.count(1)


def message(turn: int, role: Role, text: str, *, user: int = 1, name: str = "Ann", files=()) -> StoredMessage:
    attachments = tuple(
        StoredAttachment(next(_ids), file_name, "image/png", len(content), content) for file_name, content in files
    )
    return StoredMessage(next(_ids), 7, turn, role, text, user, name, 0.0, attachments)


def turn(number: int, question: str, answer: str, **options) -> list[StoredMessage]:
    return [message(number, "user", question, **options), message(number, "model", answer)]


TOKENS = 40


def made_of(
    history: list[StoredMessage],
    question: list[StoredMessage],
    *,
    max_tokens: float = TOKENS,
    summary: str | None = None,
) -> list[dict[str, Any]]:
    """Contents with room for so many tokens and files of 10 bytes."""
    return contents(history, question, max_tokens=max_tokens, max_attachment_bytes=10, summary=summary)


def test_a_first_question_is_one_content():
    """Nothing is added where one person speaks."""
    assert made_of([], [message(1, "user", "Hi")]) == [{"role": "user", "parts": [{"text": "Hi"}]}]


def test_turns_alternate_and_end_with_the_question():
    """The shape is the API's own."""
    made = made_of([*turn(1, "a", "b"), *turn(2, "c", "d")], [message(3, "user", "e")])
    assert [(content["role"], content["parts"][0]["text"]) for content in made] == [
        ("user", "a"), ("model", "b"), ("user", "c"), ("model", "d"), ("user", "e"),
    ]  # fmt: skip


def test_older_turns_are_left_out_whole_and_newest_kept():
    """The question counts too, but is never shortened, and however long it is, it is asked."""
    history = [*turn(1, "a" * 30, "b" * 30), *turn(2, "c" * 30, "d" * 30), *turn(3, "e" * 12, "f" * 12)]
    made = made_of(history, [message(4, "user", "q" * 40)])
    assert [content["parts"][0]["text"][0] for content in made] == ["c", "d", "e", "f", "q"]
    made = made_of(history, [message(4, "user", "q" * 4000)])
    assert [len(content["parts"][0]["text"]) for content in made] == [4000]


def test_a_summary_stands_first_as_a_users_words_and_takes_its_room():
    """It is material, so it is no instruction; the first turn's words follow in the same content."""
    made = made_of(turn(1, "a", "b"), [message(2, "user", "q")], max_tokens=100, summary="They like red.")
    assert [content["role"] for content in made] == ["user", "model", "user"]
    assert "They like red." in made[0]["parts"][0]["text"]
    assert made[0]["parts"][1] == {"text": "a"}
    full = made_of(turn(1, "a", "b"), [message(2, "user", "q")], summary="x" * 400)
    assert [content["role"] for content in full] == ["user"]


def test_a_transcript_names_who_said_what():
    """What a summary is made of: names, the model, files by name, and the summary before."""
    said = [message(1, "user", "look", files=[("a.png", b"1")]), message(1, "model", "nice")]
    assert transcript(said, "before") == "(before that: before)\n\n[user] (with the file a.png) look\n\n[model] nice"


def test_more_characters_are_one_token_each_where_they_are_not_latin():
    """Guesses are rather too many than too few."""
    assert (text_tokens(""), text_tokens("abcde"), text_tokens("你好 a")) == (0, 2, 3)
    assert file_tokens("image/png", 10) > 1000
    assert file_tokens("text/plain", 300) == 100
    ratios = Ratios()
    ratios.learn(1, guessed=100, counted=150)
    ratios.learn(2, guessed=100, counted=100_000)
    ratios.learn(3, guessed=0, counted=5)
    assert [ratios.of(number) for number in (1, 2, 3)] == [1.5, 4.0, 1.0]


def test_an_answer_whose_question_was_cut_off_is_left_out():
    """The API wants a user's content first."""
    made = made_of(turn(1, "a", "b")[1:], [message(2, "user", "q")])
    assert [content["role"] for content in made] == ["user"]


def test_files_stand_before_the_text_of_their_message():
    """A file's bytes go along as inline data with the type they were stored under."""
    made = made_of([], [message(1, "user", "What is it?", files=[("a.png", b"123")])])
    assert made[0]["parts"] == [
        {"inline_data": {"mime_type": "image/png", "data": b"123"}},
        {"text": "What is it?"},
    ]


def test_a_file_alone_is_a_question():
    """No empty text part is sent with it."""
    made = made_of([], [message(1, "user", "", files=[("a.png", b"123")])])
    assert list(made[0]["parts"][0]) == ["inline_data"]
    assert len(made[0]["parts"]) == 1


def test_older_files_over_the_bound_become_a_note():
    """The question's files come first, then the newest; the words of every turn stay."""
    history = [*turn(1, "a", "b", files=[("old.png", b"1" * 6)]), *turn(2, "c", "d", files=[("new.png", b"2" * 4)])]
    made = made_of(history, [message(3, "user", "q", files=[("mine.png", b"3" * 5)])], max_tokens=9_000)
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
    made = made_of(history, [message(4, "user", "q", user=1, name="Sam")])
    assert [content["parts"][0]["text"] for content in made] == [
        "[Sam] a", "b", "[Sam (2)] c", "d", "[Ann] e", "f", "[Sam] q",
    ]  # fmt: skip


@given(st.lists(st.tuples(st.text(max_size=80), st.text(max_size=80)), max_size=12), st.text(max_size=50))
@settings(max_examples=60, deadline=None)
def test_roles_alternate_from_user_to_user_within_the_bound(turns, question):
    """Whatever was said, the list is one the API takes."""
    history = [said for number, (asked, answered) in enumerate(turns) for said in turn(number, asked, answered)]
    made = made_of(history, [message(99, "user", question)])
    assert [content["role"] for content in made] == ["user", "model"] * (len(made) // 2) + ["user"]
    assert guessed_tokens(made[:-1]) <= TOKENS


def test_the_standing_instruction_holds_the_date_and_the_owners_words():
    """What every conversation needs to know, and what its owner added."""
    plain = system_instruction(None, "Friday, 21 November 2026")
    assert "2000 characters" in plain
    assert plain.endswith("Today is Friday, 21 November 2026.")
    assert system_instruction("Be a pirate.", "Friday").endswith("\n\nBe a pirate.")


def links(made: list[dict[str, Any]]) -> list[str]:
    """Give the last characters of the linked videos, in order."""
    parts = (part for content in made for part in content["parts"])
    return [part["file_data"]["file_uri"][-1] for part in parts if "file_data" in part]


def test_the_newest_linked_videos_go_along_each_once():
    """Three of five, where they were named last; what the model wrote is no link of a person's."""
    base = "https://youtu.be/aaaaaaaaaa"
    history = [
        *turn(1, f"{base}1 {base}2", f"see {base}9"),
        *turn(2, f"{base}3", "yes"),
        *turn(3, f"{base}2", "no"),
    ]
    made = made_of(history, [message(4, "user", f"and {base}4?")], max_tokens=1_000)
    assert links(made) == ["3", "2", "4"]
    assert guessed_tokens(made) > 3 * 30_000


def test_the_words_of_a_voice_message_are_asked_for_once():
    """The question's voice message is to be written down; one that was answered is only there."""
    spoken = StoredAttachment(next(_ids), "voice-message.ogg", "audio/ogg", 4, b"OggS")
    said = StoredMessage(next(_ids), 7, 1, "user", "", 1, "Ann", 0.0, (spoken,))
    assert "begin your answer with its words" in made_of([], [said])[0]["parts"][-1]["text"]
    later = made_of([said, message(1, "model", "> 🎤 hi")], [message(2, "user", "and?")], max_tokens=1_000)
    assert "begin your answer" not in str(later)


def test_small_print_under_an_answer_is_for_people():
    """Sources are left out of what the model is shown again; what only looks alike, in mid-text, stays."""
    shown = "So it is.\n\n-# Sources:\n-# 1. [A](<https://a.example/>)"
    made = made_of(turn(1, "a", shown), [message(2, "user", "and?")], max_tokens=1_000)
    assert made[1]["parts"][0]["text"] == "So it is."
    kept = "-# Output\n```\n1\n```\nDone."
    made = made_of(turn(1, "a", kept), [message(2, "user", shown)], max_tokens=1_000)
    assert made[1]["parts"][0]["text"] == kept
    assert made[2]["parts"][0]["text"] == shown
